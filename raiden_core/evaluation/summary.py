"""From predictions to numbers: what stands in results.json and in the tables beside it.

A *cell* sums up one model on some samples; a *pair* compares two models on the same samples. Strict counts a right
answer in the required format, lenient a right answer in any. Intervals are clustered by character.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from raiden_core.evaluation.predictions import SLICES, Prediction
from raiden_core.evaluation.statistics import mcnemar, mean_interval, paired_difference

DIMENSIONS = ("SBK", "CM")


def cell(rows: Sequence[Prediction]) -> dict[str, Any]:
    """One model on some samples: n, strict and lenient accuracy with intervals, and how it replied."""
    characters = [row.character for row in rows]
    strict = mean_interval([row.strict for row in rows], characters, bounds=(0, 1))
    lenient = mean_interval([row.accuracy for row in rows], characters, bounds=(0, 1))
    return {
        "n": strict.n,
        "characters": strict.clusters,
        "strict": strict.mean,
        "lenient": lenient.mean,
        "ci95": strict.interval,
        "lenient_ci95": lenient.interval,
        "format": _mean([row.format for row in rows]),
        "empty": sum(not row.answer.strip() for row in rows),
        "cut_off": sum(not row.finished for row in rows),
        "mean_tokens": _mean([row.tokens for row in rows]),
        "mean_answer_characters": _mean([len(row.answer) for row in rows]),
    }


def cells(rows: Sequence[Prediction]) -> dict[str, Any]:
    """`cell` of all rows and of each dimension."""
    parts = {name: [row for row in rows if row.dimension == name] for name in DIMENSIONS}
    return {"all": cell(rows), **{name: cell(part) for name, part in parts.items()}}


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
    for name in SLICES:
        values = sorted({getattr(row, name) for rows in by_model.values() for row in rows} - {""})
        result[name] = {}
        for value in values:
            parts = {model: [row for row in rows if getattr(row, name) == value] for model, rows in by_model.items()}
            entry = {model: cell(part) for model, part in parts.items()}
            if "base" in parts and "trained" in parts:
                entry["paired"] = pair(parts["base"], parts["trained"])
            result[name][value] = entry
    return result


def write_tables(folder: Path, predictions: Sequence[Prediction]) -> None:
    """``summary.csv`` and ``summary.parquet``: a row for each set, model, slice and value, characters included."""
    import pandas as pd

    groups: dict[tuple[str, str, str, str], list[Prediction]] = {}
    for row in predictions:
        for name in ("all", "dimension", *SLICES, "character"):
            value = "all" if name == "all" else getattr(row, name)
            groups.setdefault((row.set, row.model, name, value), []).append(row)
    lines = []
    for (set_name, model, name, value), rows in groups.items():
        numbers = cell(rows)
        low, high = numbers.pop("ci95") or (None, None)
        lenient_low, lenient_high = numbers.pop("lenient_ci95") or (None, None)
        place = {"set": set_name, "model": model, "slice": name, "value": value}
        ends = {"strict_low": low, "strict_high": high, "lenient_low": lenient_low, "lenient_high": lenient_high}
        lines.append(place | numbers | ends)
    table = pd.DataFrame(lines)
    table.to_csv(folder / "summary.csv", index=False)
    table.to_parquet(folder / "summary.parquet", index=False)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _changed(scores: Sequence[tuple[float, float]]) -> tuple[int, int]:
    """How many pairs of 0/1 scores went up, and how many down."""
    return sum(old < new for old, new in scores), sum(old > new for old, new in scores)
