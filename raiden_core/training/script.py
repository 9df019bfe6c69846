"""What both training scripts end with: an error that the starter can read, a saved model, a summary.

A script that fails for a reason the user can act on leaves ``error.json`` in its output folder, so that the task
that started it says the same one line instead of quoting a traceback of a subprocess.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raiden_core.errors import ConfigError, DataError, RaidenError, StageError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase, Trainer

SUMMARY_FILE = "training.json"
ERROR_VARIABLE = "RAIDEN_ERROR_FILE"
"""Environment variable that names the file for the error, set by whoever starts the script."""
ERRORS: dict[str, type[RaidenError]] = {kind.__name__: kind for kind in (ConfigError, DataError, StageError)}


def run_script_main(main: Callable[[Sequence[str]], None], argv: Sequence[str]) -> int:
    """Run a script's main and turn a `RaidenError` into one line and its exit code."""
    try:
        main(argv)
    except RaidenError as error:
        sys.stderr.write(f"error: {error}\n")
        if name := os.environ.get(ERROR_VARIABLE):
            Path(name).write_text(json.dumps({"kind": type(error).__name__, "message": str(error)}), "utf-8")
        return error.exit_code
    return 0


def reported_error(path: Path) -> RaidenError | None:
    """The error that a script left, if it left one."""
    if not path.is_file():
        return None
    report = json.loads(path.read_text("utf-8"))
    return ERRORS.get(report["kind"], StageError)(report["message"])


def save_model(trainer: Trainer, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Save the trained model as one folder that loads without its base: adapters are merged, the template is in it."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    if hasattr(model, "merge_and_unload"):
        if trainer.is_world_process_zero():
            merged = model.merge_and_unload()
            merged.save_pretrained(folder)
    else:
        trainer.save_model(str(folder))
    if trainer.is_world_process_zero():
        tokenizer.save_pretrained(folder)
        (folder / "training_args.bin").unlink(missing_ok=True)  # a pickle, and of no use to whoever loads the model
    trainer.accelerator.wait_for_everyone()


def write_summary(trainer: Trainer, summary: dict[str, Any]) -> None:
    """Write ``training.json`` from the main process."""
    if trainer.is_world_process_zero():
        path = Path(trainer.args.output_dir) / SUMMARY_FILE
        summary = {**summary, "processes": trainer.accelerator.num_processes}
        path.write_text(json.dumps(summary, indent=2), "utf-8")
