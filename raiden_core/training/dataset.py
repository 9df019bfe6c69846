"""Samples as the table that TRL trains on: the prompt, and every column that the rewards read.

The same table is what ``raiden export --to trl`` writes: the rewards of raiden_core.rewards need nothing else, not
even the configuration, because the settings that they read travel as columns.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raiden_core.errors import DataError
from raiden_core.prompts import Layout, build_prompt
from raiden_core.rewards import Scorer
from raiden_core.rewards.aside import completed
from raiden_core.rewards.listed.chosen import Chosen, is_default
from raiden_core.samples import Sample, iter_rows, parse_sample, table_row

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedTokenizerBase

REWARD_COLUMNS = (
    *("id", "character_name", "question", "answer", "keywords", "validator", "validation_method", "language"),
)
"""Fields of a sample that the rewards read, or that a log of completions is joined by."""

ALL_COLUMNS = tuple(Sample.model_fields)
"""What rewards of the user's may read: every field of a sample."""


def columns_for(chosen: Chosen) -> tuple[str, ...]:
    """The columns that a list of rewards is given."""
    return REWARD_COLUMNS if is_default(chosen) else ALL_COLUMNS


def reward_table(
    samples: Sequence[Sample],
    scorer: Scorer,
    instructions: str | None = None,
    layout: Layout = "raiden",
    columns: Sequence[str] = REWARD_COLUMNS,
) -> Dataset:
    """A row a sample: ``prompt`` (a chat), the columns, and the scorer's settings (`Scorer.columns`)."""
    from datasets import Dataset

    settings = scorer.columns()
    rows: list[dict[str, Any]] = []
    for sample in samples:
        row = table_row(sample)
        prompt = build_prompt(sample, instructions, layout)
        rows.append({"prompt": prompt, **{name: row[name] for name in columns}, **settings})
    return Dataset.from_list(rows)


def training_samples(path: Path, scorer: Scorer) -> tuple[list[Sample], list[str]]:
    """The samples of a file that can be trained on, and a line for each whose reference fails its own validator.

    Validators without ``aside`` get it from the profile.

    Raises:
        DataError: the file or one of its rows is not what the data contract says; the message names row and field.
    """
    samples: list[Sample] = []
    failures: list[str] = []
    for where, row in iter_rows(path):
        try:
            sample = completed(parse_sample(row, where))
        except DataError as error:
            raise DataError(f"{error}; mend this row or take it out") from None
        reason = scorer.check(sample)
        if reason is None:
            samples.append(sample)
        else:
            failures.append(f"{where}: {reason}")
    if not samples:
        first = f"; the first problem: {failures[0]}" if failures else ": the file is empty"
        raise DataError(f"{path}: no usable sample{first}")
    return samples, failures


@dataclass(frozen=True)
class PromptLengths:
    """How long a prompt may be, in tokens."""

    tokenizer: PreTrainedTokenizerBase
    instructions: str | None
    room: int
    """What the model's context leaves beside the longest completion."""
    wanted: int | None
    """Longer prompts are left out on purpose."""
    layout: Layout = "raiden"

    def fitting(self, samples: Sequence[Sample], path: Path) -> tuple[list[Sample], int]:
        """The samples whose prompts fit, and how many are longer than was wanted.

        Raises:
            DataError: a prompt that was not left out on purpose does not fit the context.
        """
        limit = self.room if self.wanted is None else min(self.wanted, self.room)
        fitting = []
        for sample in samples:
            length = self._length(sample, limit)
            if length <= limit:
                fitting.append(sample)
            elif self.wanted is None:
                raise DataError(
                    f"{path}: sample {sample.id} ({sample.character_name}: {sample.question[:40]}): the prompt has "
                    f"{length} tokens, but the model's context leaves {self.room} beside max_completion_length; shorten "
                    "it, or set max_prompt_length to leave such samples out"
                )
        return fitting, len(samples) - len(fitting)

    def _length(self, sample: Sample, limit: int) -> int:
        chat = build_prompt(sample, self.instructions, self.layout)
        text = str(self.tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True))
        # A token is at least one byte of text, so short texts need not be tokenized.
        most = len(text.encode())
        return (
            most if most <= limit else len(self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])
        )


def longest_in_first_batch(
    samples: Sequence[Sample], length: Callable[[Sample], int], prompts: int, seed: int
) -> list[Sample]:
    """The ``prompts`` longest samples first, so that a run too big for its memory fails at once; the rest shuffled.

    Only the first batch is chosen by length: an order by length throughout would be a curriculum that nobody asked for.
    """
    ranked = sorted(samples, key=length, reverse=True)
    rest = ranked[prompts:]
    random.Random(seed).shuffle(rest)
    return [*ranked[:prompts], *rest]


def hold_back(samples: Sequence[Sample], questions: int, seed: int) -> tuple[list[Sample], list[Sample]]:
    """Samples for the probe and samples to train on, no character in both; ``questions`` 0 holds nothing back.

    The probe's characters are drawn until they have enough samples, a quarter of all at most, and all their samples
    are asked up to ``questions``, so that the probe has the mix of the data.
    """
    if not questions:
        return [], list(samples)
    names = sorted({sample.character_name for sample in samples})
    random.Random(seed).shuffle(names)
    counts = dict.fromkeys(names, 0)
    for sample in samples:
        counts[sample.character_name] += 1
    chosen: set[str] = set()
    for name in names[: max(1, len(names) // 4)]:
        if sum(counts[one] for one in chosen) >= questions:
            break
        chosen.add(name)
    held = [sample for sample in samples if sample.character_name in chosen]
    random.Random(seed).shuffle(held)
    return held[:questions], [sample for sample in samples if sample.character_name not in chosen]
