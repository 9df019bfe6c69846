"""How a stage says how far it is: a plain callable, so that the library knows no terminal and no Prefect."""

import time
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


def in_lines(seconds: float, tell: Callable[[int, int, str], None]) -> Progress:
    """Progress where no bar can be drawn: done, total and a line of words, but not again before ``seconds`` are over."""
    started = last = time.monotonic()

    def progress(done: int, total: int, note: str = "") -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < seconds:
            return
        last = now
        words = [f"{done} of {total}"]
        words += [f"about {(now - started) / done * max(0, total - done):.0f} s left"] if done else []
        words += [note] if note else []
        tell(done, total, ", ".join(words))

    return progress
