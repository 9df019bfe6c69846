"""What both training scripts begin and end with: an error that the starter can read, a summary that says it is done.

A script that fails for a reason the user can act on leaves an error file, so that the task that started it says the
same one line instead of quoting a traceback of a subprocess.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raiden_core.errors import ConfigError, DataError, RaidenError, StageError
from raiden_core.processes.threads import share_cores
from raiden_core.stages.layout import MODEL, SUMMARY_FILE
from raiden_core.training.launch.out_of_memory import OutOfMemory, explain
from raiden_core.training.launch.stall import answer_with_stacks

if TYPE_CHECKING:
    from transformers import Trainer

ERROR_VARIABLE = "RAIDEN_ERROR_FILE"
"""Environment variable that names the file for the error, set by whoever starts the script."""
ERRORS: dict[str, type[RaidenError]] = {
    kind.__name__: kind for kind in (ConfigError, DataError, StageError, OutOfMemory)
}


@contextmanager
def as_script() -> Iterator[None]:
    """Around a script's main: a `RaidenError`, or memory that ran out, becomes one line and the exit code.

    A process that stalls can be asked for its stacks (`raiden_core.training.launch.stall`).

    Raises:
        SystemExit: the script failed for a reason that its user can act on.
    """
    share_cores()
    answer_with_stacks()
    try:
        yield
    except RaidenError as error:
        raise SystemExit(_report(error)) from error
    except (RuntimeError, MemoryError) as error:
        reason = explain(error)
        if reason is None:
            raise
        raise SystemExit(_report(reason)) from error


def _report(error: RaidenError) -> int:
    sys.stderr.write(f"error: {error}\n")
    if name := os.environ.get(ERROR_VARIABLE):
        whole = Path(f"{name}.{os.getpid()}")  # several ranks may fail at once
        whole.write_text(json.dumps({"kind": type(error).__name__, "message": str(error)}), "utf-8")
        whole.rename(name)
    return error.exit_code


def reported_error(path: Path) -> RaidenError | None:
    """The error that a script left, if it left one."""
    if not path.is_file():
        return None
    report = json.loads(path.read_text("utf-8"))
    return ERRORS.get(report["kind"], StageError)(report["message"])


def finished_before(out: Path) -> bool:
    """Whether an earlier run into this folder came to its end; it is said, and nothing else is to be done."""
    if not (out / SUMMARY_FILE).is_file() or not (out / MODEL / "config.json").is_file():
        return False
    steps = json.loads((out / SUMMARY_FILE).read_text("utf-8")).get("steps")
    sys.stdout.write(f"{out}: finished before, at step {steps}; nothing to do (another output_dir trains anew)\n")
    return True


def write_summary(trainer: Trainer, summary: dict[str, Any]) -> None:
    """Write ``training.json`` from the main process, whole or not at all: it is what says that the run is finished."""
    if trainer.is_world_process_zero():
        path = Path(str(trainer.args.output_dir)) / SUMMARY_FILE
        summary = {**summary, "processes": trainer.accelerator.num_processes}
        unfinished = path.with_suffix(".new")
        unfinished.write_text(json.dumps(summary, indent=2), "utf-8")
        unfinished.rename(path)
        question, answer = (" ".join(str(text).split()) for text in summary["asked"])
        best = summary.get("best_step")
        weights = "" if best in (None, summary["steps"]) else f" with the weights of step {best}, the best one"
        # A stage's folder has another name when it is finished.
        place = MODEL if ERROR_VARIABLE in os.environ else path.parent / MODEL
        sys.stdout.write(f"finished at step {summary['steps']}{weights}: {place}, read back; asked: {question}\n")
        sys.stdout.write(f"it answers: {answer}\n")
