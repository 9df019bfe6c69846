"""The progress of a run in a terminal: a bar a stage, with time left; plain lines where the output is no terminal."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from raiden_core.stages.left_column import Ends, LeftColumn
from raiden_core.stages.progress import LINE_SECONDS, in_lines
from raiden_core.stages.progress import Progress as Report


class TerminalDisplay:
    """Shows the stages of one run; a context manager."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.bars = Progress(
            TextColumn("{task.description:<10}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            LeftColumn(),
            TextColumn("{task.fields[note]}", style="dim", markup=False),
            console=console,
            disable=not console.is_terminal,
        )
        self.waiting: TaskID | None = None

    def __enter__(self) -> Self:
        self.bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._go_on()
        self.bars.stop()

    def waits(self, words: str) -> None:
        """Say what is done before the first stage, or between two of them, until the next thing is shown."""
        self._go_on()
        if self.console.is_terminal:
            self.waiting = self.bars.add_task("", total=None, note=words)
        else:
            self.say(words)

    def stage(self, name: str) -> Report:
        """Begin to show a stage; call the result to move its bar."""
        self._go_on()
        if not self.console.is_terminal:
            return self._lines(name)
        bar = self.bars.add_task(name, total=None, note="")
        ends = Ends()

        def move(done: int, total: int, note: str = "") -> None:
            self.bars.update(bar, completed=done, total=total or None, note=note, ends=ends.at(done, total))

        return move

    def say(self, text: str) -> None:
        """Print a line above the bars."""
        self.bars.console.print(text, highlight=False, markup=False)

    def _go_on(self) -> None:
        if self.waiting is not None:
            self.bars.remove_task(self.waiting)
            self.waiting = None

    def _lines(self, name: str) -> Report:
        self.console.print(f"{name} …", highlight=False)

        return in_lines(LINE_SECONDS, lambda _done, _total, line: self.say(f"{name} {line}"))
