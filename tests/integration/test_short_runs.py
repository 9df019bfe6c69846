"""Settings whose effect only a run shows: real trainers, a few steps of a nano student."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml

from raiden_core.errors import DataError, StageError
from raiden_core.samples import Sample, write_samples
from raiden_core.stages.layout import METRICS_FILE, SUMMARY_FILE, TRAIN_FILE
from raiden_core.stages.progress import silent
from raiden_core.training import cold_start, grpo
from raiden_core.training.launch.accelerate import Runner
from raiden_core.training.launch.metrics import read_metrics
from raiden_core.training.settings import ColdStartSettings, TrainSettings
from tests.support.config_tree import configured

pytestmark = pytest.mark.integration

NANO = {"vocab_size": 900, "hidden_size": 32, "layers": 1, "heads": 2}
CPU = {"use_cpu": True, "bf16": False, "gradient_checkpointing": False}


def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a stage's script run in this process instead of under accelerate."""

    def run(self: Any, job: dict[str, Any]) -> list[dict[str, Any]]:
        file = self.out / "job.yaml"
        file.write_text(yaml.safe_dump({**job, "output_dir": str(self.out)}), "utf-8")
        (grpo if self.module.endswith(".grpo") else cold_start).main([str(file)])
        return []

    monkeypatch.setattr(Runner, "run", run)


def cold_started(samples: list[Sample], out: Path, **values: Any) -> dict[str, Any]:
    """The summary of a cold start of six steps."""
    out.mkdir()
    write_samples(out / TRAIN_FILE, samples)
    section = {
        f"cold_start.{name}": value for name, value in ({"max_steps": 6, "max_length": 512, **CPU} | values).items()
    }
    config = configured(section, {"student": {"nano": NANO}})
    stats = cold_start.cold_start_stage(
        ColdStartSettings.of(config), {"student": "nano", "train": out / TRAIN_FILE}, out, silent
    )
    assert json.loads((out / SUMMARY_FILE).read_text("utf-8"))["steps"] == stats["steps"]
    return dict(stats)


