"""What servers say when they refuse, in one line, and what to set about it.

A refusal comes as a status with a body or, from some servers, with status 200: ``{"error": {"message", "code"}}`` as OpenAI
has it, ``{"object": "error", "message", "code"}`` as vLLM has it, ``{"error": "…"}`` or ``{"detail": "…"}``. `error_in` reads
them all. `advice` knows the complaints that a setting cures.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

LETTERS = 240
"""Letters of a server's words that are quoted."""
EVENT_FIELDS = ("data:", "event:", "id:", "retry:", ":", "error:")
"""How lines of a stream of events begin; ``error:`` is llama.cpp's own."""
BAD_REQUEST = re.compile(r"bad.?request|invalid.?request|validation|context.?(?:length|size)", re.IGNORECASE)
"""How error types are called that blame the request."""


@dataclass(frozen=True)
class Said:
    """An error in a server's words."""

    status: int
    """As an HTTP status: the error's own code where it is one."""
    words: str


@dataclass(frozen=True)
class Advice:
    """What to do about a complaint."""

    text: str
    of_settings: bool
    """Every request will meet the same complaint until a setting is changed."""


_ADVICE = (
    (
        re.compile(
            r"response_?format|json.?schema|json_object|parse grammar|guided_|structured.?outputs?", re.IGNORECASE
        ),
        Advice("this server takes no JSON schema: set json_schema: false for the endpoint", of_settings=True),
    ),
    (
        re.compile(r"chat_template_kwargs|separate_reasoning", re.IGNORECASE),
        Advice(
            "this server does not know how sglang or vllm switch thinking: set thinking: default with dialect: vllm "
            "(dialect: openai for OpenAI's own API)",
            of_settings=True,
        ),
    ),
    (
        re.compile(r"use .?max_completion_tokens", re.IGNORECASE),
        Advice("this server wants max_completion_tokens: set dialect: openai for the endpoint", of_settings=True),
    ),
    (
        re.compile(r"max_completion_tokens(?!.*context)", re.IGNORECASE),
        Advice(
            "this server wants max_tokens: set dialect: vllm, with thinking: default, for the endpoint",
            of_settings=True,
        ),
    ),
    (
        re.compile(
            r"context.{0,12}(?:length|size|window)|max_model_len|too many tokens|prompt is too long", re.IGNORECASE
        ),
        Advice(
            "lower the longest reply (teacher.max_tokens, evaluation.max_new_tokens) or start the server with a longer "
            "context",
            of_settings=False,
        ),
    ),
)


def advice(words: str) -> Advice | None:
    """What a setting can do about a complaint; None where nothing is known."""
    return next((told for pattern, told in _ADVICE if pattern.search(words)), None)


def advised(words: str) -> str:
    """A complaint with what to do about it."""
    told = advice(words)
    return f"{words}; {told.text}" if told else words


def error_in(content: object) -> Said | None:
    """The error that a response's JSON is, whatever its status; None where it is none."""
    if not isinstance(content, dict) or content.get("choices"):
        return None
    error = content.get("error")
    if not error and content.get("object") == "error":
        error = content
    if not error and set(content) <= {"detail", "message"}:
        error = content.get("detail") or content.get("message")
    if not error:
        return None
    if not isinstance(error, dict):
        return Said(500, quoted(_text(error)))
    words = quoted(_text(error.get("message") or error.get("detail") or error))
    kinds = f"{error.get('type')} {error.get('code')}"
    code = error.get("code")
    if isinstance(code, str) and code.isdecimal():
        code = int(code)
    if isinstance(code, int) and 400 <= code < 600:
        return Said(code, words)
    return Said(400 if BAD_REQUEST.search(kinds) else 500, words)


def words_of(text: str) -> str:
    """The server's own words in the body of a refusal: the message of its error, or the body as it is."""
    try:
        said = error_in(json.loads(text))
    except (ValueError, RecursionError):
        said = None
    return said.words if said else quoted(text)


def is_stream(text: str) -> bool:
    """Whether a body, or its first line, is a stream of server-sent events."""
    return text.lstrip().startswith(EVENT_FIELDS)


def is_page(text: str) -> bool:
    """Whether a body is a web page."""
    return text.lstrip()[:1] == "<"


def quoted(text: str, letters: int = LETTERS) -> str:
    """The beginning of a text, in one line."""
    line = " ".join(text.split())
    return line if len(line) <= letters else f"{line[: letters - 1]}…"


def hidden(text: str, key: str | None) -> str:
    """A text without the key that it may repeat."""
    return text.replace(key, "…") if key else text


def shown_url(url: str) -> str:
    """An address without the user name and password that may stand in it."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
