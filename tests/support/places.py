"""Where each key of the configuration works, by the test that looks there.

A pattern stands for all keys of a section, so that a new key is looked for without anybody remembering it; one that no
pattern covers fails by name (tests/wiring/test_places.py).
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from tests.support.config_tree import keys, other_values

JOB_OF_COLD_START = "the cold start's script"
JOB_OF_GRPO = "the GRPO script"
LAUNCHER = "accelerate's command line"
WATCHED = "who watches the script's process"
REWARD = "the scorers"
REWARDS = "the list of rewards"
STUDENT = "the nano student, or the model's name"
CHARACTERS = "whom generation writes about"
OFFLINE = "the offline generator"
MINING = "the way to the teacher's models"
BUDGET = "what the teacher may cost"
SPLIT = "the split"
ANSWERERS = "who answers in an evaluation"
EVALUATION = "an evaluation"
JUDGE = "the judge"
PAGE = "the report's page"
FLOW = "flow and tasks"
EVERYWHERE = "several stages, each looked at by its own test"

PLACES: dict[str, str] = {
    "cold_start.launch.stall_seconds": WATCHED,
    "grpo.launch.stall_seconds": WATCHED,
    "cold_start.launch.*": LAUNCHER,
    "grpo.launch.*": LAUNCHER,
    "cold_start.enabled": FLOW,
    "cold_start.*": JOB_OF_COLD_START,
    "grpo.*": JOB_OF_GRPO,
    "accuracy.*": REWARD,
    "format.*": REWARD,
    "prefilled_think": REWARD,
    "rewards": REWARDS,
    "student.*": STUDENT,
    "characters.*": CHARACTERS,
    "generation.*": OFFLINE,
    "teacher.budget.*": BUDGET,
    "teacher.*": MINING,
    "split.*": SPLIT,
    "evaluation.judge.*": JUDGE,
    "evaluation.judge_*": JUDGE,
    "evaluation.drop_bad_gold": EVALUATION,
    "evaluation.samples": EVALUATION,
    "evaluation.layouts": EVALUATION,
    "evaluation.*": ANSWERERS,
    "report.*": PAGE,
    "name": PAGE,
    "storage.*": FLOW,
    "runner.*": FLOW,
    "limits.*": FLOW,
    "output_dir": FLOW,
    "seed": EVERYWHERE,
    "system_prompt": EVERYWHERE,
    "prompt.layout": EVERYWHERE,
}
"""Pattern -> place; the first that fits counts."""


def place_of(key: str) -> str | None:
    """Where a key works."""
    return next((place for pattern, place in PLACES.items() if fnmatchcase(key, pattern)), None)


def keys_at(place: str) -> list[str]:
    """All keys that work at a place."""
    return [key for key in keys() if place_of(key) == place]


def all_set(wanted: list[str], beside: dict[str, Any] | None = None) -> dict[str, Any]:
    """Values of as many keys as can be off their defaults at once."""
    values = dict(beside or {})
    for key in wanted:
        value = next(other_values(key, values), None)
        if value is not None:
            values[key] = value
    return values
