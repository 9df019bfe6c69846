"""Several evaluated runs side by side: their numbers, and paired differences between their trained models.

    runs = load_runs(["runs/runs/20261122-quickstart", "lower-lr=runs/evaluate-8d36527398fc", "old/results.json"])
    comparison = compare_runs(runs)

A run is named by its folder, by the folder of its evaluation, by ``results.json`` or by ``predictions.jsonl``, each with
an optional label in front (``LABEL=PATH``). The model under test of every run (``trained``, or the last there is) is
compared with that of the first run on the questions that both were asked, matched by sample id. Runs that were asked
different questions, or scored by different keywords or settings, are shown, and the difference is said.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raiden_core.errors import DataError, UsageError
from raiden_core.evaluation.compared import ComparedRun, DifferingSetting, JudgeHeadline, RunComparison, Versus
from raiden_core.evaluation.earned import TOTAL, RewardPair, RewardRow
from raiden_core.evaluation.judged import Judged
from raiden_core.evaluation.predictions import MAIN_SET, Prediction, read_predictions
from raiden_core.evaluation.results import Comparison, Controls, read_results
from raiden_core.evaluation.rewarded import reward_pair
from raiden_core.evaluation.summary import cells, pairs
from raiden_core.stages.folder import MANIFEST
from raiden_core.stages.layout import EVALUATE, MODELS, PREDICTIONS_FILE, RESULTS_FILE, RUN_FILE
from raiden_core.stages.runs import read_run

ROUNDING = 1e-9
"""How far the share in results.json may be from that of the predictions beside it."""


@dataclass(frozen=True)
class Run:
    """One evaluated run."""

    label: str
    place: Path
    """The file or folder that it was read from."""
    results: Comparison
    """The models on the validation set."""
    predictions: Mapping[str, Sequence[Prediction]]
    """Greedy ones of the main set by model; empty where there is no predictions.jsonl."""
    settings: Mapping[str, Any]
    """What it was configured with, by dotted key; empty where nobody says."""
    judge: Judged | None = None
    max_new_tokens: int | None = None
    """Longest reply; None where nobody says."""
    controls: Controls | None = None
    """None where only predictions are there."""
    rewards: Mapping[str, RewardRow] | None = None
    """What replies earn by the run's list; None where that is accuracy and format alone."""

    @property
    def tested(self) -> str:
        """The model that the run is about."""
        return self.results.tested


def load_runs(names: Sequence[str]) -> list[Run]:
    """Runs by what the user calls them; labels are made distinct.

    Raises:
        DataError: a path holds no evaluation, or a file of it is broken or belongs to another one.
        UsageError: there is nothing to compare.
    """
    if not names:
        raise UsageError("nothing to compare; name run folders, evaluate folders, results.json or predictions.jsonl")
    runs: list[Run] = []
    for name in names:
        label, path = _labelled(name)
        taken = {run.label for run in runs}
        numbered = (f"{label} ({number})" for number in itertools.count(2))
        runs.append(_load(label if label not in taken else next(one for one in numbered if one not in taken), path))
    return runs


def without_evaluation(name: str) -> bool:
    """Whether a run's folder is meant whose run ended before its evaluate stage, as ``runs/runs/*`` may hold some."""
    _, path = _labelled(name)
    if (path / RESULTS_FILE).is_file() or not (path / RUN_FILE).is_file():
        return False
    return EVALUATE not in read_run(path).stages


def compare_runs(runs: Sequence[Run]) -> RunComparison:
    """Each run's numbers, its difference to the first one, and what makes the runs differ."""
    first = runs[0]
    return RunComparison(
        first=first.label,
        runs=tuple(
            ComparedRun(
                label=run.label,
                place=str(run.place),
                tested=run.tested,
                models=run.results.models,
                paired=run.results.paired,
                judge=_judge(run),
                versus=None if run is first else versus(first, run),
                other_character=run.controls.other_character if run.controls else None,
                recital=run.controls.recital if run.controls else None,
                rewards=dict(run.rewards) if run.rewards else None,
                rewards_versus={} if run is first else _rewards_versus(first, run),
            )
            for run in runs
        ),
        warnings=(*(words for run in runs[1:] for words in _warnings(first, run)), *_missing(runs)),
        settings=_differing(runs),
    )


