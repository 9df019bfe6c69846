"""The Python names of the OpenR1 guide's adapter, over raiden's own functions.

    from raiden_core.export.openr1 import RAIDENDataAdapter, create_raiden_reward_function

Scripts written for that guide (``src/training/openr1_adapter.py`` of whn09/RAIDEN-R1) keep their calls and get
raiden's prompt and reward. What differs is told in docs/from-openr1.md. New code needs none of this: it takes
`raiden_core.training.dataset.reward_table` and the functions of `raiden_core.rewards`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raiden_core.errors import DataError
from raiden_core.prompts import build_prompt
from raiden_core.rewards import Scorer, vrar
from raiden_core.rewards.aside import completed
from raiden_core.rewards.gold import read_verified
from raiden_core.samples import parse_sample, table_row
from raiden_core.training.dataset import REWARD_COLUMNS, reward_table

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedTokenizerBase


_DEFAULT = Scorer()


class RAIDENDataAdapter:
    """Samples as the rows that TRL trains on."""

    def __init__(self, system_prompt: str | None = None) -> None:
        """
        Args:
            system_prompt: replaces the default instructions (``{name}`` in it becomes the character's name); profile
                and output format are in every prompt all the same.
        """
        self.system_prompt = system_prompt

    def convert_sample_to_openr1(self, sample: Mapping[str, Any]) -> dict[str, Any]:
        """One row: ``prompt`` (a chat), ``expected_answer``, and the columns that the reward reads.

        Raises:
            DataError: the sample lacks a field; the message names it.
        """
        parsed = completed(parse_sample(dict(sample), "sample"))
        row = table_row(parsed)
        checked = {name: row[name] for name in REWARD_COLUMNS}
        return {"prompt": build_prompt(parsed, self.system_prompt), "expected_answer": parsed.answer, **checked}

    def load_raiden_dataset(self, json_path: str | Path) -> Dataset:
        """The rows of a file (``.json``, ``.jsonl`` or ``.parquet``) whose reference answers pass their own check.

        Raises:
            DataError: the file cannot be read, or no sample of it is usable.
        """
        path, scorer = Path(json_path), Scorer()
        samples, failures = read_verified(path, scorer)
        if not samples:
            raise DataError(f"{path}: no usable sample; {failures[0] if failures else 'the file is empty'}")
        table = reward_table(samples, scorer, self.system_prompt)
        return table.add_column("expected_answer", [sample.answer for sample in samples])


class RAIDENRewardFunction:
    """The weighted reward as one function with the signature that TRL calls."""

    __name__ = "RAIDEN_VRAR"
    """Under which TRL logs it."""

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase | None = None,
        accuracy_weight: float = _DEFAULT.accuracy_weight,
        format_weight: float = _DEFAULT.format_weight,
        dataset_metadata: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        """
        Args:
            tokenizer: tells by its chat template whether completions start inside ``<think>``; None: they do not.
            accuracy_weight: of the accuracy reward.
            format_weight: of the format reward.
            dataset_metadata: text of a prompt -> its sample, for datasets whose columns do not say it.
        """
        self.accuracy_weight, self.format_weight = accuracy_weight, format_weight
        self.dataset_metadata = dataset_metadata or {}
        self.prefilled_think = tokenizer is not None and opens_think(tokenizer)

    def __call__(self, prompts: Sequence[Any], completions: Sequence[object], **columns: Any) -> list[float]:
        """The reward of each completion.

        Raises:
            DataError: neither the columns nor the prompts nor the metadata say what a right answer is.
        """
        if columns.get("keywords") is None and columns.get("validator") is None:
            samples = [self._sample(prompt) for prompt in prompts]
            columns = columns | {
                "keywords": [sample.get("keywords") for sample in samples],
                "validator": [sample.get("validator") for sample in samples],
                "question": [sample.get("question") for sample in samples],
                "answer": [sample.get("answer", sample.get("expected_answer")) for sample in samples],
            }
        if self.prefilled_think:
            columns = columns | {"prefilled_think": True}
        return vrar(completions, accuracy_weight=self.accuracy_weight, format_weight=self.format_weight, **columns)

    def _sample(self, prompt: Any) -> Mapping[str, Any]:
        sample = prompt if isinstance(prompt, Mapping) else self.dataset_metadata.get(str(prompt))
        if sample is None or not (sample.get("keywords") or sample.get("validator")):
            raise DataError(
                "nothing says what a right answer to a prompt is: load the data with load_raiden_dataset, whose "
                "columns TRL hands to the reward"
            )
        return sample


def create_raiden_reward_function(
    tokenizer: PreTrainedTokenizerBase | None = None,
    accuracy_weight: float = _DEFAULT.accuracy_weight,
    format_weight: float = _DEFAULT.format_weight,
    dataset_metadata: Mapping[str, Mapping[str, Any]] | None = None,
) -> RAIDENRewardFunction:
    """The reward for TRL's ``reward_funcs``, by the guide's name; see `RAIDENRewardFunction`."""
    return RAIDENRewardFunction(tokenizer, accuracy_weight, format_weight, dataset_metadata)


def opens_think(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether a tokenizer's chat template opens ``<think>`` where the reply begins."""
    chat = [{"role": "user", "content": "?"}]
    text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    return str(text).rstrip().endswith("<think>")
