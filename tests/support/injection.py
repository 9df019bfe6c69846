"""Completions and rewards that are given instead of sampled and scored, for TRL's trainer and for our own.

With them, two trainers (or one trainer in one process and in two) see the same batch, and their losses and gradients
can be compared. TRL takes completions through the argument ``rollout_func`` of its GRPOTrainer and hands what else the
function returns to the rewards.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

WEIGHTS = (0.7, 0.3)


@dataclass(frozen=True)
class Injected:
    """``completions[i][k]`` is completion k of prompt i; ``rewards`` what it earned from each of two functions."""

    prompts: list[list[dict[str, str]]]
    completions: list[list[list[int]]]
    rewards: list[list[tuple[float, float]]]

    @property
    def num_generations(self) -> int:
        return len(self.completions[0])

    def total(self, prompt: int, number: int) -> float:
        """The weighted reward."""
        return sum(weight * reward for weight, reward in zip(WEIGHTS, self.rewards[prompt][number], strict=True))


def inject(prompts: int, num_generations: int, end: int, seed: int, longest: int = 9) -> Injected:
    """Random groups: prompts and completions of unequal lengths, some ended and some cut, one of a single token.

    The first group's rewards are all equal, so its advantages are 0.
    """
    draw = random.Random(seed)
    texts = [f"{number}号：" + "你好吗？" * (1 + 2 * number % 5) for number in range(prompts)]
    ordinary = [token for token in range(5, 200) if token != end]
    completions, rewards = [], []
    for prompt in range(prompts):
        group = []
        for number in range(num_generations):
            tokens = [draw.choice(ordinary) for _ in range(draw.randint(1, longest))]
            group.append(tokens if (prompt + number) % 3 == 0 else [*tokens[:-1], end])
        completions.append(group)
        rewards.append(
            [(float(draw.random() < 0.5), draw.random()) if prompt else (1.0, 0.5) for _ in range(num_generations)]
        )
    completions[-1][0] = [end]
    return Injected([[{"role": "user", "content": text}] for text in texts], completions, rewards)


def rollout_of(injected: Injected) -> Callable[[list[Any], Any], dict[str, Any]]:
    """The ``rollout_func`` that answers with the injected completions, in however many processes.

    TRL repeats each prompt for its group and deals the batch out to the processes in order, so a completion's number
    in its group is its place in the whole batch modulo the group's size, also where a group lies on two processes.
    """
    numbers = {json.dumps(prompt): number for number, prompt in enumerate(injected.prompts)}

    def rollout(prompts: list[Any], trainer: Any) -> dict[str, Any]:
        first = trainer.accelerator.process_index * len(prompts)
        places = [
            (numbers[json.dumps(prompt)], (first + row) % injected.num_generations)
            for row, prompt in enumerate(prompts)
        ]
        encoded = trainer.processing_class.apply_chat_template(
            prompts, add_generation_prompt=True, tokenize=True, return_dict=True
        )
        return {
            "prompt_ids": encoded["input_ids"],
            "completion_ids": [injected.completions[prompt][number] for prompt, number in places],
            "logprobs": None,
            "injected": [injected.rewards[prompt][number] for prompt, number in places],
        }

    return rollout


def first_reward(completions: Sequence[Any], injected: Sequence[tuple[float, float]], **_columns: Any) -> list[float]:
    """The first of the two rewards that were injected."""
    return [one[0] for one in injected]


def second_reward(completions: Sequence[Any], injected: Sequence[tuple[float, float]], **_columns: Any) -> list[float]:
    """The second."""
    return [one[1] for one in injected]
