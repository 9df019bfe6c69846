"""How a stage says how far it is: a plain callable, so that the library knows no terminal and no Prefect."""

import time
from bisect import bisect_right
from collections.abc import Callable
from typing import Protocol

LINE_SECONDS = 60.0
"""Seconds between two lines of a stage where there is no terminal to draw a bar on."""


class Progress(Protocol):
    """Told about a stage's progress; it may drop calls, and must never raise."""

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """``done`` of ``total`` units of work are finished; ``note`` is a short figure to show beside them."""


def silent(done: int, total: int, note: str = "") -> None:
    """The progress of somebody who does not want to know."""


KNOWN_SHARE = 0.05
"""Of the work that there was to do, so much must be done before the time left is told."""
_MARKS = 1000


class TimeLeft:
    """How long a stage will take, told by what it has reported; a pure state machine that is given the time.

    Three things make a plain division wrong by a hundred times. What was done before (replies in a store) was done in no
    time, so only what comes after the first report counts. Loading a model takes its time before the first piece of work
    is done, and pieces are not alike (the longest prompts come first); so the pace is that of the later half of the work.
    When a stage begins to count something else, it is looked at afresh.
    """

    def __init__(self) -> None:
        self._total = -1
        self._times: list[float] = []
        self._done: list[int] = []

    def after(self, done: int, total: int, now: float) -> float | None:
        """Seconds left, as ``done`` of ``total`` are reported at ``now``; None while that cannot be known."""
        if total != self._total or done < self._done[-1]:
            self._total, self._times, self._done = total, [now], [done]
            return None
        if done > self._done[-1]:
            # Marks at least a thousandth apart are kept: there may be millions of reports.
            if len(self._done) > 2 and (self._done[-1] - self._done[-2]) * _MARKS < total:
                self._times.pop()
                self._done.pop()
            self._times.append(now)
            self._done.append(done)
        first, last = self._done[0], self._done[-1]
        if last == first or last - first < KNOWN_SHARE * (total - first):
            return None
        since = bisect_right(self._done, (first + last) / 2) - 1
        seconds = (self._times[-1] - self._times[since]) / (last - self._done[since])
        return max(0.0, seconds * (total - last) - (now - self._times[-1]))


def in_lines(seconds: float, tell: Callable[[int, int, str], None]) -> Progress:
    """Progress where no bar can be drawn: done, total and a line of words, but not again before ``seconds`` are over."""
    last = time.monotonic()
    left = TimeLeft()

    def progress(done: int, total: int, note: str = "") -> None:
        nonlocal last
        now = time.monotonic()
        seconds_left = left.after(done, total, now)
        if now - last < seconds:
            return
        last = now
        words = [f"{done} of {total}"]
        words += [f"about {seconds_left:.0f} s left"] if seconds_left is not None else []
        words += [note] if note else []
        tell(done, total, ", ".join(words))

    return progress
