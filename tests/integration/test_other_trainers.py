"""What raiden exports trains elsewhere: TRL's own command, verl's reward interface, and two processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import util
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from raiden_core.prompts import build_completion
from raiden_core.rewards import Scorer
from raiden_core.samples import read_samples

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests" / "integration" / "tiny.yaml"


@pytest.fixture(scope="module")
def material(raiden: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A split's folder and a cold-started model."""
    record = raiden.run(tmp_path_factory.mktemp("runs"), "--stage", "cold-start")
    return Path(record["stages"]["split"]["folder"]), Path(record["stages"]["cold-start"]["folder"]) / "model"


def test_trl_trains_on_the_export_with_nothing_else_of_ours(
    raiden: Any, material: tuple[Path, Path], tmp_path: Path
) -> None:
    split, model = material
    code, out, err = raiden.call("export", "--to", "trl", str(tmp_path / "trl"), "--data", str(split))
    assert code == 0, err
    assert "trl grpo" in out
    command = [
        str(Path(sys.executable).with_name("trl")), "grpo",
        "--model_name_or_path", str(model), "--dataset_name", str(tmp_path / "trl"),
        "--reward_funcs", "raiden_core.rewards.accuracy_reward", "raiden_core.rewards.format_reward",
        "--reward_weights", "0.7", "0.3",
        "--output_dir", str(tmp_path / "out"), "--max_steps", "3", "--num_generations", "2",
        "--per_device_train_batch_size", "4", "--gradient_accumulation_steps", "1", "--max_completion_length", "24",
        "--logging_steps", "1", "--log_completions", "true", "--report_to", "none", "--save_strategy", "no",
        "--use_cpu", "true", "--bf16", "false", "--gradient_checkpointing", "false", "--dtype", "float32",
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "rewards/accuracy_reward/mean" in done.stdout + done.stderr
    assert "rewards/format_reward/mean" in done.stdout + done.stderr

    logged = pd.concat(pd.read_parquet(path) for path in sorted((tmp_path / "out" / "completions").glob("*.parquet")))
    assert len(logged) == 12
    by_prompt = {
        json.dumps(list(row.prompt)): row for row in pd.read_parquet(tmp_path / "trl" / "train.parquet").itertuples()
    }
    lines = []
    for row in logged.itertuples():
        sample = by_prompt[json.dumps(list(row.prompt))]
        completion = row.completion if isinstance(row.completion, str) else row.completion[-1]["content"]
        lines.append(
            {
                "id": sample.id,
                "answer": sample.answer,
                "keywords": list(sample.keywords),
                "validator": json.loads(sample.validator),
                "completion": completion,
            }
        )
    scored = tmp_path / "scored.jsonl"
    scored.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    code, out, err = raiden.call("score", str(scored))
    assert code == 0, err
    scores = [json.loads(line) for line in out.splitlines()]
    assert [score["accuracy"] for score in scores] == logged["accuracy_reward"].tolist()
    assert [score["format"] for score in scores] == logged["format_reward"].tolist()


def test_verl_scores_like_the_scorer(raiden: Any, material: tuple[Path, Path], tmp_path: Path) -> None:
    split, _ = material
    code, _, err = raiden.call("export", "--to", "verl", str(tmp_path / "verl"), "--data", str(split))
    assert code == 0, err
    spec = util.spec_from_file_location("raiden_reward", tmp_path / "verl" / "raiden_reward.py")
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    samples = read_samples(split / "validation.json")
    rows = pd.read_parquet(tmp_path / "verl" / "test.parquet").to_dict("records")
    assert len(rows) == len(samples)
    for sample, row in zip(samples, rows, strict=True):
        for completion in (build_completion(sample), sample.answer, "<think>?</think><answer>不知道。</answer>", ""):
            got = module.compute_score(
                row["data_source"], completion, row["reward_model"]["ground_truth"], row["extra_info"]
            )
            wanted = Scorer().score(sample, completion)
            assert got == {"score": wanted.total, "accuracy": wanted.accuracy, "format": wanted.format}


def test_the_openr1_recipe_names_the_dataset_and_the_rewards(
    raiden: Any, material: tuple[Path, Path], tmp_path: Path
) -> None:
    import yaml

    code, _, err = raiden.call("export", "--to", "openr1", str(tmp_path / "r1"), "--data", str(material[0]))
    assert code == 0, err
    recipe = yaml.safe_load((tmp_path / "r1" / "recipe.yaml").read_text("utf-8"))
    assert recipe["dataset_name"] == str(tmp_path / "r1")
    assert recipe["reward_weights"] == [0.7, 0.3]
    assert (tmp_path / "r1" / "train.parquet").is_file()


def test_two_processes_train_together(raiden: Any, material: tuple[Path, Path], tmp_path: Path) -> None:
    split, model = material
    code, _, err = raiden.call(
        "train", "--model", str(model), "--data", str(split / "train.json"), "--out", str(tmp_path / "out"),
        "--config", str(TINY), "--set", "grpo.launch.accelerate=configs/accelerate/cpu2.yaml",
    )  # fmt: skip
    assert code == 0, err
    log = (tmp_path / "out" / "training.log").read_text("utf-8")
    metrics = [json.loads(line) for line in (tmp_path / "out" / "metrics.jsonl").open(encoding="utf-8")]
    assert metrics[-1]["step"] == 2, log[-2000:]
    assert json.loads((tmp_path / "out" / "stats.json").read_text("utf-8"))["processes"] == 2
