"""From what a file says to a `Character`: the one place where profile, facts, language and text are settled.

Records (records.py) and texts (texts.py) end as a `Draft`; `character_of` turns it into a character.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from raiden_core.cards.macros import resolve
from raiden_core.characters.attributes import is_known
from raiden_core.characters.card_parts import card_of
from raiden_core.characters.character import Character
from raiden_core.characters.facts import facts_of_fields, facts_of_text
from raiden_core.characters.fields import is_made_of_fields, split_fields
from raiden_core.characters.keys import fold_key, is_description_key, is_name_key
from raiden_core.characters.language import detect_language
from raiden_core.characters.lines import Field
from raiden_core.characters.lore import lore_of
from raiden_core.characters.markup import clean_value, plain_markup
from raiden_core.characters.missing import is_missing, is_unfilled
from raiden_core.characters.owners import PATH, about, is_other, is_relations
from raiden_core.characters.rows import MAX_CHARACTER_CHARS, Value

NAME = "Name"
DESCRIPTION = "Description"
TEMPLATE = "a template that nobody filled in: its fields hold nothing but their places"
"""Why such a file is refused."""
_WHOSE = re.compile(r"(?P<whose>[^:：]{1,40}?)(?:'s|’s) (?P<key>\S.*)")
_JOINED_KEY = re.compile(r"(?P<whose>[A-Za-z][a-z]+)(?:_|(?=[A-Z]))(?P<key>[A-Za-z_]+)")


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
    speech: dict[str, Value] = field(default_factory=dict)
    """Fields that are for the chat program (greetings, example messages, lorebook), as they are."""
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
    if own_name is not None and is_missing(own_name, own.key if own is not None else ""):
        own_name = None
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


def name_in(text: str) -> str | None:
    """The name that a text's own name field gives; None where it has none."""
    return draft_of_text(text).name


def character_of(draft: Draft, source: str, row: int | None) -> Character:
    """The character of a draft.

    Raises:
        NotACharacter: nothing is said about it, or far too much.
    """
    name = None if draft.name is not None and is_missing(draft.name, draft.name_key) else draft.name
    stated = [f if f.key == f.key.strip() else Field(f.key.strip(), f.value) for f in draft.fields if f.value.strip()]
    if len(draft.text) > MAX_CHARACTER_CHARS:
        raise NotACharacter(f"{len(draft.text):,} characters of text; one character may have {MAX_CHARACTER_CHARS:,}")
    shown = list(_unfolded(stated, name))
    kept = [item for item in (_cleaned(item, name) for item in shown if not _is_missing(item)) if item.value]
    if not kept:
        if any(is_unfilled(item.value, item.key) for item in shown):
            raise NotACharacter(TEMPLATE)
        raise NotACharacter("nothing but a name" if name else "empty")
    language = detect_language(
        "\n".join(f.value for f in kept), draft.language, [f.key for f in kept] + [draft.name_key]
    )
    stand_in = draft.nickname or name
    profile: dict[str, str] = {}
    if name is not None:
        profile[draft.name_key] = name
    for item in kept:
        value = item.value.strip()
        if "{{" in value or "<" in value:
            value = resolve(value, stand_in, language, name or "")
        same = item.key in profile
        profile[item.key] = f"{profile[item.key]}\n{value}" if same else value
    facts: dict[str, str] = {}
    others: dict[str, str] = {}
    for key, value in _facts(stated, name).items():
        if value != name:
            (others if PATH in key else facts)[key] = resolve(value, stand_in, language)
    card = card_of(draft.speech, name, stand_in, language) if draft.speech else None
    if card is not None and card.lorebook.entries:
        lore = lore_of(card, tuple(filter(None, (name, draft.nickname))))
        for item in lore.shown:
            profile[item.key] = f"{profile[item.key]}\n{item.value}" if item.key in profile else item.value
        facts |= {key: value for key, value in lore.facts.items() if key not in facts}
        others |= {key: value for key, value in lore.others.items() if key not in others}
    return Character(
        name=name,
        language=language,
        profile=profile,
        facts=facts,
        others=others,
        text=draft.text,
        source=source,
        row=row,
        card=card,
    )


def _is_missing(item: Field) -> bool:
    return is_missing(item.value, item.key.rpartition(PATH)[2] if PATH in item.key else item.key)


def _cleaned(item: Field, name: str | None) -> Field:
    """A field as a prompt shows it: without markup, under a key that does not repeat whose it is."""
    value = plain_markup(item.value).strip()
    if "\n" not in value and not is_description_key(item.key):
        value = clean_value(value)
    key = _own_key(item.key, name)
    return item if key is item.key and value is item.value else Field(key, value)


def _own_key(key: str, name: str | None) -> str:
    """``Orla's age`` of Orla is ``age``; of anybody else it is ``Orla: age``."""
    match = _WHOSE.fullmatch(key) if "'s " in key or "’s " in key else None
    if match is None or is_other(key) or not is_known(match["key"]):
        return _spelled_out(key)
    whose = match["whose"].casefold()
    if whose in ("{{char}}", "char", "his", "her", "their", "my", "the character") or (
        name is not None and whose in (name.casefold(), *name.casefold().split())
    ):
        return match["key"]
    return key if is_other(whose) else match["whose"] + PATH + match["key"]


def _owned(item: Field, name: str | None) -> Field:
    key = _own_key(item.key, name)
    return item if key is item.key else Field(key, item.value)


@lru_cache(maxsize=4096)
def _spelled_out(key: str) -> str:
    """``father_occupation``, as programs join them, is ``father: occupation``."""
    match = _JOINED_KEY.fullmatch(key)
    if match is None or is_known(key):
        return key
    leaf = match["key"].lower()
    return (
        f"{match['whose'].lower()}{PATH}{leaf}"
        if is_other(match["whose"]) and is_known(leaf) and not is_name_key(leaf)
        else key
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


def _facts(fields: list[Field], name: str | None) -> dict[str, str]:
    """Facts of the fields themselves, then of the lines inside the long ones."""
    facts: dict[str, str] = facts_of_fields([_owned(item, name) for item in fields])
    known: set[str] | None = None
    for item in fields:
        if not is_description_key(item.key) and "\n" not in item.value and "<" not in item.value:
            continue
        owner = about(item.key)
        known = {fold_key(key) for key in facts} if known is None else known
        for key, value in facts_of_text(item.value).items():
            key = _own_key(key, name)
            if owner is None and (is_other(item.key) or is_relations(item.key)) and about(key) is None:
                key = item.key + PATH + key
            elif owner is not None:
                key = owner + PATH + key
            if fold_key(key) not in known:
                known.add(fold_key(key))
                facts[key] = value
    return facts
