"""System turns in the layout of the common chat programs: which part of a card stands where.

- ``sillytavern``: its default story string: system prompt, lorebook (before), description, personality, scenario, lorebook
  (after), example messages behind ``***``, post-history instructions.
- ``risu``: its default order: main prompt; description with personality and scenario in its own words; example messages;
  lorebook; post-history instructions (Risu's global note).

Those programs send the last parts behind the conversation; here all of them stand in the system turn, because a prompt ends
with the question and many chat templates allow no later system turn. Entries with ``@@depth`` stand last for the same
reason. Where a character has no card, its profile is the description.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from raiden_core.cards.card import Card, Entry
from raiden_core.cards.macros import USER_WORDS, fill_original

ProgramLayout = Literal["sillytavern", "risu"]
DEPTH = ("depth", "reverse_depth")
MIN_TELLING = 12
"""A value of so many letters is recognised wherever it stands."""


@dataclass(frozen=True)
class Material:
    """What a system turn is made of."""

    name: str
    language: str
    instructions: str
    """Those of raiden or of the user, which a card's system prompt may replace."""
    card: Card
    entries: tuple[Entry, ...]
    """What the conversation calls up, in order."""
    profile: Mapping[str, str]
    """Field -> value: whatever the card's parts do not show is added as a line."""
    colon: str
    """What stands between field and value in such a line."""


def arranged(layout: ProgramLayout, material: Material) -> str:
    """The system turn without the output format."""
    return {"sillytavern": _sillytavern, "risu": _risu}[layout](material)


def _sillytavern(material: Material) -> str:
    card, places = material.card, _places(material.entries)
    parts = [
        _system(material),
        *places["before"],
        card.description,
        *_labelled(f"{material.name}'s personality: ", card.personality, places["personality"]),
        *_labelled("Scenario: ", card.scenario, places["scenario"]),
        *places["after"],
        *_examples(material, "***"),
        *places["depth"],
        fill_original(card.post_history_instructions, "").strip(),
    ]
    return _whole(parts, 2 + len(places["before"]), material, "\n")


def _risu(material: Material) -> str:
    card, places = material.card, _places(material.entries)
    parts = [
        _system(material),
        card.description,
        *_labelled(f"Description of {material.name}: ", card.personality, places["personality"]),
        *_labelled("Circumstances and context of the dialogue: ", card.scenario, places["scenario"]),
        *_examples(material, "[Start a new chat]"),
        *places["before"],
        *places["after"],
        *places["depth"],
        fill_original(card.post_history_instructions, "").strip(),
    ]
    return _whole(parts, 2, material, "\n\n")


def _system(material: Material) -> str:
    own = material.card.system_prompt
    return fill_original(own, material.instructions) if own else material.instructions


def _places(entries: tuple[Entry, ...]) -> dict[str, list[str]]:
    """The texts of entries by place."""
    found: dict[str, list[str]] = {place: [] for place in ("before", "after", "personality", "scenario", "depth")}
    for entry in entries:
        wanted = entry.decorator("position")
        if wanted in ("personality", "scenario"):
            found[wanted].append(entry.content)
        elif wanted is not None:
            found["after" if wanted == "after_desc" else "before"].append(entry.content)
        elif any(entry.decorator(name) is not None for name in DEPTH):
            found["depth"].append(entry.content)
        else:
            found["after" if entry.position == "after_char" else "before"].append(entry.content)
    return found


def _labelled(label: str, text: str, more: list[str]) -> list[str]:
    """A part under its label, with the entries that belong to it; without the part they have no place."""
    return ["\n".join([label + text, *more])] if text else []


def _examples(material: Material, mark: str) -> list[str]:
    names = {"user": USER_WORDS.get(material.language, "User"), "assistant": material.name}
    return [
        "\n".join([mark, *(f"{names.get(turn.role, turn.role)}: {turn.content}" for turn in turns)])
        for turns in material.card.examples
    ]


def _whole(parts: list[str], place: int, material: Material, gap: str) -> str:
    """The parts with every field of the profile that they do not show, before the part at ``place``."""
    card = material.card
    shown = {card.description, card.personality, card.scenario}
    letters = _letters(gap.join(parts))
    missing = [
        f"{key}{material.colon}{value}"
        for key, value in material.profile.items()
        if value not in shown and not _stands_in(letters, key, value)
    ]
    head, tail = parts[:place], parts[place:]
    return gap.join(part for part in (*head, "\n".join(missing), *tail) if part)


def _stands_in(letters: str, key: str, value: str) -> bool:
    """Whether a text shows a field: under its name, or by a value so long that it can be nothing else."""
    said = _letters(value)
    return _letters(key) + said in letters or (len(said) >= MIN_TELLING and said in letters)


def _letters(text: str) -> str:
    """A text without marks and blanks, which cards and profiles set differently."""
    return "".join(filter(str.isalnum, text.casefold()))
