"""What a reader of one format yields: rows, refusals, or the end of the file by `Unreadable`.

Readers know containers and nothing of characters: they hand over JSON-like values and text, which records.py and
texts.py turn into characters. The limits here bound the memory that a hostile file can take.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | None"
"""What JSON, YAML and table cells hold."""

MAX_FILE_BYTES = 128 * 1024 * 1024
"""Files of formats that are read whole; JSONL, Parquet and PNG are read piece by piece and may be larger."""
MAX_LINE_BYTES = 16 * 1024 * 1024
"""One line of a JSONL file."""
MAX_CARD_BYTES = 32 * 1024 * 1024
"""The decompressed card inside a PNG or a .charx."""
MAX_CHARACTER_CHARS = 4_000_000
"""The text of one character."""
MAX_DEPTH = 100
"""Nesting of JSON and YAML."""


class Unreadable(Exception):
    """The rest of a file, or all of it, cannot be read; ``str()`` is the reason, in one line."""


@dataclass(frozen=True)
class Row:
    """One candidate for a character."""

    number: int | None
    """Its row in the file, from 1; None where the file holds one character."""
    value: Value
    """An object with fields, or text."""
    name: str | None = None
    """The key under which a mapping of characters holds it."""
    is_card: bool = False
    """Whether it came out of a card's container, so that it must be a card."""


@dataclass(frozen=True)
class BadRow:
    """A row that the format's reader could not make sense of."""

    number: int | None
    reason: str


@dataclass(frozen=True)
class Note:
    """Something about a row that was read which the user should know."""

    number: int | None
    text: str


Rows: TypeAlias = Iterator[Row | BadRow | Note]


def check_depth(value: Value, limit: int = MAX_DEPTH) -> None:
    """Refuse what is nested so deeply that walking it by recursion would fail.

    Raises:
        Unreadable: lists and objects are nested more than ``limit`` deep.
    """
    level: list[Value] = [value]
    for _ in range(limit):
        inner: list[Value] = []
        for item in level:
            # Asking an abstract class costs more than the look inside, and JSON makes dicts.
            if item.__class__ is dict or isinstance(item, Mapping):
                inner.extend(child for child in item.values() if isinstance(child, (dict, list)))
            elif isinstance(item, list):
                inner.extend(child for child in item if isinstance(child, (dict, list)))
        if not inner:
            return
        level = inner
    raise Unreadable(f"nested more than {limit} deep; no character file is")
