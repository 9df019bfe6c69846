"""TRL's trainers, mended where they do not go on: from a checkpoint as if nothing had happened, and at all.

- transformers takes one more step when it resumes at the last one.
- TRL's GRPO sampler draws the order of each epoch from a generator of its own, which is in no checkpoint: a run
  resumed in its third epoch would see the first epoch's order again, and so repeat some prompts and leave out others.
  The orders of the epochs that are done are therefore drawn once more.
- Under accelerate's FSDP2 each rank stops sampling when its own completions have ended, and the others wait for its
  share of the weights without end. transformers keeps ranks in step when a model says that it is sharded; accelerate
  does not mark it, so it is done here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel, Trainer
from transformers.trainer import TRAINER_STATE_NAME
from trl import SFTTrainer

from raiden_core.training.shared_prefix import SharedPrefix


class _Resumable(Trainer):
    def prepared(self, checkpoint: Path | None) -> str | None:
        """What ``train(resume_from_checkpoint=…)`` wants to go on from a checkpoint, or to start where there is none."""
        return str(checkpoint) if checkpoint else None

    def _run_epoch(self, *arguments: Any, **named: Any) -> None:
        if self.state.global_step >= self.state.max_steps:
            self.control.should_training_stop = True
            return
        super()._run_epoch(*arguments, **named)


class ResumableSFTTrainer(_Resumable, SFTTrainer):
    """An SFTTrainer that stops where it is told to, wherever it starts."""


class ResumableGRPOTrainer(_Resumable, SharedPrefix):
    """A GRPOTrainer that shares prompts, and knows how many epochs its checkpoint has seen."""

    epochs_done = 0

    def prepared(self, checkpoint: Path | None) -> str | None:
        """The same; the trainer then knows how many epochs are done, and a sharded model that it is one."""
        if checkpoint is not None:
            state = json.loads((checkpoint / TRAINER_STATE_NAME).read_text("utf-8"))
            self.epochs_done = int(state["epoch"])  # a whole number where an epoch ended with this very step
        if self.is_fsdp_enabled:
            for module in self.model.modules():
                if isinstance(module, PreTrainedModel):
                    module._is_fsdp_managed_module = True
        return super().prepared(checkpoint)

    def _get_train_sampler(self, dataset: Any = None) -> Any:
        sampler = super()._get_train_sampler(dataset)
        if getattr(sampler, "shuffle", False):
            for _ in range(self.epochs_done):
                torch.randperm(sampler.num_samples, generator=sampler.generator)
        return sampler
