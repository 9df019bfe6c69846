"""Sizes of a micro-batch whose prompts are shared, for the trainer and for the plan, which loads no torch."""

from __future__ import annotations

LOGITS_BYTES = {"cpu": 1 << 28, "cuda": 1 << 26}
"""Up to so many bytes the logits of a micro-batch are computed at once; otherwise TRL's chunked head scores them."""


def completions_per_row(prompt: int, completion: float, group: int, hidden_size: int) -> int:
    """How many completions of a group one row takes at the least cost (shared_prefix.py derives the formula).

    Args:
        prompt: tokens of the prompt.
        completion: mean tokens of a completion.
        group: completions of this prompt.
        hidden_size: of the model.
    """

    def cost(rows: int) -> float:
        tokens = prompt + completion * group / rows
        return rows * (tokens + tokens * tokens / (6 * hidden_size))

    return -(-group // min(range(1, group + 1), key=cost))
