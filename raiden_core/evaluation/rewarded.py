"""What the replies of an evaluation earn by a list of rewards: each reward of each model, and the paired difference.

Accuracy and format are the scorer's, as everywhere in an evaluation: all or nothing, whatever partial credit training
gives. Everything else is computed by the functions that training calls, gates included, and a reply's total is that of the
list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from raiden_core.evaluation.earned import TOTAL, RewardCell, RewardPair, RewardRow
from raiden_core.evaluation.predictions import MAIN_SET, Predicted, Prediction
from raiden_core.evaluation.sets import Measure, UsableSets
from raiden_core.evaluation.statistics import Estimate, mean_interval, paired_difference
from raiden_core.rewards.listed.checks import Value
from raiden_core.rewards.listed.running import RewardRun, outcome_of
from raiden_core.rewards.listed.trial import as_chats, columns_of
from raiden_core.samples import Sample


def with_rewards(predicted: Predicted, usable: UsableSets, measure: Measure, store: Path) -> Predicted:
    """The predictions with what each reward of the list says, and the list's total.

    Args:
        predicted: scored by the scorer.
        usable: the samples that were asked.
        measure: its list.
        store: the folder in which a judge's replies are kept.

    Raises:
        ConfigError, StageError: a function cannot be loaded, fails or gives what no reward may be; a judge is gone.
    """
    with RewardRun(measure.rewards, store) as run:
        greedy = {
            (name, model): _rewarded(rows, usable.sets[name], measure, run)
            for (name, model), rows in predicted.greedy.items()
        }
        sampled = {
            model: [_rewarded(rows, usable.sets[MAIN_SET], measure, run) for rows in draws]
            for model, draws in predicted.sampled.items()
        }
    return replace(predicted, greedy=greedy, sampled=sampled)


def _rewarded(
    rows: Sequence[Prediction], samples: Sequence[Sample], measure: Measure, run: RewardRun
) -> list[Prediction]:
    if not rows:
        return []
    prompts = [row.prompt for row in rows]
    completions = as_chats([row.completion for row in rows])
    columns = columns_of(samples, measure.scorer)
    found = run(prompts, completions, columns, lambda one: not one.is_vrar).values
    scored: dict[str, list[Value]] = {
        "accuracy": [row.accuracy for row in rows],
        "format": [row.format for row in rows],
    }
    values = {one.name: found[one.name] if not one.is_vrar else list(scored[one.function]) for one in measure.rewards}
    outcome = outcome_of(measure.rewards, values, len(rows))
    return [
        replace(
            row,
            total=outcome.totals[place] or 0.0,
            rewards={name: column[place] for name, column in outcome.values.items()},
        )
        for place, row in enumerate(rows)
    ]


def reward_rows(by_model: Mapping[str, Sequence[Prediction]], measure: Measure) -> dict[str, RewardRow]:
    """Each reward of the list by name, then the total: means with intervals clustered by character, and the difference."""
    rows = {one.name: _row(one.name, by_model, one.gate, one.weight) for one in measure.rewards}
    return {**rows, TOTAL: _row(None, by_model, False, 1.0)}


def _row(name: str | None, by_model: Mapping[str, Sequence[Prediction]], gate: bool, weight: float) -> RewardRow:
    cells: dict[str, RewardCell | RewardPair | None] = {
        model: _cell([(_value(row, name), row.character) for row in rows]) for model, rows in by_model.items()
    }
    if "base" in by_model and "trained" in by_model:
        cells["paired"] = reward_pair(name, by_model["base"], by_model["trained"])
    return RewardRow.model_validate({"gate": gate, "weight": weight, **cells})


def _value(row: Prediction, name: str | None) -> float | None:
    return row.total if name is None else row.rewards[name]


def _cell(values: Sequence[tuple[float | None, str]]) -> RewardCell:
    said = [value for value, _ in values if value is not None]
    characters = [character for value, character in values if value is not None]
    estimate = mean_interval(said, characters, bounds=(0, 1) if _are_shares(said) else None)
    return RewardCell(n=estimate.n, mean=estimate.mean, ci95=estimate.interval)


def reward_pair(name: str | None, before: Sequence[Prediction], after: Sequence[Prediction]) -> RewardPair:
    """How much more ``after`` earns by a reward than ``before`` on the same questions; None: by the total.

    Replies of which the reward says nothing on either side are left out.
    """
    both = [
        (new, old, row.character)
        for row, other in zip(after, before, strict=True)
        if (new := _value(row, name)) is not None and (old := _value(other, name)) is not None
    ]
    estimate = _difference([new for new, _, _ in both], [old for _, old, _ in both], [one[2] for one in both])
    return RewardPair(n=estimate.n, delta=estimate.mean, ci95=estimate.interval, p=estimate.p)


def _difference(after: Sequence[float], before: Sequence[float], characters: Sequence[str]) -> Estimate:
    if _are_shares([*after, *before]):
        return paired_difference(after, before, characters)
    return mean_interval([new - old for new, old in zip(after, before, strict=True)], characters)


def _are_shares(values: Sequence[float]) -> bool:
    """Whether all lie between 0 and 1, so that an interval must too."""
    return all(0 <= value <= 1 for value in values)
