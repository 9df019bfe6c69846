"""Any JSON as something to read: statistics and settings come in shapes that the page need not know.

    node = tree({"samples": 480, "dropped": {"near_duplicate": 12, "gold_fails": 3}})

Secrets never reach the page, which people send to each other: the values of keys that name one are masked, and so
are passwords inside URLs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

MASK = "•••"
SECRET_KEY = re.compile(
    r"(?i)(api|access|auth|hf|hub|secret|private)_?(key|token)|secret|passw|credential|authorization"
)
URL_PASSWORD = re.compile(r"(?<=://)[^/@\s]+:[^/@\s]+(?=@)")

COUNTED = re.compile(r"(?i)^by_|^by$|dropped|skipped|refused|reasons|filter|counts|kept")
"""Keys under which numbers count alike things, so that bars may compare them; elsewhere units differ."""

SHOWN = 12
"""Longer lists are folded behind their first rows."""

MAX_ITEMS = 500
"""Of still longer lists only so many rows come onto the page."""


@dataclass(frozen=True)
class Node:
    """A value with its label; ``kind`` says how to draw it."""

    label: str
    kind: str
    """``text``, ``counts`` (bars), ``map``, ``list`` or ``table``."""
    text: str = ""
    children: list[Node] = field(default_factory=list)
    share: float = 0.0
    """For a row of ``counts``: its length against the longest."""
    columns: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    left_out: int = 0
    """Rows beyond `MAX_ITEMS`."""


def tree(value: object, label: str = "") -> Node:
    """The value as nodes, secrets masked."""
    name = label.replace("_", " ")
    if SECRET_KEY.search(label) and isinstance(value, str) and value:
        return Node(name, "text", MASK)
    if isinstance(value, Mapping):
        if COUNTED.search(label) and _are_counts(value):
            longest = max(value.values()) or 1
            bars = [
                Node(str(key).replace("_", " "), "text", number_text(count), share=count / longest)
                for key, count in value.items()
            ]
            return Node(name, "counts", children=bars)
        return Node(name, "map", children=[tree(item, str(key)) for key, item in value.items()])
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _list_node(name, value)
    return Node(name, "text", _scalar_text(value))


def mask_secrets(value: object, label: str = "") -> object:
    """The same JSON with secrets masked."""
    if SECRET_KEY.search(label) and isinstance(value, str) and value:
        return MASK
    if isinstance(value, Mapping):
        return {str(key): mask_secrets(item, str(key)) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [mask_secrets(item) for item in value]
    return URL_PASSWORD.sub(MASK, value) if isinstance(value, str) else value


def number_text(number: float) -> str:
    """A number with thousands separated and no more digits than one can use."""
    return f"{number:,}" if isinstance(number, int) else f"{number:,.4g}"


def _list_node(name: str, items: Sequence[object]) -> Node:
    kept, left_out = items[:MAX_ITEMS], max(0, len(items) - MAX_ITEMS)
    if kept and all(isinstance(item, Mapping) for item in kept):
        columns = list(dict.fromkeys(str(key) for item in kept if isinstance(item, Mapping) for key in item))
        rows = [
            [_flat(item.get(column, ""), column) for column in columns] for item in kept if isinstance(item, Mapping)
        ]
        return Node(name, "table", columns=[c.replace("_", " ") for c in columns], rows=rows, left_out=left_out)
    if len(items) <= SHOWN and all(isinstance(item, (int, float)) for item in items):
        return Node(name, "text", ", ".join(_scalar_text(item) for item in items) or "none")
    return Node(name, "list", children=[Node("", "text", _flat(item)) for item in kept], left_out=left_out)


def _are_counts(value: Mapping[object, object]) -> bool:
    """At least two counts and nothing else: worth bars."""
    return len(value) > 1 and all(
        isinstance(item, int) and not isinstance(item, bool) and item >= 0 for item in value.values()
    )


def _flat(value: object, label: str = "") -> str:
    """A value within a cell, in one line."""
    masked = mask_secrets(value, label)
    if isinstance(masked, Mapping):
        return ", ".join(f"{key}: {_flat(item)}" for key, item in masked.items())
    if isinstance(masked, Sequence) and not isinstance(masked, str):
        return ", ".join(_flat(item) for item in masked)
    return _scalar_text(masked)


def _scalar_text(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return number_text(value)
    return URL_PASSWORD.sub(MASK, str(value))
