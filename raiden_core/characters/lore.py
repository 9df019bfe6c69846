"""What a lorebook says about the character: shown in the profile, and its fields are facts.

A lorebook speaks of a whole world. An entry is about the character where its name or one of its keys is the character's, or
where its text begins with it; what any other entry states as fields is somebody else's or something else's, under the entry's
title (``Old Mill: built``). Entries that mention the character by name are shown in the profile, the others are not: chat
programs insert them when they are called up, and so do the layouts of prompts that follow those programs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from raiden_core.cards.card import Card, Entry
from raiden_core.characters.facts import facts_of_fields, facts_of_text
from raiden_core.characters.fields import split_fields
from raiden_core.characters.keys import fold_key, is_meta_key
from raiden_core.characters.lines import CJK, Field
from raiden_core.characters.markup import plain_markup
from raiden_core.characters.owners import PATH, about, is_other

LOREBOOK = "Lorebook"
"""The profile's name for an entry without a title."""
HANGUL = re.compile("[\uac00-\ud7a3]")
MIN_NAME_PART = 3
"""A part of a Latin name that stands for the whole has at least so many letters."""


@dataclass(frozen=True)
class Lore:
    """What the entries of a lorebook add to a character."""

    shown: tuple[Field, ...]
    """Fields of the profile: an entry's title and text each."""
    facts: dict[str, str]
    """The character's own."""
    others: dict[str, str]
    """Of somebody or something else, by path."""


def lore_of(card: Card, names: tuple[str, ...]) -> Lore:
    """What a card's lorebook says about a character of these names."""
    shown: list[Field] = []
    facts: dict[str, str] = {}
    others: dict[str, str] = {}
    spoken = _names(names)
    for entry in card.lorebook.entries:
        if not entry.enabled:
            continue
        text = plain_markup(entry.content).strip()
        own = _is_about(entry, text, spoken)
        title = entry.title.strip()
        if own or _says(text, spoken):
            label = LOREBOOK if not title or is_meta_key(title) or ":" in title or "：" in title else title
            shown.append(Field(label, text))
        for key, value in _facts(text).items():
            if own and about(key) is None and not is_other(title):
                facts.setdefault(key, value)
            elif about(key) is not None:
                others.setdefault(key, value)
            elif title:
                others.setdefault(title + PATH + key, value)
    return Lore(tuple(shown), facts, others)


def _facts(text: str) -> dict[str, str]:
    """The fields of an entry; a single one counts where nothing else stands there."""
    parts = split_fields(text)
    return facts_of_text(text) if parts.lead or parts.plain_lines else facts_of_fields(parts.fields)


def _is_about(entry: Entry, text: str, spoken: tuple[str, ...]) -> bool:
    titles = {title.strip().casefold() for title in (entry.name, *entry.keys)}
    return any(name in titles for name in spoken) or _says(text[: max(map(len, spoken), default=0) + 1], spoken, True)


def _says(text: str, spoken: tuple[str, ...], at_start: bool = False) -> bool:
    """Whether a text says one of the names, at its start only where that is wanted; Latin names as whole words."""
    folded = text.casefold()
    for name in spoken:
        place = folded.find(name)
        while place >= 0 and not (at_start and place):
            end = place + len(name)
            inside_word = (place and folded[place - 1].isalnum()) or folded[end : end + 1].isalnum()
            if not inside_word or CJK.search(name) or HANGUL.search(name):
                return True
            place = folded.find(name, end)
    return False


def _names(names: tuple[str, ...]) -> tuple[str, ...]:
    """What the character is called, folded: its names, and the parts of Latin ones."""
    return tuple(dict.fromkeys(part.casefold() for name in names for part in _parts(name) if fold_key(part)))


def _parts(name: str) -> Iterator[str]:
    yield name
    if not (CJK.search(name) or HANGUL.search(name)):
        yield from (word for word in re.split(r"[\s·,]+", name) if len(word) >= MIN_NAME_PART and word[0].isupper())
