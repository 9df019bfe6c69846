"""The cases: what is done to a run, what must come of it, and how that is seen.

A case starts a run, does its harm at a random moment of a stage, lets the house recover, and returns the run's folders
for `check_whole`. What it saw goes into `Outcome`, a row of the table in docs/operations.md.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import yaml

from benchmarks.chaos.house import OVER, ROOT, House, children_of, end, free_port, wait_until
from raiden_core.stages.folder import damage
from raiden_core.stages.layout import COLD_START, METRICS_FILE, TRAIN
from raiden_core.training.launch.metrics import read_metrics

TRAINING = (COLD_START, TRAIN)
VICTIMS = ("trainer", "flow", "worker", "server")
CANCEL_SECONDS = 10.0
"""After so many seconds nothing of a cancelled run is alive."""
TINY = ROOT / "tests" / "integration" / "tiny.yaml"
SECTION = {COLD_START: "cold_start", TRAIN: "grpo"}
ENDLESS: dict[str, Any] = {"grpo__max_steps": 100_000, "grpo__patience": 100_000}
"""A training that does not end by itself, although it learns nothing."""
LATEST = {"generate": 0.4, "split": 0.05, "report": 0.2}
"""Harm is done within so many seconds of a stage's beginning, `LATER` for those that are not named: the tiny ones are quick."""
LATER = 1.0
LOOK_SECONDS = 0.01
ASK_SECONDS = 1.0


@dataclass
class Outcome:
    """What happened in one case."""

    case: str
    stage: str
    ended: str = ""
    """The run's last state."""
    said: str = ""
    """What the run's page said when it was broken; empty where the run did not notice."""
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)

    def row(self) -> str:
        """A row of a Markdown table."""
        said = self.said.replace("|", "/").replace("\n", " ")[:160]
        return f"| {self.case} | {self.stage} | {said} | {self.ended} | {'; '.join(self.notes)} | {self.seconds:.0f} |"


def write_config(folder: Path, output: Path | None = None, **settings: Any) -> Path:
    """The tiny configuration with an output folder of its own and some settings, `section__key=value`."""
    tree = yaml.safe_load(TINY.read_text("utf-8"))
    tree["output_dir"] = str(output or folder / "runs")
    for name, value in settings.items():
        section, _, key = name.partition("__")
        tree.setdefault(section, {})[key] = value
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "chaos.yaml"
    config.write_text(yaml.safe_dump(tree, allow_unicode=True), "utf-8")
    return config


def whole_folders(output: Path) -> dict[Path, int]:
    """Finished stages' folders, with the moment when each manifest was written (ns): a stage done again differs."""
    return {path.parent: path.stat().st_mtime_ns for path in output.glob("*/manifest.json")}


def check_whole(output: Path, before: dict[Path, int]) -> None:
    """Every stage is there once and whole, and what was whole before is what it was.

    Raises:
        AssertionError: something was done twice, lost or damaged.
    """
    after = whole_folders(output)
    for folder, written in before.items():
        assert after.get(folder) == written, f"{folder} was whole, and was done again or lost"
    for folder in after:
        assert damage(folder) is None, damage(folder)
    stages = [json.loads((folder / "manifest.json").read_text("utf-8"))["stage"] for folder in after]
    assert len(stages) == len(set(stages)), f"done twice: {sorted(stages)}"
    assert not list(output.glob(".*.partial")), "an unfinished folder was left"


def began(output: Path, stage: str) -> bool:
    """Whether a stage is at work; a training one only from its second step on, so that there is something to lose."""
    return any(stage not in TRAINING or len(_steps(partial)) >= 2 for partial in output.glob(f".{stage}-*.partial"))


def wait_for_stage(house: House, run: str, output: Path, stage: str) -> None:
    """Wait until a stage is at work, or the run over. Folders are looked at often, the server is asked now and then."""
    asked = time.monotonic()

    def met() -> bool:
        nonlocal asked
        if began(output, stage):
            return True
        if time.monotonic() - asked < ASK_SECONDS:
            return False
        asked = time.monotonic()
        return over(house, run)

    wait_until(met, f"{stage} never began", poll=LOOK_SECONDS)


def kill_case(house: House, folder: Path, victim: str, stage: str, moments: random.Random, **settings: Any) -> Outcome:
    """kill -9 of one thing at a random moment of a stage; then what was killed is started again."""
    started = time.monotonic()
    outcome = Outcome(f"kill -9 of the {victim}", stage)
    slow: dict[str, Any] = (
        {f"{SECTION[stage]}__max_steps": 12, f"{SECTION[stage]}__save_steps": 1} if stage in TRAINING else {}
    )
    config = write_config(folder, **slow, **settings)
    output = folder / "runs"
    run = house.start_run("full-pipeline", config=str(config), until=stage)
    wait_for_stage(house, run, output, stage)
    time.sleep(moments.uniform(0, LATEST.get(stage, LATER)))
    before, steps = whole_folders(output), _steps_of(output, stage)
    if over(house, run):
        outcome.notes.append("the stage was over before the harm")
    _kill(house, run, victim)
    if victim in ("trainer", "flow") and not _over_well(house, run):
        outcome.said = house.wait(run, "FAILED" if victim == "trainer" else "CRASHED")["message"]
        if victim == "flow":
            house.settle(run)
        house.retry(run)
    elif victim == "worker":
        house.start_worker()
        wait_until(lambda: over(house, run), f"run {run} did not end")
        if not _over_well(house, run):
            outcome.said = house.wait(run, "CRASHED")["message"]
            house.retry(run)
    elif victim == "server":
        house.start_server()
    outcome.ended = house.wait(run, "COMPLETED")["name"]
    check_whole(output, before)
    if stage in TRAINING:
        outcome.notes.append(_went_on(output, stage, steps))
    outcome.seconds = time.monotonic() - started
    return outcome


