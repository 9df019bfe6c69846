"""How many requests a server is given at a time: a controller that is fed numbers and owns nothing.

A language model's server works best with many requests under way, and answers the ones too many with 429 or 503, or
so slowly that they time out. How many it can take is not known beforehand and changes while it runs, so the limit is
found by trying:

- **ramp**: from `FIRST_LIMIT` on, every quick reply raises the limit by one, which doubles it with every generation of
  replies, until the configured most is reached or the first trouble ends the ramp;
- **grow**: from then on a generation of quick replies raises it by `GROWTH` and one;
- **hold**: a reply that took more than `QUICK_SHARE` of the time-out does not raise it: the server queues already;
- **trim**: when the average reply takes more than `SLOW_SHARE` of the time-out, the limit falls by `TRIM`, before
  time-outs throw away what was paid for;
- **cut**: when requests were turned away or timed out, the limit falls by their share, at most to half. A server that
  turns away 56 of 256 gets 200; one that turns away 3% at random, whatever it is given, stays full, since growth
  outweighs that.

Trims and cuts are decided once a **round**: after as many outcomes as the limit allows requests, counting only requests
that started in that round, so that one burst of refusals cuts once and not once for each. A ``Retry-After`` stops new
requests until its time has come. The controller is additive-increase-multiplicative-decrease as networks have it
(Chiu and Jain 1989), with the cut in proportion to the congestion as in DCTCP (Alizadeh et al. 2010).

Times are seconds of any monotonic clock; the caller passes them in.
"""

from __future__ import annotations

from enum import Enum

FIRST_LIMIT = 16
"""Requests at a time before anything is known of the server."""
GROWTH = 0.1
"""Share by which a generation of quick replies raises the limit, once the ramp is over."""
QUICK_SHARE = 0.3
"""A reply is quick below this share of the time-out."""
SLOW_SHARE = 0.6
"""Replies are slow on average above this share of the time-out."""
TRIM = 0.1
"""Share that slow replies cost."""
TOLERATED = 0.1
"""A round goes on growing while fewer than this share of the limit was turned away in it."""
DEEPEST_CUT = 0.5
"""Share that is left at least after one round."""
LONGEST_PAUSE = 300.0
"""Seconds of a Retry-After that are honoured at most."""


class Outcome(Enum):
    """How a request ended, as far as the server's load is concerned."""

    REPLY = "reply"
    """The server answered, acceptably or not."""
    TURNED_AWAY = "turned away"
    """429, 503 and the like."""
    TIMED_OUT = "timed out"
    OTHER = "other"
    """A broken connection, a 500, a cancelled request: nothing about load can be learned from it."""


class Limiter:
    """The state of the controller for one server."""

    def __init__(self, most: int, timeout: float, first: int = FIRST_LIMIT) -> None:
        """``most``: the limit never exceeds it. ``timeout``: seconds after which a request is given up. ``first``: where
        the ramp begins."""
        self._most = most
        self._timeout = timeout
        self._limit = float(min(first, most))
        self._ramping = True
        self._paused_until = float("-inf")
        self._round_began = float("-inf")
        self._replies = 0
        self._refusals = 0
        self._seconds = 0.0
        self.in_flight = 0

    @property
    def limit(self) -> int:
        """Requests that the server is given at a time, at least one."""
        return int(self._limit)

    def pause(self, now: float) -> float:
        """Seconds for which nobody may start, because the server asked for them."""
        return max(0.0, self._paused_until - now)

    def may_start(self, now: float) -> bool:
        """Whether one more request may start."""
        return self.in_flight < self.limit and now >= self._paused_until

    def start(self) -> None:
        """A request starts."""
        self.in_flight += 1

    def finish(self, outcome: Outcome, started: float, now: float, retry_after: float = 0.0) -> None:
        """A request that ``started`` then has ended; ``retry_after`` is what the server asked for, in seconds."""
        was_full = self.in_flight >= self.limit
        self.in_flight -= 1
        if outcome is Outcome.OTHER:
            return
        if retry_after > 0:
            self._paused_until = max(self._paused_until, now + min(retry_after, LONGEST_PAUSE))
        if outcome is Outcome.REPLY:
            self._grow(was_full, now - started)
        else:
            self._ramping = False
        if started >= self._round_began:
            self._count(outcome, now - started)
            if self._replies + self._refusals >= self.limit:
                self._end_round(now)

    def _grow(self, was_full: bool, seconds: float) -> None:
        if self._refusals > TOLERATED * self._limit or not was_full or seconds > QUICK_SHARE * self._timeout:
            return
        step = 1.0 if self._ramping else (1.0 + GROWTH * self._limit) / self._limit
        self._limit = min(float(self._most), self._limit + step)

    def _count(self, outcome: Outcome, seconds: float) -> None:
        if outcome is Outcome.REPLY:
            self._replies += 1
            self._seconds += seconds
        else:
            self._refusals += 1

    def _end_round(self, now: float) -> None:
        if self._refusals:
            share = self._refusals / (self._replies + self._refusals)
            self._limit = max(1.0, self._limit * max(DEEPEST_CUT, 1.0 - share))
        elif self._seconds > SLOW_SHARE * self._timeout * self._replies:
            self._ramping = False
            self._limit = max(1.0, self._limit * (1.0 - TRIM))
        self._round_began = now
        self._replies = self._refusals = 0
        self._seconds = 0.0