def common_predictions(first: Run, run: Run) -> tuple[list[Prediction], list[Prediction]]:
    """The predictions of both tested models on the questions that both were asked, in the first one's order."""
    others = {row.id: row for row in run.predictions.get(run.tested, ())}
    mine = {row.id: row for row in first.predictions.get(first.tested, ())}
    ids = [key for key in mine if key in others]
    return [mine[key] for key in ids], [others[key] for key in ids]


def versus(first: Run, run: Run) -> Versus | None:
    """The paired difference of a run's tested model to the first run's; None where they share no question."""
    before, after = common_predictions(first, run)
    return Versus(common=len(after), **dict(pairs(before, after))) if after else None


def _rewards_versus(first: Run, run: Run) -> dict[str, RewardPair]:
    before, after = common_predictions(first, run)
    if not after:
        return {}
    mine, theirs = first.rewards or {}, run.rewards or {}
    same_sum = _summands(mine) == _summands(theirs)
    common = [name for name in theirs if name in mine and (name != TOTAL or same_sum)]
    return {name: reward_pair(None if name == TOTAL else name, before, after) for name in common}


def _summands(rewards: Mapping[str, RewardRow]) -> dict[str, tuple[bool, float]]:
    """What a list's total is made of: whether each of its rewards is a gate, and its weight."""
    return {name: (row.gate, row.weight) for name, row in rewards.items()}


def _labelled(name: str) -> tuple[str, Path]:
    """Label and path of ``LABEL=PATH`` or ``PATH``; an existing path is never taken apart. Both may hold further ``=``."""
    path = Path(name)
    if not path.exists():
        places = [place for place, letter in enumerate(name) if letter == "=" and name[:place] and name[place + 1 :]]
        there = (place for place in places if Path(name[place + 1 :]).exists())
        if places:
            place = next(there, places[-1])
            return name[:place], Path(name[place + 1 :])
    return (path.parent.resolve().name if path.is_file() else path.resolve().name) or name, path


def _load(label: str, place: Path) -> Run:
    """One run.

    Raises:
        DataError: it holds no evaluation, or its files do not belong together.
    """
    if place.suffix == ".jsonl":
        return _of_predictions(label, place)
    folder, config = _evaluation(place)
    results = read_results(folder / RESULTS_FILE)
    predictions: dict[str, list[Prediction]] = {}
    if (folder / PREDICTIONS_FILE).is_file():
        predictions = _by_model(folder / PREDICTIONS_FILE)
        _check_same(folder, results, predictions)
    settings = _flat(config or _manifest_config(folder))
    longest = results.settings.max_new_tokens
    return Run(label, place, results, predictions, settings, results.judge, longest, results.controls, results.rewards)


def _of_predictions(label: str, path: Path) -> Run:
    predictions = _by_model(path)
    if not predictions:
        raise DataError(f"{path}: no prediction of the set '{MAIN_SET}' in it; evaluate again")
    base, trained = predictions.get("base"), predictions.get("trained")
    same = base and trained and [row.id for row in base] == [row.id for row in trained]
    results = Comparison.model_validate(
        {
            **{model: cells(rows) for model, rows in predictions.items()},
            "paired": pairs(base, trained) if base and trained and same else None,
        }
    )
    return Run(label, path, results, predictions, {})


def _evaluation(place: Path) -> tuple[Path, Mapping[str, Any] | None]:
    """The folder of a run's evaluation, and the run's configuration where it is a run's folder.

    Raises:
        DataError: there is none.
    """
    if not place.exists():
        raise DataError(f"{place}: no such file or folder")
    if place.is_file():
        if place.name != RESULTS_FILE:
            raise DataError(f"{place}: name a run's folder, an evaluate folder, {RESULTS_FILE} or {PREDICTIONS_FILE}")
        return place.parent, None
    if (place / RESULTS_FILE).is_file():
        return place, None
    if not (place / RUN_FILE).is_file():
        raise DataError(
            f"{place}: holds neither {RESULTS_FILE} nor {RUN_FILE}; name a run's folder or that of its evaluation"
        )
    stages = read_run(place).stages
    if EVALUATE not in stages:
        raise DataError(f"{place}: this run was not evaluated; run it up to its evaluate stage")
    if not stages[EVALUATE].is_dir():
        raise DataError(f"{place}: its evaluation {stages[EVALUATE]} is gone; run it again")
    return stages[EVALUATE], _run_config(place)


