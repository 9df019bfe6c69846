"""Stop a GRPO run that has nothing to learn from: all completions of every group earn the same reward."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments


class NoSignal(TrainerCallback):
    """Stops after ``patience`` logged steps in a row with ``frac_reward_zero_std`` 1."""

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self.silent_logs = 0
        self.stopped = False

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Take in what was logged before the checkpoint that a run goes on from."""
        for logs in state.log_history:
            self._count(logs)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Count logs without a signal."""
        self._count(logs or {})
        if self.silent_logs >= self.patience:
            self.stopped = True
            control.should_training_stop = True

    def _count(self, logs: Mapping[str, Any]) -> None:
        share = logs.get("frac_reward_zero_std")
        if share is not None:
            self.silent_logs = self.silent_logs + 1 if share >= 1.0 else 0
