"""Character-conditioned normalisation: a reward measured against what its own character earns in the batch.

After Character-R1 (arXiv 2601.04611): characters differ in how hard they are and how widely their rewards spread, so
one that earns nearly the same everywhere teaches little beside one whose rewards swing.

    trl grpo --reward_funcs raiden_core.rewards.normalisation.accuracy_by_character raiden_core.rewards.format_reward \\
             --reward_weights 0.7 0.3 --scale_rewards none …

    reward = normalised_by_character(my_reward)  # or around any other reward, in a script

GRPO compares the completions of one prompt, which have one character, so its group mean takes the character's mean
away again, and ``scale_rewards="group"`` (TRL's default) and ``multi_objective_aggregation="normalize_then_sum"`` take
its spread away as well. What is left is the division by the character's spread, and it is left only with
``scale_rewards`` "none" or "batch". It says something when a batch holds several prompts of a character.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from math import sqrt
from typing import Any

from raiden_core.errors import DataError
from raiden_core.rewards.functions import accuracy_reward

Reward = Callable[..., Sequence[float | None]]
Pair = tuple[object, float]


def normalised_by_character(
    reward: Reward,
    *,
    column: str = "character_name",
    epsilon: float = 1e-4,
    gather: Callable[[list[Pair]], list[Pair]] | None = None,
) -> Callable[..., list[float | None]]:
    """A reward function that gives ``(reward - mean) / (spread + epsilon)`` within each character of the batch.

    Args:
        reward: a function with TRL's signature.
        column: the column of the dataset that groups the completions.
        epsilon: keeps a character whose completions all earn the same at 0.
        gather: collects what all processes hold. None: by torch.distributed where it runs. A prompt's completions may
            lie on several processes, and must be measured alike.

    The function raises `DataError` when the dataset has no such column.
    """

    def normalised(completions: Sequence[object], **columns: Any) -> list[float | None]:
        names = columns.get(column)
        if names is None:
            raise DataError(f"the dataset has no column {column}: rewards cannot be normalised by it")
        rewards = reward(completions, **columns)
        own = [(name, value) for name, value in zip(names, rewards, strict=True) if value is not None]
        measures = _measures((gather or _from_all_processes)(own))
        return [
            None if value is None else (value - measures[name][0]) / (measures[name][1] + epsilon)
            for name, value in zip(names, rewards, strict=True)
        ]

    normalised.__name__ = f"{getattr(reward, '__name__', 'reward')}_by_character"
    return normalised


def _measures(pairs: list[Pair]) -> dict[object, tuple[float, float]]:
    """Mean and standard deviation of the rewards of each character."""
    by_name: dict[object, list[float]] = {}
    for name, value in pairs:
        by_name.setdefault(name, []).append(value)
    measures = {}
    for name, values in by_name.items():
        mean = sum(values) / len(values)
        measures[name] = (mean, sqrt(sum((value - mean) ** 2 for value in values) / len(values)))
    return measures


def _from_all_processes(own: list[Pair]) -> list[Pair]:
    torch = sys.modules.get("torch")
    if torch is None or not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return own
    parts: list[list[Pair]] = [[] for _ in range(torch.distributed.get_world_size())]
    torch.distributed.all_gather_object(parts, own)
    return [pair for part in parts for pair in part]


accuracy_by_character = normalised_by_character(accuracy_reward)
"""`raiden_core.rewards.accuracy_reward`, normalised by the column ``character_name``."""
