"""A profile without one of its facts, so that a question about it can no longer be answered.

Only what stands by itself can be cut: a field, or a line of a field's text. A sentence of a story cannot, since others may
refer to it; nor can a field of a card, which chat programs show from other parts of the card.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from raiden_core.characters.character import Character
from raiden_core.generation.teacher import Fact

_BULLETS = " \t　-*•·"


def without(character: Character, fact: Fact) -> dict[str, Any] | None:
    """The character's profile without a fact; None where the fact cannot be cut, or nothing would be left."""
    profile = character.profile
    if character.card is not None:
        return None
    if fact.key in profile and str(profile[fact.key]) == character.facts.get(fact.key):
        rest = {key: value for key, value in profile.items() if key != fact.key}
        return rest or None
    for name, text in profile.items():
        lines = str(text).splitlines()
        left = [line for line in lines if line.strip(_BULLETS) != fact.evidence]
        if left and len(left) == len(lines) - 1:
            return {**profile, name: "\n".join(left)}
    return None


def as_text(profile: Mapping[str, Any]) -> str:
    """A profile as one text to look for words in."""
    return "\n".join(f"{key}：{value}" for key, value in profile.items())
