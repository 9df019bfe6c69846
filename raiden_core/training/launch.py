"""Start a training script with ``accelerate launch`` in a subprocess, follow it, and take it down when told to.

The subprocess runs under raiden_core.supervisor, so that nothing of it outlives the caller. What it prints goes to
``<output_dir>/training.log``; progress is read from the trainer's own ``metrics.jsonl``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from raiden_core.config_sections.training import LaunchConfig
from raiden_core.errors import StageError
from raiden_core.progress import Progress
from raiden_core.training.metrics import METRICS_FILE, SHOWN, read_metrics
from raiden_core.training.script import ERROR_VARIABLE, reported_error

LOG_FILE = "training.log"
POLL_SECONDS = 0.5
TAIL_LINES = 8
"""Lines of the log that an error quotes."""


def run_script(module: str, job: Mapping[str, Any], launch: LaunchConfig, out: Path, progress: Progress) -> None:
    """Run ``python -m module`` on the flat job under accelerate, and wait for it.

    Args:
        module: e.g. ``raiden_core.training.grpo``.
        job: the flat YAML's content; ``output_dir`` is added.
        launch: processes and accelerate config.
        out: the folder for model, log and metrics; it exists.
        progress: told the optimizer step and the latest figures.

    Raises:
        RaidenError: what the script itself reported.
        StageError: the script ended badly without a word; the message quotes the end of its log.
    """
    job_file = out / "job.yaml"
    job_file.write_text(yaml.safe_dump({**job, "output_dir": str(out)}, sort_keys=False, allow_unicode=True), "utf-8")
    error_file = out / "error.json"
    error_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "raiden_core.supervisor", "--", *accelerate_command(launch), "-m", module]
    environment = {
        **os.environ,
        ERROR_VARIABLE: str(error_file),
        "PYTHONUNBUFFERED": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TRL_EXPERIMENTAL_SILENCE": "1",
    }
    log = out / LOG_FILE
    with log.open("ab") as sink:
        process = subprocess.Popen(
            [*command, str(job_file)],
            stdout=sink,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=environment,
        )
        try:
            while process.poll() is None:
                time.sleep(POLL_SECONDS)
                _tell(progress, out / METRICS_FILE)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    _tell(progress, out / METRICS_FILE)
    if process.returncode:
        raise reported_error(error_file) or StageError(
            f"{module} ended with exit code {process.returncode}; the end of {log}: {_tail(log)}"
        )


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


def _tell(progress: Progress, metrics: Path) -> None:
    """Pass on the newest step and its reward."""
    rows = read_metrics(metrics)
    if not rows:
        return
    newest = rows[-1]
    figures = [f"{name} {newest[key]:.2f}" for key, name in SHOWN.items() if isinstance(newest.get(key), (int, float))]
    progress(int(newest.get("step", 0)), int(rows[0].get("total_steps", 0)), ", ".join(figures[:3]))


def _tail(log: Path) -> str:
    lines = [line.strip() for line in log.read_text("utf-8", errors="replace").splitlines() if line.strip()]
    return " | ".join(lines[-TAIL_LINES:])
