"""One line of a text: whether it is a field, and which.

A line is a field when a short key without sentence marks stands before the first colon, ASCII or full-width.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from raiden_core.characters.keys import FACT_KEYS, NAME_KEYS, NOT_FACTS, fold_key
from raiden_core.characters.owners import MARK, PATH

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
CJK = re.compile("[\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_UNIT = re.compile("[\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\\W_\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff]+")
BLANKS = " \t\u3000\r"
END_MARKS = " \t\u3000\r,，;；"


class Field(NamedTuple):
    """One field of a text, with the lines that continue its value; a plain tuple, as there are very many."""

    key: str
    value: str


def units(text: str) -> int:
    """The length of a text, a CJK character or another word being one unit."""
    return len(_UNIT.findall(text))


def field_of_line(line: str) -> Field | None:
    """The field that one line holds, or None. The value may be empty."""
    line = line.strip(BLANKS)
    owner, mark, rest = line.rpartition(MARK)
    if mark:
        inner = field_of_line(rest)
        return None if inner is None else Field(owner.replace(MARK, PATH) + PATH + inner.key, inner.value)
    # The expression below sees a bounded piece only, so that no line can make it slow.
    colon = _COLON.search(line, 0, MAX_HEAD_CHARS)
    match = _HEAD.fullmatch(line, 0, colon.start()) if colon is not None else None
    if colon is None or match is None:
        return None
    key, value = match["key"].strip(), line[colon.end() :].strip(END_MARKS)
    if not _can_be_key(key) or value.startswith("//"):
        return None
    if value.count("**") % 2:
        value = value.removeprefix("**").removesuffix("**").strip(END_MARKS)
    # A numbered line is a step of some instruction or an item of a list, unless its key says otherwise.
    if match["number"] and fold_key(key) not in FACT_KEYS | NAME_KEYS:
        return None
    return Field(key, value) if value or can_open_passage(key) else None


@lru_cache(maxsize=4096)
def _can_be_key(key: str) -> bool:
    """Whether a text before a colon is a key; the same few keys stand in file after file, hence the cache."""
    if not key or len(key) > MAX_KEY_CHARS or not _LETTER.search(key) or _NOT_IN_KEYS.search(key.rstrip(".")):
        return False
    return fold_key(key) not in NOT_FACTS and units(key) <= (14 if CJK.search(key) else 5)


def can_open_passage(key: str) -> bool:
    """Whether the value of a key may follow on the next lines: ``Skills:`` does, ``The following applies:`` is prose."""
    return units(key) <= (8 if CJK.search(key) else 3) and not key.endswith(_SENTENCE_ENDS)
