"""What generation makes of a character's card, the same for every teacher.

Greetings open conversations, example messages show a teacher how the character speaks, the scene is no subject of questions,
and a sample's metadata keep what prompts in a chat program's layout are built from (raiden_core/prompts.py).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from raiden_core.cards.card import Card
from raiden_core.cards.lorebook import triggered
from raiden_core.cards.macros import USER_WORDS
from raiden_core.characters.character import Character
from raiden_core.characters.keys import is_meta_key
from raiden_core.characters.lines import units
from raiden_core.prompts import CARD, GREETING
from raiden_core.rewards import contains_term, fold
from raiden_core.samples import Turn

MAX_GREETING_UNITS = 400
"""A longer greeting would be most of the prompt and opens no conversation; a CJK character or another word is one unit."""
MAX_STYLE_UNITS = 600
"""So much of the example conversations is shown to a teacher, whole conversations at a time."""
TRIGGERS = "triggers"
"""Where a sample's metadata keep the keys of the lorebook entry that states the fact."""


def greetings_of(character: Character, identity: str, seed: int) -> Iterator[tuple[int, str] | None]:
    """Greetings for one conversation after another, without end: all of them in an order of the character's own, then
    again; None where the card has none."""
    said = () if character.card is None else character.card.greetings
    usable = [(number, text) for number, text in enumerate(said) if units(text) <= MAX_GREETING_UNITS]
    rng = random.Random(f"{seed}:greetings:{identity}")
    while usable:
        yield from rng.sample(usable, len(usable))
    while True:
        yield None


def opened(
    history: tuple[Turn, ...], greeting: tuple[int, str] | None, terms: Sequence[str]
) -> tuple[tuple[Turn, ...], int | None]:
    """A conversation behind a greeting, and the greeting's number; as it was where the greeting would give the terms away."""
    if greeting is None or any(contains_term(greeting[1], term) for term in terms):
        return history, None
    return (Turn(role="assistant", content=greeting[1]), *history), greeting[0]


def style_of(character: Character) -> str:
    """Example conversations for a teacher's prompt, a line a turn; "" where the card has none."""
    if character.card is None:
        return ""
    parts: list[str] = []
    left = MAX_STYLE_UNITS
    names = {"user": USER_WORDS.get(character.language, "User"), "assistant": character.name or ""}
    for turns in character.card.examples:
        text = "\n".join(f"{names[turn.role]}: {turn.content}" for turn in turns)
        left -= units(text)
        if left < 0:
            break
        parts.append(text)
    return "\n\n".join(parts)


def without_scene(profile: Mapping[str, str]) -> dict[str, str]:
    """The fields of a profile that are about the character: no scenario, no instructions."""
    return {key: value for key, value in profile.items() if not is_meta_key(key)}


def card_metadata(
    character: Character, question: str, history: Sequence[Turn], evidence: str, greeting: int | None
) -> dict[str, Any]:
    """What a sample's metadata say of the card: the parts that a prompt may hold, the fact's triggers, the greeting."""
    card = character.card
    if card is None:
        return {}
    found: dict[str, Any] = {}
    if parts := _for_prompts(card, question, history, greeting).as_json():
        found[CARD] = parts
    if keys := triggers_of(card, evidence):
        found[TRIGGERS] = list(keys)
    if greeting is not None:
        found[GREETING] = greeting
    return found


def triggers_of(card: Card, evidence: str) -> tuple[str, ...]:
    """The keys of the first lorebook entry that holds the evidence; none where the card says it elsewhere."""
    said = fold(evidence)
    for entry in card.lorebook.entries:
        if entry.enabled and said and said in fold(entry.content):
            return entry.keys
    return ()


def _for_prompts(card: Card, question: str, history: Sequence[Turn], greeting: int | None) -> Card:
    """The card with the entries that this conversation calls up, and without greetings, which stand in its history."""
    messages = [turn.content for turn in history] + [question]
    replies = sum(turn.role == "assistant" for turn in history)
    called = triggered(card.lorebook, messages, replies=replies, greeting=greeting)
    book = card.lorebook.model_copy(update={"entries": called})
    return card.model_copy(update={"greetings": (), "group_only_greetings": (), "lorebook": book})
