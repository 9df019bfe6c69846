"""From predictions to numbers: what stands in results.json and in the tables beside it.

A *cell* sums up one model on some samples; a *pair* compares two models on the same samples. Strict counts a right
answer in the required format, lenient a right answer in any. Intervals are clustered by character.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from raiden_core.evaluation.predictions import SLICES, Prediction
from raiden_core.evaluation.statistics import mcnemar, mean_interval, paired_difference

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Label = TypeVar("Label", bound=Hashable)

DIMENSIONS = ("SBK", "CM")


def cell(rows: Sequence[Prediction]) -> dict[str, Any]:
    """One model on some samples: n, strict and lenient accuracy with intervals, and how it replied."""
    return _cell(_columns(rows))


def cells(rows: Sequence[Prediction]) -> dict[str, Any]:
    """`cell` of all rows and of each dimension."""
    columns = _columns(rows)
    dimension = _groups([row.dimension for row in rows])
    return {"all": _cell(columns), **{name: _cell(columns.take(dimension.get(name, []))) for name in DIMENSIONS}}


def pair(before: Sequence[Prediction], after: Sequence[Prediction]) -> dict[str, Any]:
    """Two models on the same samples, row by row: the difference, its interval and McNemar's p.

    Raises:
        ValueError: the rows are not about the same samples in the same order.
    """
    if [row.id for row in before] != [row.id for row in after]:
        raise ValueError("a paired comparison needs the same samples in the same order")
    characters = [row.character for row in after]
    strict = paired_difference([row.strict for row in after], [row.strict for row in before], characters)
    lenient = paired_difference([row.accuracy for row in after], [row.accuracy for row in before], characters)
    fixed, broken = _changed([(old.strict, new.strict) for old, new in zip(before, after, strict=True)])
    gained, lost = _changed([(old.accuracy, new.accuracy) for old, new in zip(before, after, strict=True)])
    return {
        "n": strict.n,
        "delta": strict.mean,
        "ci95": strict.interval,
        "p": mcnemar(fixed, broken) if strict.n else None,
        "p_clustered": strict.p,
        "fixed": fixed,
        "broken": broken,
        "lenient_delta": lenient.mean,
        "lenient_ci95": lenient.interval,
        "lenient_p": mcnemar(gained, lost) if lenient.n else None,
        "lenient_fixed": gained,
        "lenient_broken": lost,
    }


def pairs(before: Sequence[Prediction], after: Sequence[Prediction]) -> dict[str, Any]:
    """`pair` of all rows, with that of each dimension under its name."""
    result = pair(before, after)
    for name in DIMENSIONS:
        result[name] = pair([r for r in before if r.dimension == name], [r for r in after if r.dimension == name])
    return result


def breakdown(by_model: Mapping[str, Sequence[Prediction]]) -> dict[str, Any]:
    """``{slice: {value: {model: cell, "paired": pair}}}`` for every slice; the pair where base and trained stand."""
    result: dict[str, Any] = {}
    columns = {model: _columns(rows) for model, rows in by_model.items()}
    for name in SLICES:
        groups = {model: _groups([getattr(row, name) for row in rows]) for model, rows in by_model.items()}
        result[name] = {}
        for value in sorted({value for places in groups.values() for value in places} - {""}):
            places = {model: groups[model].get(value, []) for model in by_model}
            entry = {model: _cell(columns[model].take(places[model])) for model in by_model}
            if "base" in by_model and "trained" in by_model:
                parts = ([by_model[model][place] for place in places[model]] for model in ("base", "trained"))
                entry["paired"] = pair(*parts)
            result[name][value] = entry
    return result


def write_tables(folder: Path, predictions: Sequence[Prediction]) -> None:
    """``summary.csv`` and ``summary.parquet``: a row for each set, model, slice and value, characters included."""
    import pandas as pd

    lines = []
    for (set_name, model), places in _groups([(row.set, row.model) for row in predictions]).items():
        rows = [predictions[place] for place in places]
        columns = _columns(rows)
        for name in ("all", "dimension", *SLICES, "character"):
            values = ["all"] * len(rows) if name == "all" else [getattr(row, name) for row in rows]
            for value, members in _groups(values).items():
                numbers = _cell(columns.take(members))
                low, high = numbers.pop("ci95") or (None, None)
                lenient_low, lenient_high = numbers.pop("lenient_ci95") or (None, None)
                place = {"set": set_name, "model": model, "slice": name, "value": value}
                ends = {"strict_low": low, "strict_high": high}
                ends |= {"lenient_low": lenient_low, "lenient_high": lenient_high}
                lines.append(place | numbers | ends)
    table = pd.DataFrame(lines)
    table.to_csv(folder / "summary.csv", index=False)
    table.to_parquet(folder / "summary.parquet", index=False)


@dataclass(frozen=True)
class _Columns:
    """What a cell needs of predictions, as arrays: a hundred thousand rows are read once, not once a cell."""

    character: NDArray[np.intp]
    """A number for each character."""
    strict: NDArray[np.float64]
    lenient: NDArray[np.float64]
    format: NDArray[np.float64]
    tokens: NDArray[np.float64]
    answer_length: NDArray[np.float64]
    empty: NDArray[np.float64]
    cut_off: NDArray[np.float64]

    def take(self, places: Sequence[int]) -> _Columns:
        """The rows at these places."""
        import numpy as np

        index = np.asarray(places, dtype=np.intp)
        return _Columns(*(getattr(self, field.name)[index] for field in fields(self)))


def _columns(rows: Sequence[Prediction]) -> _Columns:
    import numpy as np

    numbers: dict[str, int] = {}
    figures = np.array(
        [
            (
                row.strict,
                row.accuracy,
                row.format,
                row.tokens,
                len(row.answer),
                not row.answer.strip(),
                not row.finished,
            )
            for row in rows
        ],
        dtype=np.float64,
    ).reshape(len(rows), 7)
    characters = np.array([numbers.setdefault(row.character, len(numbers)) for row in rows], dtype=np.intp)
    return _Columns(characters, *figures.T)


def _cell(columns: _Columns) -> dict[str, Any]:
    strict = mean_interval(columns.strict, columns.character, bounds=(0, 1))
    lenient = mean_interval(columns.lenient, columns.character, bounds=(0, 1))
    return {
        "n": strict.n,
        "characters": strict.clusters,
        "strict": strict.mean,
        "lenient": lenient.mean,
        "ci95": strict.interval,
        "lenient_ci95": lenient.interval,
        "format": _mean(columns.format),
        "empty": int(columns.empty.sum()),
        "cut_off": int(columns.cut_off.sum()),
        "mean_tokens": _mean(columns.tokens),
        "mean_answer_characters": _mean(columns.answer_length),
    }


def _groups(labels: Sequence[Label]) -> dict[Label, list[int]]:
    """Where each label stands, labels in order of appearance."""
    places: dict[Label, list[int]] = {}
    for place, label in enumerate(labels):
        places.setdefault(label, []).append(place)
    return places


def _mean(values: NDArray[np.float64]) -> float | None:
    return float(values.mean()) if len(values) else None


def _changed(scores: Sequence[tuple[float, float]]) -> tuple[int, int]:
    """How many pairs of 0/1 scores went up, and how many down."""
    return sum(old < new for old, new in scores), sum(old > new for old, new in scores)
