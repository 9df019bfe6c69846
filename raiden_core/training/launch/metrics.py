"""The file in which a trainer tells what it does: read by progress bars, by the report, by resumed runs.

The first object of ``metrics.jsonl`` is ``{"phase", "total_steps"}``; every other one is what the trainer logged, with
``phase``, ``step`` and ``seconds``, or a warning. raiden_core/training/hooks/metrics_log.py writes it; this module imports
nothing heavy.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PULSE_FILE = "pulse.json"
"""What the trainer is doing right now; raiden_core/training/hooks/pulse.py writes it."""
WARNING = "warning"
"""Key of a row that holds a warning for people instead of figures."""

VALIDATION_ACCURACY = "eval_rewards/accuracy_reward/mean"

SHOWN = {
    "loss": "loss",
    "reward": "reward",
    "rewards/accuracy_reward/mean": "accuracy",
    "rewards/format_reward/mean": "format",
    "kl": "kl",
    "completions/mean_length": "length",
    "probe_accuracy": "probe",
    VALIDATION_ACCURACY: "validation accuracy",
}
"""Metrics of the line for people, and what they are called there; further rewards follow under their names."""

_REWARD = re.compile(r"rewards/(?P<name>.+)/mean")
SUMMED = "total"
"""The reward that is the others' gated sum: it is the reward itself."""


def reward_names(row: Mapping[str, Any]) -> dict[str, str]:
    """The logged rewards of a list beside accuracy and format: key -> name; gates are among them."""
    found = {key: match["name"] for key in row if (match := _REWARD.fullmatch(key)) and key not in SHOWN}
    return {key: name for key, name in found.items() if name != SUMMED}


def figures_of(row: Mapping[str, Any]) -> dict[str, float]:
    """What a log says to people: name -> value, the rewards together."""
    names = {**{key: SHOWN[key] for key in _FIRST}, **reward_names(row), **SHOWN}
    return {name: row[key] for key, name in names.items() if isinstance(row.get(key), (int, float))}


_FIRST = ("loss", "reward", "rewards/accuracy_reward/mean", "rewards/format_reward/mean")


def read_pulse(path: Path) -> tuple[int, int, str] | None:
    """Step, steps in all and what the trainer is doing; None where it has not begun."""
    if not path.is_file():
        return None
    pulse = json.loads(path.read_text("utf-8"))
    return int(pulse["step"]), int(pulse["total_steps"]), str(pulse["doing"])


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """All whole lines of a metrics file; a last line that is still being written is left out."""
    if not path.is_file():
        return []
    lines = path.read_text("utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1] if line]
