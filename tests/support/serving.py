"""Servers without a model in a thread of their own, for code that brings its own event loop."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tests.support.fault_server import FaultServer
from tests.support.scripted_teacher import reply_to


@contextmanager
def serving(server: FaultServer) -> Iterator[FaultServer]:
    """The server, listening while the block runs, in a thread with a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(20)
        try:
            yield server
        finally:
            asyncio.run_coroutine_threadsafe(server.stop(), loop).result(20)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()


def scripted(chat: Mapping[str, Any]) -> str:
    """What the scripted teacher says to a chat, as a server would send it."""
    return json.dumps(reply_to(list(chat["messages"])), ensure_ascii=False)


def scripted_server(**settings: Any) -> FaultServer:
    """A server that answers by the script; ``settings`` are those of `FaultServer`: faults, latency, seed …"""
    return FaultServer(scripted, model="glm-4.6", **settings)
