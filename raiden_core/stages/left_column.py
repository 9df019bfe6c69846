"""The time left beside a bar of rich's, by `TimeLeft`: rich's own estimate counts what was done before, and loading.

ends, bars = Ends(), Progress(BarColumn(), LeftColumn())
bars.update(bar, completed=done, total=total, ends=ends.at(done, total))
"""

from __future__ import annotations

import time

from rich.progress import ProgressColumn, Task
from rich.text import Text

from raiden_core.stages.progress import TimeLeft


class Ends(TimeLeft):
    """When a stage will be done."""

    def at(self, done: int, total: int) -> float | None:
        """The moment (`time.monotonic`), as ``done`` of ``total`` are reported now; None while that cannot be known."""
        now = time.monotonic()
        left = self.after(done, total, now)
        return None if left is None else now + left


class LeftColumn(ProgressColumn):
    """Counts down to the task's field ``ends``; dashes where it is None."""

    def render(self, task: Task) -> Text:
        """Hours, minutes and seconds."""
        ends = task.fields.get("ends")
        if ends is None or task.finished:
            return Text("-:--:--", style="progress.remaining")
        minutes, seconds = divmod(max(0, round(ends - time.monotonic())), 60)
        hours, minutes = divmod(minutes, 60)
        return Text(f"{hours}:{minutes:02d}:{seconds:02d}", style="progress.remaining")
