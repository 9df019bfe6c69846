"""What a request looks like on the wire, for each kind of server.

All speak OpenAI's chat completions; they differ in how a model's reasoning is switched off. SGLang and vLLM hand
``chat_template_kwargs`` to the model's chat template, where GLM and Qwen read ``enable_thinking`` and DeepSeek reads
``thinking``; a template ignores the name it does not know, so both are sent, whatever a server calls its model.
OpenAI's own API refuses unknown fields, so it gets none. llama.cpp takes what vLLM takes; TGI, Ollama and LM Studio are
``dialect: vllm`` with ``thinking: default``, which sends no field of its own, and ``json_schema: false`` where they refuse one.
OpenAI's reasoning models and Ollama read ``reasoning_effort``. raiden_core.models.served.finding tries them all.
"""

from __future__ import annotations

import re
from typing import Any

from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.models.answering import Request

_THOUGHT = re.compile(r"\s*(?:<think>)?.*?</think>", re.DOTALL)
_EMPTY_THOUGHT = re.compile(r"\s*<think>\s*</think>\s*")


def body_of(request: Request, config: EndpointConfig) -> dict[str, Any]:
    """The JSON body of a chat completion."""
    tokens = "max_completion_tokens" if config.dialect == "openai" else "max_tokens"
    body: dict[str, Any] = {
        "model": config.model,
        "messages": [dict(message) for message in request.messages],
        "temperature": request.temperature,
        tokens: request.max_tokens,
    }
    if request.schema is not None and config.json_schema:
        schema = {"name": "reply", "schema": request.schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    if config.reasoning_effort is not None:
        body["reasoning_effort"] = config.reasoning_effort
    return body | _thinking(config)


def _thinking(config: EndpointConfig) -> dict[str, Any]:
    if config.thinking == "default" or config.dialect == "openai":
        return {}
    on = config.thinking == "on"
    fields: dict[str, Any] = {"chat_template_kwargs": {"enable_thinking": on, "thinking": on}}
    if config.dialect == "sglang":
        # With thinking off, SGLang's reasoning parser would take a literal <think> out of generated JSON, and hide it.
        fields["separate_reasoning"] = on
    return fields


def identity(config: EndpointConfig) -> str:
    """What decides about a reply beside the request: the model's name, and whether and how much it thinks first."""
    name = config.model if config.thinking == "off" else f"{config.model} (thinking: {config.thinking})"
    return name if config.reasoning_effort is None else f"{name} (effort: {config.reasoning_effort})"


def without_thought(text: str, config: EndpointConfig) -> str:
    """A reply without the reasoning in front, where thinking is on and the server left it in the text.

    An empty block is no reasoning: with thinking off, templates have the model write one (Qwen3 behind llama.cpp).
    """
    if "</think>" not in text:
        return text
    if config.thinking != "on":
        return _EMPTY_THOUGHT.sub("", text, count=1) if _EMPTY_THOUGHT.match(text) else text
    return _THOUGHT.sub("", text, count=1)
