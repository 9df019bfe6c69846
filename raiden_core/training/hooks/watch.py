"""Warnings while a run can still be changed: groups that are all equal, KL running away, answers cut, overfitting.

`Alarms` is a pure state machine: it is fed what the trainer logs and says what is worth a warning. Each alarm sounds
once, and again only after what it is about has gone in the meantime. `Watch` hangs it onto a trainer; its memory after
a resume is the trainer's own history of logs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from raiden_core.training.hooks.metrics_log import MetricsLog
from raiden_core.training.launch.metrics import VALIDATION_ACCURACY

LOGS_IN_A_ROW = 3
"""Logs in a row before an alarm sounds: one odd batch is none."""
KL_LIMIT = 1.0
"""Nats a token; a policy so far from its start has usually lost its language."""
CUT_LIMIT = 0.5
"""Share of completions that reach max_completion_length."""
FALLS = 2
"""Evaluations in a row that fall while the reward rises."""

EQUAL, KL, CUT = "frac_reward_zero_std", "kl", "completions/clipped_ratio"
REWARD = "reward"


class Alarms:
    """What a run's logs give reason to say."""

    def __init__(self) -> None:
        self._in_a_row = dict.fromkeys((EQUAL, KL, CUT), 0)
        self._rewards: list[float] = []
        self._last: tuple[float, float] | None = None
        self._falls = 0

    def hear(self, logs: Mapping[str, Any]) -> list[str]:
        """Take in one log of the trainer; the warnings that it gives reason for."""
        limits = {
            EQUAL: (1.0, "in every group all completions earned the same reward: nothing is learned from such steps"),
            KL: (KL_LIMIT, "KL is running away: lower learning_rate or raise beta"),
            CUT: (CUT_LIMIT, "most completions are cut at max_completion_length: raise it, they earn no reward"),
        }
        said = []
        for name, (limit, words) in limits.items():
            value = logs.get(name)
            if not isinstance(value, (int, float)):
                continue
            self._in_a_row[name] = self._in_a_row[name] + 1 if value >= limit else 0
            if self._in_a_row[name] == LOGS_IN_A_ROW:
                said.append(f"{words} ({name} {value:.2f} in {LOGS_IN_A_ROW} logs in a row)")
        if isinstance(reward := logs.get(REWARD), (int, float)):
            self._rewards.append(reward)
        if isinstance(accuracy := logs.get(VALIDATION_ACCURACY), (int, float)) and self._rewards:
            said += self._compare(sum(self._rewards) / len(self._rewards), accuracy)
            self._rewards.clear()
        return said

    def _compare(self, reward: float, accuracy: float) -> list[str]:
        before, self._last = self._last, (reward, accuracy)
        if before is None:
            return []
        self._falls = self._falls + 1 if reward > before[0] and accuracy < before[1] else 0
        if self._falls != FALLS:
            return []
        return [
            f"reward rises ({before[0]:.2f} to {reward:.2f}) while validation falls ({before[1]:.2f} to {accuracy:.2f}): "
            "the run learns its training questions by heart, or games the reward"
        ]


class Watch(TrainerCallback):
    """Passes the alarms of a run on to its metrics and its log."""

    def __init__(self, log: MetricsLog) -> None:
        self.alarms = Alarms()
        self.log = log

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Take in what was logged before the checkpoint; its warnings were said then."""
        for logs in state.log_history:
            self.alarms.hear(logs)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Say what this log gives reason for."""
        for words in self.alarms.hear(logs or {}):
            self.log.warn(state, words)
