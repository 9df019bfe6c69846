"""Runs that are killed with -9, also while they write a checkpoint, or stopped, and then go on as if nothing had happened."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from raiden_core.characters.compose import compose
from raiden_core.config.sections.training import LaunchConfig, NanoConfig
from raiden_core.errors import ConfigError
from raiden_core.generation import generate
from raiden_core.generation.offline.teacher import OfflineTeacher
from raiden_core.rewards import Scorer
from raiden_core.samples import Sample, write_samples
from raiden_core.stages.progress import silent
from raiden_core.training.launch.accelerate import Runner
from tests.support.killable import Kill, run, start

pytestmark = pytest.mark.integration

SHAPE = NanoConfig(vocab_size=900, hidden_size=32, layers=1, heads=2)
FIGURES = ("loss", "grad_norm", "learning_rate", "reward", "completions/mean_length", "entropy", "probe_accuracy")


@dataclass(frozen=True)
class Files:
    """What training reads."""

    data: Path
    model: Path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Forty questions, and a nano student with random weights."""
    from raiden_core.training.nano import build_nano

    folder = tmp_path_factory.mktemp("inputs")
    generated = generate(
        compose(12, facts=(4, 6), seed=1),
        teacher=OfflineTeacher(1),
        samples_per_character=4,
        include_cm=False,
        cm_share=0,
        seed=1,
        scorer=Scorer(),
        progress=silent,
    )
    samples: list[Sample] = list(generated.samples)[:40]
    write_samples(folder / "train.json", samples)
    build_nano(folder / "model", samples, SHAPE, seed=3)
    return Files(folder / "train.json", folder / "model")


COMMON: dict[str, Any] = {
    "report_to": "none",
    "save_strategy": "steps",
    "disable_tqdm": True,
    "use_cpu": True,
    "bf16": False,
    "gradient_checkpointing": False,
    "learning_rate": 0.003,
    "seed": 5,
    "logging_steps": 1,
}


def grpo_job(files: Files, out: Path, **how: Any) -> dict[str, Any]:
    """A random model now and then says a right word, so that some groups' rewards differ."""
    return {
        **COMMON,
        "output_dir": str(out),
        "train_data_path": str(files.data),
        "model_name_or_path": str(files.model),
        "num_generations": 2,
        "per_device_train_batch_size": 8,
        "gradient_accumulation_steps": 2,
        "max_completion_length": 8,
        "beta": 0.04,
        "max_steps": 8,
        "save_steps": 2,
        **how,
    }


def cold_job(files: Files, out: Path, **how: Any) -> dict[str, Any]:
    return {
        **COMMON,
        "output_dir": str(out),
        "train_data_path": str(files.data),
        "nano": json.dumps(SHAPE.model_dump()),
        "questions_per_sequence": 4,
        "per_device_train_batch_size": 4,
        "num_train_epochs": 4,
        "max_length": 512,
        "save_steps": 2,
        **how,
    }


def curve(out: Path) -> list[dict[str, Any]]:
    from raiden_core.stages.layout import METRICS_FILE
    from raiden_core.training.launch.metrics import read_metrics

    rows = read_metrics(out / METRICS_FILE)
    figures = [{name: row[name] for name in ("step", *FIGURES) if name in row} for row in rows[1:]]
    return [row for row in figures if len(row) > 1]


def weights(out: Path) -> bytes:
    return (out / "model" / "model.safetensors").read_bytes()


NO_SECOND_STUDENT = Kill("raiden_core.training.nano", "build_nano")
"""Chance would let a second training of the tokenizer pass here, and fail elsewhere: nobody may try."""
WHILE_SAVING_THE_MODEL = Kill("raiden_core.training.hooks.saved_model", "_check")


def while_saving(call: int) -> Kill:
    """Killed in the middle of the n-th checkpoint: weights and optimizer are written, the rest is not."""
    return Kill("transformers:Trainer", "_save_rng_state", call)


def while_stepping(call: int) -> Kill:
    return Kill("transformers:Trainer", "training_step", call)


def killed_and_resumed(module: str, job: dict[str, Any], kill: Kill) -> Path:
    """Run a job that is killed, then the same job again."""
    assert run(module, job, kill) == signal.SIGKILL
    assert not (Path(job["output_dir"]) / "training.json").exists()
    assert run(module, job, NO_SECOND_STUDENT) == 0
    return Path(job["output_dir"])


