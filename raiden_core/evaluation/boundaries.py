"""Over-refusal and invention: how a model errs on either side of what a character knows.

A model that refuses everything invents nothing, and one that answers everything refuses nothing, so the two shares stand
together. Both are read off pairs of samples: one that cannot be answered, and its answerable twin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from raiden_core.dataset.twins import BOUNDARY_DIMENSIONS
from raiden_core.evaluation.erring import Boundaries, Erring, ErringPair, Errors
from raiden_core.evaluation.predictions import Prediction
from raiden_core.evaluation.statistics import mcnemar, mean_interval, paired_difference
from raiden_core.rewards import fold
from raiden_core.rewards.admission import admits, declines

KINDS = ("over_refusal", "invention")


def boundaries_of(by_model: Mapping[str, Sequence[Prediction]]) -> Boundaries | None:
    """The shares of each model and how training changed them; None where no sample stands at a boundary."""
    erring = {model: _erring(rows) for model, rows in by_model.items()}
    if not any(counts for kinds in erring.values() for counts in kinds.values()):
        return None
    models = {
        model: Errors.model_validate({kind: _share(kinds[kind]) for kind in KINDS}) for model, kinds in erring.items()
    }
    paired = None
    if "base" in erring and "trained" in erring:
        paired = {kind: _pair(erring["base"][kind], erring["trained"][kind]) for kind in KINDS}
    return Boundaries.model_validate({**models, "paired": paired})


_Counted = list[tuple[str, bool]]
"""Character, and whether the model erred, for each question."""


def _erring(rows: Sequence[Prediction]) -> dict[str, _Counted]:
    """By kind, what counts of one model's predictions."""
    twins = [row for row in rows if row.twin and row.dimension not in BOUNDARY_DIMENSIONS]
    unknowable = [row for row in rows if row.dimension == "RCB"]
    return {
        "over_refusal": [(row.character, is_refusal(row)) for row in twins],
        "invention": [(row.character, is_invention(row)) for row in unknowable],
    }


def is_refusal(row: Prediction) -> bool:
    """Whether an answerable question was not answered but refused, on whatever grounds."""
    answer = fold(row.answer)
    return row.accuracy != 1 and (admits(answer, fold(row.question)) or declines(answer))


def is_invention(row: Prediction) -> bool:
    """Whether something was said where only an admission is right."""
    return row.accuracy != 1 and bool(row.answer.strip())


def _share(counted: _Counted) -> Erring:
    estimate = mean_interval([wrong for _, wrong in counted], [character for character, _ in counted], bounds=(0, 1))
    return Erring(n=estimate.n, share=estimate.mean, ci95=estimate.interval)


def _pair(before: _Counted, after: _Counted) -> ErringPair:
    changes = [(old, new) for (_, old), (_, new) in zip(before, after, strict=True)]
    difference = paired_difference(
        [new for _, new in changes], [old for old, _ in changes], [character for character, _ in after]
    )
    more, fewer = sum(new and not old for old, new in changes), sum(old and not new for old, new in changes)
    return ErringPair(delta=difference.mean, ci95=difference.interval, p=mcnemar(more, fewer) if changes else None)
