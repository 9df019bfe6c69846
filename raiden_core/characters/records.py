"""A record (a JSON object, a table's row, a YAML mapping, a card) to a `Draft` of a character."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from raiden_core.characters.drafts import NAME, Draft, NotACharacter, draft_of_text
from raiden_core.characters.facts import Field, units
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
from raiden_core.characters.rows import Value
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
_CJK = re.compile("[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]")


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
        for block in setting_blocks(_setting_text(value)):
            return draft_of_text(block, name=key)
    if is_card(record):
        return _draft_of_card(record)
    flat = _inlined(record)
    name_key, name = _name(flat)
    fields: list[Field] = []
    extras: dict[str, str] = {}
    language: str | None = None
    for label, value in flat.items():
        folded = fold_key(label)
        if label == name_key or folded in CHAT_KEYS or value is None:
            continue
        if folded in LANGUAGE_KEYS and _is_code(value):
            language = str(value)
        elif folded in SPEECH_KEYS:
            if said := as_text(value, prose=True):
                extras[label] = said
        elif folded not in BOOKKEEPING_KEYS and (said := as_text(value, prose=folded in DESCRIPTION_KEYS)):
            fields.append(Field(label, said))
    described = any(is_description_key(item.key) for item in fields)
    _check(flat, name or key, fields, described)
    if len(fields) == 1 and described:
        draft = draft_of_text(fields[0].value, name=key or name)
        return Draft(draft.name, draft.name_key, draft.fields, fields[0].value, extras, language)
    # A mapping's key is how its author refers to the character; a name inside that differs is told as a field.
    lines = [f"{name_key}: {name}"] if name and name_key else []
    lines += [f"{item.key}: {item.value}" for item in fields]
    if name and name_key and key and name != key:
        fields.insert(0, Field(name_key, name))
    label = name_key if name_key and (not key or key == name) else NAME
    return Draft(key or name, label, tuple(fields), "\n".join(lines), extras, language)


def as_text(value: Value, prose: bool = False) -> str:
    """A value as its author would have written it in a text; "" for nothing."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value if value.strip() else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict):
        inner = {key: as_text(item) for key, item in value.items()}
        return "\n".join(f"{key}: {item}" for key, item in inner.items() if item)
    items = [text for text in (as_text(item, prose) for item in value) if text]
    if prose or any("\n" in item or units(item) > 12 for item in items):
        return "\n".join(items)
    return ("、" if any(_CJK.search(item) for item in items) else ", ").join(items)


def _draft_of_card(record: Mapping[str, Value]) -> Draft:
    data = record.get("data") if "spec" in record else None
    if data is None:
        data = dict(record)
    if not isinstance(data, dict):
        raise NotACharacter(f'"spec" is {record.get("spec")!r}, but "data" is not an object')
    name = as_text(data.get("name")) or None
    fields = [Field(label, as_text(data.get(key), prose=True)) for key, label in CARD_FIELDS.items() if key != "name"]
    fields = [item for item in fields if item.value]
    extras = {key: as_text(value, prose=True) for key, value in data.items() if fold_key(key) in SPEECH_KEYS}
    extras = {key: value for key, value in extras.items() if value}
    nickname = as_text(data.get("nickname")).strip() or None
    if len(fields) == 1:
        text = fields[0].value
        own = draft_of_text(text, name=name)
        return Draft(own.name, own.name_key, own.fields, text, extras, None, nickname)
    text = "\n".join(f"{item.key}: {item.value}" for item in ([Field(NAME, name)] if name else []) + fields)
    return Draft(name, NAME, tuple(fields), text, extras, None, nickname)


def _inlined(record: Mapping[str, Value]) -> dict[str, Value]:
    """The record with the fields of its inner profile beside its own; its own come first where both say something."""
    flat: dict[str, Value] = {}
    inner: dict[str, Value] = {}
    for key, value in record.items():
        opened = _opened(value) if fold_key(key) in NESTED_KEYS else None
        if opened is None:
            flat[key] = value
        else:
            inner.update(opened)
    names = {fold_key(key) for key, value in flat.items() if as_text(value)}
    has_name = bool(names & NAME_KEYS)
    for key, value in inner.items():
        if fold_key(key) in names or (
            has_name and fold_key(key) in NAME_KEYS and as_text(value) in map(as_text, flat.values())
        ):
            continue
        flat[key] = value
    return flat


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
    for keys, most in ((NAME_KEYS, 1_000), (WEAK_NAME_KEYS, 60)):
        for key, value in record.items():
            if fold_key(key) in keys and isinstance(value, (str, int, float)) and not isinstance(value, bool):
                name = as_text(value)
                if name and len(name) <= most:
                    return key, name
    return None, None


def _check(record: Mapping[str, Value], name: str | None, fields: list[Field], described: bool) -> None:
    if described:
        return
    folded = {fold_key(key) for key in record}
    if "prompt" in folded and not fields:
        raise NotACharacter("its prompt has no <Character Setting> block")
    if chat := folded & CHAT_KEYS:
        raise NotACharacter(f"not a character: it has {_listed(record, chat)}, but no description")
    if not fields and (name or folded & (NAME_KEYS | DESCRIPTION_KEYS)):
        raise NotACharacter("nothing but a name" if name else "empty: neither a name nor a description")
    if not fields:
        raise NotACharacter(
            "empty" if not record else f"not a character: no name and no description among {_listed(record)}"
        )
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
