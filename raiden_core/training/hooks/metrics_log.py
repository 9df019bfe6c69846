"""A trainer callback that writes ``metrics.jsonl`` for programs and prints one line a log step for people."""

from __future__ import annotations

import json
import math
import sys
import time
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from raiden_core.stages.layout import METRICS_FILE
from raiden_core.training.launch.metrics import WARNING, figures_of, read_metrics


class MetricsLog(TrainerCallback):
    """Writes every log of the main process."""

    def __init__(self, folder: Path, phase: str) -> None:
        self.path = folder / METRICS_FILE
        self.phase = phase
        self.started = time.monotonic()

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Start the file anew, or cut it back to where a resumed run goes on."""
        if not state.is_world_process_zero:
            return
        kept = [row for row in read_metrics(self.path) if 0 < row.get("step", 0) <= state.global_step]
        self.started = time.monotonic() - (kept[-1]["seconds"] if kept else 0)
        head = {"phase": self.phase, "total_steps": state.max_steps}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text("".join(json.dumps(row) + "\n" for row in [head, *kept]), "utf-8")

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Append what the trainer logged."""
        if logs:
            self.write(state, logs)

    def write(self, state: TrainerState, logs: dict[str, Any]) -> None:
        """Append one object, and print one line."""
        if not state.is_world_process_zero:
            return
        seconds = round(time.monotonic() - self.started, 2)
        row = {"phase": self.phase, "step": state.global_step, "seconds": seconds, **_finite(logs)}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        figures = [f"{name} {value:.3g}" for name, value in figures_of(row).items()]
        line = f"{self.phase} {state.global_step}/{state.max_steps}  {'  '.join(figures)}  {seconds:.0f} s"
        sys.stdout.write(line + "\n")

    def warn(self, state: TrainerState, words: str) -> None:
        """Append a warning, which whoever started the script passes on, and print it."""
        if not state.is_world_process_zero:
            return
        seconds = round(time.monotonic() - self.started, 2)
        row = {"phase": self.phase, "step": state.global_step, "seconds": seconds, WARNING: words}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        sys.stdout.write(f"warning at step {state.global_step}: {words}\n")


def _finite(logs: dict[str, Any]) -> dict[str, Any]:
    """Logged values that are numbers; a metric that was no number in this step is left out."""
    return {
        key: value
        for key, value in logs.items()
        if isinstance(value, str) or (isinstance(value, (int, float)) and math.isfinite(value))
    }
