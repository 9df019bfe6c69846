"""From what a file says to a `Character`: the one place where profile, facts, language and text are settled.

Records (records.py) and texts (texts.py) end as a `Draft`; `character_of` turns it into a character.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from raiden_core.characters.character import Character
from raiden_core.characters.facts import Field, facts_of_fields, facts_of_text, is_made_of_fields, split_fields
from raiden_core.characters.keys import fold_key, is_description_key, is_name_key
from raiden_core.characters.language import detect_language
from raiden_core.characters.placeholders import resolve
from raiden_core.characters.rows import MAX_CHARACTER_CHARS

NAME = "Name"
DESCRIPTION = "Description"


class NotACharacter(Exception):
    """A row that holds no character; ``str()`` says why, in one line."""


@dataclass(frozen=True)
class Draft:
    """A character before its profile is settled."""

    name: str | None
    name_key: str
    """What the source calls the name."""
    fields: tuple[Field, ...]
    """Everything about the character but the name, in the source's order."""
    text: str
    """Verbatim."""
    extras: dict[str, str] = field(default_factory=dict)
    language: str | None = None
    """What the source says its language is."""
    nickname: str | None = None
    """What ``{{char}}`` stands for where it is not the name (cards of version 3)."""


def draft_of_text(text: str, name: str | None = None, title: str | None = None) -> Draft:
    """A draft of one character's text: its fields where it has them, else one description.

    ``name`` is what a record says the name is, and wins; ``title`` is used where the text names nobody.
    """
    parts = split_fields(text)
    own = next((f for f in parts.fields if is_name_key(f.key) and f.value), None)
    own_name = own.value.split("\n", 1)[0].strip(" \t\u3000,，;；").strip('"“”') if own is not None else None
    name_key = own.key if own is not None and name in (None, own_name) else NAME
    if not is_made_of_fields(parts) and not (own is not None and len(parts.fields) == 1):
        return Draft(name or own_name or title, NAME, (Field(DESCRIPTION, text.strip()),), text)
    fields: list[Field] = [Field(DESCRIPTION, parts.lead)] if parts.lead else []
    for item in parts.fields:
        if item is own:
            _, _, rest = item.value.partition("\n")
            if name not in (None, own_name):
                fields.append(Field(item.key, own_name or ""))
            if rest.strip():
                fields.append(Field(DESCRIPTION, rest.strip()))
        else:
            fields.append(item)
    return Draft(name or own_name or title, name_key, tuple(fields), text)


def character_of(draft: Draft, source: str, row: int | None) -> Character:
    """The character of a draft.

    Raises:
        NotACharacter: nothing is said about it, or far too much.
    """
    fields = [Field(f.key.strip(), f.value) for f in draft.fields if f.value.strip()]
    if not fields:
        raise NotACharacter("nothing but a name" if draft.name else "empty")
    if len(draft.text) > MAX_CHARACTER_CHARS:
        raise NotACharacter(f"{len(draft.text):,} characters of text; one character may have {MAX_CHARACTER_CHARS:,}")
    language = detect_language("\n".join(f.value for f in fields), draft.language)
    stand_in = draft.nickname or draft.name
    profile: dict[str, str] = {}
    if draft.name is not None:
        profile[draft.name_key] = draft.name
    for item in _unfolded(fields, draft.name):
        value = resolve(item.value.strip(), stand_in, language)
        same = item.key in profile
        profile[item.key] = f"{profile[item.key]}\n{value}" if same else value
    return Character(
        name=draft.name,
        language=language,
        profile=profile,
        facts={key: resolve(value, stand_in, language) for key, value in _facts(fields).items() if value != draft.name},
        text=draft.text,
        source=source,
        row=row,
        extras={key: resolve(value, stand_in, language) for key, value in draft.extras.items()},
    )


def _unfolded(fields: list[Field], name: str | None) -> Iterable[Field]:
    """The fields that prompts show: a lone description that is itself a list of fields is shown as that list."""
    if len(fields) != 1 or not is_description_key(fields[0].key):
        return fields
    parts = split_fields(fields[0].value)
    if not is_made_of_fields(parts):
        return [Field(DESCRIPTION, fields[0].value)]
    inner = [f for f in parts.fields if f.value and not (is_name_key(f.key) and f.value.strip('"“”') == name)]
    return ([Field(DESCRIPTION, parts.lead)] if parts.lead else []) + inner


def _facts(fields: list[Field]) -> dict[str, str]:
    """Facts of the fields themselves, then of the lines inside the long ones."""
    facts: dict[str, str] = facts_of_fields(fields)
    known = {fold_key(key) for key in facts}
    for item in fields:
        if not is_description_key(item.key) and "\n" not in item.value:
            continue
        for key, value in facts_of_text(item.value).items():
            if fold_key(key) not in known:
                known.add(fold_key(key))
                facts[key] = value
    return facts
