"""Start a training script with ``accelerate launch`` in a subprocess, follow it, and take it down when told to.

Where memory runs out, `Runner` starts it again with a smaller micro-batch. Every change is remembered beside the
checkpoints, so that a run that is killed later does not find out again what does not fit. Where it stalls, `Runner`
starts it again as it was.

The subprocess is supervised (raiden_core.processes.children): nothing of it outlives the caller. What it prints goes to
``<output_dir>/training.log``; progress is read from the trainer's own ``metrics.jsonl``.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from raiden_core.config.sections.training import LaunchConfig
from raiden_core.errors import StageError
from raiden_core.processes.children import last_lines, start, supervised
from raiden_core.stages.layout import LOG_FILE, METRICS_FILE, SUMMARY_FILE
from raiden_core.stages.progress import Progress
from raiden_core.training.launch.metrics import PULSE_FILE, WARNING, figures_of, read_metrics, read_pulse, reward_names
from raiden_core.training.launch.out_of_memory import KernelKills, OutOfMemory, smaller_job
from raiden_core.training.launch.script import ERROR_VARIABLE, reported_error
from raiden_core.training.launch.stall import (
    PARTS,
    STACKS_VARIABLE,
    Stalled,
    Stillness,
    forget_parts,
    keep_stacks,
    signs_of_life,
)

Say = Callable[[str], None]
"""Told one line for people."""
warn: Say = logging.getLogger(__name__).warning

POLL_SECONDS = 0.5
FULL_DISK_BYTES = 1 << 16
"""With less room than this nothing can be written."""
TAIL_LINES = 8
"""Lines of the log that an error quotes."""
MEMORY_FILE = "out_of_memory.json"
"""What was changed because memory ran out; it stands beside the checkpoints."""
MOST_STALLS = 5
"""A trainer that stalls more often than this fails, whatever it gets done in between."""
MODEL_CARD = "README.md"
"""What TRL writes beside each checkpoint about itself."""
TRACEBACK = "Traceback (most recent call last):"


@dataclass(frozen=True)
class Runner:
    """Where and how a stage's script runs."""

    module: str
    launch: LaunchConfig
    out: Path
    progress: Progress
    say: Say

    def finish(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """Run the script to its end; its summary, and under ``out_of_memory`` what `run` returns.

        Checkpoints go in the end, so that ``model/`` holds the folder's only config.json. The summary stays: whoever is
        killed from here on finds by it that the training is done.
        """
        out_of_memory = self.run(job)
        stats: dict[str, Any] = json.loads((self.out / SUMMARY_FILE).read_text("utf-8"))
        for folder in (*self.out.glob("checkpoint-*"), *self.out.glob("student*")):
            shutil.rmtree(folder)
        for name in (MEMORY_FILE, MODEL_CARD, PULSE_FILE):
            (self.out / name).unlink(missing_ok=True)
        return {**stats, "out_of_memory": out_of_memory}

    def run(self, job: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Run the script until it ends well, or fails for another reason than memory or a stall.

        Returns:
            A record for each time that memory ran out: the step, the words of the error, and what was changed.

        Raises:
            StageError: there is not even room for one sequence at a time.
            Stalled: it stalled again without a step more than at the time before, or more than `MOST_STALLS` times.
        """
        memory = self.out / MEMORY_FILE
        record: list[dict[str, Any]] = json.loads(memory.read_text("utf-8")) if memory.is_file() else []
        current = dict(job)
        for earlier in record:
            current |= earlier["changed"]
        stalled_at: list[int] = []
        while True:  # ends: each turn makes the micro-batch smaller, or is one of few after a stall
            try:
                run_script(self.module, current, self.launch, self.out, self.progress, self.say)
            except Stalled as error:
                step = self._step()
                if len(stalled_at) >= MOST_STALLS or step <= max(stalled_at, default=-1):
                    times = f"{len(stalled_at) + 1} times, the last at step {step}"
                    raise Stalled(f"{error}; it stalled {times}, and is not started again") from None
                stalled_at.append(step)
                self.say(f"{error}; training goes on from its last checkpoint")
            except OutOfMemory as error:
                less = smaller_job(current)
                if less is None:
                    raise StageError(
                        f"{error}: memory does not suffice for a single sequence; shorten max_completion_length or "
                        "max_length, set lora_r, gradient_checkpointing: true, or shard the model (launch.accelerate)"
                    ) from None
                step = self._step()
                record.append({"step": step, "error": str(error), "changed": less})
                unfinished = memory.with_suffix(".new")
                unfinished.write_text(json.dumps(record, indent=2), "utf-8")
                unfinished.rename(memory)
                changes = ", ".join(f"{name} {current.get(name, 1)} -> {value}" for name, value in less.items())
                self.say(
                    f"out of memory after step {step}; trying again with the same batch in smaller pieces: {changes}"
                )
                current |= less
            else:
                return record

    def _step(self) -> int:
        """The newest optimizer step that the script told of."""
        rows, pulse = read_metrics(self.out / METRICS_FILE), read_pulse(self.out / PULSE_FILE)
        return max(int(rows[-1].get("step", 0)) if rows else 0, pulse[0] if pulse else 0)


def run_script(
    module: str,
    job: Mapping[str, Any],
    launch: LaunchConfig,
    out: Path,
    progress: Progress,
    say: Say = warn,
) -> None:
    """Run ``python -m module`` on the flat job under accelerate, and wait for it.

    Args:
        module: e.g. ``raiden_core.training.grpo``.
        job: the flat YAML's content; ``output_dir`` is added.
        launch: processes and accelerate config.
        out: the folder for model, log and metrics; it exists.
        progress: told the optimizer step and the latest figures.
        say: told each warning of the script, once.

    Raises:
        RaidenError: what the script itself reported.
        OutOfMemory: it ran out of memory while it trained, or the kernel killed it for memory.
        Stalled: it made no progress for ``launch.stall_seconds``; its stacks stand in ``stacks.txt``.
        StageError: the script ended badly without a word; the message quotes the end of its log.
    """
    job_file = out / "job.yaml"
    job_file.write_text(yaml.safe_dump({**job, "output_dir": str(out)}, sort_keys=False, allow_unicode=True), "utf-8")
    error_file = out / "error.json"
    error_file.unlink(missing_ok=True)
    (out / PULSE_FILE).unlink(missing_ok=True)  # of a try before this one
    # Left where a caller was killed: whoever has such a pid now may not know the signal, and would end by it.
    forget_parts(out)
    command = supervised([*accelerate_command(launch), "-m", module, str(job_file)])
    environment = {
        **os.environ,
        ERROR_VARIABLE: str(error_file),
        STACKS_VARIABLE: str(out / PARTS),
        "PYTHONUNBUFFERED": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TRL_EXPERIMENTAL_SILENCE": "1",
    }
    log = out / LOG_FILE
    watcher = _Watcher(out / METRICS_FILE, progress, say)
    kernel, stillness = KernelKills(), Stillness(launch.stall_seconds)
    child = start(command, log, environment)
    try:
        while not child.has_ended():
            time.sleep(POLL_SECONDS)
            watcher.look()
            now = time.monotonic()
            if not stillness.is_due(now):
                continue
            training, signs = signs_of_life(out)
            if stillness.look(signs, training, now):
                stacks = keep_stacks(child, out, stillness.quiet)
                raise Stalled(f"no progress for {stillness.quiet:.0f} s (launch.stall_seconds); see {stacks}")
    finally:
        child.stop()
        forget_parts(out)
    watcher.look()
    if not child.code:
        return
    if error := reported_error(error_file):
        # The job file is written again by each run: what can be corrected is the section of the configuration that it came from.
        message = str(error)
        if message.startswith(f"{job_file}: "):
            raise type(error)(f"{module.rpartition('.')[2]}: {message.removeprefix(f'{job_file}: ')}")
        raise error
    tail = _tail(log)
    # A script that cannot write cannot write its error either.
    if shutil.disk_usage(out).free < FULL_DISK_BYTES or os.strerror(errno.ENOSPC) in tail:
        raise StageError(f"{out}: the disk is full; make room and run again: training goes on from what is whole")
    # A launcher names the signal in its last words; the kernel's counter says whether memory was the reason.
    if "SIGKILL" in tail and kernel.struck():
        raise OutOfMemory("killed by the kernel, which ran out of memory")
    raise StageError(f"{module} ended with exit code {child.code}; the end of {log}: {tail}")


def accelerate_command(launch: LaunchConfig) -> list[str]:
    """The ``accelerate launch`` command line up to the script."""
    command = [sys.executable, "-m", "accelerate.commands.launch"]
    # Left alone, accelerate gives a process one thread on a machine without GPUs.
    threads = max(1, (os.cpu_count() or 1) // (launch.num_processes or 1))
    command += ["--num_cpu_threads_per_process", os.environ.get("OMP_NUM_THREADS", str(threads))]
    if launch.accelerate is not None:
        command += ["--config_file", str(launch.accelerate)]
        if launch.num_processes is not None:
            command += ["--num_processes", str(launch.num_processes)]
        return command
    processes = launch.num_processes or 1
    command += ["--num_processes", str(processes), "--num_machines", "1", "--mixed_precision", "no"]
    command += ["--dynamo_backend", "no"]
    return [*command, "--multi_gpu"] if processes > 1 else command


NOTES = 3
"""Figures beside a progress bar."""


class _Watcher:
    """Passes on what a script writes about itself: the newest step with its figures, and each new warning."""

    def __init__(self, metrics: Path, progress: Progress, say: Say) -> None:
        self.metrics, self.progress, self.say = metrics, progress, say
        self.pulse = metrics.with_name(PULSE_FILE)
        # What a try before this one warned of was said then, and its figures are not this one's progress.
        earlier = read_metrics(metrics)
        self.said = {_warning(row) for row in earlier}
        self.last = _figures(earlier)[-1:]

    def look(self) -> None:
        """Read the file and tell what is new."""
        rows = read_metrics(self.metrics)
        for row in rows:
            if WARNING in row and _warning(row) not in self.said:
                self.said.add(_warning(row))
                self.say(f"step {row['step']}: {row[WARNING]}")
        figures, pulse = _figures(rows), read_pulse(self.pulse)
        newest = figures[-1] if figures[-1:] != self.last and figures else {}
        if not newest and pulse is None:
            return
        notes = [f"{name} {value:.2f}" for name, value in figures_of(newest).items()]
        # Format stays out of the usual line; whoever has a list of rewards wants to see all of it.
        notes = notes[: NOTES + 1 + len(more) if (more := reward_names(newest)) else NOTES]
        step, total = int(newest.get("step", 0)), int(rows[0].get("total_steps", 0)) if rows else 0
        if pulse is not None and pulse[0] >= step:
            step, total, doing = pulse
            notes += [doing] if doing else []
        self.progress(step, total, ", ".join(notes))


def _figures(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if WARNING not in row]


def _warning(row: Mapping[str, Any]) -> tuple[int, str]:
    return int(row.get("step", 0)), str(row.get(WARNING))


def _tail(log: Path) -> str:
    """The last words of the script itself; the launcher's own traceback, which follows them, says only that it failed."""
    lines = last_lines(log)
    if lines and "CalledProcessError" in lines[-1] and TRACEBACK in lines:
        start = len(lines) - 1 - lines[::-1].index(TRACEBACK)
        # Where the script said nothing, the launcher's last line is all there is: it names the signal.
        lines = lines[:start] + lines[-1:] if "died with" in lines[-1] else lines[:start] or lines[-1:]
    return " | ".join(lines[-TAIL_LINES:])