@pytest.fixture(scope="module")
def whole_grpo(files: Files, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "grpo"
    assert run("grpo", grpo_job(files, out)) == 0
    return out


@pytest.mark.parametrize(
    "kill",
    [while_stepping(11), while_saving(2), WHILE_SAVING_THE_MODEL],
    ids=["in a step", "in a checkpoint", "in the final model"],
)
def test_grpo_goes_on_as_if_it_had_not_been_killed(files: Files, whole_grpo: Path, tmp_path: Path, kill: Kill) -> None:
    out = killed_and_resumed("grpo", grpo_job(files, tmp_path / "grpo"), kill)
    assert curve(out) == curve(whole_grpo)
    assert weights(out) == weights(whole_grpo)
    assert [row["step"] for row in curve(out)] == list(range(1, 9))
    assert any(row["grad_norm"] > 0.1 for row in curve(out)[4:]), "something was learned after the kill"


def test_a_run_over_several_epochs_keeps_its_place_in_the_third(files: Files, tmp_path: Path) -> None:
    # Forty questions are five steps of eight an epoch: step 12 is in the third.
    how = {"max_steps": 14, "save_steps": 12, "gradient_accumulation_steps": 1, "per_device_train_batch_size": 16}
    whole = tmp_path / "whole"
    assert run("grpo", grpo_job(files, whole, **how)) == 0
    out = killed_and_resumed("grpo", grpo_job(files, tmp_path / "grpo", **how), while_stepping(14))
    assert curve(out) == curve(whole) and weights(out) == weights(whole)


def test_checkpoints_do_not_cut_a_generation_that_serves_several_steps(files: Files, tmp_path: Path) -> None:
    how = {"steps_per_generation": 4, "num_iterations": 2, "save_steps": 3, "max_steps": 10}
    whole = tmp_path / "whole"
    assert run("grpo", grpo_job(files, whole, **how)) == 0
    out = killed_and_resumed("grpo", grpo_job(files, tmp_path / "grpo", **how), while_stepping(13))
    assert curve(out) == curve(whole) and weights(out) == weights(whole)


PROBED = {"probe_stop_at": 0.3, "probe_questions": 16, "probe_every": 2, "probe_max_new_tokens": 4}


@pytest.fixture(scope="module")
def whole_cold_start(files: Files, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "cold"
    assert run("cold_start", cold_job(files, out, **PROBED)) == 0
    return out


@pytest.mark.parametrize("kill", [while_stepping(6), while_saving(3)], ids=["in a step", "in a checkpoint"])
def test_the_cold_start_goes_on_with_its_probe(
    files: Files, whole_cold_start: Path, tmp_path: Path, kill: Kill
) -> None:
    out = killed_and_resumed("cold_start", cold_job(files, tmp_path / "cold", **PROBED), kill)
    assert curve(out) == curve(whole_cold_start) and weights(out) == weights(whole_cold_start)
    first, second = (
        json.loads((one / "training.json").read_text())["probe_history"] for one in (out, whole_cold_start)
    )
    assert first == second and len(first) > 3


def test_a_finished_run_says_so_and_does_nothing(
    files: Files, whole_grpo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in whole_grpo.rglob("*") if path.is_file()}
    start("grpo", grpo_job(files, whole_grpo))
    assert "finished before, at step 8; nothing to do" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in whole_grpo.rglob("*") if path.is_file()} == before


def test_another_job_does_not_go_on_from_these_checkpoints(files: Files, tmp_path: Path) -> None:
    out = tmp_path / "grpo"
    assert run("grpo", grpo_job(files, out), while_stepping(11)) == signal.SIGKILL
    with pytest.raises(ConfigError, match=r"learning_rate 0\.003, this one has 0\.001"):
        start("grpo", grpo_job(files, out, learning_rate=0.001))


def test_a_trainer_that_was_stopped_is_ended_and_goes_on_from_its_checkpoint(
    files: Files, whole_grpo: Path, tmp_path: Path
) -> None:
    out = tmp_path / "grpo"
    out.mkdir()
    stopped: list[int] = []
    said: list[str] = []

    def stop_at_step_5(done: int, total: int, note: str = "") -> None:
        """Stop the trainer once, between two checkpoints."""
        if done >= 5 and not stopped:
            family = psutil.Process().children(recursive=True)
            ranks = [one for one in family if "raiden_core.training.grpo" in one.cmdline()[1:3]]
            stopped.extend(one.pid for one in ranks)
            ranks[-1].suspend()

    job = {name: value for name, value in grpo_job(files, out).items() if name != "output_dir"}
    launch = LaunchConfig(stall_seconds=10)
    stats = Runner("raiden_core.training.grpo", launch, out, stop_at_step_5, said.append).finish(job)
    assert stopped and stats["steps"] == 8
    told = [line for line in said if f"see {out / 'stacks.txt'}; training goes on from its last checkpoint" in line]
    assert len(told) == 1
    stacks = (out / "stacks.txt").read_text("utf-8")
    assert f"---- rank 0, pid {stopped[-1]}\n" in stacks and 'training/grpo.py", line' in stacks
    assert not any(psutil.pid_exists(pid) for pid in stopped)
    assert curve(out) == curve(whole_grpo) and weights(out) == weights(whole_grpo)
