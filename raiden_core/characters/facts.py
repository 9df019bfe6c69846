"""`key: value` lines: where a text has them, and which of them are facts about the character.

A line is a field when a short key without sentence marks stands before the first colon, ASCII or full-width.
A key that comes twice with different values is a pattern of the prose (``User: …``), not a field.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from raiden_core.characters.keys import (
    CLOSING_KEYS,
    FACT_KEYS,
    NAME_KEYS,
    NOT_FACTS,
    fold_key,
    is_description_key,
    is_name_key,
)

MAX_FACT_UNITS = 60
"""A fact's value is at most this long, a CJK character or another word being one unit; longer ones are prose."""
MAX_KEY_CHARS = 40
_COLON = re.compile("[:：]")
_HEAD = re.compile(
    r"(?:[-*+•・●◆■▪–][ \t\u3000]+|(?P<number>\d{1,3}[.)、])[ \t\u3000]*)?"
    r"(?:\*\*|__|【|\[|「)?(?P<key>[^\n]+?)(?:\*\*|__|】|\]|」)?[ \t\u3000]*"
)
"""What stands before the colon: a bullet or number, and the key with its marks."""
MAX_HEAD_CHARS = 80
_NOT_IN_KEYS = re.compile(r"[。，,.!?！？;；“”\"|{}<>=\\#`~\t]|//|\.\.\.|…")
_SENTENCE_ENDS = ("です", "ます", "니다", "세요", "어요", "아요")
_LETTER = re.compile(r"[^\W\d_]")
_CJK = re.compile("[\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_UNIT = re.compile("[\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\\W_\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff]+")
_OPENING_QUOTES = ('"', "“", "「")
_BLANKS = " \t\u3000\r"
_END_MARKS = " \t\u3000\r,，;；"


class Field(NamedTuple):
    """One field of a text, with the lines that continue its value; a plain tuple, as there are very many."""

    key: str
    value: str


@dataclass(frozen=True)
class Fields:
    """A text taken apart."""

    lead: str
    """What stands before the first field."""
    fields: tuple[Field, ...]
    plain_lines: int
    """Lines that are no field and not blank."""


def units(text: str) -> int:
    """The length of a text, a CJK character or another word being one unit."""
    return len(_UNIT.findall(text))


def field_of_line(line: str) -> Field | None:
    """The field that one line holds, or None. The value may be empty."""
    line = line.strip(_BLANKS)
    # The expression below sees a bounded piece only, so that no line can make it slow.
    colon = _COLON.search(line, 0, MAX_HEAD_CHARS)
    match = _HEAD.fullmatch(line, 0, colon.start()) if colon is not None else None
    if colon is None or match is None:
        return None
    key, value = match["key"].strip(), line[colon.end() :].strip(_END_MARKS)
    if not _can_be_key(key) or value.startswith("//"):
        return None
    if value.count("**") % 2:
        value = value.removeprefix("**").removesuffix("**").strip(_END_MARKS)
    # A numbered line is a step of some instruction or an item of a list, unless its key says otherwise.
    if match["number"] and fold_key(key) not in FACT_KEYS | NAME_KEYS:
        return None
    return Field(key, value) if value or _can_open_passage(key) else None


@lru_cache(maxsize=4096)
def _can_be_key(key: str) -> bool:
    """Whether a text before a colon is a key; the same few keys stand in file after file, hence the cache."""
    if not key or len(key) > MAX_KEY_CHARS or not _LETTER.search(key) or _NOT_IN_KEYS.search(key.rstrip(".")):
        return False
    return fold_key(key) not in NOT_FACTS and units(key) <= (14 if _CJK.search(key) else 5)


def _can_open_passage(key: str) -> bool:
    """Whether the value of a key may follow on the next lines: ``Skills:`` does, ``The following applies:`` is prose."""
    return units(key) <= (8 if _CJK.search(key) else 3) and not key.endswith(_SENTENCE_ENDS)


@lru_cache(maxsize=8)
def split_fields(text: str) -> Fields:
    """The fields of a text, in order; lines without a key of their own continue the field before them.

    A character's text is taken apart more than once on its way, hence the small cache.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    found = [field_of_line(line) for line in lines]
    keys = Counter(fold_key(field.key) for field in found if field is not None)
    lead: list[str] = []
    fields: list[tuple[str, list[str]]] = []
    plain = 0
    closed = False
    for line, field in zip(lines, found, strict=True):
        if field is not None and keys[fold_key(field.key)] == 1 and not closed:
            fields.append((field.key, [field.value]))
            closed = fold_key(field.key) in CLOSING_KEYS
            continue
        plain += bool(line.strip())
        (fields[-1][1] if fields else lead).append(line)
    joined = tuple(Field(key, "\n".join(value).strip().strip(_END_MARKS)) for key, value in fields)
    return Fields("\n".join(lead).strip(), joined, plain)


def facts_of_text(text: str) -> dict[str, str]:
    """The facts that stand in a text as ``key: value`` lines, in order, without name, prose and repeated keys.

    In a text that is made of fields each line counts. Amid prose a single one is a turn of phrase: there,
    three in a row count, or a key that is always a fact (age, occupation).
    """
    if ":" not in text and "：" not in text:
        return {}
    parts = split_fields(text)
    if is_made_of_fields(parts):
        return facts_of_fields(parts.fields)
    lines = _solid_lines(text)
    found = [field_of_line(line) for line in lines]
    kept: list[Field] = []
    start = 0
    while start < len(found):
        end = start
        while end < len(found) and found[end] is not None:
            end += 1
        run = [field for field in found[start:end] if field is not None]
        kept += run if len(run) >= 3 else [field for field in run if fold_key(field.key) in FACT_KEYS]
        start = end + 1
    # ``Detailed Description: Gender: female`` holds the first field of a nested list.
    return facts_of_fields([inner for field in kept for inner in (field, *_nested(field))])


def is_made_of_fields(parts: Fields) -> bool:
    """Whether a text is a list of fields rather than prose in which a colon occurs.

    Long values may run over many lines under a key for prose; elsewhere continuation lines stay the exception.
    """
    continued = sum(
        field.value.count("\n")
        for field in parts.fields
        if not is_description_key(field.key) and not is_name_key(field.key)
    )
    return len(parts.fields) >= 2 and continued <= len(parts.fields)


def facts_of_fields(fields: Iterable[Field]) -> dict[str, str]:
    """Those fields that are facts: a key that is neither name nor prose, said once, and a short value."""
    facts: dict[str, str] = {}
    said: dict[str, str] = {}
    ambiguous: set[str] = set()
    for field in fields:
        value = _unquoted(field.value.strip(_END_MARKS))
        if not is_fact(field.key, value):
            continue
        folded = fold_key(field.key)
        if folded in said:
            if facts.get(said[folded]) != value:
                ambiguous.add(said[folded])
            continue
        said[folded] = field.key
        facts[field.key] = value
    return {key: value for key, value in facts.items() if key not in ambiguous}


def is_fact(key: str, value: str) -> bool:
    """Whether a field says one checkable thing about the character."""
    if not value or "\n" in value or len(value) > MAX_FACT_UNITS * 12 or not _can_be_fact(key):
        return False
    return 0 < units(value) <= MAX_FACT_UNITS


@lru_cache(maxsize=4096)
def _can_be_fact(key: str) -> bool:
    return not (is_name_key(key) or is_description_key(key) or fold_key(key) in NOT_FACTS)


def _solid_lines(text: str) -> list[str]:
    return [line for line in re.split(r"\r\n|\r|\n", text) if line.strip()]


def _nested(field: Field) -> tuple[Field, ...]:
    if not is_description_key(field.key):
        return ()
    inner = field_of_line(field.value)
    return () if inner is None else (inner,)


def _unquoted(value: str) -> str:
    """``"Male"`` as ``Male``; a value with further quotes inside stays as it is."""
    if value[:1] not in _OPENING_QUOTES:
        return value
    for left, right in (('"', '"'), ("“", "”"), ("「", "」")):
        inside = value[1:-1]
        if len(value) > 2 and value[0] == left and value[-1] == right and left not in inside and right not in inside:
            return inside.strip()
    return value
