"""The client against a server in the same event loop that misbehaves on demand."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.errors import ConfigError, DataError, StageError
from raiden_core.models.answering import Asker, Refused, Reply, Request
from raiden_core.models.served.client import Client
from raiden_core.models.served.dialects import body_of, without_thought
from raiden_core.models.served.store import FILE
from raiden_core.models.served.wire import retry_after
from raiden_core.models.served.words import shown_url
from tests.support.fault_server import FAULTS, FaultServer, spread
from tests.support.tables import table

SCHEMA = {
    "type": "object",
    "properties": {"question": {"type": "string"}, "sure": {"type": "boolean"}},
    "required": ["question", "sure"],
    "additionalProperties": False,
}


def asking(number: int, **changes: Any) -> Request:
    messages = ({"role": "system", "content": "Name: 林远"}, {"role": "user", "content": f"question {number}"})
    schema = SCHEMA if number % 2 else None
    return Request(**{"endpoint": "teacher", "messages": messages, "purpose": "facts/1", "schema": schema} | changes)


def reached(server: FaultServer, **changes: Any) -> dict[str, EndpointConfig]:
    settings = {"url": server.url, "model": "scripted", "timeout_seconds": 20, "patience_seconds": 20} | changes
    return {"teacher": EndpointConfig.model_validate(settings)}


async def ask_all(asker: Asker, numbers: Iterable[int]) -> list[Reply | Refused]:
    return list(await asyncio.gather(*(asker.ask(asking(number)) for number in numbers)))


def content(replies: Iterable[Reply | Refused]) -> list[tuple[str, Any]]:
    return [(reply.text, reply.data) if isinstance(reply, Reply) else (reply.reason, None) for reply in replies]


def test_replies_are_read_counted_and_not_paid_for_again(tmp_path: Path) -> None:
    async def run() -> None:
        async with FaultServer() as server:
            async with Client(reached(server, prompt_price=1e6, completion_price=2e6), tmp_path) as client:
                first = await ask_all(client, range(10))
                usage = client.usage()
            assert all(isinstance(reply, Reply) and not reply.cached for reply in first)
            assert isinstance(first[1], Reply) and set(first[1].data) == {"question", "sure"}
            assert (usage.requests, usage.replies, usage.attempts, usage.hits) == (10, 10, 10, 0)
            assert usage.cost == usage.prompt_tokens + 2 * usage.completion_tokens > 0
            async with Client(reached(server), tmp_path) as client:
                again = await ask_all(client, range(10))
                usage = client.usage()
            assert content(again) == content(first)
            assert all(isinstance(reply, Reply) and reply.cached for reply in again)
            assert (usage.requests, usage.hits, usage.attempts, usage.cost) == (10, 10, 0, 0)
            assert usage.saved_completion_tokens > 0
            assert server.counters.requests == 10

    asyncio.run(run())


def test_with_faults_of_all_kinds_the_replies_are_those_of_a_run_without(tmp_path: Path) -> None:
    async def run(faults: dict[str, float], folder: Path) -> tuple[list[tuple[str, Any]], FaultServer, Client]:
        async with FaultServer(faults=faults, seed=1) as server:
            # A byte now and then is ended by the time-out alone, and nothing else may be, however busy the machine is.
            async with Client(reached(server, timeout_seconds=6, attempts=12), folder) as client:
                replies = await ask_all(client, range(250))
            return content(replies), server, client

    good, _, _ = asyncio.run(run({}, tmp_path / "good"))
    odd, server, client = asyncio.run(run(spread(0.2), tmp_path / "odd"))
    assert odd == good
    assert set(server.counters.faults) == set(FAULTS), "every kind came up"
    assert set(server.counters.replied.values()) == {1}, "no good reply was asked for twice"
    usage = client.usage()
    assert usage.retries == usage.attempts - 250 == sum(usage.turned_down.values()) > 30
    assert not usage.refused


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("length", "length"),
        ("think", "tags"),
        ("reasoning", "empty"),
        ("empty choices", "empty"),
        ("cut json", "server"),
        ("html", "server"),
        ("500", "server"),
        ("cut", "server"),
    ],
)
def test_what_stays_bad_is_refused_counted_and_not_kept(tmp_path: Path, fault: str, reason: str) -> None:
    """Of two questions one always meets the fault; the other shows that the server is there."""

    async def run() -> None:
        async with FaultServer() as server, Client(reached(server, attempts=3), tmp_path) as client:
            bad_key = client.key(asking(1))
            server._fault = lambda key: (fault if key == bad_key else None, 0.5)  # type: ignore[method-assign]
            asked = asyncio.create_task(client.ask(asking(1)))
            for number in itertools.count(2):
                if asked.done():
                    break
                assert isinstance(await client.ask(asking(number)), Reply)
                await asyncio.sleep(0.05)
            refused = await asked
            usage = client.usage()
            assert isinstance(refused, Refused) and refused.reason == reason, refused
            assert usage.refused == {reason: 1}
            assert usage.refused_by_purpose == {"facts/1": {reason: 1}}
            assert client._store.get(bad_key) is None
            assert server.counters.asked[bad_key] <= 3

    asyncio.run(run())


def test_a_cut_reply_that_comes_back_the_same_is_not_asked_for_a_third_time(tmp_path: Path) -> None:
    async def run() -> None:
        async with (
            FaultServer(lambda chat: "not what was asked for") as server,
            Client(reached(server, attempts=6), tmp_path) as client,
        ):
            refused = await client.ask(asking(1))
            assert isinstance(refused, Refused) and refused.reason == "not json"
            assert server.counters.requests == 2

    asyncio.run(run())


def test_a_refused_request_is_sent_hotter_and_a_reply_under_evaluation_as_it_was(tmp_path: Path) -> None:
    async def temperatures(as_is: bool) -> list[float]:
        asked: list[float] = []

        def reply(chat: Any) -> str:
            asked.append(chat["temperature"])
            return "" if as_is else f"no JSON, and never the same {len(asked)}"

        folder = tmp_path / str(as_is)
        async with FaultServer(reply) as server, Client(reached(server, attempts=4), folder, as_is=as_is) as client:
            assert isinstance(await client.ask(asking(1, temperature=0.1)), Refused)
        return asked

    assert asyncio.run(temperatures(as_is=False)) == [0.1, 0.45, 0.8, 1.15]
    assert asyncio.run(temperatures(as_is=True)) == [0.1, 0.1]


def test_what_the_model_could_not_do_is_not_paid_for_again(tmp_path: Path) -> None:
    async def run(replies: Callable[[Any], str], **settings: Any) -> tuple[Reply | Refused, int, Any]:
        async with FaultServer(replies) as server, Client(reached(server, **settings), tmp_path) as client:
            outcome = await client.ask(asking(1))
            return outcome, server.counters.requests, client.usage().refused_by_purpose

    counter = itertools.count()
    first, asked, refused = asyncio.run(run(lambda chat: f"no JSON {next(counter)}", attempts=3))
    assert isinstance(first, Refused) and first.reason == "not json" and asked == 3
    again, asked, refused_again = asyncio.run(run(lambda chat: f"no JSON {next(counter)}", attempts=3))
    assert again == first and asked == 0 and refused_again == refused == {"facts/1": {"not json": 1}}
    # Another number of attempts is another question, and so is a server that is given no schema.
    for settings in ({"attempts": 4}, {"attempts": 3, "json_schema": False}):
        outcome, asked, _ = asyncio.run(run(lambda chat: f"no JSON {next(counter)}", **settings))
        assert isinstance(outcome, Refused) and asked == settings["attempts"]


def test_equal_requests_under_way_are_one(tmp_path: Path) -> None:
    async def run() -> None:
        async with FaultServer(latency=0.1) as server, Client(reached(server), tmp_path) as client:
            replies = await asyncio.gather(*(client.ask(asking(1)) for _ in range(20)))
            other = await client.ask(asking(1, draw=1))
            assert len({reply.text for reply in replies if isinstance(reply, Reply)}) == 1
            assert sum(not reply.cached for reply in replies if isinstance(reply, Reply)) == 1
            assert isinstance(other, Reply) and not other.cached, "another draw is another request"
            assert server.counters.requests == 2
            assert client.usage().joined == 19

    asyncio.run(run())


def test_whoever_joined_goes_on_when_the_first_is_cancelled(tmp_path: Path) -> None:
    async def run() -> None:
        async with FaultServer(latency=0.2) as server, Client(reached(server), tmp_path) as client:
            tasks = [asyncio.create_task(client.ask(asking(1))) for _ in range(3)]
            await asyncio.sleep(0.05)
            tasks[0].cancel()
            replies = await asyncio.gather(*tasks[1:])
            assert all(isinstance(reply, Reply) for reply in replies)
            with pytest.raises(asyncio.CancelledError):
                await tasks[0]
            assert not client._pending

    asyncio.run(run())


def test_concurrency_and_order_are_the_clients_business(tmp_path: Path) -> None:
    async def run() -> None:
        async with FaultServer(latency=0.01, remember_prompts=True) as server:
            async with Client(reached(server, max_concurrency=8), tmp_path) as client:
                await ask_all(client, range(80))
            assert server.counters.most_in_flight == 8
            arrived = [int(prompt.split()[1]) for prompt in server.counters.prompts]
            assert max(abs(place - number) for place, number in enumerate(arrived)) < 16, "in the order of asking"

    asyncio.run(run())


def test_a_server_with_too_few_slots_turns_away_and_loses_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        async with (
            FaultServer(latency=0.02, slots=10, queue=2) as server,
            Client(reached(server, attempts=2), tmp_path) as client,
        ):
            replies = await ask_all(client, range(150))
            assert all(isinstance(reply, Reply) for reply in replies)
            assert client.usage().turned_down.keys() == {"turned away"}

    asyncio.run(run())


def test_a_server_that_dies_midway_and_comes_back_is_waited_for(tmp_path: Path) -> None:
    async def run() -> None:
        async with (
            FaultServer(latency=0.05, slots=20) as server,
            Client(reached(server, timeout_seconds=2), tmp_path) as client,
        ):
            work = asyncio.create_task(ask_all(client, range(200)))
            while len(server.counters.replied) < 40:
                await asyncio.sleep(0.01)
            await server.stop()
            await asyncio.sleep(0.7)
            await server.start()
            replies = await asyncio.wait_for(work, 60)
            assert all(isinstance(reply, Reply) for reply in replies)

    asyncio.run(run())


def test_a_server_that_comes_back_with_another_model_is_not_asked(tmp_path: Path) -> None:
    async def run() -> None:
        async with FaultServer() as server, Client(reached(server), tmp_path) as client:
            await client.ask(asking(1))
            await server.stop()
            server.model = "another"
            work = asyncio.create_task(client.ask(asking(2)))
            await asyncio.sleep(0.3)
            await server.start()
            with pytest.raises(ConfigError, match="there are: another"):
                await work
            assert server.counters.requests == 1

    asyncio.run(run())


Change = Callable[[FaultServer], Awaitable[None]]


async def _as_it_is(server: FaultServer) -> None:
    """Change nothing."""


async def _rename(server: FaultServer) -> None:
    server.model = "qwen3-32b"


async def _lock(server: FaultServer) -> None:
    server.key = "the right one"


async def _fail(server: FaultServer) -> None:
    server.faults = {"500": 1.0}


MESSAGES = [
    (
        FaultServer.stop,
        {},
        StageError,
        r"endpoint teacher \(http://127.0.0.1:\d+/v1\): no server answers.*Connect call failed.*start it",
    ),
    (_rename, {}, ConfigError, "no model is called 'scripted' there; there are: qwen3-32b"),
    (_lock, {"api_key_env": "TEACHER_KEY"}, ConfigError, "refuses the key in TEACHER_KEY"),
    (_lock, {}, ConfigError, "wants a key.*api_key_env"),
    (_as_it_is, {"api_key_env": "NO_SUCH_KEY"}, ConfigError, "NO_SUCH_KEY is not set"),
    (_as_it_is, {"api_key_env": "ODD_KEY"}, ConfigError, "ODD_KEY holds characters"),
    (_as_it_is, {"url": "{server}/v2"}, ConfigError, r"no chat completions there \(404.*does the url end in /v1"),
    (_fail, {"attempts": 2}, StageError, "nobody has had an answer.*500.*what was answered is kept"),
]


@pytest.mark.parametrize(("change", "settings", "kind", "words"), MESSAGES)
def test_what_a_user_is_told(
    tmp_path: Path, change: Change, settings: dict[str, Any], kind: type[Exception], words: str
) -> None:
    async def run() -> None:
        async with FaultServer() as server:
            await change(server)
            url = settings.get("url", "{server}/v1").format(server=server.url.removesuffix("/v1"))
            endpoints = reached(server, **settings | {"url": url, "patience_seconds": 0.3})
            environment = {"TEACHER_KEY": "sk-secret", "ODD_KEY": "schlüssel"}
            async with Client(endpoints, tmp_path, environment=environment) as client:
                await ask_all(client, range(5))

    with pytest.raises(kind, match=words) as caught:
        asyncio.run(run())
    assert "sk-secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_right_key_is_sent_and_never_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        async with FaultServer(key="sk-secret", faults={"500": 0.3}) as server:
            endpoints = reached(server, api_key_env="TEACHER_KEY")
            async with Client(endpoints, tmp_path, environment={"TEACHER_KEY": " sk-secret\n"}) as client:
                assert all(isinstance(reply, Reply) for reply in await ask_all(client, range(20)))
                assert "sk-secret" not in repr(client.usage())

    with caplog.at_level(logging.DEBUG):
        asyncio.run(run())
    assert "sk-secret" not in caplog.text


def test_an_endpoint_that_does_not_exist_is_named(tmp_path: Path) -> None:
    async def run() -> None:
        async with FaultServer() as server, Client(reached(server), tmp_path) as client:
            await client.ask(asking(1, endpoint="judge"))

    with pytest.raises(ConfigError, match="none is called 'judge'; there are: teacher"):
        asyncio.run(run())


def test_a_full_disk_ends_the_run_and_keeps_what_was_stored(tmp_path: Path) -> None:
    async def run() -> int:
        async with FaultServer(lambda chat: "x" + chat["messages"][-1]["content"] + STORY) as server:
            async with Client(reached(server, max_concurrency=4), tmp_path) as client:
                client._store._writing.execute("PRAGMA max_page_count = 60")
                with pytest.raises(StageError, match="make room"):
                    for number in range(0, 1000, 2):
                        await client.ask(asking(number))
                asked = server.counters.requests
                with pytest.raises(StageError):
                    await client.ask(asking(5000))
                assert server.counters.requests == asked, "nothing more is paid for that cannot be kept"
            async with Client(reached(server), tmp_path) as client:
                for number in range(0, 2 * (asked - 1), 2):
                    reply = await client.ask(asking(number))
                    assert isinstance(reply, Reply) and reply.cached
            return asked

    assert asyncio.run(run()) > 5


STORY = "".join(chr(0x4E00 + (number * 7919) % 20000) for number in range(1500))


def test_a_damaged_store_is_reported_when_the_client_opens(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"\0" * 100)

    async def run() -> None:
        async with FaultServer() as server, Client(reached(server), tmp_path):
            pass

    with pytest.raises(DataError, match="damaged"):
        asyncio.run(run())


def test_replies_as_they_are_for_models_under_evaluation(tmp_path: Path) -> None:
    said = "<think>la</think><answer>" + "la " * 200

    async def run() -> None:
        async with FaultServer(lambda chat: said) as server:
            async with Client(reached(server), tmp_path, as_is=True) as client:
                reply = await client.ask(asking(2))
                assert isinstance(reply, Reply) and reply.text == said
            async with Client(reached(server, attempts=1), tmp_path) as client:
                refused = await client.ask(asking(2))
                assert isinstance(refused, Refused) and refused.reason == "tags", "stored apart from teachers' replies"

    asyncio.run(run())


def test_another_model_or_thinking_is_another_reply(tmp_path: Path) -> None:
    base = EndpointConfig(model="a")
    keys = set()
    for config in (base, EndpointConfig(model="b"), EndpointConfig(model="a", thinking="on")):
        keys.add(Client({"teacher": config}, tmp_path).key(asking(1)))
    moved = EndpointConfig(model="a", url="http://10.0.0.1/v1", max_concurrency=3)
    assert len(keys) == 3
    assert Client({"teacher": moved}, tmp_path).key(asking(1)) in keys, "the same model elsewhere"


@pytest.mark.parametrize(
    ("settings", "extra"),
    [
        ({"dialect": "openai", "thinking": "off"}, {}),
        ({"dialect": "openai", "thinking": "on"}, {}),
        ({"dialect": "sglang", "thinking": "default"}, {}),
        (
            {"dialect": "sglang", "thinking": "off"},
            {"chat_template_kwargs": {"enable_thinking": False, "thinking": False}, "separate_reasoning": False},
        ),
        (
            {"dialect": "sglang", "thinking": "on"},
            {"chat_template_kwargs": {"enable_thinking": True, "thinking": True}, "separate_reasoning": True},
        ),
        (
            {"dialect": "vllm", "thinking": "off"},
            {"chat_template_kwargs": {"enable_thinking": False, "thinking": False}},
        ),
    ],
)
def test_dialects(settings: dict[str, Any], extra: dict[str, Any]) -> None:
    body = body_of(asking(2), EndpointConfig.model_validate(settings))
    tokens = body.pop("max_completion_tokens" if settings["dialect"] == "openai" else "max_tokens")
    assert tokens == 2048
    assert body.pop("model") == "glm-4.6"
    assert body.pop("messages") == [dict(message) for message in asking(2).messages]
    assert body.pop("temperature") == 0.0
    assert body == extra


def test_a_schema_is_sent_only_where_the_server_has_it() -> None:
    config = EndpointConfig(thinking="default")
    sent = body_of(asking(1), config)["response_format"]
    assert sent["json_schema"]["schema"] == SCHEMA
    assert "response_format" not in body_of(asking(1), config.model_copy(update={"json_schema": False}))
    assert "response_format" not in body_of(asking(2), config)


@pytest.mark.parametrize(
    ("text", "thinking", "expected"),
    [
        ("<think>a</think>b", "on", "b"),
        ("a</think>\nb", "on", "\nb"),
        ("b", "on", "b"),
        ("<think>a</think>b", "off", "<think>a</think>b"),
        ("<think>a</think>b</think>", "on", "b</think>"),
    ],
)
def test_thought_in_front_is_cut_off_only_where_it_was_asked_for(text: str, thinking: str, expected: str) -> None:
    assert without_thought(text, EndpointConfig.model_validate({"thinking": thinking})) == expected


NOW = datetime(2026, 1, 1, tzinfo=UTC)


@table(
    ("headers", "seconds"),
    [
        ({}, 0.0),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "nan"}, 0.0),
        ({"retry-after": "inf"}, 0.0),
        ({"retry-after": "soon"}, 0.0),
        ({"retry-after": "Thu, 01 Jan 2026 00:00:09 GMT"}, 9.0),
        ({"retry-after": "Wed, 31 Dec 2025 00:00:00 GMT"}, 0.0),
        ({"retry-after": "9", "retry-after-ms": "250"}, 0.25),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float) -> None:
    assert retry_after(headers, NOW) == seconds


def test_addresses_are_shown_without_passwords() -> None:
    assert shown_url("https://user:secret@host:8000/v1") == "https://host:8000/v1"
    assert shown_url("http://127.0.0.1:30000/v1") == "http://127.0.0.1:30000/v1"


def test_closing_with_requests_under_way_ends_them(tmp_path: Path) -> None:
    async def run() -> None:
        async with FaultServer(latency=30) as server, Client(reached(server), tmp_path) as client:
            work = asyncio.create_task(client.ask(asking(1)))
            await asyncio.sleep(0.2)
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work
            assert not client._pending

    asyncio.run(run())
