"""The settings of a run reach the trainers that an export is for: each set off its default arrives where it is read."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from raiden_core.config import Config
from raiden_core.config.sections.reward import AccuracyConfig, FormatConfig
from raiden_core.config.sections.training import GrpoConfig, StudentConfig
from raiden_core.export.verl import compute_score
from raiden_core.export.writers import export
from raiden_core.rewards import Scorer
from raiden_core.rewards.configured import training_scorer
from raiden_core.samples import Sample, Validator, write_samples

CONFIG = Config(
    system_prompt="Play {name}.",
    prefilled_think=True,
    student=StudentConfig(model="someone/a-model"),
    accuracy=AccuracyConfig(weight=0.6, min_length_bound=77, length_ratio=5, partial_credit=True),
    format=FormatConfig(weight=0.35),
    grpo=GrpoConfig(
        learning_rate=4e-5,
        num_train_epochs=3,
        per_device_train_batch_size=6,
        gradient_accumulation_steps=5,
        num_generations=3,
        max_completion_length=99,
        beta=0.03,
        temperature=0.8,
    ),
)
VALIDATOR = Validator(all_of=(("parrot",), ("tortoise",)), none_of=("cat",))
SAMPLE = Sample(
    character_name="Ann",
    character_profile={"Name": "Ann", "Home": "Leeds", "Pets": "a parrot and a tortoise"},
    question="Which pets have you got?",
    answer="I have got a parrot and a tortoise.",
    keywords=("parrot", "tortoise"),
    validator=VALIDATOR,
    language="en",
)
HALF = "I like animals.</think><answer>I have got a parrot.</answer>"


@pytest.fixture
def exported(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    for name in ("train", "validation"):
        write_samples(tmp_path / f"{name}.json", [SAMPLE])
    out = tmp_path / "out"
    out.mkdir()
    counts = export(request.param, tmp_path / "train.json", tmp_path / "validation.json", CONFIG, out, Path("/place"))
    assert counts == {
        "train": 1,
        "train_left_out": 0,
        "train_aside_completed": 1,
        "test": 1,
        "test_left_out": 0,
        "test_aside_completed": 1,
    }
    return out


def assert_completed(validator: dict[str, Any]) -> None:
    """The sample's own validator, and beside it what else the profile holds."""
    written = Validator.model_validate(validator)
    assert written.aside and written.model_copy(update={"aside": (), "aside_limit": 2}) == VALIDATOR


def row_of(file: Path) -> dict[str, Any]:
    from datasets import Dataset

    row: dict[str, Any] = Dataset.from_parquet(str(file))[0]
    return row


@pytest.mark.parametrize("exported", ["verl"], indirect=True)
def test_verls_reward_scores_with_the_runs_settings(exported: Path) -> None:
    row = row_of(exported / "train.parquet")
    settings = json.loads(row["extra_info"]["settings"])
    asked = training_scorer(CONFIG)
    assert asdict(Scorer(**settings)) == asdict(asked)
    assert row["prompt"][0]["content"].startswith("Play Ann.")
    truth = json.loads(row["reward_model"]["ground_truth"])
    validator = truth.pop("validator")
    assert truth == {
        "id": SAMPLE.id, "question": SAMPLE.question, "answer": SAMPLE.answer, "keywords": ["parrot", "tortoise"],
        "validation_method": SAMPLE.validation_method,
    }  # fmt: skip
    assert_completed(validator)
    assert row["extra_info"]["index"] == 0 and row["reward_model"]["style"] == "rule"
    assert row["data_source"] == "raiden" and row["ability"] == "role-playing/SBK"
    assert [row_of(exported / f"{name}.parquet")["extra_info"]["split"] for name in ("train", "test")] == [
        "train",
        "test",
    ]
    scored = compute_score("raiden", HALF, row["reward_model"]["ground_truth"], row["extra_info"])
    assert scored == pytest.approx({"score": 0.6 * 0.5 + 0.35, "accuracy": 0.5, "format": 1.0})


@pytest.mark.parametrize("exported", ["trl", "openr1"], indirect=True)
def test_trls_columns_carry_the_runs_settings(exported: Path) -> None:
    for name in ("train", "test"):
        row = row_of(exported / f"{name}.parquet")
        assert row["prompt"][0]["content"].startswith("Play Ann.")
        carried = ("prefilled_think", "min_length_bound", "length_ratio", "partial_credit")
        assert {key: row[key] for key in carried} == {
            "prefilled_think": True, "min_length_bound": 77, "length_ratio": 5, "partial_credit": True,
        }  # fmt: skip


@pytest.mark.parametrize("exported", ["openr1"], indirect=True)
def test_the_recipe_is_the_runs(exported: Path) -> None:
    recipe = yaml.safe_load((exported / "recipe.yaml").read_text("utf-8"))
    names = (
        "learning_rate", "num_train_epochs", "per_device_train_batch_size", "gradient_accumulation_steps",
        "num_generations", "max_completion_length", "beta", "temperature",
    )  # fmt: skip
    assert {name: recipe[name] for name in names} == {name: getattr(CONFIG.grpo, name) for name in names}
    assert recipe["reward_funcs"] == ["raiden_core.rewards.accuracy_reward", "raiden_core.rewards.format_reward"]
    assert recipe["reward_weights"] == [0.6, 0.35]
    assert recipe["model_name_or_path"] == "someone/a-model" and recipe["dataset_name"] == "/place"
    assert recipe["dataset_prompt_column"] == "prompt" and recipe["bf16"] and recipe["gradient_checkpointing"]
