"""Which settings of an endpoint suit its server: found by asking, with the requests that generation itself would send.

    found = asyncio.run(find_dialect(endpoint, key))
    found.settings      # {"dialect": "vllm", "json_schema": False}: what to change; empty where all is well
    found.seen          # "thinking off, JSON schema enforced, n honoured, usage reported"

Asked are a few short questions (at most `MOST_QUESTIONS`, of `LONGEST` tokens each): with the endpoint as it is configured,
then with other ways to say the same, until one is taken and the model does not reason where it shall not. Then with a
JSON schema that no answer to the question would fit by chance, and for two replies at once. The server is believed by what
it does, not by what it calls itself: a field that is taken and changes nothing is no way to switch thinking off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.errors import StageError
from raiden_core.models.answering import Refused, Request
from raiden_core.models.served.acceptance import Answer, parse_json, read_answer
from raiden_core.models.served.dialects import body_of
from raiden_core.models.served.wire import Body, Failure, Wire

SECONDS = 120.0
"""One question may take so long: small machines read slowly."""
LONGEST = 256
"""Tokens of a reply: a greeting ends long before."""
QUESTION = ({"role": "user", "content": "Greet me in one short sentence."},)
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {"number": {"type": "integer"}, "colour": {"type": "string", "enum": ["red", "green"]}},
    "required": ["number", "colour"],
    "additionalProperties": False,
}
"""What nobody would greet with."""
OFF: tuple[Mapping[str, Any], ...] = (
    {"dialect": "vllm", "thinking": "off"},
    {"dialect": "sglang", "thinking": "off"},
    {"dialect": "vllm", "thinking": "default"},
    {"dialect": "openai", "thinking": "default"},
    {"dialect": "vllm", "thinking": "default", "reasoning_effort": "none"},
    {"dialect": "openai", "thinking": "default", "reasoning_effort": "none"},
    {"dialect": "openai", "thinking": "default", "reasoning_effort": "minimal"},
)
"""Ways to have no reasoning, those first that say it plainest."""
ANY: tuple[Mapping[str, Any], ...] = ({"dialect": "sglang"}, {"dialect": "vllm"}, {"dialect": "openai"})
"""Ways to say everything else, where reasoning is wanted or left to the server."""
MOST_QUESTIONS = 1 + len(OFF) + len(ANY) + 3
NOTHING = Answer("", "stop")
WHY_NOT = {
    "ignored": "it takes a JSON schema and does not keep to it",
    "refused": "it refuses a JSON schema",
    "object only": "it refuses a JSON schema, and takes json_object only",
}

Schema = Literal["enforced", "ignored", "refused", "object only", "not told"]


@dataclass(frozen=True)
class Found:
    """What a server does, and what to set for it."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    """Keys of the endpoint that should have another value."""
    because: Mapping[str, str] = field(default_factory=dict)
    """For each of them, what was seen."""
    thinks: bool = False
    """It reasons before it answers, with the settings that were found."""
    schema: Schema = "enforced"
    several: bool = False
    """``n: 2`` brings two replies in one request."""
    usage: bool = False
    """It reports tokens."""

    @property
    def seen(self) -> str:
        """What it does, in a line."""
        schema = {
            "enforced": "JSON schema enforced",
            "ignored": "JSON schema taken and ignored",
            "refused": "no JSON schema",
            "object only": "no JSON schema, only json_object, which checks no shape",
            "not told": "JSON schema taken (the reply was cut off while it reasoned)",
        }
        return ", ".join(
            (
                "it reasons first" if self.thinks else "no reasoning",
                schema[self.schema],
                "n honoured" if self.several else "n ignored (raiden asks one reply at a time)",
                "usage reported" if self.usage else "no usage reported: tokens and cost stay 0",
            )
        )


@dataclass(frozen=True)
class _Tried:
    """What came of one question."""

    refused: str = ""
    answer: Answer = NOTHING
    choices: int = 0
    reasoning_tokens: int = 0

    @property
    def thinks(self) -> bool:
        """Whether the reply begins with reasoning, wherever the server puts it; an empty block of it is none."""
        text = self.answer.text.lstrip()
        before, end, _ = text.removeprefix("<think>").partition("</think>")
        written = bool(before.strip()) and (bool(end) or text.startswith("<think>"))
        return written or bool(self.answer.reasoning.strip()) or self.reasoning_tokens > 0


async def find_dialect(config: EndpointConfig, key: str | None) -> Found:
    """Ask a server that is there and has the model.

    Raises:
        StageError: it takes none of the ways, or does not answer; its own words are in the message.
    """
    wire = Wire(config.model_copy(update={"timeout_seconds": min(SECONDS, config.timeout_seconds)}), key)
    try:
        return await _find(config, wire)
    finally:
        await wire.close()


async def _find(config: EndpointConfig, wire: Wire) -> Found:
    first = await _try(wire, config)
    chosen, tried, because = config, first, ""
    if not _suits(config, first):
        because = first.refused or "the model reasons although it shall not"
        for way in OFF if config.thinking == "off" else ANY:
            other = config.model_copy(update=dict(way))
            if other == config:
                continue
            came = await _try(wire, other)
            if came.refused:
                continue
            if tried.refused or (tried.thinks and not came.thinks):
                chosen, tried = other, came
            if _suits(config, came):
                break
    if tried.refused:
        raise StageError(f"it takes no way of asking that raiden knows; it said: {tried.refused}")
    if tried.thinks and config.thinking == "off":
        chosen = await _thinking_aloud(wire, chosen)
        because = "its reasoning cannot be switched off by any way tried; with thinking: on what it thinks is left out"
    schema = await _schema(wire, chosen)
    # Whoever has switched it off may have reasons: that it would be enforced is only said.
    keeps = config.json_schema and schema in ("enforced", "not told")
    wanted = chosen.model_copy(update={"json_schema": keeps})
    changed = {name: value for name, value in wanted.model_dump().items() if value != getattr(config, name)}
    why = dict.fromkeys(changed, because) | {"json_schema": WHY_NOT.get(schema, "")}
    return Found(
        settings=changed,
        because={name: why[name] for name in changed},
        thinks=tried.thinks,
        schema=schema,
        several=(await _ask(wire, {**_body(chosen), "n": 2})).choices == 2,
        usage=tried.answer.completion_tokens > 0,
    )


async def _thinking_aloud(wire: Wire, config: EndpointConfig) -> EndpointConfig:
    """The endpoint with thinking on, said in a way that its server takes; `openai` says nothing about it."""
    ways = dict.fromkeys((config.dialect, "vllm", "openai"))
    aloud = [config.model_copy(update={"dialect": way, "thinking": "on", "reasoning_effort": None}) for way in ways]
    for one in aloud:
        if not (await _try(wire, one)).refused:
            return one
    raise StageError("it reasons before it answers, and takes no way of asking for that that raiden knows")


def _suits(config: EndpointConfig, tried: _Tried) -> bool:
    return not tried.refused and not (config.thinking == "off" and tried.thinks)


async def _schema(wire: Wire, config: EndpointConfig) -> Schema:
    came = await _ask(wire, _body(config.model_copy(update={"json_schema": True}), SCHEMA))
    if came.refused:
        plain = await _ask(wire, {**_body(config), "response_format": {"type": "json_object"}})
        return "refused" if plain.refused else "object only"
    text = came.answer.text.strip()
    try:
        data = parse_json(text.rpartition("</think>")[2].strip())
    except ValueError:
        if came.answer.finish_reason != "length":
            return "ignored"
        # A model that dawdles inside the braces was held to them.
        return "enforced" if text.startswith("{") else "not told" if came.thinks else "ignored"
    return "enforced" if isinstance(data, dict) and set(data) == set(SCHEMA["properties"]) else "ignored"


async def _try(wire: Wire, config: EndpointConfig) -> _Tried:
    return await _ask(wire, _body(config))


def _body(config: EndpointConfig, schema: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return body_of(Request("doctor", QUESTION, "doctor", schema, max_tokens=LONGEST), config)


async def _ask(wire: Wire, body: Mapping[str, Any]) -> _Tried:
    came = await wire.chat(body, "doctor")
    if isinstance(came, Failure):
        if came.kind not in ("rejected", "server"):
            raise StageError(f"it does not answer a short question ({came.kind}: {came.detail})")
        return _Tried(refused=came.detail)
    answer = read_answer(came.content)
    if isinstance(answer, Refused):
        return _Tried(refused=wire.clean(answer.detail))
    return _Tried("", answer, _choices(came), _reasoning_tokens(came))


def _choices(came: Body) -> int:
    return len(came.content["choices"]) if isinstance(came.content, dict) else 0


def _reasoning_tokens(came: Body) -> int:
    """What OpenAI's own API says of reasoning that it does not show."""
    usage = came.content.get("usage") if isinstance(came.content, dict) else None
    details = usage.get("completion_tokens_details") if isinstance(usage, dict) else None
    number = details.get("reasoning_tokens") if isinstance(details, dict) else None
    return number if isinstance(number, int) else 0
