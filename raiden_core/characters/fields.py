"""A text taken apart into fields: what each line says, which lines continue a value, and whose field it is.

A key that comes twice with different values is a pattern of the prose (``User: …``), not a field. Fields below
``Father:`` that are indented, or follow it up to the next blank line, tell about the father.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from raiden_core.characters.dialects import in_lines
from raiden_core.characters.keys import CLOSING_KEYS, fold_key, is_description_key, is_name_key
from raiden_core.characters.lines import END_MARKS, Field, field_of_line
from raiden_core.characters.owners import PATH, is_group, is_other, is_relations, joined

_MARKDOWN_HEAD = re.compile(r"[ \t]{0,3}(#{1,6})[ \t]+(\S[^\n]*?)[ \t]*")
_HEAD_MARKS = frozenset("#*_【[<=-+•")
"""With what a line begins that may be a heading."""
_NOT_FLAT = _HEAD_MARKS | frozenset(" \t\u3000")
"""With what a line begins that may be a heading or stand under one."""
_BARE_HEAD = re.compile(
    r"[ \t]*(?:\*\*|__|【|\[|<|=+[ \t]*|[-*+•][ \t]+(?:\*\*|__)?)"
    r"(?P<key>[^\n*_\[\]【】<>=]{1,40}?)(?:\*\*|__|】|\]|>|[ \t]*=+)?[ \t]*"
)


@dataclass(frozen=True)
class Fields:
    """A text taken apart."""

    lead: str
    """What stands before the first field."""
    fields: tuple[Field, ...]
    plain_lines: int
    """Lines that are no field and not blank."""


@lru_cache(maxsize=32)
def split_fields(text: str) -> Fields:
    """The fields of a text, in order; lines without a key of their own continue the field before them.

    A character's text is taken apart more than once on its way, hence the small cache.
    """
    lines = in_lines(text.replace("\r\n", "\n").replace("\r", "\n")).split("\n")
    found = with_owners(lines)
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
    joined_ = tuple(Field(key, "\n".join(value).strip().strip(END_MARKS)) for key, value in fields)
    return Fields("\n".join(lead).strip(), joined_, plain)


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


@dataclass
class _Head:
    """A line that opens the fields of somebody or something."""

    name: str
    indent: int
    level: int
    """Of a Markdown heading; 0 for any other line."""
    indented_only: bool
    """Whether only what is indented deeper belongs to it."""
    used: bool = False


def with_owners(lines: list[str]) -> list[Field | None]:
    """The fields of the lines, each with the path of the headings under which it stands; None for any other line."""
    found = [field_of_line(line) for line in lines]
    if not any(line[:1] in _NOT_FLAT for line in lines if line) and all(
        field is None or field.value for field in found
    ):
        return found
    owned: list[Field | None] = []
    heads: list[_Head] = []
    blank = False
    for number, (line, field) in enumerate(zip(lines, found, strict=True)):
        if not line.strip():
            blank = True
            owned.append(field)
            continue
        indent = _indent(line)
        level, title = _heading(line)
        heads = [head for head in heads if _stays_open(head, indent, level, field, blank, title)]
        opened = _opened(line, field, indent, level, title, lines, found, number, heads)
        names = tuple(head.name for head in heads)
        if field is not None and names and (opened is None or field.value):
            key = field.key if PATH in field.key else joined(names, field.key)
            owned.append(Field(key, field.value))
            for head in heads:
                head.used = True
        elif opened is not None:
            owned.append(Field(joined(names, opened.name), field.value if field is not None else ""))
        else:
            owned.append(field)
        if opened is not None:
            heads.append(opened)
        blank = False
    return owned


def _stays_open(head: _Head, indent: int, level: int, field: Field | None, blank: bool, title: str) -> bool:
    if level or title:
        # Another heading ends this one, unless it stands within it.
        return level > head.level > 0 or (not level and is_relations(head.name) and is_other(title))
    if head.indented_only:
        return indent > head.indent
    if head.level:
        return True
    if indent > head.indent:
        return True
    nested = field is not None and not field.value and is_relations(head.name) and is_other(field.key)
    return nested or (indent == head.indent and not (blank and head.used) and not (field is not None and _opens(field)))


def _opened(
    line: str,
    field: Field | None,
    indent: int,
    level: int,
    title: str,
    lines: list[str],
    found: list[Field | None],
    number: int,
    heads: list[_Head],
) -> _Head | None:
    """The heading that a line is, or None."""
    if title and field is None:
        inside = any(is_relations(head.name) for head in heads)
        bullet = not level and line.lstrip()[:1] in "-*+•" and not line.lstrip().startswith("**")
        return (
            _Head(title, indent, level, bullet)
            if is_other(title) or is_relations(title) or (inside and level)
            else None
        )
    if field is None or PATH in field.key:
        return None
    deeper = next((other for other in range(number + 1, len(lines)) if lines[other].strip()), None)
    is_deeper = deeper is not None and found[deeper] is not None and _indent(lines[deeper]) > indent
    if is_deeper and (not field.value or is_other(field.key)):
        return _Head(field.key, indent, 0, True)
    if not field.value and (is_other(field.key) or is_relations(field.key)) and not _blank_follows(lines, number):
        return _Head(field.key, indent, 0, False)
    return None


def _blank_follows(lines: list[str], number: int) -> bool:
    """Whether the line after this one is blank or missing."""
    return number + 1 >= len(lines) or not lines[number + 1].strip()


def _opens(field: Field) -> bool:
    return not field.value and (is_other(field.key) or is_relations(field.key) or is_group(field.key))


def _heading(line: str) -> tuple[int, str]:
    """The level and title of a Markdown heading; level 0 and the title of another bare heading (``[Father]``)."""
    if len(line) > 80 or line.lstrip(" \t")[:1] not in _HEAD_MARKS:
        return 0, ""
    if match := _MARKDOWN_HEAD.fullmatch(line):
        return len(match[1]), match[2].strip(" \t#*_`:：")
    match = _BARE_HEAD.fullmatch(line)
    if match is None or ":" in match["key"] or "：" in match["key"]:
        return 0, ""
    return 0, match["key"].strip()


def _indent(line: str) -> int:
    if line[:1] not in " \t\u3000":
        return 0
    expanded = line.expandtabs(4)
    return len(expanded) - len(expanded.lstrip(" \u3000"))
