"""Servers of other makes: their replies count, and what they refuse is said in their words with what to set."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.errors import ConfigError, StageError
from raiden_core.models.answering import Refused, Reply, Request
from raiden_core.models.served.client import Client
from raiden_core.models.served.endpoint import Endpoint
from raiden_core.models.served.listing import Listing, fetch_models, read_models
from tests.support.fault_server import FaultServer
from tests.support.tables import table

SCHEMA = {
    "type": "object",
    "properties": {"facts": {"type": "array", "items": {"type": "string"}}},
    "required": ["facts"],
}
QUESTION = Request("teacher", ({"role": "user", "content": "What is it?"},), "facts/1", SCHEMA)
KEY = "sk-sesame"


def ask(way: str, folder: Path, **settings: Any) -> Reply | Refused:
    """What comes of one question to a server that has this way."""

    async def run() -> Reply | Refused:
        async with FaultServer(model="m", way=way) as server:
            config = EndpointConfig.model_validate(
                {"url": server.url, "model": "m", "attempts": 2, "patience_seconds": 0.3} | settings
            )
            async with Client({"teacher": config}, folder) as client:
                return await client.ask(QUESTION)

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("way", "settings", "warns"),
    [
        ("eos_token", {}, "finish_reason is 'eos_token'"),
        ("end_turn", {}, "'end_turn'"),
        ("empty thought", {}, "empty <think></think>"),
        ("thought", {"thinking": "on"}, None),
        ("reasoning", {}, None),
        ("template 400", {"dialect": "vllm", "thinking": "default"}, None),
        ("models of ollama", {}, None),
        ("models null", {}, "lists no models"),
        ("no models", {}, "lists no models (404: Not Found)"),
    ],
)
def test_replies_said_in_another_way_count(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, way: str, settings: dict[str, Any], warns: str | None
) -> None:
    reply = ask(way, tmp_path, **settings)
    assert isinstance(reply, Reply) and list(reply.data) == ["facts"], reply
    assert reply.text.startswith("{") and reply.finished
    assert (warns or "") in caplog.text and bool(warns) == bool(caplog.text)


@pytest.mark.parametrize(
    ("way", "reason", "words"),
    [
        ("context 400", "rejected", "400: This model's maximum context length is 2048.*lower the longest reply"),
        ("vllm error 200", "rejected", "400: This model's maximum.*start the server with a longer context"),
        ("thought", "tags", '<think> in the text: .*set thinking: "on"'),
        ("all reasoning", "empty", "all is in the server's reasoning_content.*without a reasoning parser"),
        ("tool call", "empty", "tool call; start it without a tool parser"),
        ("refusal", "empty", r"the model refuses: I cannot help with that\."),
        ("nothing", "empty", "no text in the message"),
        ("no finish_reason", "unfinished", "finish_reason is None, which does not say"),
        ("MAX_TOKENS", "length", "cut off"),
    ],
)
def test_a_refusal_has_the_servers_words_from_the_first_one_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, way: str, reason: str, words: str
) -> None:
    refused = ask(way, tmp_path)
    assert isinstance(refused, Refused) and refused.reason == reason
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(refused.detail)
    told = [record.getMessage() for record in caplog.records if "first reply refused" in record.getMessage()]
    assert len(told) == 1, "once, however often it is asked"
    assert refused.detail in told[0] and f"({reason})" in told[0]


@pytest.mark.parametrize(
    ("way", "kind", "words"),
    [
        ("response_format 400", ConfigError, "400: 'response_format.type' must be .*set json_schema: false"),
        ("response_format 500", ConfigError, "500: response_format type must be .*set json_schema: false"),
        ("template 400", ConfigError, "chat_template_kwargs.*set thinking: default with dialect: vllm"),
        ("error 200", StageError, "nobody has had an answer.*500: model overloaded"),
        ("text completion", StageError, "a text completion, not a chat completion"),
        ("page", StageError, "a web page; does the url lead to the API"),
        ("stream", StageError, "streams although nobody asked it to"),
        ("ollama error 404", ConfigError, "no chat completions there .404: model 'm' not found"),
        ("models page", ConfigError, "answers /models with a web page.*Log in"),
        ("models text", StageError, "its list of models is none: .hello"),
        ("models error", StageError, "503: Loading model"),
    ],
)
def test_what_no_request_can_cure_ends_the_run_with_the_servers_words(
    tmp_path: Path, way: str, kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words) as caught:
        ask(way, tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("way", ["key in an error", "key in a body"])
def test_a_key_that_a_server_repeats_is_not_shown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setenv("TEACHER_KEY", KEY)
    with pytest.raises(StageError, match="…") as caught:
        ask(way, tmp_path, api_key_env="TEACHER_KEY")
    assert KEY not in str(caught.value) and "…" in caplog.text and KEY not in caplog.text


def test_what_the_advice_says_helps(tmp_path: Path) -> None:
    refused = ask("response_format 500", tmp_path, json_schema=False)
    assert isinstance(refused, Refused) and refused.reason == "not json", (
        "it answers, and the echo writes no JSON unasked"
    )


def test_a_server_that_was_started_and_has_ended_is_not_waited_for(tmp_path: Path) -> None:
    async def run() -> None:
        async with FaultServer(model="m") as server:
            config = EndpointConfig(url=server.url, model="m", patience_seconds=60)
            over: list[bool] = []
            async with Client({"teacher": config}, tmp_path, ended={"teacher": lambda: bool(over)}) as client:
                assert isinstance(await client.ask(QUESTION), Reply)
                await server.stop()
                over.append(True)
                other = Request("teacher", ({"role": "user", "content": "And now?"},), "facts/1")
                await asyncio.wait_for(client.ask(other), 10)

    with pytest.raises(StageError, match="the server that was started for it has ended"):
        asyncio.run(run())


def test_waiting_is_spoken_of_again_and_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("raiden_core.models.served.endpoint.SILENT_SECONDS", 0.3)
    monkeypatch.setattr("raiden_core.models.served.endpoint.LOOK_SECONDS", 0.1)
    lines: list[str] = []

    async def run() -> None:
        server = FaultServer(model="m")
        await server.start()
        await server.stop()
        config = EndpointConfig(url=server.url, model="m", patience_seconds=1.5)
        async with Client({"teacher": config}, tmp_path) as client:
            asking = asyncio.create_task(client.ask(QUESTION))
            await asyncio.sleep(1)
            lines.append(client.line())
            await asking

    with caplog.at_level(logging.WARNING), pytest.raises(StageError, match="no server answers"):
        asyncio.run(run())
    assert caplog.text.count("no server answers yet") >= 3
    assert "teacher: no reply for 1 s (" in lines[0]


def test_a_slow_server_is_no_failing_one() -> None:
    async def run() -> str:
        from raiden_core.models.served.accounting import Accounting

        endpoint = Endpoint("teacher", EndpointConfig(), {}, Accounting({"teacher": (0, 0)}), as_is=False)
        try:
            return endpoint.waiting()
        finally:
            await endpoint.close()

    assert asyncio.run(run()) == "", "nobody waits for an endpoint that was not asked"


@table(
    ("status", "body", "names", "trouble"),
    [
        (200, b'{"data": [{"id": "a"}, {"id": "b"}, {"no": 1}, 7]}', ("a", "b"), None),
        (200, b'{"models": [{"name": "a:latest", "model": "a:latest"}]}', ("a:latest",), None),
        (200, b'{"data": null}', (), None),
        (200, b'{"data": 7}', (), "no list"),
        (200, b"[]", (), "no list"),
        (200, b"", (), "no list"),
        (200, b"<html>", (), "page"),
        (404, b'{"detail": "Not Found"}', (), "missing"),
        (403, b"sk-sesame", (), "key"),
        (500, b'{"error": {"message": "sk-sesame is odd"}}', (), "status"),
    ],
)
def test_lists_of_models(status: int, body: bytes, names: tuple[str, ...], trouble: str | None) -> None:
    listing = read_models(status, body, KEY)
    assert (listing.names, listing.trouble) == (names, trouble)
    assert KEY not in listing.said
    assert bool(listing.said) == bool(trouble)


def test_what_a_list_says_of_a_model() -> None:
    listing = Listing(tuple(f"m{number}" for number in range(12)))
    assert listing.lacks("x") and not listing.lacks("m3") and not listing.lists_nothing
    assert listing.shown().endswith("m9 and 2 more")
    assert Listing().lists_nothing and not Listing().lacks("x")
    assert not Listing(trouble="unreachable").lists_nothing
    assert fetch_models("ftp://host/v1", None, 1).trouble == "unreachable"
