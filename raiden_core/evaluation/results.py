"""``results.json`` as typed, frozen data: what `evaluate` returns, and what reports, cards and comparisons read.

    results = read_results(run / "evaluate/results.json")
    results.models["trained"].all.strict, results.paired.delta, results.extra["hand-written"].models["base"].CM.n

A field with the default None is left out of the file where there is nothing to say: a run without a judge has no
``judge``. Every other None is written as ``null``: an interval of one character, an accuracy over no questions. Numbers
are kept as they are, whole ones without a decimal point, and keys that this version does not know are kept as well, so
that a file that is read and written again does not change.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import ValidationError, model_validator

from raiden_core.errors import DataError
from raiden_core.evaluation.earned import RewardRow
from raiden_core.evaluation.erring import Boundaries
from raiden_core.evaluation.judged import Judged
from raiden_core.evaluation.parts import Count, Interval, Number, Part
from raiden_core.stages.layout import MODELS, RESULTS_FILE
from raiden_core.text.plain import one_line

DIMENSIONS = ("SBK", "CM", "SCK", "RCB")

PARTS = ("all", *DIMENSIONS)
"""The rows of a result table."""

SHOWN_INPUT = 60
"""Characters of a wrong value in an error."""


class Cell(Part):
    """One model on some samples; every mean is None where there are none."""

    n: Count
    characters: Count
    strict: Number | None
    """Share of answers that are right and in the required format."""
    lenient: Number | None
    """Share of answers that are right in any format."""
    ci95: Interval | None
    """Of ``strict``; None with fewer than two characters."""
    lenient_ci95: Interval | None
    format: Number | None
    """Share of replies in the required format."""
    empty: Count
    """Replies without answer text."""
    cut_off: Count
    """Replies that reached the length limit."""
    mean_tokens: Number | None
    mean_answer_characters: Number | None


class Cells(Part):
    """A model's cells: of all samples and of each dimension."""

    all: Cell
    SBK: Cell
    CM: Cell
    SCK: Cell | None = None
    """None, as the next, where no question stands at a boundary of what the character knows."""
    RCB: Cell | None = None

    @property
    def parts(self) -> dict[str, Cell]:
        """The cells that there are, in the order of `PARTS`."""
        found = {"all": self.all, "SBK": self.SBK, "CM": self.CM, "SCK": self.SCK, "RCB": self.RCB}
        return {name: cell for name, cell in found.items() if cell is not None}

    def part(self, name: str) -> Cell:
        """The cell of one of `PARTS`; one without questions where there is none."""
        return self.parts.get(name, NO_CELL)


NO_CELL = Cell(
    n=0,
    characters=0,
    strict=None,
    lenient=None,
    ci95=None,
    lenient_ci95=None,
    format=None,
    empty=0,
    cut_off=0,
    mean_tokens=None,
    mean_answer_characters=None,
)


class Pair(Part):
    """Two models on the same samples: the second less the first."""

    n: Count
    delta: Number | None
    """Difference of the strict shares."""
    ci95: Interval | None
    p: Number | None
    """McNemar's."""
    p_clustered: Number | None
    """Of the difference being zero, by the clustered t."""
    fixed: Count
    """Wrong before and right after."""
    broken: Count
    lenient_delta: Number | None
    lenient_ci95: Interval | None
    lenient_p: Number | None
    lenient_fixed: Count
    lenient_broken: Count


class Pairs(Pair):
    """`Pair` of all samples, with that of each dimension inside."""

    SBK: Pair
    CM: Pair
    SCK: Pair | None = None
    RCB: Pair | None = None

    def part(self, name: str) -> Pair:
        """The difference on one of `PARTS`; one without questions where there is none."""
        return {"all": self, "SBK": self.SBK, "CM": self.CM, "SCK": self.SCK, "RCB": self.RCB}[name] or NO_PAIR


NO_PAIR = Pair(
    n=0,
    delta=None,
    ci95=None,
    p=None,
    p_clustered=None,
    fixed=0,
    broken=0,
    lenient_delta=None,
    lenient_ci95=None,
    lenient_p=None,
    lenient_fixed=0,
    lenient_broken=0,
)


class Comparison(Part):
    """The models on one set of samples."""

    original: Cells | None = None
    base: Cells | None = None
    trained: Cells | None = None
    paired: Pairs | None = None
    """``trained`` less ``base``."""
    paired_original: Pairs | None = None
    """``trained`` less ``original``."""

    @model_validator(mode="after")
    def _has_a_model(self) -> Self:
        if not self.models:
            raise ValueError("holds no model's results")
        return self

    @property
    def models(self) -> dict[str, Cells]:
        """The models that there are, in the order of `MODELS`."""
        found = {"original": self.original, "base": self.base, "trained": self.trained}
        return {name: cells for name, cells in found.items() if cells is not None}

    @property
    def tested(self) -> str:
        """The model that the results are about: ``trained``, or the last that there is."""
        return list(self.models)[-1]

    def of_trained(self) -> Cells:
        """The trained model's cells.

        Raises:
            DataError: it was not evaluated.
        """
        if self.trained is None:
            raise DataError(f"{RESULTS_FILE} holds no model called 'trained'; evaluate with a trained model")
        return self.trained