@pytest.fixture(scope="module")
def student(composed_samples: list[Sample], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of a cold start of two steps."""
    out = tmp_path_factory.mktemp("student") / "cold"
    with pytest.MonkeyPatch.context() as patch:
        here(patch)
        cold_started(composed_samples[:40], out, max_steps=2)
    return out / "model"


def trained(
    samples: list[Sample], base: Path, out: Path, also: Mapping[str, Any] = MappingProxyType({}), **values: Any
) -> Path:
    """The folder of a short GRPO run."""
    out.mkdir()
    write_samples(out / TRAIN_FILE, samples)
    small: dict[str, Any] = {
        "max_steps": 2,
        "num_generations": 4,
        "per_device_train_batch_size": 8,
        "gradient_accumulation_steps": 1,
        "max_completion_length": 8,
        "logging_steps": 1,
        "log_completions": True,
        **CPU,
    }
    config = configured({**also, **{f"grpo.{name}": value for name, value in (small | values).items()}})
    inputs = {"base": base, "train": out / TRAIN_FILE, "validation": out / TRAIN_FILE}
    grpo.train_stage(TrainSettings.of(config), inputs, out, silent)
    return out


def test_a_probe_asks_when_it_is_told_to(
    composed_samples: list[Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here(monkeypatch)
    probe = {"stop_at": 0.3, "ceiling": 0.4, "questions": 16, "first": 2, "every": 2}
    summary = cold_started(composed_samples[:80], tmp_path / "out", probe=probe, logging_steps=1)
    assert [row["step"] for row in summary["probe_history"]] == [2, 4, 6]
    assert (summary["probe_questions"], summary["steps"]) == (16, 6)
    rows = read_metrics(tmp_path / "out" / METRICS_FILE)
    assert [row["step"] for row in rows if "probe_accuracy" in row] == [2, 4, 6]


def test_short_characters_come_first_only_where_that_is_asked_for(
    composed_samples: list[Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from raiden_core.training import sequences

    here(monkeypatch)
    orders: list[list[int]] = []
    grouped = sequences._grouped

    def watched(samples: Any, size: int, rng: Any) -> Any:
        orders.append([])
        return [_Watched(group, orders[-1]) for group in grouped(samples, size, rng)]

    monkeypatch.setattr(sequences, "_grouped", watched)
    for number, shortest_first in enumerate((True, False)):
        cold_started(composed_samples[:80], tmp_path / str(number), shortest_first=shortest_first, max_steps=1)
    sorted_ones, as_drawn = orders
    assert sorted_ones == sorted(sorted_ones) != as_drawn and sorted(as_drawn) == sorted_ones


class _Watched(list[Sample]):
    """A group that notes how many fields its profile has when it is made into a sequence."""

    def __init__(self, group: list[Sample], order: list[int]) -> None:
        super().__init__(group)
        self.order = order

    def __iter__(self) -> Any:
        self.order.append(len(self[0].character_profile))
        return super().__iter__()


def test_patience_ends_a_run_in_which_nothing_can_be_learned(
    composed_samples: list[Sample], student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here(monkeypatch)
    with pytest.raises(StageError, match="at step 3: in the last 3 logged steps"):
        trained(composed_samples[:40], student, tmp_path / "out", patience=3, max_steps=9)


@pytest.mark.parametrize("permuted", [True, False])
def test_permuted_rewards_reach_other_completions_than_earned_them(
    permuted: bool, composed_samples: list[Sample], student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pandas

    def accuracy_reward(completions: list[Any], **columns: Any) -> list[float]:
        return [float(place) for place in range(len(completions))]

    here(monkeypatch)
    monkeypatch.setattr("raiden_core.rewards.accuracy_reward", accuracy_reward)
    out = trained(composed_samples[:40], student, tmp_path / "out", permute_rewards=permuted)
    logged = [
        pandas.read_parquet(file)["accuracy_reward"].tolist() for file in sorted(out.rglob("completions_*.parquet"))
    ]
    assert len(logged) == 2 and all(sorted(one) == list(range(8)) for one in logged)
    assert all((one == list(range(8))) is not permuted for one in logged)
    assert json.loads((out / SUMMARY_FILE).read_text("utf-8"))["permute_rewards"] is permuted


def test_partial_credit_is_earned_in_training(
    composed_samples: list[Sample], student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from raiden_core.rewards import accuracy_reward

    earned: list[float] = []

    def watched(completions: list[Any], **columns: Any) -> list[float]:
        completions = ["<think>?</think><answer>甲</answer>"] * len(completions)
        columns |= {"keywords": [["甲", "乙"]] * len(completions), "validator": None}
        rewards = accuracy_reward(completions, **columns)
        earned.extend(rewards)
        return [float(place) for place in range(len(completions))]

    here(monkeypatch)
    monkeypatch.setattr("raiden_core.rewards.accuracy_reward", watched)
    trained(composed_samples[:40], student, tmp_path / "out", {"accuracy.partial_credit": True}, max_steps=1)
    assert set(earned) == {0.5}


def test_too_few_samples_for_a_generation_batch_are_said_before_a_model_is_loaded(
    composed_samples: list[Sample], student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here(monkeypatch)
    monkeypatch.setattr("raiden_core.training.hooks.disk.model_sizes", lambda *_: pytest.fail("too late"))
    for steps in (2, -1):
        out = tmp_path / str(steps)
        with pytest.raises(DataError, match=r"train\.json: 1 usable sample, but a generation batch takes 2 \(8 comp"):
            trained(composed_samples[:1], student, out, max_steps=steps)
        assert not (out / SUMMARY_FILE).exists() and not (out / "model").exists()


def test_a_reward_that_is_no_number_ends_the_run_and_leaves_its_checkpoint_whole(
    composed_samples: list[Sample], student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def accuracy_reward(completions: list[Any], trainer_state: Any, **columns: Any) -> list[float]:
        return [
            float("nan") if trainer_state.global_step == 2 else 0.5 * (place % 2) for place in range(len(completions))
        ]

    here(monkeypatch)
    monkeypatch.setattr("raiden_core.rewards.accuracy_reward", accuracy_reward)
    with pytest.raises(StageError, match=r"^step 3: accuracy_reward gave nan for sample "):
        trained(composed_samples[:40], student, tmp_path / "out", save_steps=1, max_steps=4)
    assert sorted(one.parent.name for one in (tmp_path / "out").glob("checkpoint-*/whole.json")) == [
        "checkpoint-1",
        "checkpoint-2",
    ]


@pytest.mark.parametrize(("value", "shared"), [("auto", True), ("off", "grpo.shared_prefix is off")])
def test_the_summary_says_whether_prompts_were_shared(
    value: str,
    shared: object,
    composed_samples: list[Sample],
    student: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here(monkeypatch)
    out = trained(composed_samples[:40], student, tmp_path / "out", shared_prefix=value, max_steps=1)
    assert json.loads((out / SUMMARY_FILE).read_text("utf-8"))["shared_prefix"] == shared
