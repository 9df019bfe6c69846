"""Where a stage's progress goes: to the terminal that started the run, else to the run's log and page.

The page's bar is a progress artifact. It is moved by a thread of its own, so that a server that restarts delays no
work, and a lost report of progress ends none.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import Protocol, cast
from uuid import UUID

import httpx
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.logging import get_run_logger

from raiden_core.stages.progress import LINE_SECONDS, Progress, in_lines

BAR_SECONDS = 15.0
"""Seconds between two moves of the bar on the run's page."""


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
    bar = _Bar(stage)

    lines = in_lines(LINE_SECONDS, lambda _done, _total, line: logger.info("%s: %s", stage, line))
    moves = in_lines(BAR_SECONDS, lambda done, total, _line: bar.move(100 * done / total if total else 0.0))

    def both(done: int, total: int, note: str = "") -> None:
        lines(done, total, note)
        moves(done, total, note)

    try:
        yield both
    except BaseException:
        bar.close()
        raise
    bar.move(100.0, last=True)
    bar.close()


class _Bar:
    """A stage's bar on the run's page. It appears with the first report: a stage that is quick has none."""

    def __init__(self, stage: str) -> None:
        self.stage = stage
        self.thread: ThreadPoolExecutor | None = None
        self.artifact: UUID | None = None
        self.moving: Future[None] | None = None

    def move(self, percent: float, last: bool = False) -> None:
        """Move the bar, unless it is still being moved; the last time only a bar that is there."""
        if last and self.thread is None:
            return
        if self.moving is not None and not self.moving.done() and not last:
            return
        if self.thread is None:
            self.thread = ThreadPoolExecutor(1, thread_name_prefix="progress")
        # The context says which run the artifact belongs to.
        self.moving = self.thread.submit(copy_context().run, self._put, percent)

    def close(self) -> None:
        """Let the thread end; nobody waits for it longer than for one answer of the server."""
        if self.thread is not None:
            self.thread.shutdown(wait=False)

    def _put(self, percent: float) -> None:
        try:
            if self.artifact is None:
                key, description = f"progress-{self.stage}", f"{self.stage}: share that is done"
                made = create_progress_artifact(percent, key=key, description=description)
                self.artifact = cast("UUID", made)  # a coroutine only inside an event loop, and this is a thread
            else:
                update_progress_artifact(self.artifact, progress=percent)
        except httpx.HTTPError as error:
            get_run_logger().debug("%s: the bar could not be moved: %s", self.stage, type(error).__name__)
