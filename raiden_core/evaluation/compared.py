"""What ``raiden compare`` says of runs side by side, as typed data; `raiden_core.evaluation.compare` makes it."""

from __future__ import annotations

from typing import Any

from raiden_core.evaluation.judged import Gap, JudgeCell
from raiden_core.evaluation.parts import Count, Number, Part
from raiden_core.evaluation.results import Cells, Pairs


class Versus(Pairs):
    """The difference of a run's tested model to the first run's."""

    common: Count
    """Questions that both were asked."""


class JudgeHeadline(Part):
    """What a judge said of a run, in short."""

    model: str
    all: JudgeCell
    gap: Gap


class ComparedRun(Part):
    """One run of a comparison."""

    label: str
    place: str
    tested: str
    """The model that the run is about."""
    models: dict[str, Cells]
    paired: Pairs | None
    """Its trained model against its own base, where it has both."""
    judge: JudgeHeadline | None
    versus: Versus | None
    """Against the first run; None for that one, and where the two share no question."""
    other_character: Number | None = None
    """Control: what replies given for another character earn."""
    recital: Number | None = None
    """Control: what the recited profile earns."""


class DifferingSetting(Part):
    """A setting that is not the same in all runs."""

    setting: str
    """Its dotted key."""
    values: tuple[Any, ...]
    """One a run; None where a run does not have it."""


class RunComparison(Part):
    """What ``raiden compare --json`` prints."""

    first: str
    """The label of the run that the others are compared with."""
    runs: tuple[ComparedRun, ...]
    warnings: tuple[str, ...]
    """Why the numbers may not be comparable."""
    settings: tuple[DifferingSetting, ...]
