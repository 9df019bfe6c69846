"""`benchmarks.gpu --tiny`: all that it does on a GPU works, on a CPU with toy sizes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(out: Path, *flags: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.gpu", "--out", str(out / "gpu.json"), *flags]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "CUDA_VISIBLE_DEVICES": ""}, timeout=500, check=False)
    record = json.loads((out / "gpu.json").read_text("utf-8"))
    assert done.returncode == 0, record
    cases: dict[str, Any] = record["cases"]
    return cases


@pytest.mark.integration
def test_every_kind_of_case_is_measured_with_toy_sizes(tmp_path: Path) -> None:
    cases = run(tmp_path, "--tiny", "--only", "1.5B-lora", "--only", "answers", "--only", "learning")
    assert set(cases) == {"1.5B-lora", "answers", "learning"}
    steps = cases["1.5B-lora"]["kinds"]
    assert set(steps) == {"plain", "off", "auto"}
    for kind, one in steps.items():
        assert one["step_s"] > one["rollout_s"] > 0 and one["memory"]["peak"] > 0 and one["plan"]["peak"] > 0
        assert one["not_shared"] is None, kind
    assert all(one["tokens_per_s"] > 0 for one in cases["answers"]["batch_sizes"].values())
    for control in ("rewards", "permuted"):
        assert {"base", "trained"} <= set(cases["learning"][control]["models"])
        assert [row["step"] for row in cases["learning"][control]["curve"]], "nothing was trained"


@pytest.mark.integration
def test_what_does_not_fit_into_the_time_is_left_out_and_says_so(tmp_path: Path) -> None:
    cases = run(tmp_path, "--budget-s", "1", "--only", "7B-lora", "--only", "answers")
    assert "left, it takes about" in str(cases["7B-lora"]["skipped"])
    assert cases["answers"]["skipped"] == "no --model"
