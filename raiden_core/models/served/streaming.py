"""The pieces of a streamed chat completion, or the whole of one from a server that does not stream.

A stream is server-sent events: ``data: {"choices": [{"delta": {"content": …}}]}`` a piece, ``data: [DONE]`` at the end. An
error may come in the middle, as an event of its own (``data: {"error": …}``, ``event: error``, or llama.cpp's older
``error: {…}``), or instead of everything with status 200.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from raiden_core.errors import StageError
from raiden_core.models.answering import Refused
from raiden_core.models.served.acceptance import read_answer, reasoning_of, with_reasoning
from raiden_core.models.served.words import advised, error_in, is_page, is_stream, quoted

END = "[DONE]"


def _ignored(event: Mapping[str, Any]) -> None:
    """Nobody wants to know."""


def pieces(where: str, body: Iterable[bytes], tell: Callable[[Mapping[str, Any]], object] = _ignored) -> Iterator[str]:
    """The text of a response with status 200, as it comes; reasoning that the server keeps apart comes in its tags.

    Args:
        where: names the server in errors.
        body: the response's bytes, in pieces of any length.
        tell: gets each event of a stream whole, for what else stands in it.

    Raises:
        StageError: the response is an error, a web page or nothing that can be read.
    """
    lines = _lines(body)
    first = next((line for line in lines if line.strip()), "")
    if not is_stream(first):
        yield _whole(where, "\n".join([first, *lines]))
        return
    reasoning = False
    for message in _messages(where, [first], lines, tell):
        if thought := reasoning_of(message):
            yield thought if reasoning else f"<think>{thought}"
            reasoning = True
        content = message.get("content") or message.get("refusal")
        if isinstance(content, str) and content:
            yield f"</think>{content}" if reasoning else content
            reasoning = False


def _messages(
    where: str, first: Iterable[str], rest: Iterable[str], tell: Callable[[Mapping[str, Any]], object]
) -> Iterator[Mapping[str, Any]]:
    """What each event adds to the message."""
    came = False
    event = ""
    for lines in (first, rest):
        for line in lines:
            field, _, value = line.partition(":")
            value = value.strip()
            if field == "event":
                event = value
            if field not in ("data", "error") or not value:
                continue
            if value == END:
                return
            came = True
            content = _parsed(where, value)
            if "error" in (field, event):
                content = content if error_in(content) else {"error": content}
            said = error_in(content)
            if said:
                raise StageError(f"{where}: {advised(said.words)}")
            if isinstance(content, dict):
                tell(content)
            choices = content.get("choices") if isinstance(content, dict) else None
            choice = choices[0] if isinstance(choices, list) and choices else None
            message = (choice.get("delta") or choice.get("message")) if isinstance(choice, dict) else None
            if isinstance(message, dict):
                yield message
    if not came:
        raise StageError(f"{where}: ended its reply before a word of it; look at the server's log")


def _whole(where: str, text: str) -> str:
    """The reply of a server that does not stream."""
    if not text.strip():
        raise StageError(f"{where}: answered nothing; look at the server's log")
    if is_page(text):
        raise StageError(
            f"{where}: answered with a web page, not a reply ({quoted(text, 100)}); is this an OpenAI server?"
        )
    content = _parsed(where, text)
    if said := error_in(content):
        raise StageError(f"{where}: {advised(said.words)}")
    answer = read_answer(content)
    if isinstance(answer, Refused):
        raise StageError(f"{where}: {answer.detail}")
    return with_reasoning(answer)


def _parsed(where: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise StageError(f"{where}: answered with what is no JSON: {quoted(text, 100)}") from None


def _lines(body: Iterable[bytes]) -> Iterator[str]:
    """Lines by their line feeds only: other marks that end lines may stand in a text."""
    rest = b""
    for part in body:
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            yield line.decode("utf-8", "replace").removesuffix("\r")
    if rest:
        yield rest.decode("utf-8", "replace")
