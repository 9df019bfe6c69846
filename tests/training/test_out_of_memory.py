"""Memory that runs out: how it is known, what is tried next, and what is said."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from raiden_core.config.sections.training import LaunchConfig
from raiden_core.errors import StageError
from raiden_core.stages.progress import silent
from raiden_core.training.launch import accelerate as launch
from raiden_core.training.launch.accelerate import MEMORY_FILE, Runner
from raiden_core.training.launch.out_of_memory import KernelKills, OutOfMemory, explain, smaller_job


@pytest.mark.parametrize(
    ("error", "is_memory"),
    [
        (MemoryError(), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory: 8 bytes"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"), True),
        (RuntimeError("std::bad_alloc"), True),
        (RuntimeError("shape '[2]' is invalid for input of size 3"), False),
        (ValueError("memory"), False),
    ],
)
def test_errors_of_memory_are_known(error: Exception, is_memory: bool) -> None:
    assert isinstance(explain(error), OutOfMemory) is is_memory


def test_torch_itself_raises_what_is_known() -> None:
    import torch

    assert isinstance(explain(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")), OutOfMemory)
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60)
    assert isinstance(explain(caught.value), OutOfMemory)


def _generate_single_turn() -> None:
    import torch

    raise torch.OutOfMemoryError("CUDA out of memory")


def test_in_a_rollout_a_smaller_micro_batch_is_no_cure() -> None:
    import torch

    with pytest.raises(torch.OutOfMemoryError) as caught:
        _generate_single_turn()
    reason = explain(caught.value)
    assert isinstance(reason, StageError) and not isinstance(reason, OutOfMemory)
    assert "a smaller micro-batch would not help: lower max_completion_length" in str(reason)


@pytest.mark.parametrize(
    ("job", "less"),
    [
        ((8, 2, None), (4, 4, None)),
        ((6, 1, None), (3, 2, None)),
        ((3, 2, None), (1, 6, None)),
        ((4, 2, 8), (2, 4, 16)),
        ((1, 8, None), None),
    ],
)
def test_the_next_try_is_the_same_batch_in_smaller_pieces(
    job: tuple[int, int, int | None], less: tuple[int, int, int | None] | None
) -> None:
    names = ("per_device_train_batch_size", "gradient_accumulation_steps", "steps_per_generation")
    changed = smaller_job(dict(zip(names, job, strict=True)))
    wanted = less and {name: value for name, value in zip(names, less, strict=True) if value is not None}
    assert changed == wanted


def test_the_kernels_own_counter_can_be_read() -> None:
    assert KernelKills().struck() is False


SCRIPT = """
import os, signal, sys, yaml
from raiden_core.training.launch.script import as_script
job = yaml.safe_load(open(sys.argv[1]))
open(job["output_dir"] + "/tries", "a").write(f"{job['per_device_train_batch_size']}\\n")
open(job["output_dir"] + "/metrics.jsonl", "w").write(
    '{"phase": "p", "total_steps": 9}\\n{"step": 4, "loss": 0.5}\\n{"step": 4, "warning": "careful"}\\n')
def main(argv):
    if job["per_device_train_batch_size"] > job["fits"]:
        if job.get("killed"):
            print("died with <Signals.SIGKILL: 9>")
            os._exit(1)
        held = [bytearray(1 << 50)]
with as_script():
    main([])
"""


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Runner, list[str]]:
    """Runs a script that asks for a petabyte when its micro-batch is too large; and what is said to people."""
    (tmp_path / "hungry_script.py").write_text(SCRIPT)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(launch.__file__).parents[2]}")
    monkeypatch.setattr(launch, "accelerate_command", lambda _launch: [sys.executable])
    monkeypatch.setattr(launch, "POLL_SECONDS", 0.05)
    out = tmp_path / "out"
    out.mkdir()
    said: list[str] = []
    return Runner("hungry_script", LaunchConfig(), out, silent, said.append), said


def job(**how: Any) -> dict[str, Any]:
    return {"per_device_train_batch_size": 8, "gradient_accumulation_steps": 1, "fits": 2, **how}


def tries(runner: Runner) -> list[int]:
    return [int(line) for line in (runner.out / "tries").read_text().split()]


def test_a_run_out_of_memory_is_tried_again_until_it_fits(runner: tuple[Runner, list[str]]) -> None:
    run, said = runner
    record = run.run(job())
    assert tries(run) == [8, 4, 2]
    assert [one["changed"]["gradient_accumulation_steps"] for one in record] == [2, 4]
    written = yaml.safe_load((run.out / "job.yaml").read_text())
    assert (written["per_device_train_batch_size"], written["gradient_accumulation_steps"]) == (2, 4)
    assert said[0] == "step 4: careful" and said.count("step 4: careful") == 1
    words = [line for line in said if "out of memory after step 4" in line]
    assert len(words) == 2 and "per_device_train_batch_size 8 -> 4, gradient_accumulation_steps 1 -> 2" in words[0]


def test_a_later_run_begins_with_what_fitted(runner: tuple[Runner, list[str]]) -> None:
    run, _ = runner
    record = run.run(job())
    assert json.loads((run.out / MEMORY_FILE).read_text()) == record
    assert run.run(job()) == record
    assert tries(run) == [8, 4, 2, 2]


def test_one_sequence_that_does_not_fit_is_the_end(runner: tuple[Runner, list[str]]) -> None:
    run, _ = runner
    with pytest.raises(StageError, match="does not suffice for a single sequence; shorten max_completion_length"):
        run.run(job(fits=0))
    assert tries(run) == [8, 4, 2, 1]


@pytest.mark.parametrize("struck", [True, False])
def test_a_killed_script_ran_out_of_memory_only_where_the_kernel_says_so(
    runner: tuple[Runner, list[str]], monkeypatch: pytest.MonkeyPatch, struck: bool
) -> None:
    run, _ = runner
    monkeypatch.setattr(KernelKills, "struck", lambda _self: struck)
    if struck:
        assert len(run.run(job(killed=True))) == 2
    else:
        with pytest.raises(StageError, match="ended with exit code 1"):
            run.run(job(killed=True))
        assert tries(run) == [8]