def cancel_case(house: House, folder: Path) -> Outcome:
    """Cancel from the API during training."""
    started = time.monotonic()
    outcome = Outcome("cancel", "train")
    config, output = write_config(folder, **ENDLESS), folder / "runs"
    before = whole_folders(output)
    records = set((output / ".results").glob("train-*"))
    run = house.start_run("full-pipeline", config=str(config), until="train")
    wait_for_stage(house, run, output, "train")
    flow = house.flow_process(run)
    assert flow is not None, house.state(run)
    children = children_of(flow)
    assert any("raiden_core.training.grpo" in child.cmdline() for child in children), "no trainer was seen"
    assert house.slots_taken() == 1, "training holds the GPU slot"
    house.cancel(run)
    asked = time.monotonic()
    _, alive = psutil.wait_procs(children, timeout=CANCEL_SECONDS)
    assert not alive, [process.cmdline() for process in alive if process.is_running()]
    outcome.notes.append(f"all {len(children)} children gone after {time.monotonic() - asked:.1f} s")
    house.wait(run, "CANCELLED")
    _, alive = psutil.wait_procs([flow], timeout=CANCEL_SECONDS)
    assert not alive, "the flow outlived its cancellation"
    outcome.notes.append(f"run Cancelled after {time.monotonic() - asked:.1f} s")
    wait_until(lambda: house.slots_taken() == 0, "the GPU slot is still taken", 30)
    news = {path for path in whole_folders(output) if path not in before}
    assert not any(path.name.startswith("train-") for path in news), "a cancelled stage left a finished folder"
    assert set((output / ".results").glob("train-*")) <= records, "a cancelled stage was cached"
    outcome.notes.append("slot free, nothing cached")
    outcome.ended = house.state(run)["name"]
    outcome.seconds = time.monotonic() - started
    return outcome


def train_timeout_case(house: House, folder: Path, seconds: float = 20.0) -> Outcome:
    """A training that takes longer than it may: the trainer goes down with it."""
    started = time.monotonic()
    outcome = Outcome("time-out", "train")
    output = folder / "runs"
    before = whole_folders(output)
    config = write_config(folder, limits__stage_seconds=seconds, **ENDLESS)
    run = house.start_run("full-pipeline", config=str(config), until="train")
    outcome.said = house.wait(run, "FAILED")["message"]
    assert "limits.stage_seconds" in outcome.said, outcome.said
    assert house.trainer(run) is None, "the trainer outlived its time"
    wait_until(lambda: house.slots_taken() == 0, "the GPU slot is still taken", 30)
    assert before.items() <= whole_folders(output).items()
    outcome.ended = house.state(run)["name"]
    outcome.seconds = time.monotonic() - started
    return outcome


def timeout_case(house: House, folder: Path, seconds: float = 3.0) -> Outcome:
    """A stage that takes longer than it may: generation waits for a teacher that is not there; then it need not wait."""
    started = time.monotonic()
    outcome = Outcome("time-out", "generate")
    config = write_config(
        folder, limits__stage_seconds=seconds, **teacher_settings(f"http://127.0.0.1:{free_port()}/v1")
    )
    run = house.start_run("full-pipeline", config=str(config), until="generate")
    outcome.said = house.wait(run, "FAILED")["message"]
    write_config(folder)
    house.retry(run)
    outcome.ended = house.wait(run, "COMPLETED")["name"]
    outcome.seconds = time.monotonic() - started
    return outcome


def absent_teacher_case(house: House, folder: Path, seconds: float) -> Outcome:
    """The teacher is away when generation begins, and comes after some seconds."""
    started = time.monotonic()
    outcome = Outcome(f"teacher away for {seconds:g} s", "generate")
    port = free_port()
    config = write_config(folder, **teacher_settings(f"http://127.0.0.1:{port}/v1"))
    run = house.start_run("full-pipeline", config=str(config), until="generate")
    wait_until(lambda: list((folder / "runs").glob(".generate-*.partial")) or over(house, run), "it never began")
    time.sleep(seconds)
    assert not over(house, run), house.state(run)
    with scripted_teacher(port):
        outcome.ended = house.wait(run, "COMPLETED")["name"]
    check_whole(folder / "runs", {})
    outcome.seconds = time.monotonic() - started
    return outcome


