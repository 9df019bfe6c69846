"""Servers of several makes, as far as their dialect goes: what they take, refuse and pass over in silence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Response = tuple[int, bytes, str]
THOUGHT = "They want a greeting."
GREETING = "Good day to you."
OURS = {"model", "messages", "temperature", "max_tokens", "max_completion_tokens", "response_format", "n"}


@dataclass(frozen=True)
class Make:
    """How one make of server behaves, with one model."""

    thinks: bool = False
    """The model reasons unless it is told not to."""
    off_by: str | None = None
    """The field that switches reasoning off."""
    kept_in: Literal["content", "reasoning_content", "reasoning", "nowhere", "without a beginning"] = "content"
    schema: Literal["enforced", "ignored", "refused", "object only"] = "enforced"
    takes: frozenset[str] | None = None
    """Fields beside the usual that it takes; None: any, those that it does not know without a word."""
    tokens: str | None = None
    """The only name of the longest reply that it takes; None: both."""
    n: bool = True
    usage: bool = True
    empty_thought: bool = False
    """With reasoning off its template has the model write an empty block."""

    def respond(self, chat: Mapping[str, Any]) -> Response:
        """The response to a chat completion."""
        if problem := self._refuses(chat):
            return _json({"error": {"message": problem, "type": "invalid_request_error"}}, 400)
        thinks = self.thinks and not self._off(chat)
        text = '{"number": 5, "colour": "red"}' if self._held(chat) else GREETING
        if self.empty_thought and self.thinks and not thinks:
            text = f"<think>\n\n</think>\n\n{text}"
        message = {"role": "assistant", "content": text}
        if thinks and self.kept_in == "content":
            message["content"] = f"<think>{THOUGHT}</think>{text}"
        elif thinks and self.kept_in == "without a beginning":
            message["content"] = f"{THOUGHT}</think>{text}"
        elif thinks and self.kept_in != "nowhere":
            message[self.kept_in] = THOUGHT
        choices = chat.get("n", 1) if self.n else 1
        body: dict[str, Any] = {
            "choices": [{"index": number, "message": message, "finish_reason": "stop"} for number in range(choices)]
        }
        if self.usage:
            details = {"reasoning_tokens": 40 if thinks else 0}
            body["usage"] = {"prompt_tokens": 9, "completion_tokens": 7, "completion_tokens_details": details}
        return _json(body)

    def _refuses(self, chat: Mapping[str, Any]) -> str | None:
        unknown = set() if self.takes is None else set(chat) - OURS - self.takes
        if unknown:
            return f"Unrecognized request argument supplied: {sorted(unknown)[0]}"
        if self.tokens == "max_completion_tokens" and "max_tokens" in chat:
            return "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
        if self.tokens == "max_tokens" and "max_completion_tokens" in chat:
            return "Unrecognized request argument supplied: max_completion_tokens"
        kind = chat.get("response_format", {}).get("type")
        if kind == "json_schema" and self.schema in ("refused", "object only"):
            return "'response_format.type' must be 'json_object' or 'text'"
        if kind == "json_object" and self.schema == "refused":
            return "response_format is not supported"
        return None

    def _off(self, chat: Mapping[str, Any]) -> bool:
        if self.off_by == "chat_template_kwargs":
            return chat.get("chat_template_kwargs", {}).get("enable_thinking") is False
        return self.off_by is not None and chat.get(self.off_by) in ("none", "minimal")

    def _held(self, chat: Mapping[str, Any]) -> bool:
        return self.schema == "enforced" and chat.get("response_format", {}).get("type") == "json_schema"


def _json(content: object, status: int = 200) -> Response:
    return status, json.dumps(content).encode(), "application/json"


TEMPLATE = "chat_template_kwargs"
MAKES: dict[str, Make] = {
    "SGLang, GLM": Make(thinks=True, off_by=TEMPLATE, kept_in="reasoning_content"),
    "vLLM, Qwen3": Make(thinks=True, off_by=TEMPLATE, kept_in="reasoning", empty_thought=True),
    "vLLM, R1": Make(thinks=True, kept_in="without a beginning"),
    "llama.cpp, Qwen3": Make(thinks=True, off_by=TEMPLATE, empty_thought=True, n=False),
    "transformers serve": Make(schema="ignored", takes=frozenset({TEMPLATE}), n=False),
    "Ollama, Qwen3": Make(thinks=True, off_by="reasoning_effort", kept_in="reasoning", n=False),
    "LM Studio, plain": Make(n=False),
    "LM Studio, R1": Make(thinks=True, n=False),
    "TGI, plain": Make(schema="object only", takes=frozenset(), tokens="max_tokens", n=False),
    "old proxy": Make(schema="refused", takes=frozenset(), tokens="max_tokens", n=False, usage=False),
    "OpenAI, plain": Make(takes=frozenset({"reasoning_effort"}), tokens="max_completion_tokens"),
    "OpenAI, reasoning": Make(
        thinks=True,
        off_by="reasoning_effort",
        kept_in="nowhere",
        takes=frozenset({"reasoning_effort"}),
        tokens="max_completion_tokens",
    ),
}
