"""Calls each reward of a list once, on gold and on empty completions, before anything expensive begins.

What a syntax tree cannot tell shows here: a function that raises at once, gives too few values, or never lets a right
answer through. Training refuses such a list before it loads a model; ``raiden doctor`` says what came back and how long it
took.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from raiden_core.errors import ConfigError
from raiden_core.prompts import Message, build_completion, build_prompt
from raiden_core.rewards.listed.checks import Value
from raiden_core.rewards.listed.chosen import ChosenReward
from raiden_core.rewards.listed.running import RewardRun
from raiden_core.rewards.scorer import Scorer
from raiden_core.samples import Sample, table_row

TRIED = 16
"""Samples that a list is tried on."""
EMPTY = "<think></think><answer></answer>"


@dataclass(frozen=True)
class Trial:
    """What one reward gave."""

    reward: ChosenReward
    gold: list[Value]
    """For the samples' own answers."""
    empty: list[Value]
    """For completions without an answer."""
    seconds: float
    """That both calls took."""


def try_rewards(
    run: RewardRun,
    samples: Sequence[Sample],
    scorer: Scorer,
    prompt: Callable[[Sample], list[Message]] = build_prompt,
    only: Callable[[ChosenReward], bool] = lambda one: True,
) -> list[Trial]:
    """Call rewards on gold and on empty completions, as an evaluation would.

    Args:
        run: the list.
        samples: at most `TRIED` of them are used.
        scorer: its settings travel as columns.
        prompt: builds a sample's prompt.
        only: which rewards are called: a served judge costs, and accuracy of gold is known.

    Raises:
        StageError: a function failed, gave what no reward may be, or took too long.
    """
    tried = list(samples[:TRIED])
    prompts = [prompt(one) for one in tried]
    columns = columns_of(tried, scorer)
    gold = [_begun(build_completion(one), scorer) for one in tried]
    empty = [_begun(EMPTY, scorer)] * len(tried)
    trials = []
    for one in run.chosen:
        if not only(one):
            continue
        began = time.monotonic()
        said = [
            run(prompts, as_chats(texts), columns, lambda other, name=one.name: other.name == name).values[one.name]  # type: ignore[misc]
            for texts in (gold, empty)
        ]
        trials.append(Trial(one, said[0], said[1], time.monotonic() - began))
    return trials


def check_trials(trials: Sequence[Trial]) -> None:
    """Refuse a gate that no right answer passes.

    Raises:
        ConfigError: the gate's name.
    """
    for trial in trials:
        closed = [value is not None and value <= 0 for value in trial.gold]
        if trial.reward.gate and closed and all(closed):
            raise ConfigError(
                f"rewards: the gate {trial.reward.name} is closed on all {len(closed)} reference answers that it was tried "
                "on, so nothing could be earned; correct it, or take it out"
            )


def columns_of(samples: Sequence[Sample], scorer: Scorer) -> dict[str, list[Any]]:
    """The columns that rewards are called with: every field of the samples, and the scorer's settings."""
    rows = [table_row(one) for one in samples]
    columns = {name: [row[name] for row in rows] for name in Sample.model_fields}
    return columns | {name: [value] * len(rows) for name, value in scorer.columns().items()}


def as_chats(completions: Sequence[str]) -> list[list[dict[str, str]]]:
    """Completions as TRL hands them over where prompts are chats."""
    return [[{"role": "assistant", "content": text}] for text in completions]


def _begun(completion: str, scorer: Scorer) -> str:
    return completion.removeprefix("<think>") if scorer.prefilled_think else completion
