"""The fields of a record, whatever objects and lists it is made of: each ends as one `Field` with its path as its name.

{"basics": {"age": 29}, "family": {"father": {"occupation": "blacksmith"}}, "likes": ["rain", "salt"]}
age: 29 / father: occupation: blacksmith / likes: rain, salt
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Iterator

from raiden_core.characters.bookkeeping import is_bookkeeping
from raiden_core.characters.keys import DESCRIPTION_KEYS, NAME_KEYS, SPEECH_KEYS, fold_key, folded
from raiden_core.characters.lines import Field, units
from raiden_core.characters.owners import PATH, is_other, is_relations, joined
from raiden_core.characters.rows import Value

_CJK = re.compile("[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_RELATION_KEYS = folded(
    "relation|relationship|relationtocharacter|role|type|kind|关系|身份|与主角关系|与角色关系|关系类型|関係|続柄"
    "|間柄|관계|역할"
)
_LABEL_KEYS = folded(
    "key|attribute|field|label|name|title|trait|property|question|属性|字段|键|项目|名称|項目|キー|속성|항목"
)
_VALUE_KEYS = folded("value|values|content|text|answer|description|值|内容|値|값|내용")

_PLAIN_VALUE_KEYS = folded("value|values|值|値|값")


def fields_of(key: str, value: Value, path: tuple[str, ...] = ()) -> Iterator[Field]:
    """The fields of one entry of a record, bookkeeping left out."""
    if isinstance(value, str):
        if value.lstrip()[:1] not in ("[", "{", "("):
            if value.strip():
                yield Field(joined(path, key) if path else key, value)
            return
        value = listed(value)
    if isinstance(value, dict):
        yield from _of_object(key, value, path)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for item in value:
            if isinstance(item, dict):
                yield from _of_item(key, item, path)
            elif text := as_text(item):
                yield Field(joined(path, key), text)
    elif text := as_text(value, prose=fold_key(key) in DESCRIPTION_KEYS):
        yield Field(joined(path, key), text)


def _of_object(key: str, value: dict[str, Value], path: tuple[str, ...]) -> Iterator[Field]:
    inner = (*path, key) if key else path
    for name, item in value.items():
        if not is_bookkeeping(name, item) and fold_key(name) not in SPEECH_KEYS:
            yield from fields_of(name, item, inner)


def _of_item(key: str, item: dict[str, Value], path: tuple[str, ...]) -> Iterator[Field]:
    """An object in a list: a person with a relation, a pair of label and value, or one more group of fields."""
    folded = {fold_key(name): name for name in item}
    label = next((folded[name] for name in folded if name in _LABEL_KEYS and isinstance(item[folded[name]], str)), None)
    content = next((folded[name] for name in folded if name in _VALUE_KEYS), None)
    relation = next(
        (folded[name] for name in folded if name in _RELATION_KEYS and isinstance(item[folded[name]], str)), None
    )
    # A name with a text below it is somebody; a label with a value is a field.
    labelled = label and content and (fold_key(label) not in NAME_KEYS or fold_key(content) in _PLAIN_VALUE_KEYS)
    if (
        label
        and content
        and labelled
        and relation is None
        and len(item) <= 3
        and not (is_other(key) or is_relations(key))
    ):
        yield from fields_of(str(item[label]), item[content], path)
        return
    if relation is not None and len(str(item[relation])) <= 30:
        rest = {name: entry for name, entry in item.items() if name != relation}
        # A relation that is no known word ("sworn brother") still parts its bearer from the character.
        owner = str(item[relation]).strip()
        for name, entry in rest.items():
            if not is_bookkeeping(name, entry):
                yield from (Field(PATH.join((owner, field.key)), field.value) for field in fields_of(name, entry))
        return
    named = next((folded[name] for name in folded if name in NAME_KEYS and isinstance(item[folded[name]], str)), None)
    if named is not None:
        rest = {name: entry for name, entry in item.items() if name != named}
        if not rest:
            yield Field(joined(path, key), str(item[named]))
        for name, entry in rest.items():
            if not is_bookkeeping(name, entry):
                yield from fields_of(name, entry, (*path, key, str(item[named])))
        return
    if len(item) == 1:
        yield from _of_object("", item, path)
    else:
        yield from _of_object(key, item, path)


def listed(value: str) -> Value:
    """A list or an object that a program wrote as text (``['herring', 'rain']``, ``["salt"]``), else the text."""
    text = value.strip()
    if len(text) < 2 or text[0] + text[-1] not in ("[]", "{}", "()") or len(text) > 200_000:
        return value
    if text[0] in "[{":
        try:
            loaded = json.loads(text)
        except (ValueError, RecursionError):
            pass
        else:
            return loaded if isinstance(loaded, (list, dict)) and loaded else value
    if not re.match(r"[\[({]\s*(?:['\"]|-?\d+\s*,)", text) or len(text) > 20_000:
        return value
    try:
        literal = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return value
    if isinstance(literal, dict):
        return {str(key): _plain(item) for key, item in literal.items()}
    if isinstance(literal, (list, tuple, set)) and literal:
        items = sorted(literal, key=lambda item: text.find(str(item))) if isinstance(literal, set) else literal
        return [_plain(item) for item in items]
    return value


def _plain(item: object) -> Value:
    if item is None or isinstance(item, (str, bool, int, float)):
        return item
    if isinstance(item, dict):
        return {str(key): _plain(inner) for key, inner in item.items()}
    if isinstance(item, (list, tuple)):
        return [_plain(inner) for inner in item]
    return str(item)


def as_text(value: Value, prose: bool = False) -> str:
    """A value as its author would have written it in a text; "" for nothing."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value if value.strip() else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if not math.isfinite(value):
            return ""
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict):
        inner = {key: as_text(item) for key, item in value.items()}
        return "\n".join(f"{key}: {item}" for key, item in inner.items() if item)
    items = [text for text in (as_text(item, prose) for item in value) if text]
    if prose or any("\n" in item or (len(item) > 12 and units(item) > 12) for item in items):
        return "\n".join(items)
    return ("、" if any(_CJK.search(item) for item in items) else ", ").join(items)
