"""The control that keeps training honest: with rewards permuted within the batch, nothing can be learned."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from typing import Any

Reward = Callable[..., Any]
"""``(completions, **columns)`` -> a list of values."""


def permuted(reward: Reward, seed: int) -> Reward:
    """The reward function with its results shuffled over the batch, in the same way for every function of a step.

    Means and variances stay what they are; which completion earned what is lost. The shuffle depends on the seed and
    the trainer's step, so that accuracy and format of one completion travel together.
    """

    @functools.wraps(reward)
    def shuffled(completions: list[Any], **columns: Any) -> Any:
        values = reward(completions=completions, **columns)
        step = columns["trainer_state"].global_step if "trainer_state" in columns else 0
        random.Random(f"{seed}:{step}").shuffle(values)
        return values

    return shuffled
