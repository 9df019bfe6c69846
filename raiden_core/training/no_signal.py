"""Stop a GRPO run that has nothing to learn from: all completions of every group earn the same reward."""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments


class NoSignal(TrainerCallback):
    """Stops after ``patience`` logged steps in a row with ``frac_reward_zero_std`` 1."""

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self.silent_logs = 0
        self.stopped = False

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Count logs without a signal."""
        share = (logs or {}).get("frac_reward_zero_std")
        if share is None:
            return
        self.silent_logs = self.silent_logs + 1 if share >= 1.0 else 0
        if self.silent_logs >= self.patience:
            self.stopped = True
            control.should_training_stop = True
