"""The dialect of a server is found by asking it, whatever its make."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.errors import StageError
from raiden_core.models.served.finding import MOST_QUESTIONS, Found, find_dialect
from tests.support.fault_server import FaultServer
from tests.support.makes import MAKES, Make
from tests.support.tables import table


def find(make: Make, **settings: Any) -> tuple[Found, FaultServer]:
    """What is found of a server with an endpoint that is otherwise as by default."""

    async def run() -> tuple[Found, FaultServer]:
        async with FaultServer(model="m", make=make) as server:
            config = EndpointConfig.model_validate({"url": server.url, "model": "m"} | settings)
            return await find_dialect(config, None), server

    return asyncio.run(run())


NO_FIELDS = {"dialect": "vllm", "thinking": "default"}


@table(
    ("name", "settings", "seen"),
    [
        ("SGLang, GLM", {}, "no reasoning, JSON schema enforced, n honoured, usage reported"),
        ("vLLM, Qwen3", {}, "no reasoning, JSON schema enforced, n honoured"),
        ("vLLM, R1", {"thinking": "on"}, "it reasons first, JSON schema enforced"),
        ("llama.cpp, Qwen3", {}, "no reasoning, JSON schema enforced, n ignored"),
        ("transformers serve", {"dialect": "vllm", "json_schema": False}, "JSON schema taken and ignored"),
        ("Ollama, Qwen3", NO_FIELDS | {"reasoning_effort": "none"}, "no reasoning, JSON schema enforced"),
        ("LM Studio, plain", {}, "no reasoning, JSON schema enforced"),
        ("LM Studio, R1", {"thinking": "on"}, "it reasons first"),
        ("TGI, plain", NO_FIELDS | {"json_schema": False}, "only json_object, which checks no shape"),
        (
            "old proxy",
            NO_FIELDS | {"json_schema": False},
            "no JSON schema, n ignored (raiden asks one reply at a time)",
        ),
        ("OpenAI, plain", {"dialect": "openai", "thinking": "default"}, "no reasoning, JSON schema enforced"),
        (
            "OpenAI, reasoning",
            {"dialect": "openai", "thinking": "default", "reasoning_effort": "none"},
            "no reasoning, JSON schema enforced",
        ),
    ],
)
def test_what_to_set_for_each_make(name: str, settings: dict[str, Any], seen: str) -> None:
    found, server = find(MAKES[name])
    assert found.settings == settings
    assert seen in found.seen
    assert set(found.because) == set(settings) and all(found.because.values())
    assert server.counters.requests <= MOST_QUESTIONS
    # With what was found there is nothing left to set.
    again, _ = find(MAKES[name], **settings)
    assert again.settings == {} and again.seen == found.seen


@table(
    ("settings", "questions"),
    [({}, 3), ({"thinking": "on"}, 3), ({"dialect": "openai", "thinking": "default"}, 3), ({"json_schema": False}, 3)],
)
def test_what_suits_is_left_as_it_is(settings: dict[str, Any], questions: int) -> None:
    found, server = find(MAKES["SGLang, GLM"], **settings)
    assert found.settings == {}
    assert server.counters.requests == questions


def test_reasons_are_the_servers_own_words() -> None:
    found, _ = find(MAKES["TGI, plain"])
    assert "400: Unrecognized request argument supplied: chat_template_kwargs" in found.because["dialect"]
    assert found.because["json_schema"] == "it refuses a JSON schema, and takes json_object only"
    found, _ = find(MAKES["old proxy"])
    assert found.because["json_schema"] == "it refuses a JSON schema" and not found.usage
    assert "tokens and cost stay 0" in found.seen


def test_a_server_that_takes_nothing_is_quoted() -> None:
    class Stubborn(Make):
        """Refuses everything."""

        def _refuses(self, chat: Any) -> str | None:
            return "temperature must be 1"

    with pytest.raises(
        StageError, match=r"takes no way of asking that raiden knows; it said: 400: temperature must be 1"
    ):
        find(Stubborn())


@table(("status", "body"), [(200, '{"error": {"message": "bad key sk-own"}}'), (200, '{"said": "bad key sk-own"}')])
def test_a_key_that_a_server_repeats_is_not_shown(status: int, body: str) -> None:
    class Echo(Make):
        """Refuses everything with the key in its words."""

        def respond(self, chat: Mapping[str, Any]) -> tuple[int, bytes, str]:
            return status, body.encode(), "application/json"

    async def run() -> None:
        async with FaultServer(model="m", make=Echo()) as server:
            await find_dialect(EndpointConfig.model_validate({"url": server.url, "model": "m"}), "sk-own")

    with pytest.raises(StageError) as raised:
        asyncio.run(run())
    assert "bad key" in str(raised.value) and "sk-own" not in str(raised.value)