def zombie_case(house: House, folder: Path) -> Outcome:
    """Flow and worker are killed together, as by a machine that lost power; the automation notices the silence."""
    started = time.monotonic()
    outcome = Outcome("kill -9 of flow and worker", "generate")
    house.prefect("automation", "create", "--from-file", "configs/prefect/zombie-runs.yaml")
    config = write_config(folder, **teacher_settings(f"http://127.0.0.1:{free_port()}/v1"))
    run = house.start_run("full-pipeline", config=str(config), until="generate")
    wait_for_stage(house, run, folder / "runs", "generate")
    beats = {
        "filter": {
            "event": {"name": ["prefect.flow-run.heartbeat"]},
            "any_resource": {"id": [f"prefect.flow-run.{run}"]},
        }
    }
    wait_until(lambda: house.post("/events/filter", beats)["total"], "no heartbeat came")
    flow = house.flow_process(run)
    assert flow is not None
    house.kill("worker")
    end(flow)
    killed = time.monotonic()
    assert house.state(run)["type"] == "RUNNING", "somebody noticed at once"
    outcome.said = house.wait(run, "CRASHED")["message"]
    outcome.notes.append(f"noticed after {time.monotonic() - killed:.0f} s")
    write_config(folder)
    house.start_worker()
    house.retry(run)
    outcome.ended = house.wait(run, "COMPLETED")["name"]
    outcome.seconds = time.monotonic() - started
    return outcome


def full_disk_case(house: House, folder: Path, disk: Path) -> Outcome:
    """The disk is full when samples are written; then there is room.

    Args:
        house: where it runs.
        folder: of the configuration.
        disk: a tmpfs that is too small for the samples; it is made larger.
    """
    started = time.monotonic()
    outcome = Outcome("disk full", "generate")
    config = write_config(folder, output=disk / "runs")
    run = house.start_run("full-pipeline", config=str(config), until="split")
    outcome.said = house.wait(run, "FAILED")["message"]
    subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True, capture_output=True)
    house.retry(run)
    outcome.ended = house.wait(run, "COMPLETED")["name"]
    check_whole(disk / "runs", {})
    outcome.seconds = time.monotonic() - started
    return outcome


@contextmanager
def scripted_teacher(port: int, key: str | None = None) -> Iterator[str]:
    """A teacher that answers by a script; its address. It repeats a wrong key in its refusal, as some servers do."""
    command = [sys.executable, "-m", "benchmarks.chaos.teacher", str(port), *([key] if key else [])]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.communicate(timeout=30)


def teacher_settings(url: str) -> dict[str, Any]:
    """Settings of a model as teacher of one character."""
    return {
        "characters__paths": [str(ROOT / "benchmarks" / "chaos" / "person.jsonl")],
        "characters__composed": {"count": 0},
        "characters__evaluation_only": {},
        "teacher__kind": "llm",
        "teacher__endpoints": {"teacher": {"url": url, "timeout_seconds": 20, "patience_seconds": 120}},
    }


def copy_stages(source: Path, target: Path, stages: Collection[str]) -> None:
    """Take finished stages along into another output folder, so that a case pays for its own stage only."""
    target.mkdir(parents=True, exist_ok=True)
    for stage in stages:
        folder = min(source.glob(f"{stage}-*"), key=lambda path: len(path.name))
        if not (target / folder.name).exists():
            shutil.copytree(folder, target / folder.name)


def last_record(output: Path) -> dict[str, Any]:
    """The record of the latest run."""
    record: dict[str, Any] = json.loads(max((output / "runs").glob("*/run.json")).read_text("utf-8"))
    return record


def _kill(house: House, run: str, victim: str) -> None:
    if victim in ("server", "worker"):
        house.flow_process(run)  # remembered, so that it is ended with the house whatever happens
        house.kill(victim)
        return
    process = house.trainer(run) if victim == "trainer" else house.flow_process(run)
    if process is None:
        return  # the stage was over first: the case says so
    end(process)


def over(house: House, run: str) -> bool:
    """Whether a run is over; however it ended."""
    return house.state(run)["type"] in OVER


def _over_well(house: House, run: str) -> bool:
    return bool(house.state(run)["type"] == "COMPLETED")


def _steps(folder: Path) -> list[int]:
    """The optimizer steps of a training, in the order in which they were done."""
    return [int(row["step"]) for row in read_metrics(folder / METRICS_FILE) if "loss" in row]


def _steps_of(output: Path, stage: str) -> list[int]:
    return [step for partial in output.glob(f".{stage}-*.partial") for step in _steps(partial)]


def _went_on(output: Path, stage: str, before: list[int]) -> str:
    """Where a training went on after the harm; the steps of the first try are still in its figures."""
    (folder,) = output.glob(f"{stage}-*")
    steps = _steps(folder)
    assert not before or set(before) <= set(steps), f"steps {before} were lost from {steps}"
    assert max(steps) == 12, steps
    again = sum(steps.count(step) > 1 for step in set(steps))
    return f"killed at step {max(before, default=0)} of 12, {again} steps done again"