class SliceValue(Part):
    """The models on the samples with one value of a slice, such as one language."""

    original: Cell | None = None
    base: Cell | None = None
    trained: Cell | None = None
    paired: Pair | None = None

    @property
    def models(self) -> dict[str, Cell]:
        """The models that there are, in the order of `MODELS`."""
        found = {"original": self.original, "base": self.base, "trained": self.trained}
        return {name: cell for name, cell in found.items() if cell is not None}


class Leaks(Part):
    """What of the validation set is in the training data."""

    characters: tuple[str, ...]
    """Their names, sorted."""
    samples: Count
    """Questions."""
    conversations: Count
    """Questions whose conversation training has seen."""


class Controls(Part):
    """Accuracies of answers whose score is known beforehand, as answer text without tags."""

    gold: Number | None
    """References: must be 1. None where there is no sample with keywords."""
    other_character: Number | None
    """Another character's replies; None where there is only one character."""
    other_character_ci95: Interval | None
    other_character_chance: Number | None
    """How often another character's reference is right."""
    other_character_n: Count
    keyword_list: Number | None
    profile_recited: Number | None
    """The whole profile as prompts show it, as the reply to every question."""
    recital: Number | None = None
    """All short values of the profile; None also in files of versions that did not measure it."""
    always_refuses: Number | None = None
    """"I don't know" to every question; None, as the next, where no question stands at a boundary."""
    always_agrees: Number | None = None
    """Agreement with whatever the question says."""
    leaks: Leaks | None = None
    """None where nobody named the training data."""


class Mean(Part):
    """A mean with its interval."""

    mean: Number | None
    ci95: Interval | None


class SampledReplies(Part):
    """Several sampled replies to each question, of one model."""

    n: Count
    """Questions."""
    draws: Count
    """Replies to each."""
    temperature: Number
    pass_at: dict[str, Mean]
    """k -> pass@k."""
    majority: Mean


class Asked(Part):
    """How the models were asked."""

    decoding: str
    samples_per_question: Count
    """Sampled replies beside the greedy one."""
    temperature: Number | None
    """Of the sampled replies; None where there are none."""
    max_new_tokens: Count
    instructions: str | None
    """What replaced the prompt's instructions."""
    layout: str | None = None
    """Of the prompts; None means raiden's own."""
    seed: int


class Results(Comparison):
    """The content of results.json: the models on the validation set, and everything beside that."""

    controls: Controls
    by: dict[str, dict[str, SliceValue]]
    """Slice -> value -> the models on it."""
    extra: dict[str, Comparison]
    """Further sets by name; they are in no other figure."""
    format_rate: dict[str, Number | None]
    """By model, as the next two: the cells of all samples repeated, for readers in a hurry."""
    empty_answers: dict[str, Count]
    mean_length: dict[str, Number | None]
    """In tokens."""
    dropped_bad_gold: dict[str, dict[str, str]]
    """Set -> id -> why the sample's own reference fails."""
    notes: tuple[str, ...]
    """What a reader must know about these numbers."""
    settings: Asked
    boundaries: Boundaries | None = None
    """None where no question stands at a boundary of what its character knows."""
    sampling: dict[str, SampledReplies] | None = None
    """By model."""
    judge: Judged | None = None
    rewards: dict[str, RewardRow] | None = None
    """By name, and the total: what replies earn by a list of rewards; None where that is accuracy and format alone."""


def parse_results(value: object, where: Path | str) -> Results:
    """Results from JSON.

    Args:
        value: the parsed JSON.
        where: what messages name.

    Raises:
        DataError: it is not what `evaluate` writes; one line names the first key that is wrong.
    """
    if not isinstance(value, Mapping):
        raise DataError(f"{where}: not a JSON object; evaluate again")
    if not any(model in value for model in MODELS):
        raise DataError(f"{where}: holds no model's results; is it the {RESULTS_FILE} of `raiden evaluate`?")
    try:
        return Results.model_validate(value)
    except ValidationError as error:
        raise DataError(f"{where}: {_first_line(error)}; evaluate again") from None


def read_results(path: Path) -> Results:
    """The results of a file.

    Raises:
        DataError: the file is missing or damaged, or is not what `evaluate` writes.
    """
    try:
        value = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}; give the folder of a finished evaluation") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: broken JSON: {error}; evaluate again") from None
    return parse_results(value, path)


def write_results(path: Path, results: Results) -> None:
    """Write results.json; the file appears under its name only when it is whole."""
    partial = path.with_name(path.name + ".partial")
    text = json.dumps(results.as_json(), ensure_ascii=False, indent=2, allow_nan=False)
    partial.write_text(text + "\n", encoding="utf-8")
    partial.replace(path)


_KINDS = {
    "model_type": "must be an object",
    "dict_type": "must be an object",
    "tuple_type": "must be a list",
    "string_type": "must be text",
    "int_type": "must be a whole number",
}
"""pydantic's types of errors in the terms of JSON."""


def _first_line(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    # Names of sets come from the user.
    place = one_line(".".join(str(part) for part in first["loc"]))
    if first["type"] == "missing":
        return f"{place}: is missing"
    reason = _KINDS.get(first["type"], first["msg"].removeprefix("Value error, "))
    shown = repr(first["input"])
    shown = shown if len(shown) <= SHOWN_INPUT else f"{shown[:SHOWN_INPUT]}…"
    return f"{place}: {reason}, not {shown}" if place else reason
