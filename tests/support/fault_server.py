"""An OpenAI-compatible server without a model, that misbehaves on demand.

In a test, inside its event loop::

    async with FaultServer(faults={"429": 0.1, "cut": 0.1}) as server:
        ...  # server.url, server.asked, server.replied

As a process of its own, for benchmarks and for tests that kill things::

    python -m tests.support.fault_server --latency 2 --slots 256 --fault-share 0.2

which prints one line ``{"url": "http://127.0.0.1:PORT/v1"}`` and tells its counters under ``/stats``.

Whether a request meets a fault, and which, is decided by its key and by how often it has been asked before, so that
runs repeat themselves however their requests interleave. HTTP is spoken by hand: the server must cost less than any
client that is measured against it.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import importlib
import json
import os
import signal
import sys
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from tests.support.connection import Connection
from tests.support.makes import Make
from tests.support.scripted import echo
from tests.support.ways import listed, said

Teacher = Callable[[Mapping[str, Any]], str]
"""The model's part: from the body of a chat completion to the reply's text."""

FAULTS = (
    "429",
    "500",
    "503",
    "hang up",
    "cut",
    "html",
    "empty choices",
    "cut json",
    "length",
    "reasoning",
    "think",
    "drip",
)
"""What can go wrong: three statuses; a connection that closes before or in the middle of the response; a page instead of
JSON; no choices; a JSON reply cut off in the middle; a reply cut off by max_tokens; the reply in ``reasoning_content``;
tags of reasoning in the reply; a byte now and then."""
KEY_HEADER = "x-raiden-request"


@dataclass
class Counters:
    """What the server has seen."""

    requests: int = 0
    """Chat completions that were asked for."""
    asked: Counter[str] = field(default_factory=Counter)
    """How often each request came: by its key header, or by a digest of its body."""
    replied: Counter[str] = field(default_factory=Counter)
    """How often each was answered without a fault."""
    faults: Counter[str] = field(default_factory=Counter)
    """How often each fault was met."""
    prompts: list[str] = field(default_factory=list)
    """The last message of each request in order of arrival, where `FaultServer` was told to remember them."""
    in_flight: int = 0
    most_in_flight: int = 0
    wire_keys: set[str] = field(default_factory=set)
    """The names of all fields that requests had."""


class FaultServer:
    """The server. Attributes may be changed while it runs."""

    def __init__(
        self,
        teacher: Teacher = echo,
        *,
        model: str = "scripted",
        key: str | None = None,
        latency: float = 0.0,
        slots: int = 1_000_000,
        queue: int = 1_000_000,
        faults: Mapping[str, float] | None = None,
        seed: int = 0,
        retry_after: float = 0.05,
        remember_prompts: bool = False,
        way: str | None = None,
        make: Make | None = None,
    ) -> None:
        """Describe the server.

        Args:
            teacher: writes the replies.
            model: the name in ``/v1/models``.
            key: what clients must bring; None for an open server.
            latency: seconds that a reply takes.
            slots: replies that are worked on at a time; further requests queue.
            queue: requests that may wait; further ones get 503.
            faults: probability of each of `FAULTS`.
            seed: of the faults.
            retry_after: seconds that a 429 asks for.
            remember_prompts: keep `Counters.prompts`.
            way: one of `tests.support.ways.WAYS`: how another server says the same.
            make: takes and refuses fields as a make of server does, and replies by itself.
        """
        unknown = set(faults or {}) - set(FAULTS)
        if unknown:
            raise ValueError(f"no such fault: {', '.join(sorted(unknown))}")
        self.teacher = teacher
        self.model = model
        self.key = key
        self.latency = latency
        self.slots = slots
        self.queue = queue
        self.faults = dict(faults or {})
        self.seed = seed
        self.retry_after = retry_after
        self.remember_prompts = remember_prompts
        self.way = way
        self.make = make
        self.counters = Counters()
        self.port = 0
        self._busy = 0
        self._queued: deque[tuple[Connection, dict[str, Any], str]] = deque()
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """The base URL, with its ``/v1``."""
        return f"http://127.0.0.1:{self.port}/v1"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen: on a free port the first time, on the same one after a `stop`."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self), "127.0.0.1", self.port, backlog=1024, reuse_address=True
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Die: stop listening and break every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in list(self._connections):
            connection.break_off()
        self._busy = self.counters.in_flight = 0
        self._queued.clear()
        await asyncio.sleep(0)

    def stats(self) -> dict[str, Any]:
        """The counters, as ``/stats`` tells them."""
        counters = self.counters
        return {
            "requests": counters.requests,
            "asked": dict(counters.asked),
            "replied": dict(counters.replied),
            "faults": dict(counters.faults),
            "most_in_flight": counters.most_in_flight,
        }

    def handle(self, connection: Connection, path: str, headers: Mapping[str, str], body: bytes) -> None:
        """Answer one HTTP request, now or later."""
        path = path.partition("?")[0]
        if path == "/stats":
            connection.send(200, json.dumps(self.stats()).encode())
        elif path in ("/health", "/health_generate"):
            connection.send(200, b"")
        elif self.key is not None and headers.get("authorization") != f"Bearer {self.key}":
            error = {"message": f"Incorrect API key provided: {headers.get('authorization')}"}
            connection.send(401, json.dumps({"error": error}).encode())
        elif path == "/v1/models":
            status, listing, kind = listed(self.way, self.model)
            connection.send(status, listing, kind=kind)
        elif path == "/v1/chat/completions":
            self._receive(connection, headers, body)
        else:
            connection.send(404, b'{"detail": "Not Found"}')

    def leave(self, connection: Connection) -> None:
        """A connection is gone."""
        self._connections.discard(connection)

    def join(self, connection: Connection) -> None:
        """A connection is there."""
        self._connections.add(connection)

    def _receive(self, connection: Connection, headers: Mapping[str, str], body: bytes) -> None:
        chat = json.loads(body)
        key = headers.get(KEY_HEADER) or hashlib.sha256(body).hexdigest()
        counters = self.counters
        counters.requests += 1
        counters.asked[key] += 1
        counters.wire_keys |= chat.keys()
        if self.remember_prompts:
            counters.prompts.append(chat["messages"][-1]["content"])
        if self._busy < self.slots:
            self._work(connection, chat, key)
        elif len(self._queued) < self.queue:
            self._queued.append((connection, chat, key))
        else:
            connection.send(503, b'{"error": {"message": "the queue is full"}}')

    def _work(self, connection: Connection, chat: dict[str, Any], key: str) -> None:
        self._busy += 1
        self.counters.in_flight += 1
        self.counters.most_in_flight = max(self.counters.most_in_flight, self.counters.in_flight)
        asyncio.get_running_loop().call_later(self.latency, self._finish, connection, chat, key)

    def _finish(self, connection: Connection, chat: dict[str, Any], key: str) -> None:
        if self._server is None:
            return
        self._busy -= 1
        self.counters.in_flight -= 1
        if not connection.is_lost and self.make is not None:
            status, body, kind = self.make.respond(chat)
            connection.send(status, body, kind=kind)
        elif not connection.is_lost:
            self._answer(connection, chat, key)
        while self._queued and self._busy < self.slots:
            self._work(*self._queued.popleft())

    def _answer(self, connection: Connection, chat: dict[str, Any], key: str) -> None:
        fault, chance = self._fault(key)
        text = self.teacher(chat)
        if fault is None:
            self.counters.replied[key] += 1
            status, body, kind = said(self.way, chat, text, completion(self.model, chat, text))
            connection.send(status, body, kind=kind)
            return
        self.counters.faults[fault] += 1
        place = 1 + int(chance * max(0, len(text) - 2))
        whole = completion(self.model, chat, text)
        if fault == "429":
            connection.send(429, b'{"error": {"message": "slow down"}}', f"Retry-After: {self.retry_after:g}\r\n")
        elif fault in ("500", "503"):
            connection.send(int(fault), b'{"error": {"message": "something is wrong"}}')
        elif fault == "hang up":
            connection.break_off()
        elif fault == "cut":
            connection.send_part(whole, len(whole) // 2)
        elif fault == "html":
            connection.send(200, b"<!doctype html><title>Welcome</title>", kind="text/html")
        elif fault == "empty choices":
            connection.send(200, json.dumps({"object": "chat.completion", "choices": []}).encode())
        elif fault == "cut json":
            connection.send(200, whole[: len(whole) // 2])
        elif fault == "length":
            connection.send(200, completion(self.model, chat, text[:place], finish_reason="length"))
        elif fault == "reasoning":
            connection.send(200, completion(self.model, chat, "", reasoning=text))
        elif fault == "think":
            connection.send(200, completion(self.model, chat, f"<think>{text[:place]}</think>{text}"))
        else:
            connection.drip(whole)

    def _fault(self, key: str) -> tuple[str | None, float]:
        """The fault that a request meets this time, and a number in [0, 1) that goes with it."""
        if not self.faults:
            return None, 0.0
        digest = hashlib.sha256(f"{self.seed} {key} {self.counters.asked[key]}".encode()).digest()
        chance = int.from_bytes(digest[:8]) / 2**64
        for fault, share in self.faults.items():
            if chance < share:
                return fault, int.from_bytes(digest[8:16]) / 2**64
            chance -= share
        return None, 0.0


def spread(share: float) -> dict[str, float]:
    """All faults in equal parts, with this probability together."""
    return {fault: share / len(FAULTS) for fault in FAULTS}


def completion(
    model: str, chat: Mapping[str, Any], text: str, *, finish_reason: str = "stop", reasoning: str | None = None
) -> bytes:
    """The body of a chat completion."""
    prompt = sum(len(message["content"]) for message in chat["messages"])
    message = {"role": "assistant", "content": text or None, "reasoning_content": reasoning}
    tokens = len(text or reasoning or "")
    body = {
        "id": "chatcmpl-0",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason, "logprobs": None}],
        "usage": {"prompt_tokens": prompt, "completion_tokens": tokens, "total_tokens": prompt + tokens},
    }
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")


async def _serve(server: FaultServer) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    parent = os.getppid()
    async with server:
        sys.stdout.write(json.dumps({"url": server.url}) + "\n")
        sys.stdout.flush()
        while not ended.is_set() and os.getppid() == parent:
            # Whoever started it may be killed: it must not stay behind.
            try:
                await asyncio.wait_for(ended.wait(), 1.0)
            except TimeoutError:
                continue


def main() -> None:
    """Run the server until it is told to end, or until the process that started it is gone."""
    parser = argparse.ArgumentParser(description="An OpenAI-compatible server without a model, that misbehaves.")
    parser.add_argument("--model", default="scripted", help="name in /v1/models")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that a reply takes")
    parser.add_argument("--slots", type=int, default=1_000_000, help="replies at a time; further requests queue")
    parser.add_argument("--queue", type=int, default=1_000_000, help="requests that may queue; further ones get 503")
    parser.add_argument("--fault-share", type=float, default=0.0, help="share of faulty replies, all faults mixed")
    parser.add_argument("--seed", type=int, default=0, help="of the faults")
    parser.add_argument("--teacher", help="module:function that writes replies (default: an echo)")
    given = parser.parse_args()
    teacher: Teacher = echo
    if given.teacher:
        module, _, name = given.teacher.partition(":")
        teacher = getattr(importlib.import_module(module), name)
    server = FaultServer(
        teacher,
        model=given.model,
        latency=given.latency,
        slots=given.slots,
        queue=given.queue,
        faults=spread(given.fault_share) if given.fault_share else None,
        seed=given.seed,
    )
    asyncio.run(_serve(server))


if __name__ == "__main__":
    main()
