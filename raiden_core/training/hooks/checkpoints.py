"""Which checkpoint a run goes on from: the newest whole one that this job wrote.

transformers writes a checkpoint file by file under its final name, so a run that is killed in between leaves a folder
that looks like a checkpoint and is none. `WholeCheckpoints` is told when every file is there; it flushes them to disk
and then writes a mark with all sizes, in one rename. `last_whole_checkpoint` believes only marked folders whose files
have those sizes. The mark also names what the job depends on, so that no run goes on from another job's weights.
"""

from __future__ import annotations

import json
import logging
import math
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accelerate import PartialState
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from raiden_core.errors import ConfigError
from raiden_core.stages.digests import digest_file

if TYPE_CHECKING:
    from trl import ModelConfig

MARK = "whole.json"
NAME = re.compile(r"checkpoint-(\d+)")
LEAST_KEPT = 2
"""Fewer checkpoints than this would leave none while the next one is being written."""

logger = logging.getLogger(__name__)


class WholeCheckpoints(TrainerCallback):
    """Marks a checkpoint as whole. It must stand last among the callbacks: others may add files to a checkpoint."""

    def __init__(self, identity: Mapping[str, Any]) -> None:
        self.identity = dict(identity)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Flush what every process wrote, then mark it."""
        PartialState().wait_for_everyone()
        if state.is_world_process_zero:
            mark_whole(Path(str(args.output_dir)) / f"checkpoint-{state.global_step}", self.identity)


def job_identity(data: Path, model: str, training: TrainingArguments, adapter: ModelConfig) -> dict[str, Any]:
    """What must not change between a checkpoint and the run that goes on from it; the micro-batch may."""
    processes = training.world_size
    sequences = training.per_device_train_batch_size * training.gradient_accumulation_steps * processes
    return {
        "model": model,
        "training data": digest_file(data),
        "seed": training.seed,
        "processes": processes,
        "sequences a step": sequences,
        "num_generations": getattr(training, "num_generations", None),
        "learning_rate": training.learning_rate,
        "num_train_epochs": training.num_train_epochs,
        "max_steps": training.max_steps,
        "lora_r": adapter.lora_r if adapter.use_peft else None,
    }


def mark_whole(folder: Path, identity: Mapping[str, Any]) -> None:
    """Write the mark of a finished checkpoint; before it is there, all other files are on the disk."""
    sizes = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != MARK:
            with path.open("rb") as file:
                os.fsync(file.fileno())
            sizes[str(path.relative_to(folder))] = path.stat().st_size
    unfinished = folder / f"{MARK}.new"
    with unfinished.open("w", encoding="utf-8") as file:
        json.dump({"sizes": sizes, "job": dict(identity)}, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(folder / MARK)


def last_whole_checkpoint(out: Path, identity: Mapping[str, Any]) -> Path | None:
    """The checkpoint to go on from, or None for a start from nothing; torn ones are deleted, with a word in the log.

    Every process calls this: the first one tidies up, the others look afterwards.

    Raises:
        ConfigError: the newest whole checkpoint is another job's.
    """
    with PartialState().main_process_first():
        newest = None
        for step, folder in sorted(_checkpoints(out), reverse=True):
            problem = torn(folder)
            if problem is None:
                newest = newest or folder
            elif PartialState().is_main_process:
                logger.warning("checkpoint-%d is not whole (%s): deleted", step, problem)
                shutil.rmtree(folder)
    if newest is None:
        return None
    written = json.loads((newest / MARK).read_text("utf-8"))["job"]
    for name, value in identity.items():
        if written.get(name) != value:
            raise ConfigError(
                f"{newest}: was written by a job with {name} {written.get(name)!r}, this one has {value!r}; "
                "use another output_dir, or delete the checkpoints to start anew"
            )
    return newest


def torn(folder: Path) -> str | None:
    """What is missing from a checkpoint; None when it is whole."""
    mark = folder / MARK
    if not mark.is_file():
        return "its writing was not finished"
    sizes: dict[str, int] = json.loads(mark.read_text("utf-8"))["sizes"]
    for name, size in sizes.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != size:
            return f"{name} is missing or cut"
    return None


def settle_checkpoints(training: TrainingArguments, forward_passes_a_generation: int = 1) -> None:
    """Set how often checkpoints are written, and how many stay, so that a run can go on from each without a trace."""
    # The best one counts among those kept, but a run goes on from the newest.
    least = LEAST_KEPT + (1 if training.load_best_model_at_end else 0)
    training.save_total_limit = max(least, training.save_total_limit or least)
    if training.save_steps < 1:
        return  # a share of the whole run, which is not known yet
    training.save_steps = aligned_save_steps(
        int(training.save_steps),
        accumulation=training.gradient_accumulation_steps,
        forward_passes_a_generation=forward_passes_a_generation,
        logging_steps=int(training.logging_steps) if training.logging_steps >= 1 else 1,
        eval_steps=int(training.eval_steps or 1) if training.load_best_model_at_end else 1,
    )


def aligned_save_steps(
    wanted: int, *, accumulation: int, forward_passes_a_generation: int, logging_steps: int, eval_steps: int = 1
) -> int:
    """The number of optimizer steps between checkpoints, at least ``wanted``, at which a run can be cut without a trace.

    TRL buffers completions over ``forward_passes_a_generation`` and averages metrics over ``logging_steps``; neither
    buffer is part of a checkpoint. Logging that is rarer than the checkpoints are is left as it is: it costs a figure
    in the log, not a different model. ``eval_steps`` must divide the result where the best checkpoint is kept.
    """
    period = math.lcm(accumulation, forward_passes_a_generation) // accumulation
    period = math.lcm(period, eval_steps)
    quiet = math.lcm(period, logging_steps)
    if quiet <= wanted:
        period = quiet
    return math.ceil(wanted / period) * period


def _checkpoints(out: Path) -> list[tuple[int, Path]]:
    if not out.is_dir():
        return []
    found = [(NAME.fullmatch(path.name), path) for path in out.iterdir() if path.is_dir()]
    return [(int(match.group(1)), path) for match, path in found if match]
