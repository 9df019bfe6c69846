"""Which fields are facts about the character, and which are facts about somebody else.

A fact is said of this character, in a field or in one of the lines of a text; it is short, clean of markup, and neither
a mark of a missing value, a template's place, a macro nor bookkeeping.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from raiden_core.characters.attributes import is_known
from raiden_core.characters.bookkeeping import is_bookkeeping_key, is_program_value
from raiden_core.characters.dialects import in_lines
from raiden_core.characters.fields import is_made_of_fields, split_fields
from raiden_core.characters.keys import FACT_KEYS, fold_key, is_description_key, is_meta_key, is_name_key
from raiden_core.characters.lines import CJK, END_MARKS, Field, field_of_line, units
from raiden_core.characters.markup import clean_value
from raiden_core.characters.missing import has_macro, is_missing
from raiden_core.characters.nested import as_text, listed
from raiden_core.characters.owners import PATH

MAX_FACT_UNITS = 60
"""A fact's value is at most this long, a CJK character or another word being one unit; longer ones are prose."""
MAX_ITEMS = 8
MAX_ITEM_UNITS = 6
"""Lines under a key are a list of things where each is at most this long; otherwise they are prose."""
MAX_SAID_UNITS = 8
MAX_SAID_WORDS = 4
"""A longer sentence under a name that is none of a person's fields instructs or narrates."""
_OPENING_QUOTES = ('"', "“", "「")
_ITEM = re.compile(r"[ \t]*(?:[-*+•・●◆■▪–]|\d{1,2}[.)、])[ \t\u3000]*(?P<item>\S[^\n]*?)[ \t,，;；]*")


def facts_of_text(text: str) -> dict[str, str]:
    """The facts that stand in a text as ``key: value`` lines, in order, without name, prose and repeated keys.

    In a text that is made of fields each line counts. Amid prose a single one is a turn of phrase: there,
    three in a row count, or a key that is always a fact (age, occupation).
    """
    parts = split_fields(text)
    if not parts.fields:
        return {}
    if is_made_of_fields(parts):
        return facts_of_fields(parts.fields)
    lines = _solid_lines(in_lines(text))
    found = [field_of_line(line) for line in lines]
    known = {field.key for field in parts.fields}
    kept: list[Field] = []
    start = 0
    while start < len(found):
        end = start
        while end < len(found) and found[end] is not None:
            end += 1
        run = [field for field in found[start:end] if field is not None]
        kept += run if len(run) >= 3 else [field for field in run if fold_key(field.key) in FACT_KEYS]
        start = end + 1
    # What stands under a heading about somebody else has another name in the text taken apart.
    kept = [field for field in kept if field.key in known or not any(key.endswith(PATH + field.key) for key in known)]
    # ``Detailed Description: Gender: female`` holds the first field of a nested list.
    return facts_of_fields([inner for field in kept for inner in (field, *_nested(field))])


def facts_of_fields(fields: Iterable[Field]) -> dict[str, str]:
    """Those fields that are facts: a key that is neither name nor prose, said once, and a short value."""
    facts: dict[str, str] = {}
    said: dict[str, str] = {}
    ambiguous: set[str] = set()
    for field in fields:
        value = _stated(field.key, field.value)
        if value is None:
            continue
        folded = fold_key(field.key)
        if folded in said:
            if facts.get(said[folded]) != value:
                ambiguous.add(said[folded])
            continue
        said[folded] = field.key
        facts[field.key] = value
    return {key: value for key, value in facts.items() if key not in ambiguous}


@lru_cache(maxsize=16384)
def _stated(key: str, raw: str) -> str | None:
    """What a field states, where that is a fact; jobs, towns and ages come again and again, hence the cache."""
    if len(raw) > MAX_FACT_UNITS * 16 or is_missing(raw, key.rpartition(PATH)[2]):
        return None
    value = fact_value(raw)
    return value if is_fact(key, value) else None


def fact_value(value: str) -> str:
    """A field's value as a fact has it: without markup and quotation marks, a short list on one line."""
    value = value.strip(END_MARKS)
    if value[:1] in ("[", "{") and not isinstance(found := listed(value), (str, dict)):
        value = as_text(found)
    if "\n" in value:
        items = [_ITEM.fullmatch(line) for line in value.split("\n") if line.strip()]
        texts = [clean_value(match["item"]) for match in items if match is not None]
        if len(texts) < len(items) or len(texts) > MAX_ITEMS or any(units(text) > MAX_ITEM_UNITS for text in texts):
            return value
        value = ("、" if any(CJK.search(text) for text in texts) else ", ").join(texts)
    value = _unquoted(clean_value(value).strip(END_MARKS))
    return value[:-1] if value.endswith("。") and value.count("。") == 1 and units(value) <= MAX_SAID_UNITS else value


def is_fact(key: str, value: str) -> bool:
    """Whether a field says one checkable thing."""
    if not value or "\n" in value or len(value) > MAX_FACT_UNITS * 12 or not _can_be_fact(key):
        return False
    # A text has at most as many units as characters, so most values need no counting.
    if not any(map(str.isalnum, value)) or (len(value) > MAX_FACT_UNITS and units(value) > MAX_FACT_UNITS):
        return False
    most = MAX_SAID_UNITS if CJK.search(value) else MAX_SAID_WORDS
    if value[-1] in ".。!！" and not is_known(key) and units(value) > most:
        return False
    return not (has_macro(value) or is_program_value(value) or is_missing(value, key.rpartition(PATH)[2]))


@lru_cache(maxsize=4096)
def _can_be_fact(key: str) -> bool:
    if PATH in key:
        # Of somebody else the name is a fact as well.
        leaf = key.rpartition(PATH)[2]
        return not (is_description_key(leaf) or is_meta_key(leaf) or is_bookkeeping_key(leaf))
    return not (is_name_key(key) or is_description_key(key) or is_meta_key(key) or is_bookkeeping_key(key))


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
