"""A record (a JSON object, a table's row, a YAML mapping, a card) to a `Draft` of a character."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache

from raiden_core.characters.attributes import is_known
from raiden_core.characters.bookkeeping import is_bookkeeping
from raiden_core.characters.card_parts import CARD_TEXTS
from raiden_core.characters.drafts import DESCRIPTION, NAME, TEMPLATE, Draft, NotACharacter, draft_of_text, name_in
from raiden_core.characters.keys import (
    BOOKKEEPING_KEYS,
    DESCRIPTION_KEYS,
    LANGUAGE_KEYS,
    NAME_KEYS,
    SPEECH_KEYS,
    WEAK_NAME_KEYS,
    fold_key,
    is_description_key,
)
from raiden_core.characters.lines import Field
from raiden_core.characters.missing import is_missing, is_unfilled
from raiden_core.characters.nested import as_text, fields_of
from raiden_core.characters.owners import is_group
from raiden_core.characters.rows import Value
from raiden_core.characters.strangers import what_it_is, what_without_profile
from raiden_core.characters.texts import setting_blocks

CARD_FIELDS = {"name": NAME, "description": "Description", "personality": "Personality", "scenario": "Scenario"}
"""The fields of a Tavern card (V1 to V3) that are about the character."""
CHAT_KEYS = frozenset(
    {
        "prompt",
        "messages",
        "conversations",
        "conversation",
        "conversationhistory",
        "dialogue",
        "dialog",
        "question",
        "answer",
    }
    | {"instruction", "input", "output", "reference", "completion", "response", "keywords", "validator", "reasoning"}
    | {"dimension", "questiontype", "validationmethod", "difficulty", "probingquestions", "cmannotated", "profileid"}
)
"""Fields of conversations and samples: such a row is a character only if it describes one as well."""
NESTED_KEYS = frozenset({"profile", "characterprofile", "attributes", "data", "meta", "config", "card", "character"})
"""Objects inside a record that hold its fields."""
MAX_WEAK_NAME = 60
"""A longer text under ``character`` or ``role`` describes and does not name."""


_ENVELOPE_KEYS = frozenset(("status", "title", "type", "kind", "role", "state", "language"))
"""Names that a program's envelope has as well as a person."""


def is_card(record: Mapping[str, Value]) -> bool:
    """Whether a record is a Tavern card of version 1, 2 or 3."""
    if str(record.get("spec", "")).startswith("chara_card"):
        return True
    return {"name", "description", "first_mes"} <= record.keys()


def names_a_character(record: Mapping[str, Value]) -> bool:
    """Whether a mapping has a field that only one character's record would have."""
    folded = {fold_key(key) for key in record}
    return bool(folded & (NAME_KEYS | DESCRIPTION_KEYS | CHAT_KEYS)) or "spec" in folded


def draft_of_record(record: Mapping[str, Value], key: str | None = None) -> Draft:
    """The draft of one record; ``key`` is the name under which a mapping of characters holds it.

    Raises:
        NotACharacter: the record is empty or is about something else.
    """
    for value in record.values():
        if (value.__class__ is list or (value.__class__ is str and "<" in value)) and (
            blocks := next(setting_blocks(_setting_text(value)), None)
        ):
            return draft_of_text(blocks, name=key)
    if is_card(record):
        return _draft_of_card(record)
    if what := what_it_is(record):
        raise NotACharacter(what)
    flat = _inlined(record)
    name_key, name = _name(flat)
    fields, speech, language = _told(flat, name_key)
    described = any(is_description_key(item.key) for item in fields)
    if name is None and key is None:
        name = next((own for item in fields if is_description_key(item.key) and (own := name_in(item.value))), None)
        name_key = NAME if name is not None else None
    _check(record, flat, name or key, fields, described)
    if len(fields) == 1 and described:
        draft = draft_of_text(fields[0].value, name=key or name)
        return Draft(draft.name, draft.name_key, draft.fields, fields[0].value, speech, language)
    # A mapping's key is how its author refers to the character; a name inside that differs is told as a field.
    lines = [f"{name_key}: {name}"] if name and name_key else []
    lines += [f"{item.key}: {item.value}" for item in fields]
    if name and name_key and key and name != key:
        fields.insert(0, Field(name_key, name))
    label = name_key if name_key and (not key or key == name) else NAME
    return Draft(key or name, label, tuple(fields), "\n".join(lines), speech, language)


def _told(flat: Mapping[str, Value], name_key: str | None) -> tuple[list[Field], dict[str, Value], str | None]:
    """What a record says beside the name: its fields, the texts of a card where it holds speech, and its language."""
    fields: list[Field] = []
    speech: dict[str, Value] = {}
    language: str | None = None
    for label, value in flat.items():
        folded = fold_key(label)
        if label == name_key or folded in CHAT_KEYS or value is None:
            continue
        if folded in LANGUAGE_KEYS and _is_code(value):
            language = str(value)
        elif folded in SPEECH_KEYS:
            speech[label] = value
        elif not is_bookkeeping(label, value):
            # The rest of a name field that is too long for a name describes.
            named = folded in WEAK_NAME_KEYS and isinstance(value, str) and len(value) > MAX_WEAK_NAME
            fields += [Field(DESCRIPTION, str(value))] if named else fields_of(label, value)
    if speech:
        speech |= {label: value for label, value in flat.items() if fold_key(label) in CARD_TEXTS}
    return fields, speech, language


