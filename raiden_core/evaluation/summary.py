"""From predictions to numbers: what stands in results.json and in the tables beside it.

A *cell* sums up one model on some samples; a *pair* compares two models on the same samples. Strict counts a right
answer in the required format, lenient a right answer in any. Intervals are clustered by character.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from raiden_core.evaluation.boundaries import boundaries_of
from raiden_core.evaluation.controls import find_leaks, run_controls
from raiden_core.evaluation.predictions import MAIN_SET, SLICES, Predicted, Prediction
from raiden_core.evaluation.results import (
    DIMENSIONS,
    Asked,
    Cell,
    Cells,
    Comparison,
    Leaks,
    Pair,
    Pairs,
    Results,
    SliceValue,
)
from raiden_core.evaluation.sampling import sampling_summary
from raiden_core.evaluation.sets import Measure, QuestionSets, UsableSets
from raiden_core.evaluation.statistics import mcnemar, mean_interval, paired_difference

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Label = TypeVar("Label", bound=Hashable)

FEW_CHARACTERS = 30
"""With fewer clusters than this a clustered interval is a rough guide."""


def summarise(questions: QuestionSets, usable: UsableSets, measure: Measure, predicted: Predicted) -> Results:
    """The results of an evaluation, without what a judge says.

    Args:
        questions: the training data to search for leaks, and notes.
        usable: the samples that were asked, and what was left out.
        measure: how they were asked and scored.
        predicted: what was replied.
    """
    settings, by_model = measure.settings, predicted.of_set(MAIN_SET)
    main = compared(by_model)
    answers = [row.answer for row in by_model[main.tested]]
    controls = run_controls(usable.sets[MAIN_SET], answers, measure.scorer, measure.seed)
    notes = [*questions.notes, *usable.notes]
    if questions.training is not None:
        leaks = find_leaks(usable.sets[MAIN_SET], questions.training)
        controls = controls.model_copy(update={"leaks": leaks})
        notes += _leak_notes(leaks)
    sampling = {model: sampling_summary(draws, settings.temperature) for model, draws in predicted.sampled.items()}
    return Results(
        **dict(main),
        controls=controls,
        by=breakdown(by_model),
        extra={name: compared(predicted.of_set(name)) for name in usable.sets if name != MAIN_SET},
        format_rate={model: cells.all.format for model, cells in main.models.items()},
        empty_answers={model: cells.all.empty for model, cells in main.models.items()},
        mean_length={model: cells.all.mean_tokens for model, cells in main.models.items()},
        dropped_bad_gold={name: dict(failures) for name, failures in usable.dropped.items()},
        notes=(*notes, *_warnings(main, by_model)),
        settings=Asked(
            decoding="greedy",
            samples_per_question=settings.samples,
            temperature=settings.temperature if settings.samples else None,
            max_new_tokens=settings.max_new_tokens,
            instructions=measure.instructions,
            layout=None if measure.layout == "raiden" else measure.layout,
            seed=measure.seed,
        ),
        boundaries=boundaries_of(by_model),
        sampling=sampling if settings.samples else None,
    )


def compared(by_model: Mapping[str, Sequence[Prediction]]) -> Comparison:
    """The cells of each model, and the differences of ``trained`` to the others."""
    trained = by_model.get("trained")
    differences = {
        name: None if trained is None or before not in by_model else pairs(by_model[before], trained)
        for name, before in (("paired", "base"), ("paired_original", "original"))
    }
    return Comparison.model_validate({**{model: cells(rows) for model, rows in by_model.items()}, **differences})


def cells(rows: Sequence[Prediction]) -> Cells:
    """The cells of one model: of all rows and of each dimension."""
    columns = _columns(rows)
    places = _groups([row.dimension for row in rows])
    parts = {name: _cell(columns.take(places.get(name, []))) for name in DIMENSIONS}
    further = {name: part for name, part in parts.items() if part.n}
    return Cells(all=_cell(columns), SBK=parts["SBK"], CM=parts["CM"], SCK=further.get("SCK"), RCB=further.get("RCB"))


def pair(before: Sequence[Prediction], after: Sequence[Prediction]) -> Pair:
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
    return Pair(
        n=strict.n,
        delta=strict.mean,
        ci95=strict.interval,
        p=mcnemar(fixed, broken) if strict.n else None,
        p_clustered=strict.p,
        fixed=fixed,
        broken=broken,
        lenient_delta=lenient.mean,
        lenient_ci95=lenient.interval,
        lenient_p=mcnemar(gained, lost) if lenient.n else None,
        lenient_fixed=gained,
        lenient_broken=lost,
    )


def pairs(before: Sequence[Prediction], after: Sequence[Prediction]) -> Pairs:
    """`pair` of all rows and of each dimension.

    Raises:
        ValueError: the rows are not about the same samples in the same order.
    """
    parts = {
        name: pair([row for row in before if row.dimension == name], [row for row in after if row.dimension == name])
        for name in DIMENSIONS
    }
    further = {name: part for name, part in parts.items() if part.n}
    whole = dict(pair(before, after))
    return Pairs(**whole, SBK=parts["SBK"], CM=parts["CM"], SCK=further.get("SCK"), RCB=further.get("RCB"))


def breakdown(by_model: Mapping[str, Sequence[Prediction]]) -> dict[str, dict[str, SliceValue]]:
    """Slice -> value -> the models on its samples, with the difference where base and trained are there."""
    result: dict[str, dict[str, SliceValue]] = {}
    columns = {model: _columns(rows) for model, rows in by_model.items()}
    for name in SLICES:
        groups = {model: _groups([getattr(row, name) for row in rows]) for model, rows in by_model.items()}
        result[name] = {}
        for value in sorted({value for places in groups.values() for value in places} - {""}):
            places = {model: groups[model].get(value, []) for model in by_model}
            entry: dict[str, Cell | Pair] = {model: _cell(columns[model].take(places[model])) for model in by_model}
            if "base" in by_model and "trained" in by_model:
                parts = ([by_model[model][place] for place in places[model]] for model in ("base", "trained"))
                entry["paired"] = pair(*parts)
            result[name][value] = SliceValue.model_validate(entry)
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
                cell = _cell(columns.take(members))
                low, high = cell.ci95 or (None, None)
                lenient_low, lenient_high = cell.lenient_ci95 or (None, None)
                place = {"set": set_name, "model": model, "slice": name, "value": value}
                numbers = {key: number for key, number in cell if key not in ("ci95", "lenient_ci95")}
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


def _cell(columns: _Columns) -> Cell:
    strict = mean_interval(columns.strict, columns.character, bounds=(0, 1))
    lenient = mean_interval(columns.lenient, columns.character, bounds=(0, 1))
    return Cell(
        n=strict.n,
        characters=strict.clusters,
        strict=strict.mean,
        lenient=lenient.mean,
        ci95=strict.interval,
        lenient_ci95=lenient.interval,
        format=_mean(columns.format),
        empty=int(columns.empty.sum()),
        cut_off=int(columns.cut_off.sum()),
        mean_tokens=_mean(columns.tokens),
        mean_answer_characters=_mean(columns.answer_length),
    )


def _leak_notes(leaks: Leaks) -> list[str]:
    notes = []
    if leaks.characters:
        notes.append(f"Training has seen {len(leaks.characters)} of these characters: they are not unseen.")
    if leaks.conversations:
        notes.append(f"Training has seen the conversation before {leaks.conversations} of these questions.")
    return notes


def _warnings(main: Comparison, by_model: Mapping[str, Sequence[Prediction]]) -> list[str]:
    """What a reader must know about these numbers, in plain words."""
    notes = []
    for model, of_parts in main.models.items():
        if of_parts.all.n and of_parts.all.empty == of_parts.all.n:
            notes.append(f"The model '{model}' gave no answer text at all.")
        unasked = [row.note for row in by_model[model] if row.note]
        if unasked:
            notes.append(
                f"The model '{model}' could not be asked {len(unasked)} questions ({unasked[0]}); they count as wrong."
            )
    characters = len({row.character for rows in by_model.values() for row in rows})
    if characters == 0:
        notes.append("No sample has keywords: there is no accuracy, only what the judge says.")
    elif characters == 1:
        notes.append("There is one character only: nothing can be said about others, so there is no interval.")
    elif characters < FEW_CHARACTERS:
        notes.append(f"There are only {characters} characters: the intervals are a rough guide.")
    return notes


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