def _run_config(place: Path) -> Mapping[str, Any] | None:
    import yaml

    path = place / "config.yaml"
    if not path.is_file():
        return None
    try:
        config = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        raise DataError(f"{path}: broken YAML; remove the file, or run again") from None
    return config if isinstance(config, dict) else None


def _manifest_config(folder: Path) -> Mapping[str, Any]:
    path = folder / MANIFEST
    config = _json(path).get("config", {}) if path.is_file() else {}
    return config if isinstance(config, dict) else {}


def _by_model(path: Path) -> dict[str, list[Prediction]]:
    rows: dict[str, list[Prediction]] = {}
    for row in read_predictions(path):
        if row.set == MAIN_SET and row.draw == 0:
            rows.setdefault(row.model, []).append(row)
    return {model: rows[model] for model in MODELS if model in rows}


def _check_same(folder: Path, results: Comparison, predictions: Mapping[str, Sequence[Prediction]]) -> None:
    """Predictions of another evaluation beside results would compare what was never measured together."""
    for model, rows in predictions.items():
        strict = sum(row.strict for row in rows) / len(rows)
        said = results.models[model].all if model in results.models else None
        if said is None or said.strict is None or said.n != len(rows) or abs(said.strict - strict) > ROUNDING:
            told = f"says {said.n} and {said.strict}" if said else "has no such model"
            raise DataError(
                f"{folder / PREDICTIONS_FILE}: not the predictions of {RESULTS_FILE} beside it ({model}: {len(rows)} replies, "
                f"{strict:.4f} right; {RESULTS_FILE} {told}); evaluate again"
            )


def _judge(run: Run) -> JudgeHeadline | None:
    judge = run.judge
    return JudgeHeadline(model=judge.model, all=judge.all, gap=judge.gap) if judge else None


def _missing(runs: Sequence[Run]) -> list[str]:
    return [f"{run.label}: no {PREDICTIONS_FILE}, so no paired difference." for run in runs if not run.predictions]


def _warnings(first: Run, run: Run) -> list[str]:
    """Why a run's numbers may not be comparable with the first one's."""
    if not first.predictions or not run.predictions:
        return []
    before, after = common_predictions(first, run)
    sizes = len(first.predictions[first.tested]), len(run.predictions[run.tested])
    notes = []
    if not after:
        notes.append(f"{run.label}: another data set: none of its {sizes[1]} questions was asked in {first.label}.")
    elif (len(after), len(after)) != sizes:
        notes.append(
            f"{run.label}: another data set: {len(after)} questions are common, {sizes[0] - len(after)} only in "
            f"{first.label}, {sizes[1] - len(after)} only here; differences are over the common ones."
        )
    others = sum(a.keywords != b.keywords or a.reference != b.reference for a, b in zip(before, after, strict=True))
    if others:
        notes.append(f"{run.label}: {others} of the common questions have another reference or other keywords.")
    asked = sum(a.prompt != b.prompt for a, b in zip(before, after, strict=True))
    if asked:
        notes.append(f"{run.label}: {asked} of the common questions were put in another prompt.")
    lengths = [one.max_new_tokens for one in (first, run)]
    if None not in lengths and lengths[0] != lengths[1]:
        notes.append(f"{run.label}: replies of up to {lengths[1]} tokens, in {first.label} up to {lengths[0]}.")
    return notes


def _differing(runs: Sequence[Run]) -> tuple[DifferingSetting, ...]:
    """Settings that are not the same in all runs that have them."""
    keys = list(dict.fromkeys(key for run in runs for key in run.settings))
    differing = [key for key in keys if len({str(run.settings[key]) for run in runs if key in run.settings}) > 1]
    return tuple(
        DifferingSetting(setting=key, values=tuple(run.settings.get(key) for run in runs)) for key in differing
    )


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, item in value.items():
        name = f"{prefix}{key}"
        flat |= _flat(item, f"{name}.") if isinstance(item, dict) and item else {name: item}
    return flat


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: broken JSON: {error}; evaluate again") from None
    if not isinstance(value, dict):
        raise DataError(f"{path}: not a JSON object; evaluate again")
    return value