def _draft_of_card(record: Mapping[str, Value]) -> Draft:
    data = record.get("data") if "spec" in record else None
    if data is None:
        data = dict(record)
    if not isinstance(data, dict):
        raise NotACharacter(f'"spec" is {record.get("spec")!r}, but "data" is not an object')
    name = as_text(data.get("name")) or None
    fields = [Field(label, as_text(data.get(key), prose=True)) for key, label in CARD_FIELDS.items() if key != "name"]
    fields = [item for item in fields if item.value]
    speech = {key: value for key, value in data.items() if key in CARD_FIELDS or fold_key(key) in SPEECH_KEYS}
    nickname = as_text(data.get("nickname")).strip() or None
    if len(fields) == 1:
        text = fields[0].value
        own = draft_of_text(text, name=name)
        return Draft(own.name, own.name_key, own.fields, text, speech, None, nickname)
    text = "\n".join(f"{item.key}: {item.value}" for item in ([Field(NAME, name)] if name else []) + fields)
    return Draft(name, NAME, tuple(fields), text, speech, None, nickname)


def _inlined(record: Mapping[str, Value]) -> dict[str, Value]:
    """The record with the fields of its inner profile beside its own; its own come first where both say something."""
    flat: dict[str, Value] = {}
    inner: dict[str, Value] = {}
    if not any(map(_may_be_opened, record.values())):
        return dict(record)
    for key, value in record.items():
        folded = fold_key(key)
        holds_fields = folded in NESTED_KEYS or (is_group(key) and folded not in BOOKKEEPING_KEYS)
        opened = _opened(value) if holds_fields else None
        if opened is None:
            flat[key] = value
        else:
            # A group inside a group, as in ``persona: {attributes: …}``.
            inner.update(_inlined(opened))
    if any(fold_key(key) in NAME_KEYS and as_text(value) for key, value in inner.items()) and not any(
        fold_key(key) in NAME_KEYS and as_text(value) for key, value in flat.items()
    ):
        # The outer object is the envelope of a program: of its own fields only those of a person count.
        flat = {key: value for key, value in flat.items() if is_known(key) and fold_key(key) not in _ENVELOPE_KEYS}
    names = {fold_key(key) for key, value in flat.items() if as_text(value)}
    has_name = bool(names & NAME_KEYS)
    for key, value in inner.items():
        if fold_key(key) in names or (
            has_name and fold_key(key) in NAME_KEYS and as_text(value) in map(as_text, flat.values())
        ):
            continue
        flat[key] = value
    return flat


def _may_be_opened(value: Value) -> bool:
    return value.__class__ is dict or (value.__class__ is str and "{" in value)


def _opened(value: Value) -> dict[str, Value] | None:
    """An object, also one written as a JSON string (as tables hold them)."""
    if isinstance(value, dict):
        return value
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            loaded = json.loads(value)
        except (ValueError, RecursionError):
            return None
        return loaded if isinstance(loaded, dict) else None
    return None


def _name(record: Mapping[str, Value]) -> tuple[str | None, str | None]:
    """The key of the name and the name, as written; keys that only may hold a name need a short one."""
    for key, most in _name_keys(tuple(record)):
        value = record[key]
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            name = as_text(value)
            if name and len(name) <= most and not is_missing(name, key):
                return key, name
    return None, None


@lru_cache(maxsize=256)
def _name_keys(keys: tuple[str, ...]) -> tuple[tuple[str, int], ...]:
    """The keys that may hold the name, the likeliest first, and how long it may be there; rows of one file share theirs."""
    wanted = ((NAME_KEYS, 1_000), (WEAK_NAME_KEYS, MAX_WEAK_NAME))
    return tuple((key, most) for names, most in wanted for key in keys if fold_key(key) in names)


@lru_cache(maxsize=256)
def _folded(keys: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(fold_key, keys))


def _check(
    whole: Mapping[str, Value], record: Mapping[str, Value], name: str | None, fields: list[Field], described: bool
) -> None:
    if described:
        return
    folded = _folded(tuple(record))
    if "prompt" in folded and not fields:
        raise NotACharacter("its prompt has no <Character Setting> block")
    if what := what_without_profile(whole):
        raise NotACharacter(what)
    if chat := folded & CHAT_KEYS:
        raise NotACharacter(f"not a character: it has {_listed(record, chat)}, but no description")
    if not fields and (name or folded & (NAME_KEYS | DESCRIPTION_KEYS)):
        raise NotACharacter("nothing but a name" if name else "empty: neither a name nor a description")
    if not fields:
        raise NotACharacter(
            "empty" if not record else f"not a character: no name and no description among {_listed(record)}"
        )
    if not name and all(is_unfilled(as_text(value), key) for key, value in record.items()):
        raise NotACharacter(TEMPLATE)
    if not name:
        raise NotACharacter(f"not a character: no name and no description among {_listed(record)}")


def _listed(record: Mapping[str, Value], only: frozenset[str] | set[str] | None = None) -> str:
    keys = [json.dumps(key[:30], ensure_ascii=False) for key in record if only is None or fold_key(key) in only]
    return ", ".join(keys[:5]) + (", …" if len(keys) > 5 else "")


def _is_code(value: Value) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z]{2}(?:[-_][A-Za-z]{2,4})*", value.strip()) is not None


def _setting_text(value: Value) -> str:
    """The text in which a setting block may stand: a string, or the turns of a chat."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        turns = [turn.get("content") for turn in value if isinstance(turn, dict)]
        return "\n".join(turn for turn in turns if isinstance(turn, str))
    return ""
