"""How a stage says how far it is: a plain callable, so that the library knows no terminal and no Prefect."""

from typing import Protocol


class Progress(Protocol):
    """Told about a stage's progress; it may drop calls, and must never raise."""

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """``done`` of ``total`` units of work are finished; ``note`` is a short figure to show beside them."""


def silent(done: int, total: int, note: str = "") -> None:
    """The progress of somebody who does not want to know."""
