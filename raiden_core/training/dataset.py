"""Samples as the table that TRL trains on: the prompt, and every column that the rewards read.

The same table is what ``raiden export --to trl`` writes: the rewards of raiden_core.rewards need nothing else, not
even the configuration, because the settings that they read travel as columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from raiden_core.samples import Sample, table_row
from raiden_core.training.prompts import build_prompt

if TYPE_CHECKING:
    from datasets import Dataset

REWARD_COLUMNS = ("id", "answer", "keywords", "validator", "validation_method", "language")
"""Fields of a sample that the rewards read, or that a log of completions is joined by."""


def reward_table(
    samples: Sequence[Sample],
    *,
    instructions: str | None = None,
    prefilled_think: bool = False,
    min_length_bound: int,
    length_ratio: float,
    partial_credit: bool = False,
) -> Dataset:
    """A row a sample: ``prompt`` (a chat), `REWARD_COLUMNS`, and the reward's settings."""
    from datasets import Dataset

    settings = {
        "prefilled_think": prefilled_think,
        "min_length_bound": min_length_bound,
        "length_ratio": length_ratio,
        "partial_credit": partial_credit,
    }
    rows: list[dict[str, Any]] = []
    for sample in samples:
        row = table_row(sample)
        rows.append(
            {"prompt": build_prompt(sample, instructions), **{name: row[name] for name in REWARD_COLUMNS}, **settings}
        )
    return Dataset.from_list(rows)
