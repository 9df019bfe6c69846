"""Where a stage's progress goes: to the terminal that started the run, else as lines to the run's log."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from prefect.logging import get_run_logger

from raiden_core.progress import Progress

LOG_SECONDS = 15.0
"""Seconds between two progress lines in the log."""


class Display(Protocol):
    """A terminal's progress display."""

    def stage(self, name: str) -> Progress:
        """Begin to show a stage; call the result to move its bar."""

    def say(self, text: str) -> None:
        """Show a line."""


display: ContextVar[Display | None] = ContextVar("display", default=None)
"""The display of the terminal that runs the flow in this process; None under a worker."""


def say(text: str) -> None:
    """Tell whoever watches the run: a line in the terminal, or a warning in the run's log."""
    shown = display.get()
    if shown is not None:
        shown.say(text)
    else:
        get_run_logger().warning(text)


@contextmanager
def task_progress(stage: str) -> Iterator[Progress]:
    """A progress function for a stage's work."""
    shown = display.get()
    if shown is not None:
        yield shown.stage(stage)
        return
    logger = get_run_logger()
    started = last = time.monotonic()

    def log(done: int, total: int, note: str = "") -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < LOG_SECONDS or not done:
            return
        last = now
        left = (now - started) / done * max(0, total - done)
        logger.info("%s: %d of %d, about %.0f s left%s", stage, done, total, left, f" ({note})" if note else "")

    yield log
