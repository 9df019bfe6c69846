"""`Character`: what every reader of character files yields and every later stage works on."""

from __future__ import annotations

from dataclasses import dataclass, field

from raiden_core.cards.card import Card


@dataclass(frozen=True)
class Character:
    """One character, as its author wrote it and as prompts show it."""

    name: str | None
    """As written; None where the source has none."""
    language: str
    """ISO 639-1 code; raiden generates for zh, en, ja and ko."""
    profile: dict[str, str]
    """Ordered fields, placeholders resolved: what prompts show. ``{Name, Description}`` where no fields were found."""
    facts: dict[str, str]
    """The facts about the character itself, in order, the name left out; empty where the text is prose only."""
    text: str
    """The profile's text, verbatim."""
    source: str
    """The file it came from, or the name of a built-in collection."""
    row: int | None = None
    """Its row in that file, from 1; None where a file holds one character."""
    others: dict[str, str] = field(default_factory=dict)
    """What the profile says of somebody else, by path (``father: occupation``): never the character's own."""
    card: Card | None = None
    """What it says beside its profile: greetings, example conversations, scene, instructions, lorebook; None for no card."""


@dataclass(frozen=True)
class Refusal:
    """Something that could not be read, and why."""

    source: str
    row: int | None
    reason: str

    def __str__(self) -> str:
        place = self.source if self.row is None else f"{self.source}: row {self.row}"
        return f"{place}: {self.reason}"
