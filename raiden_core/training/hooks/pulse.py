"""Life within a step: what a trainer is doing right now, for progress bars.

A step of a real model takes a minute on a CPU, and the trainer logs every tenth: for ten minutes nobody would know whether it
works. Every forward pass goes through the input embeddings, so a hook there sees them all: passes over one token are
rollouts, passes with gradients are training, others score. The newest words go to a small file, at most one write a
second.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from raiden_core.training.launch.metrics import PULSE_FILE

WRITE_SECONDS = 1.0


class Pulse(TrainerCallback):
    """Writes ``{"step", "total_steps", "doing"}`` of the main process."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / PULSE_FILE
        self.longest: int | None = None
        self.step = self.total = 0
        self.written = 0.0
        self.kind = ""
        self.passes = 0
        self.hook: Any = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Listen to the model."""
        if not state.is_world_process_zero:
            return
        self.longest = getattr(args, "max_completion_length", None)
        self._at(state)
        embeddings = kwargs["model"].get_input_embeddings()
        self.hook = embeddings.register_forward_pre_hook(lambda _, given: self.hear(given[0]))

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """The step counts at once, whatever the trainer logs."""
        if self.hook is not None:
            self._at(state)
            self.kind, self.passes = "", 0
            self.write("")

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Stop listening; the model is saved without the hook."""
        if self.hook is not None:
            self.hook.remove()
            self.hook = None
            self.path.unlink(missing_ok=True)

    def hear(self, ids: torch.Tensor) -> None:
        """A forward pass over tokens (batch, length) begins."""
        if ids.shape[-1] == 1:
            kind, of = "rollouts, token", f" of {self.longest}" if self.longest else ""
        else:
            kind, of = ("training, pass" if torch.is_grad_enabled() else "reading, pass"), ""
        self.passes = self.passes + 1 if kind == self.kind else 1
        self.kind = kind
        if time.monotonic() - self.written >= WRITE_SECONDS:
            self.write(f"{kind} {self.passes}{of}")

    def write(self, doing: str) -> None:
        """Replace the file, so that whoever reads it finds it whole."""
        self.written = time.monotonic()
        unfinished = self.path.with_suffix(".new")
        unfinished.write_text(json.dumps({"step": self.step, "total_steps": self.total, "doing": doing}), "utf-8")
        unfinished.rename(self.path)

    def _at(self, state: TrainerState) -> None:
        self.step, self.total = state.global_step, state.max_steps
