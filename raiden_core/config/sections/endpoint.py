"""How a model behind an OpenAI-compatible server is reached."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from raiden_core.config.sections.base import NEUTRAL, Address, OptionalVariableName, Section


class EndpointConfig(Section):
    """One OpenAI-compatible server. Its key never stands here: only the name of the variable that holds it.

    What a reply depends on is the model and how it is asked; address, limits and prices are `NEUTRAL`.
    """

    url: Annotated[Address, NEUTRAL] = Field(default="http://127.0.0.1:30000/v1", pattern=r"^https?://\S+$")
    """Base URL, with its `/v1`."""
    model: str = "glm-4.6"
    """Name of the model as the server's `/v1/models` lists it."""
    api_key_env: Annotated[OptionalVariableName, NEUTRAL] = None
    """Environment variable that holds the key; None for servers that want none."""
    max_concurrency: Annotated[int, NEUTRAL] = Field(default=256, ge=1)
    """Requests at a time at most; the adaptive limit stays at or below it."""
    timeout_seconds: Annotated[float, NEUTRAL] = Field(default=300, gt=0)
    """Time that one request may take before it is given up and asked again."""
    attempts: Annotated[int, NEUTRAL] = Field(default=6, ge=1)
    """Times that a request is tried before its sample is dropped."""
    patience_seconds: Annotated[float, NEUTRAL] = Field(default=300, ge=0)
    """How long a server that cannot be reached, or that answers nobody, is waited for before the stage ends."""
    thinking: Literal["default", "off", "on"] = "off"
    """Whether the model reasons before it answers; `default` sends nothing about it."""
    dialect: Annotated[Literal["openai", "sglang", "vllm"], NEUTRAL] = "sglang"
    """Which extra fields the server knows. `sglang`, `vllm` (llama.cpp too): `chat_template_kwargs`, by which thinking is
    switched; `vllm` with `thinking: default` sends no extra field at all, for TGI, Ollama, LM Studio and most others;
    `openai`: OpenAI's own API."""
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high"] | None = None
    """Sent as `reasoning_effort` to servers that switch reasoning by it: OpenAI's own API, and Ollama with `none`. None: not
    sent."""
    json_schema: bool = True
    """Whether the server constrains replies to a JSON schema; false for those that refuse a `response_format` of that kind.
    Replies are checked against the schema either way."""
    prompt_price: Annotated[float, NEUTRAL] = Field(default=0, ge=0)
    """Cost of a million prompt tokens."""
    completion_price: Annotated[float, NEUTRAL] = Field(default=0, ge=0)
    """Cost of a million completion tokens."""

    @property
    def is_priced(self) -> bool:
        """Whether its tokens cost something."""
        return self.prompt_price > 0 or self.completion_price > 0
