"""A curriculum by pass rate: prompts that the student sometimes answers right are asked more often than the others.

GRPO learns from differences inside a group. Where the student is always right, or always wrong, all completions earn the
same and the group teaches nothing. So before training each prompt is answered a few times by the student, once: the
answers are stored, and a run that goes on reads them. From its pass rate p, a group of G completions is mixed with a
chance of 1 - p^G - (1 - p)^G, and prompts are drawn by that chance, as many as there were. p is smoothed, so that a prompt that
was never answered right in a few tries is asked rarely instead of never.

After DAPO's dynamic sampling (arXiv 2503.14476), which throws equal groups away after they have been paid for.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from raiden_core.models.local_model import LocalModel
from raiden_core.prompts import Message
from raiden_core.rewards.scorer import Scorer
from raiden_core.samples import Sample

ANSWERS_FILE = "pass_rates.jsonl"
"""The store of the student's answers, in the stage's folder."""
BATCH = 64


@dataclass(frozen=True)
class Curriculum:
    """What the student could do before training, and what is trained on because of that."""

    samples: list[Sample]
    """As many as there were, in random order; some stand there several times, some not at all."""
    figures: dict[str, Any]
    """For the summary: answers to each prompt, prompts never, sometimes and always right, and the expected share of groups
    with nothing to learn from, before and after."""


def by_pass_rate(
    samples: Sequence[Sample],
    student: Path,
    out: Path,
    *,
    answers: int,
    group: int,
    scorer: Scorer,
    prompt: Callable[[Sample], list[Message]],
    max_new_tokens: int,
    temperature: float,
    seed: int,
) -> Curriculum:
    """Measure the student on the samples, and draw from them by what it can do.

    Args:
        samples: what would be trained on.
        student: the folder of the policy that training starts from.
        out: the stage's folder, where the student's answers are stored.
        answers: sampled to each prompt.
        group: completions of a group in training.
        scorer: says what is right.
        prompt: builds a sample's prompt.
        max_new_tokens: longest answer.
        temperature: of the rollouts in training.
        seed: of the answers and of the draw.

    Raises:
        DataError, StageError: the student cannot answer.
    """
    asked = [sample for sample in samples for _ in range(answers)]
    replies = LocalModel(student, max_new_tokens, BATCH, temperature, seed).answer(
        [prompt(sample) for sample in asked],
        store=out / ANSWERS_FILE,
        draws=[draw + 1 for _ in samples for draw in range(answers)],
    )
    right = [scorer.score(sample, reply.text).accuracy == 1.0 for sample, reply in zip(asked, replies, strict=True)]
    counts = [sum(right[place : place + answers]) for place in range(0, len(right), answers)]
    places = drawn([mixed(smoothed(count, answers), group) for count in counts], seed)
    equal = [1 - mixed(smoothed(count, answers), group) for count in counts]
    figures = {
        "answers": answers,
        "never_right": sum(count == 0 for count in counts),
        "sometimes_right": sum(0 < count < answers for count in counts),
        "always_right": sum(count == answers for count in counts),
        "zero_variance_before": round(fmean(equal), 4),
        "zero_variance_after": round(fmean(equal[place] for place in places), 4),
        "distinct": len(set(places)),
    }
    return Curriculum([samples[place] for place in places], figures)


def smoothed(right: int, answers: int) -> float:
    """A pass rate that is never 0 or 1: half an answer of each kind is added."""
    return (right + 0.5) / (answers + 1)


def mixed(rate: float, group: int) -> float:
    """The chance that a group holds right and wrong completions."""
    return 1 - rate**group - (1 - rate) ** group


def drawn(weights: Sequence[float], seed: int) -> list[int]:
    """As many places as there are weights, each about as often as its weight says, in random order.

    Drawn by one throw for all (systematic sampling), so that a place's number is its expectation rounded up or down.
    """
    chance, count = random.Random(f"{seed}:curriculum"), len(weights)
    step = sum(weights) / count
    # In random order: samples of one character stand together, and a pattern could fall in step with the marks.
    order = list(range(count))
    chance.shuffle(order)
    places: list[int] = []
    reached, mark = 0.0, chance.random() * step
    for place in order:
        reached += weights[place]
        while mark < reached and len(places) < count:
            places.append(place)
            mark += step
    places += order[-1:] * (count - len(places))  # what rounding left out
    chance.shuffle(places)
    return places
