"""Kills a process that asks a server, at random moments, runs it again, and counts at the server what was asked twice.

    report = kill_and_rerun(["raiden", "generate", …], replies=Path("runs/.replies"), server="http://127.0.0.1:…/v1")
    assert report.asked_again == 0

The process may be any that keeps its replies in a `raiden_core.models.served.store.Store` and asks a
`tests.support.fault_server`. ``python -m tests.support.asking`` is the smallest one.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raiden_core.models.served.store import Store

SHORTEST_RUN = 5
"""Requests after which a process is killed at the earliest."""
POLL_SECONDS = 0.01


@dataclass(frozen=True)
class ChaosReport:
    """What happened."""

    stored_at_kills: tuple[int, ...]
    """Replies in the store after each kill."""
    requests: int
    """Requests at the server, over all runs."""
    replied: int
    """Different requests that the server answered without a fault."""
    asked_again: int
    """Requests that reached the server although their reply was stored before the last kill."""


def server_stats(server: str) -> dict[str, Any]:
    """The counters of a fault server, by its base URL."""
    with urllib.request.urlopen(f"{server.removesuffix('/v1')}/stats", timeout=30) as answer:
        stats: dict[str, Any] = json.load(answer)
    return stats


def kill_and_rerun(
    command: Sequence[str],
    *,
    replies: Path,
    server: str,
    kills: int = 1,
    most_requests: int = 200,
    seed: int = 0,
    seconds: float = 300.0,
    environment: Mapping[str, str] | None = None,
) -> ChaosReport:
    """Start ``command``, kill -9 it and what it started at a random moment, again and again; then let it finish.

    Args:
        command: the process; it must end with 0 when it is left alone.
        replies: folder of its store.
        server: base URL of the fault server that it asks.
        kills: how often it is killed.
        most_requests: a run is killed after a random number of requests, at most so many.
        seed: of the moments.
        seconds: one run may take at most.
        environment: of the process; None for this one's.

    Raises:
        RuntimeError: the process failed by itself, or took too long.
    """
    moments = random.Random(seed)
    asked_before: dict[str, int] = {}
    stored: list[int] = []
    for _ in range(kills):
        _run(command, environment, seconds, server, moments.randint(SHORTEST_RUN, most_requests), moments.random() / 20)
        asked = server_stats(server)["asked"]
        with Store(replies) as store:
            keys = store.keys()
        stored.append(len(keys))
        asked_before |= {key: asked.get(key, 0) for key in keys if key not in asked_before}
    _run(command, environment, seconds)
    stats = server_stats(server)
    again = sum(stats["asked"].get(key, 0) > number for key, number in asked_before.items())
    return ChaosReport(tuple(stored), stats["requests"], len(stats["replied"]), again)


def _run(
    command: Sequence[str],
    environment: Mapping[str, str] | None,
    seconds: float,
    server: str | None = None,
    requests: int = 0,
    delay: float = 0.0,
) -> None:
    """Run to the end, or, where a server is given, until it has seen so many more requests."""
    until = time.monotonic() + seconds
    first = server_stats(server)["requests"] if server else 0
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        while process.poll() is None:
            if time.monotonic() > until:
                raise RuntimeError(f"{command[0]} took more than {seconds:g} s")
            if server and server_stats(server)["requests"] - first >= requests:
                time.sleep(delay)
                break
            time.sleep(POLL_SECONDS)
        else:
            if process.returncode:
                raise RuntimeError(f"{command[0]} ended with {process.returncode}")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
