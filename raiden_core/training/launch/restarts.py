"""Run a training script to its end, with a smaller micro-batch whenever memory runs out.

Every change is remembered in ``out_of_memory.json`` beside the checkpoints, so that a run that is killed later does
not find out again what does not fit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raiden_core.config.sections.training import LaunchConfig
from raiden_core.errors import StageError
from raiden_core.stages.layout import METRICS_FILE
from raiden_core.stages.progress import Progress
from raiden_core.training.launch.accelerate import Say, run_script
from raiden_core.training.launch.metrics import read_metrics
from raiden_core.training.launch.out_of_memory import OutOfMemory, smaller_job

MEMORY_FILE = "out_of_memory.json"


@dataclass(frozen=True)
class Runner:
    """Where and how a stage's script runs."""

    module: str
    launch: LaunchConfig
    out: Path
    progress: Progress
    say: Say

    def run(self, job: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Run the script until it ends well, or fails for another reason than memory.

        Returns:
            A record for each time that memory ran out: the step, the words of the error, and what was changed.

        Raises:
            StageError: there is not even room for one sequence at a time.
        """
        memory = self.out / MEMORY_FILE
        record: list[dict[str, Any]] = json.loads(memory.read_text("utf-8")) if memory.is_file() else []
        current = dict(job)
        for earlier in record:
            current |= earlier["changed"]
        while True:  # ends: each turn makes the micro-batch smaller
            try:
                run_script(self.module, current, self.launch, self.out, self.progress, self.say)
            except OutOfMemory as error:
                less = smaller_job(current)
                if less is None:
                    raise StageError(
                        f"{error}: memory does not suffice for a single sequence; shorten max_completion_length or "
                        "max_length, set lora_r, gradient_checkpointing: true, or shard the model (launch.accelerate)"
                    ) from None
                rows = read_metrics(self.out / METRICS_FILE)
                step = int(rows[-1].get("step", 0)) if rows else 0
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
