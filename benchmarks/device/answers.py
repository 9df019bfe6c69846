"""Answers of a local model as evaluation asks for them: tokens a second by batch size."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

ROUNDS = 2


def measure(model: Path, questions: int, new_tokens: int, batch_sizes: Sequence[int], scratch: Path) -> dict[str, Any]:
    """Greedy replies of a model's folder to questions about composed characters.

    Args:
        model: the folder.
        questions: asked with each batch size; a size of 1 gets a twentieth of them.
        new_tokens: most tokens of a reply.
        batch_sizes: each is measured in turn, and all of them `ROUNDS` times.
        scratch: for the stores of replies.

    Returns:
        By batch size: seconds without loading the model, and tokens of prompts and replies a second.
    """
    from raiden_core.characters.compose import compose
    from raiden_core.generation.offline.generate import generate
    from raiden_core.generation.offline.teacher import OfflineTeacher
    from raiden_core.models.folder import load_tokenizer, render
    from raiden_core.models.local_model import LocalModel
    from raiden_core.prompts import build_prompt
    from raiden_core.rewards import Scorer

    made = generate(
        compose(max(8, questions // 3), language="en", facts=(4, 8), seed=5),
        teacher=OfflineTeacher(5),
        samples_per_character=4,
        include_cm=False,
        cm_share=0.0,
        seed=5,
        scorer=Scorer(),
    )
    prompts = [build_prompt(sample) for sample in made.samples[:questions]]
    tokenizer = load_tokenizer(model)
    read = [len(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in render(tokenizer, prompts, model)]
    loading = _seconds_to_load(model)
    taken: dict[int, list[tuple[float, int, int]]] = {size: [] for size in batch_sizes}
    for turn in range(ROUNDS):
        for size in batch_sizes:
            asked = prompts[: max(1, len(prompts) // 20)] if size == 1 else prompts
            started = time.perf_counter()
            replies = LocalModel(model, new_tokens, size).answer(asked, store=scratch / f"answers-{turn}-{size}.jsonl")
            seconds = max(1e-3, time.perf_counter() - started - loading)
            taken[size].append((seconds, sum(reply.tokens for reply in replies), sum(read[: len(asked)])))
    return {
        "questions": len(prompts),
        "prompt_tokens": round(sum(read) / len(read), 1),
        "new_tokens": new_tokens,
        "load_s": round(loading, 2),
        "batch_sizes": {
            str(size): {
                "seconds": round(median(run[0] for run in runs), 2),
                "reply_tokens": runs[0][1],
                "reply_tokens_per_s": round(median(run[1] / run[0] for run in runs), 1),
                "tokens_per_s": round(median((run[1] + run[2]) / run[0] for run in runs), 1),
            }
            for size, runs in taken.items()
        },
    }


def _seconds_to_load(model: Path) -> float:
    """Of the second time, when its files are in memory and the GPU's context is there."""
    from raiden_core.models.folder import load_model

    for _ in range(2):
        started = time.perf_counter()
        load_model(model)
        seconds = time.perf_counter() - started
    return seconds
