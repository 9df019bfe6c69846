"""Which replies count: complete ones that hold what was asked for, and nothing else.

A server's answer is checked in a fixed order: it is a chat completion; it has a choice; the model stopped by itself;
the text is there, is text, and holds no tags of reasoning or of a chat template; where a schema was asked for, the text
is one JSON value that satisfies it; and it does not go round in circles. Each refusal is one of `REASONS`, so that
refusals can be counted. Nothing is repaired: a reply that needs repair is asked for again. (Reasoning in front, where the
endpoint is said to think, and an empty block of it have been left out before: raiden_core.models.served.dialects.)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn

from raiden_core.models.answering import Refused

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

REASONS = {
    "server": "the server failed, timed out or answered with something that is no chat completion",
    "rejected": "the server refuses this request (400, 413, 422 and the like)",
    "empty": "no choice, or no text in it",
    "length": "cut off at max_tokens",
    "unfinished": "ended for another reason than that the model was done, such as a content filter",
    "encoding": "half a character (a lone surrogate) in the text",
    "tags": "tags of reasoning or of a chat template in the text",
    "not json": "the text is not one JSON value",
    "schema": "the JSON does not satisfy the schema",
    "repetition": "the text goes round in circles",
}
"""What a `Refused` may give as its reason."""

OF_THE_MODEL = frozenset({"length", "unfinished", "tags", "not json", "schema", "repetition", "encoding"})
"""Reasons that lie in the text: the same text a second time will not be better a third time."""

FINISHED = frozenset({"stop", "eos", "eos_token", "end_turn", "stop_sequence"})
"""How servers say that the model was done: OpenAI's word, Together's, TGI's two, Anthropic's."""
CUT = frozenset({"length", "max_tokens", "model_length"})
"""How they say that it was cut off."""

LOOP_WINDOW = 200
"""Characters that are looked at together for repetition; shorter texts are not looked at."""
LOOP_GRAM = 5
"""Length of the pieces that are compared."""
LOOP_DISTINCT = 0.25
"""A window in which fewer of its pieces are distinct is a loop: something of up to 50 characters, again and again."""
LOOP_ITEMS = 12
"""A list of as many items can be a loop of items."""

_TAG = re.compile(
    r"</?\s*(?:think|thinking|thought|reasoning|answer|tool_call|observation|sop|eop)\s*>"
    r"|<[|｜][^<>|｜\n]{1,40}[|｜]>|\[/?INST\]|\[gMASK\]|<(?:start|end)_of_turn>",
    re.IGNORECASE,
)
_FENCE = re.compile(r"```(?:json|JSON)?[ \t]*\r?\n(?P<body>.*?)\r?\n?[ \t]*```", re.DOTALL)
_ESCAPE = re.compile(r"\\u(?:[dD][89a-fA-F]|003[cCeE])")


@dataclass(frozen=True)
class Answer:
    """What a server said, read from its JSON; not judged yet."""

    text: str
    finish_reason: str
    """``stop`` and ``length`` in OpenAI's words, whatever the server calls them."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasoning: str = ""
    """What the server took out of the text as reasoning; not stored."""
    remark: str = ""
    """What a user should know about how the server says it; not stored."""
    refusal: str = ""
    """What the model said in place of a reply, from servers that keep it apart; not stored."""


@dataclass(frozen=True)
class Accepted:
    """A good text, with its parsed JSON where a schema was asked for."""

    text: str
    data: Any = None


def read_answer(body: object) -> Answer | Refused:
    """Type, choices, text: the answer in a response's JSON."""
    if not isinstance(body, dict):
        return Refused("server", f"the response is no JSON object but {_shown(body)}", of_server=True)
    choices = body.get("choices")
    if not choices:
        return Refused("empty", f"no choices: {_shown(body.get('error') or body)}", of_server=True)
    choice = choices[0] if isinstance(choices, list) else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        what = (
            "a text completion, not a chat completion"
            if isinstance(choice, dict) and "text" in choice
            else "no message"
        )
        return Refused("server", f"the response has {what}: {_shown(body)}", of_server=True)
    content = message.get("content")
    if content is not None and not isinstance(content, str):
        return Refused("server", f"the message's content is no text: {_shown(content)}", of_server=True)
    if not content and message.get("tool_calls"):
        words = f"the server took the reply for a tool call; start it without a tool parser: {_shown(message['tool_calls'])}"
        return Refused("empty", words, of_server=True)
    usage = body.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    said, ending = choice.get("finish_reason"), _ending(choice.get("finish_reason"))
    remark = (
        f"finish_reason is {said!r} where OpenAI says {ending!r}; it is taken for that" if ending != str(said) else ""
    )
    return Answer(
        content or "",
        ending,
        _count(usage.get("prompt_tokens")),
        _count(usage.get("completion_tokens")),
        reasoning_of(message),
        remark,
        str(message.get("refusal") or ""),
    )


def reasoning_of(message: Mapping[str, Any]) -> str:
    """What a server keeps apart from a message's, or a piece's, content: ``reasoning_content``, or ``reasoning`` as newer
    vLLM and Ollama call it."""
    for name in ("reasoning_content", "reasoning"):
        if isinstance(text := message.get(name), str) and text:
            return text
    return ""


