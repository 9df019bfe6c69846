"""How many files of ours lie between a command and the training loop: the calls themselves are counted.

Prefect's engine is left out (a task is called as the function that it is), and so is what starts and supervises the
process of the script (raiden_core/processes): the script is run here. What is on the stack when the script is started,
and again when its trainer trains, are the files that docs/architecture.md lists.
"""

from __future__ import annotations

import json
import re
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from prefect.logging import disable_run_logger

from flows import pipeline, run_command
from raiden_core.cli import train as train_command
from raiden_core.samples import Sample, write_samples
from raiden_core.stages.folder import StageResult
from raiden_core.stages.layout import TRAIN_FILE, VALIDATION_FILE
from raiden_core.stages.run import run_stage
from raiden_core.training import grpo
from raiden_core.training.launch import accelerate
from tasks import stages
from tests.support.config_tree import ROOT

MOST = 6
OURS = ("flows", "tasks", "raiden_core")


class Reached(Exception):
    """Where the count ends."""


def files_on_the_stack() -> list[str]:
    """Files of ours that are under way, the outermost first, each once."""
    frames = (Path(frame.filename) for frame in traceback.extract_stack())
    ours = (path.relative_to(ROOT) for path in frames if path.is_relative_to(ROOT))
    return list(dict.fromkeys(str(path) for path in ours if path.parts[0] in OURS))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were under way when the script was started."""
    seen: list[str] = []

    def start(command: list[str], *rest: Any) -> None:
        assert command[-3:-1] == ["-m", "raiden_core.training.grpo"]
        seen.extend(files_on_the_stack())
        raise Reached

    monkeypatch.setattr(accelerate, "start", start)
    return seen


def in_the_script(folder: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are under way when the trainer of the script trains."""
    seen: list[str] = []

    def train_(self: Any, **how: Any) -> None:
        seen.extend(files_on_the_stack())
        raise Reached

    monkeypatch.setattr("trl.GRPOTrainer.train", train_)
    job: dict[str, Any] = {
        "model_name_or_path": str(model),
        "train_data_path": str(folder / TRAIN_FILE),
        "output_dir": str(folder / "o"),
    }
    job |= {"use_cpu": True, "bf16": False, "gradient_checkpointing": False, "max_completion_length": 8}
    (folder / "job.yaml").write_text(yaml.safe_dump(job))
    with pytest.raises(Reached):
        grpo.main([str(folder / "job.yaml")])
    return seen


def documented(heading: str) -> list[str]:
    """The files of a list in the documents."""
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    listed = page.split(heading)[1].split("\n\n")[1]
    return re.findall(r"^\d+\. `([^`]+)`", listed, re.M)


@pytest.fixture
def data(tmp_path: Path, composed_samples: list[Sample]) -> Path:
    for name in (TRAIN_FILE, VALIDATION_FILE):
        write_samples(tmp_path / name, composed_samples[:40])
    return tmp_path


def test_from_raiden_run_to_the_loop_it_is_six_files(
    data: Path, started: list[str], small_nano: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def done(stage: str) -> StageResult:
        def work(out: Path) -> dict[str, Any]:
            for name in (TRAIN_FILE, VALIDATION_FILE):
                (out / name).write_bytes((data / name).read_bytes())
            (out / "model").mkdir()
            (out / "model" / "config.json").write_text(json.dumps({}))
            return {}

        return run_stage(stage, "0" * 64, output_dir=data / "done", inputs={}, section={}, work=work)

    class Called:
        """Calls a task's function as it is; the stages before it are done."""

        def __init__(self, task: Any) -> None:
            self.task, self.name = task, task.name

        def with_options(self, **options: Any) -> Called:
            return self

        def __call__(self, *given: Any, return_state: bool, **named: Any) -> Any:
            result = self.task.fn(*given, **named) if self.name == "train" else done(self.name)
            return SimpleNamespace(name="Completed", result=lambda: result)

    monkeypatch.setattr(pipeline, "TASKS", {name: Called(task) for name, task in stages.TASKS.items()})
    monkeypatch.setattr(pipeline, "raiden", pipeline.raiden.fn)
    monkeypatch.setattr("tasks.stage.gpu_slot", lambda name, stage: disable_run_logger())
    file = data / "config.yaml"
    file.write_text(f"characters: {{composed: {{count: 4}}}}\noutput_dir: {data / 'runs'}\n")
    with disable_run_logger(), pytest.raises(Reached):
        CliRunner().invoke(run_command.run, [str(file), "--stage", "train"], catch_exceptions=False)
    files = list(dict.fromkeys([*started, *in_the_script(data, small_nano, monkeypatch)]))
    assert files == documented("From `raiden run` to the training loop")
    assert len(files) <= MOST
    assert stages.TASKS["train"].name == "train"


def test_from_raiden_train_to_the_loop_it_is_fewer(
    data: Path, started: list[str], small_nano: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["--model", str(small_nano), "--data", str(data / TRAIN_FILE), "--out", str(data / "out")]
    with pytest.raises(Reached):
        CliRunner().invoke(train_command.train, arguments, catch_exceptions=False)
    files = list(dict.fromkeys([*started, *in_the_script(data, small_nano, monkeypatch)]))
    assert files == documented("From `raiden train` to the training loop")
    assert len(files) <= MOST
