"""What ``raiden compare`` says of runs side by side, as typed data; `raiden_core.evaluation.compare` makes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import Field

from raiden_core.evaluation.earned import RewardPair, RewardRow
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
    rewards: dict[str, RewardRow] | None = None
    """What its replies earn by its list of rewards; None where that is accuracy and format alone."""
    rewards_versus: dict[str, RewardPair] = Field(default_factory=dict)
    """By name, for rewards of both lists: the tested model less the first run's, on the common questions. The total is
    there where the two lists have the same names, gates and weights, since other totals are no measure of each other."""

    @property
    def earned(self) -> Mapping[str, RewardRow]:
        """Its rewards by name; empty where it has no list."""
        return self.rewards or {}


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

    @property
    def reward_names(self) -> tuple[str, ...]:
        """The rewards of all lists, in the order in which they occur."""
        return tuple(dict.fromkeys(name for run in self.runs for name in run.earned))


def comparison_rows(comparison: RunComparison) -> list[dict[str, Any]]:
    """The comparison as a flat table: a row for each run, model and part, then one for each run, model and reward."""
    rows: list[dict[str, Any]] = []
    for run in comparison.runs:
        for model, of_parts in run.models.items():
            for part, cell in of_parts.parts.items():
                difference = run.versus.part(part) if run.versus and model == run.tested else None
                rows.append(
                    {
                        "run": run.label,
                        "model": model,
                        "part": part,
                        "n": cell.n,
                        "characters": cell.characters,
                        "strict": cell.strict,
                        "lenient": cell.lenient,
                        "format": cell.format,
                        "empty": cell.empty,
                        **_ends("strict", cell.ci95),
                        "common": difference.n if difference else None,
                        "delta": difference.delta if difference else None,
                        **_ends("delta", difference.ci95 if difference else None),
                        "p": difference.p if difference else None,
                        "reward": None,
                        "mean": None,
                        **_ends("mean", None),
                    }
                )
    columns = list(rows[0])
    return rows + [dict.fromkeys(columns) | row for run in comparison.runs for row in _reward_rows(run)]


def _reward_rows(run: ComparedRun) -> Iterator[dict[str, Any]]:
    for name, row in run.earned.items():
        for model, cell in row.models.items():
            versus = run.rewards_versus.get(name) if model == run.tested else None
            yield {
                "run": run.label,
                "model": model,
                "n": cell.n,
                "reward": name,
                "mean": cell.mean,
                **_ends("mean", cell.ci95),
                "common": versus.n if versus else None,
                "delta": versus.delta if versus else None,
                **_ends("delta", versus.ci95 if versus else None),
                "p": versus.p if versus else None,
            }


def _ends(name: str, interval: Sequence[float] | None) -> dict[str, float | None]:
    low, high = interval or (None, None)
    return {f"{name}_low": low, f"{name}_high": high}
