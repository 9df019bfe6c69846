"""Where each built-in reward stands. What it gives is said in raiden_core/config/sections/reward.py."""

from __future__ import annotations

from raiden_core.config.sections.reward import JUDGE

FUNCTIONS = {
    "accuracy": "raiden_core.rewards.accuracy_reward",
    "format": "raiden_core.rewards.format_reward",
    "one_voice": "raiden_core.rewards.gates.one_voice",
    "in_role": "raiden_core.rewards.gates.in_role",
    "own_language": "raiden_core.rewards.gates.own_language",
    "no_stuffing": "raiden_core.rewards.gates.no_stuffing",
    "hint": "raiden_core.rewards.hint.hint_reward",
    "length": "raiden_core.rewards.extras.length_penalty",
    "repetition": "raiden_core.rewards.extras.repetition_penalty",
    "language": "raiden_core.rewards.extras.language_consistency",
    "by_character": "raiden_core.rewards.normalisation.accuracy_by_character",
    JUDGE: "raiden_core.rewards.judged.reward.JudgeReward",
}
"""Built-in name -> dotted path."""
LOGGED = {"accuracy": "accuracy_reward", "format": "format_reward"}
"""Names under which trainers log a reward where that is not its own."""
VRAR = ("accuracy", "format")
"""The two that a `Scorer` computes. Their code is part of every stage that scores."""
