"""Holds coroutines back until a `Limiter` lets them through, in the order in which they came.

Order matters: prompts about one character stand next to each other and share their beginning, which a server has
cached as long as it sees them together. A repeated request goes to the front, where its neighbours were.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque

from raiden_core.models.served.limiter import Limiter, Outcome


class Gate:
    """The limiter of one server, for coroutines of one event loop."""

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def limit(self) -> int:
        """Requests at a time, at present."""
        return self._limiter.limit

    async def enter(self, *, first: bool = False) -> float:
        """Wait for a place; returns the time. Whoever enters must leave. ``first``: before all others that wait."""
        now = time.monotonic()
        if not self._waiting and self._limiter.may_start(now):
            self._limiter.start()
            return now
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if first:
            self._waiting.appendleft(place)
        else:
            self._waiting.append(place)
        self._admit(now)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.leave(Outcome.OTHER, time.monotonic())
            raise
        return time.monotonic()

    def leave(self, outcome: Outcome, started: float, retry_after: float = 0.0) -> None:
        """Give the place back, and say how the request ended."""
        now = time.monotonic()
        self._limiter.finish(outcome, started, now, retry_after)
        self._admit(now)

    def close(self) -> None:
        """Forget the alarm that a pause has set."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _admit(self, now: float) -> None:
        while self._waiting and self._limiter.may_start(now):
            place = self._waiting.popleft()
            if not place.done():
                self._limiter.start()
                place.set_result(None)
        pause = self._limiter.pause(now)
        if self._waiting and pause and self._alarm is None:
            self._alarm = asyncio.get_running_loop().call_later(pause, self._wake)

    def _wake(self) -> None:
        self._alarm = None
        self._admit(time.monotonic())
