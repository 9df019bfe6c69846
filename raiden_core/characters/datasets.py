"""Rows of role-play data sets that hold the profiles of several characters, or hold one beside everything else.

CoSER has ``character_profiles`` (name to text) in every conversation, CoSER's books and HER have ``character_datasets`` (name
to an object with a profile), SocialBench ``meta.profile``; a list of key characters stands in novels' extractions. Rows for
fine-tuning hold a profile under ``===Name's Profile===`` in their first turn. PIPPA, CharacterGLM, CharacterBench and
OpenCharacter keep one character in fields of their own names, which keys.py knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from raiden_core.characters.keys import DESCRIPTION_KEYS, NAME_KEYS, fold_key, folded
from raiden_core.characters.rows import Row, Value

_PROFILE_MAPS = folded(
    "characterprofiles|characterprofile|profiles|roleprofiles|charactersprofiles|profile|personas|characterdict|characterdatasets"
)
_CAST = folded("keycharacters|maincharacters|maincharacter|cast|characterlist|charactersinfo")
_OF_A_BOOK = folded("conversation|conversations|chapter|prominence|plot|plots")
"""Fields of a row that is about a piece of a book: its other texts describe no character."""
_TURNS = folded("messages|conversations|conversation")
_BLOCK = re.compile(
    r"={2,5}[ \t]*(?P<name>[^=\n]{1,60}?)(?:'s|’s)[ \t]+Profile[ \t]*={2,5}[ \t]*\n"
    r"(?P<text>.*?)(?=\n={2,5}[^=\n]|\Z)",
    re.DOTALL,
)
_ENVELOPES = folded("meta|metadata|data|extra|info")
_NOBODY = frozenset(("environment", "narrator", "user", "旁白", "环境", "用户", "ナレーター", "내레이터"))


def characters_of(row: Row) -> Iterator[Row]:
    """The characters of a row: as many rows as it has profiles by name; the row itself where it has none."""
    value = row.value
    if isinstance(value, dict) and not row.is_card:
        keys = _keys_of(tuple(value))
        if keys is not None and (found := list(_found(value, keys))):
            for name, profile in found:
                yield Row(row.number, profile, name)
            return
    yield row


class _Keys(NamedTuple):
    """Keys of a row under which it may hold characters."""

    maps: tuple[str, ...]
    casts: tuple[str, ...]
    envelopes: tuple[str, ...]
    turns: tuple[str, ...]


@lru_cache(maxsize=256)
def _keys_of(keys: tuple[str, ...]) -> _Keys | None:
    """The telling keys of a row, None where it has none; rows of one file have the same, hence the cache."""
    names = {key: fold_key(key) for key in keys}
    folded = frozenset(names.values())
    described = folded & (NAME_KEYS | DESCRIPTION_KEYS) and not folded & _OF_A_BOOK
    found = _Keys(
        maps=tuple(key for key in keys if names[key] in _PROFILE_MAPS),
        casts=() if described else tuple(key for key in keys if names[key] in _CAST),
        envelopes=tuple(key for key in keys if names[key] in _ENVELOPES),
        turns=tuple(key for key in keys if names[key] in _TURNS),
    )
    return found if any(found) else None


def _found(record: Mapping[str, Value], keys: _Keys) -> list[tuple[str, Value]]:
    found = list(_by_name(record, keys))
    for key in () if found else keys.envelopes:
        inner = record[key]
        inner_keys = _keys_of(tuple(inner)) if isinstance(inner, dict) else None
        if isinstance(inner, dict) and inner_keys is not None:
            found += _by_name(inner, inner_keys)
    return found or [pair for key in keys.turns for pair in _in_first_turn(record[key])]


def _by_name(record: Mapping[str, Value], keys: _Keys) -> Iterator[tuple[str, Value]]:
    for key in keys.maps:
        value = record[key]
        if isinstance(value, dict) and value and _are_people(value):
            for name, profile in value.items():
                if name.casefold() not in _NOBODY and profile not in (None, "", {}):
                    yield name, _described(profile) if isinstance(profile, dict) else str(profile)
            return
    for key in keys.casts:
        value = record[key]
        for person in value if isinstance(value, list) else []:
            if isinstance(person, dict) and any(fold_key(name) in NAME_KEYS for name in person):
                yield "", person


def _described(profile: dict[str, Value]) -> dict[str, Value]:
    """A profile without what its character said and did: plots, conversations and utterances are lists of objects."""
    return {
        key: value
        for key, value in profile.items()
        if not (isinstance(value, list) and any(isinstance(item, dict) for item in value))
    }


def _in_first_turn(turns: Value) -> Iterator[tuple[str, Value]]:
    """The profiles under ``===Name's Profile===`` in the first turn of a conversation."""
    first = turns[0] if isinstance(turns, list) and turns else None
    text = first.get("content", first.get("value")) if isinstance(first, dict) else None
    if isinstance(text, str) and "==" in text:
        for match in _BLOCK.finditer(text):
            if match["text"].strip():
                yield match["name"].strip(), match["text"].strip()


def _are_people(value: Mapping[str, Value]) -> bool:
    """Whether an object is a mapping from names to profiles, and no profile itself: names are no known fields."""
    from raiden_core.characters.attributes import is_known

    if any(is_known(key) or fold_key(key) in DESCRIPTION_KEYS | NAME_KEYS for key in value):
        return False
    return all(isinstance(item, dict) or (isinstance(item, str) and len(item) >= 20) for item in value.values())
