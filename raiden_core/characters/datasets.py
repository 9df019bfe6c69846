"""Rows of role-play data sets that hold the profiles of several characters, or hold one beside everything else.

CoSER has ``character_profiles`` (name to text) in every conversation, SocialBench ``meta.profile``, a list of key
characters stands in novels' extractions. PIPPA, CharacterGLM, CharacterBench, OpenCharacter and HER keep one character
in fields of their own names, which keys.py knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from raiden_core.characters.keys import DESCRIPTION_KEYS, NAME_KEYS, fold_key, folded
from raiden_core.characters.rows import Row, Value

_PROFILE_MAPS = folded(
    "characterprofiles|characterprofile|profiles|roleprofiles|charactersprofiles|profile|personas|characterdict"
)
_CAST = folded("keycharacters|maincharacters|maincharacter|cast|characterlist|charactersinfo")
_ENVELOPES = folded("meta|metadata|data|extra|info")
_NOBODY = frozenset(("environment", "narrator", "user", "旁白", "环境", "用户", "ナレーター", "내레이터"))


def characters_of(row: Row) -> Iterator[Row]:
    """The characters of a row: as many rows as it has profiles by name; the row itself where it has none."""
    value = row.value
    if isinstance(value, dict) and not row.is_card:
        found = list(_by_name(value)) or [
            pair
            for key, inner in value.items()
            if fold_key(key) in _ENVELOPES and isinstance(inner, dict)
            for pair in _by_name(inner)
        ]
        if found:
            for name, profile in found:
                yield Row(row.number, profile, name)
            return
    yield row


def _by_name(record: Mapping[str, Value]) -> Iterator[tuple[str, Value]]:
    folded = {fold_key(key) for key in record}
    for key, value in record.items():
        if fold_key(key) in _PROFILE_MAPS and isinstance(value, dict) and value and _are_people(value):
            for name, profile in value.items():
                if name.casefold() not in _NOBODY and profile not in (None, "", {}):
                    yield name, profile if isinstance(profile, dict) else str(profile)
            return
        if fold_key(key) in _CAST and isinstance(value, list) and not folded & (NAME_KEYS | DESCRIPTION_KEYS):
            people = [item for item in value if isinstance(item, dict)]
            for person in people:
                if any(fold_key(name) in NAME_KEYS for name in person):
                    yield "", person


def _are_people(value: Mapping[str, Value]) -> bool:
    """Whether an object is a mapping from names to profiles, and no profile itself: names are no known fields."""
    from raiden_core.characters.attributes import is_known

    if any(is_known(key) or fold_key(key) in DESCRIPTION_KEYS | NAME_KEYS for key in value):
        return False
    return all(isinstance(item, dict) or (isinstance(item, str) and len(item) >= 20) for item in value.values())
