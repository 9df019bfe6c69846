"""How servers of other makes say things: the same replies, listings and errors in their forms."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

Response = tuple[int, bytes, str]
"""Status, body, content type."""
Chat = Mapping[str, Any]

PAGE: Response = (200, b"<!doctype html><title>Log in</title>", "text/html")
CONTEXT = "This model's maximum context length is 2048 tokens. However, you requested 4096 tokens"


def listed(way: str | None, model: str) -> Response:
    """The response to ``/v1/models``."""
    entries = [{"id": model, "object": "model"}]
    listings: dict[str | None, object] = {
        "models of ollama": {"models": [{"name": model, "model": model}]},
        "models null": {"object": "list", "data": None},
        "models text": "hello",
        "models error": {"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}},
    }
    if way == "models page":
        return PAGE
    if way == "no models":
        return _json({"detail": "Not Found"}, 404)
    return _json(listings.get(way, {"object": "list", "data": entries}), 503 if way == "models error" else 200)


def said(way: str | None, chat: Chat, text: str, whole: bytes) -> Response:
    """The response to a chat completion whose reply is ``text`` and whose usual body is ``whole``."""
    if way in WAYS and (way not in ONLY or ONLY[way] in chat):
        return WAYS[way](text)
    return (
        events([{"content": text[:3]}, {"content": text[3:]}])
        if chat.get("stream")
        else (200, whole, "application/json")
    )


def events(deltas: list[dict[str, Any]], *more: str) -> Response:
    """A stream of pieces, and lines after them."""
    chunks = [{"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    lines = [f"data: {json.dumps(chunk, ensure_ascii=False)}" for chunk in chunks]
    body = "\n\n".join([": a comment", *lines, *(more or ("data: [DONE]",))])
    return 200, f"{body}\n\n".encode(), "text/event-stream"


def _json(content: object, status: int = 200) -> Response:
    return status, json.dumps(content, ensure_ascii=False).encode(), "application/json"


def _error(message: str, status: int, **more: object) -> Callable[[str], Response]:
    return lambda _text: _json({"error": {"message": message, **more}}, status)


def _message(finish_reason: object = "stop", **message: Any) -> Callable[[str], Response]:
    """A completion; ``{text}`` in its strings is the reply."""

    def make(text: str) -> Response:
        filled = {
            name: value.replace("{text}", text) if isinstance(value, str) else value for name, value in message.items()
        }
        return _json({"choices": [{"index": 0, "message": filled, "finish_reason": finish_reason}]})

    return make


WAYS: dict[str, Callable[[str], Response]] = {
    "response_format 400": _error("'response_format.type' must be 'json_object' or 'text'", 400),
    "response_format 500": _error("response_format type must be one of text or json_object, but got: json_schema", 500),
    "template 400": _error("Unrecognized request argument supplied: chat_template_kwargs", 400),
    "context 400": _error(CONTEXT, 400, type="BadRequestError", code=400),
    "error 200": _error("model overloaded", 200, type="server_error", code=500),
    "vllm error 200": lambda _text: _json(
        {"object": "error", "message": CONTEXT, "type": "BadRequestError", "param": None, "code": 400}
    ),
    "ollama error 404": lambda _text: _json({"error": "model 'm' not found"}, 404),
    "key in an error": _error("sk-sesame is odd", 500),
    "key in a body": lambda _text: _json({"choices": [{"index": "sk-sesame"}]}),
    "eos_token": _message("eos_token", content="{text}"),
    "end_turn": _message("end_turn", content="{text}"),
    "MAX_TOKENS": _message("MAX_TOKENS", content="{text}"),
    "no finish_reason": _message(None, content="{text}"),
    "empty thought": _message(content="<think>\n\n</think>\n\n{text}"),
    "thought": _message(content="<think>well</think>{text}"),
    "all reasoning": _message(content=None, reasoning="{text}"),
    "reasoning_content": _message(content="{text}", reasoning_content="well"),
    "reasoning": _message(content="{text}", reasoning="well"),
    "tool call": _message("tool_calls", content=None, tool_calls=[{"function": {"name": "f", "arguments": "{}"}}]),
    "refusal": _message(content=None, refusal="I cannot help with that."),
    "turn's end": _message(content="{text}<|im_end|>"),
    "nothing": _message(content=""),
    "text completion": lambda text: _json({"object": "text_completion", "choices": [{"text": text}]}),
    "page": lambda _text: PAGE,
    "stream": lambda text: events([{"content": text}]),
    "stream of reasoning": lambda text: events([{"reasoning": "we"}, {"reasoning": "ll"}, {"content": text}]),
    "stream with error": lambda _text: events([{"content": "I"}], 'data: {"error": {"message": "out of memory"}}'),
    "event of error": lambda _text: events([], "event: error", 'data: {"message": "out of memory"}'),
    "line of error": lambda _text: events([], 'error: {"code": 500, "message": "out of memory"}'),
    "empty stream": lambda _text: (200, b": nothing\n\n", "text/event-stream"),
    "empty": lambda _text: (200, b"", "application/json"),
}
"""Name -> response to a chat completion, from the reply's text."""
ONLY = {
    "response_format 400": "response_format",
    "response_format 500": "response_format",
    "template 400": "chat_template_kwargs",
}
"""Ways that only requests with this field meet."""