def with_reasoning(answer: Answer) -> str:
    """The text as the model wrote it, as far as that can be told: what was kept apart is put back, reasoning in its tags."""
    text = answer.text or answer.refusal
    if not answer.reasoning or "think>" in answer.reasoning:
        return answer.reasoning + text
    return f"<think>{answer.reasoning}" + (f"</think>{text}" if text else "")


def accept(answer: Answer, schema: Mapping[str, Any] | None) -> Accepted | Refused:
    """Finish reason, text, JSON, schema, repetition: whether an answer counts."""
    if answer.finish_reason == "length":
        after = f" after {answer.completion_tokens} tokens" if answer.completion_tokens else ""
        return Refused("length", f"cut off{after}; raise teacher.max_tokens (a judge's: evaluation.judge_max_tokens)")
    if answer.finish_reason != "stop":
        return Refused(
            "unfinished",
            f"finish_reason is {answer.finish_reason or 'empty'}, which does not say that the reply is complete",
        )
    text = answer.text.strip()
    refused = _look_at(text)
    if refused:
        return Refused("empty", _why_empty(answer)) if refused.reason == "empty" else refused
    if schema is None:
        return Refused("repetition", _shown(text[-80:])) if is_loop(text) else Accepted(text)
    try:
        data = parse_json(text)
    except ValueError as error:
        return Refused("not json", f"{error}: {_shown(text)}")
    problem = _violation(data, schema)
    if problem:
        return Refused("schema", problem)
    # What the text wrote as escapes (\u003cthink\u003e) shows only now.
    refused = _look_at(json.dumps(data, ensure_ascii=False)) if _ESCAPE.search(text) else None
    if refused:
        return refused
    looping = any(is_loop(part) for part in _strings(data))
    return Refused("repetition", _shown(text[-80:])) if looping else Accepted(text, data)


def accept_as_is(answer: Answer) -> Accepted | Refused:
    """What a model under evaluation said, however it said it: only an answer without any text is none."""
    if not answer.text.strip():
        return Refused("empty", "no text in the message")
    return Refused("encoding") if _half_a_character(answer.text) else Accepted(answer.text)


def parse_json(text: str) -> Any:
    """The one JSON value that a text is; one fenced block around it is allowed, and nothing else.

    Raises:
        ValueError: it is none.
    """
    fenced = _FENCE.fullmatch(text.strip())
    try:
        return json.loads(fenced["body"] if fenced else text, strict=False, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def is_loop(text: str) -> bool:
    """Whether a stretch of a text says the same again and again."""
    last = len(text) - LOOP_WINDOW
    starts = [*range(0, last, LOOP_WINDOW // 2), last] if last >= 0 else []
    for start in starts:
        window = text[start : start + LOOP_WINDOW]
        grams = {window[place : place + LOOP_GRAM] for place in range(LOOP_WINDOW - LOOP_GRAM + 1)}
        if len(grams) < LOOP_DISTINCT * LOOP_WINDOW:
            return True
    return False


def _look_at(text: str) -> Refused | None:
    if not text:
        return Refused("empty", "no text")
    if _half_a_character(text):
        return Refused("encoding", "half a character in the text")
    tag = _TAG.search(text)
    if tag is None:
        return None
    words = f"{tag.group()} in the text: {_shown(text)}"
    if "think" in tag.group().lower():
        words += '; the model reasons first: set thinking: "on" for the endpoint, and what it thinks is left out'
    return Refused("tags", words)


def _why_empty(answer: Answer) -> str:
    if answer.reasoning:
        return (
            f"no text, all is in the server's reasoning_content ({_shown(answer.reasoning)}); start the server without a "
            "reasoning parser, or switch thinking off by a dialect that this server knows"
        )
    return f"the model refuses: {_shown(answer.refusal)}" if answer.refusal else "no text in the message"


def _half_a_character(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _strings(data: Any) -> Iterator[str]:
    """Texts in which a loop can be: long strings, and long lists as one text of their items."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for value in data.values():
            yield from _strings(value)
    elif isinstance(data, list):
        objects = [json.dumps(item, ensure_ascii=False, sort_keys=True) for item in data if isinstance(item, dict)]
        if len(objects) >= LOOP_ITEMS and len(set(objects)) <= LOOP_DISTINCT * len(objects):
            yield objects[0] * LOOP_WINDOW
        for value in data:
            yield from _strings(value)


def _violation(data: Any, schema: Mapping[str, Any]) -> str | None:
    error = next(_validator(json.dumps(schema, sort_keys=True)).iter_errors(data), None)
    if error is None:
        return None
    place = ".".join(str(part) for part in error.absolute_path)
    return f"{place or 'the value'}: {_shown(error.message)}"


@lru_cache(maxsize=256)
def _validator(schema: str) -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    content = json.loads(schema)
    Draft202012Validator.check_schema(content)
    return Draft202012Validator(content)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _ending(reason: object) -> str:
    word = str(reason).lower()
    if word in FINISHED:
        return "stop"
    return "length" if word in CUT else str(reason)


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _shown(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 120 else f"{text[:117]}…"
