"""Write a split as a dataset that another trainer reads.

- ``trl``: Parquet files that ``load_dataset(DIR)`` and so ``trl grpo --dataset_name DIR`` read; the rewards find what
  they need in the columns.
- ``verl``: ``train.parquet`` and ``test.parquet`` in verl's layout and ``raiden_reward.py`` with its ``compute_score``.
- ``openr1``: the ``trl`` dataset and ``recipe.yaml``, the keys of a GRPO recipe. It names the configured student; the
  nano student is made inside a run, so the recipe then says that the model is for the reader to fill in.

- ``verifiers``, ``easyr1``, ``inspect``, ``lm-eval``: raiden_core/export/environments.py.

In all of them objects with free keys are JSON strings, because Arrow would merge their keys across rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from raiden_core.config import Config
from raiden_core.config.sections.training import NANO
from raiden_core.errors import DataError
from raiden_core.export.carried import named_functions, write_list
from raiden_core.export.environments import write_easyr1, write_inspect, write_lm_eval, write_verifiers
from raiden_core.prompts import build_prompt
from raiden_core.rewards.aside import count_completed
from raiden_core.rewards.configured import training_scorer
from raiden_core.rewards.gold import read_verified
from raiden_core.rewards.listed.chosen import chosen_rewards, is_default
from raiden_core.samples import Sample, table_row
from raiden_core.training.dataset import columns_for, reward_table

VERL_LIST = '''"""raiden's list of rewards for verl: custom_reward_function.path points to this file."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from raiden_rewards import compute_score  # noqa: E402

__all__ = ["compute_score"]
'''

Splits = dict[str, list[Sample]]
"""``train`` and, where there is one, ``test``."""

RECIPE = "recipe.yaml"

VERL_REWARD = '''"""raiden's verifiable role-awareness reward for verl: custom_reward_function.path points to this file."""

from raiden_core.export.verl import compute_score

__all__ = ["compute_score"]
'''


def export(to: str, train: Path, validation: Path | None, config: Config, out: Path, place: Path) -> dict[str, int]:
    """Write ``train`` (and ``validation`` as the test split) for a trainer into ``out``.

    Args:
        to: a key of `WRITERS`.
        train: train.json, or any file of samples.
        validation: validation.json, or None.
        config: prompt and reward settings, which travel with the data.
        out: the folder to write into; it exists.
        place: where that folder will be found in the end, for files that name it.

    Returns:
        Samples written, left out, and completed with what else their profiles hold, by split.

    Raises:
        DataError: a file cannot be read, or holds no usable sample.
    """
    scorer = training_scorer(config)
    counts: dict[str, int] = {}
    splits: Splits = {}
    for name, path in (("train", train), ("test", validation)):
        if path is None:
            continue
        samples, failures = read_verified(path, scorer)
        if not samples:
            raise DataError(
                f"{path}: no usable sample; the first problem: {failures[0] if failures else 'it is empty'}"
            )
        splits[name] = samples
        counts[name] = len(samples)
        counts[f"{name}_left_out"] = len(failures)
        counts[f"{name}_aside_completed"] = count_completed(samples)
    with _without_bars():
        WRITERS[to](splits, config, out, place)
    return counts


@contextmanager
def _without_bars() -> Iterator[None]:
    """datasets draws a bar for each file that it writes; here they are over before anybody could read them."""
    from datasets import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    off = are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if not off:
            enable_progress_bars()


def _write_trl(splits: Splits, config: Config, out: Path, place: Path) -> None:
    chosen = chosen_rewards(config)
    for name, samples in splits.items():
        scorer, prompt = training_scorer(config), config.prompt.layout
        table = reward_table(samples, scorer, config.system_prompt, prompt, columns_for(chosen))
        table.to_parquet(out / f"{name}.parquet")
    if not is_default(chosen):
        write_list(chosen, out)


def _write_verl(splits: Splits, config: Config, out: Path, place: Path) -> None:
    from datasets import Dataset

    for name, samples in splits.items():
        rows = [_verl_row(sample, place, name, config) for place, sample in enumerate(samples)]
        Dataset.from_list(rows).to_parquet(out / f"{name}.parquet")
    chosen = chosen_rewards(config)
    if not is_default(chosen):
        write_list(chosen, out)
    (out / "raiden_reward.py").write_text(VERL_REWARD if is_default(chosen) else VERL_LIST, "utf-8")


def _verl_row(sample: Sample, place: int, split: str, config: Config) -> dict[str, Any]:
    row = table_row(sample)
    listed = not is_default(chosen_rewards(config))
    fields = Sample.model_fields if listed else ("id", "question", "answer", "keywords", "validation_method")
    checked = {key: row[key] for key in fields if key != "validator"}
    settings = asdict(training_scorer(config))
    truth = {**checked, "validator": sample.validator.model_dump(mode="json") if sample.validator else None}
    return {
        "data_source": "raiden",
        "prompt": build_prompt(sample, config.system_prompt, config.prompt.layout),
        "ability": f"role-playing/{sample.dimension}",
        "reward_model": {"style": "rule", "ground_truth": json.dumps(truth, ensure_ascii=False)},
        "extra_info": {"split": split, "index": place, "settings": json.dumps(settings)},
    }


def _write_openr1(splits: Splits, config: Config, out: Path, place: Path) -> None:
    _write_trl(splits, config, out, place)
    grpo = config.grpo
    note = missing_model(config)
    functions, weights = named_functions(chosen_rewards(config))
    recipe = {
        **({} if note else {"model_name_or_path": config.student.model}),
        "dataset_name": str(place),
        "dataset_prompt_column": "prompt",
        "reward_funcs": functions,
        "reward_weights": weights,
        "bf16": True,
        "gradient_checkpointing": True,
        "learning_rate": grpo.learning_rate,
        "num_train_epochs": grpo.num_train_epochs,
        "per_device_train_batch_size": grpo.per_device_train_batch_size,
        "gradient_accumulation_steps": grpo.gradient_accumulation_steps,
        "num_generations": grpo.num_generations,
        "max_completion_length": grpo.max_completion_length,
        "beta": grpo.beta,
        "temperature": grpo.temperature,
    }
    text = yaml.safe_dump(recipe, sort_keys=False, allow_unicode=True)
    (out / RECIPE).write_text(f"# {note}\n{text}" if note else text, "utf-8")


def missing_model(config: Config) -> str | None:
    """Why a recipe for another trainer cannot name the model to train; None where it can."""
    if config.student.model != NANO:
        return None
    return (
        f"model_name_or_path is missing: the student is {NANO}, which is made inside a raiden run and has no name that "
        "another trainer could load; add the model to train, or export with --set student.model=NAME"
    )


WRITERS: dict[str, Callable[[Splits, Config, Path, Path], None]] = {
    "trl": _write_trl,
    "verl": _write_verl,
    "openr1": _write_openr1,
    "verifiers": write_verifiers,
    "easyr1": write_easyr1,
    "inspect": write_inspect,
    "lm-eval": write_lm_eval,
}
"""Trainer -> who writes for it."""
