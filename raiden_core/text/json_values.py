"""Where JSON values begin and end in a text that is not the container its name promises.

``.json`` files hold JSON Lines (as ``datasets`` writes them), ``.jsonl`` files an array or objects over many lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

_BETWEEN = " \t\r\n,\x1e\ufeff"
"""What stands between values that follow one another: blanks, a comma, the mark of JSON text sequences."""


def values_in(text: str) -> Iterator[tuple[int, Any]]:
    """The JSON values that follow one another in a text, each with the line where it begins, from 1.

    Raises:
        json.JSONDecodeError: what stands at some place is no value; its ``pos``, ``lineno`` and ``colno`` say where.
        RecursionError: nested too deeply.
    """
    decoder = json.JSONDecoder()
    place, line, counted = 0, 1, 0
    while True:
        while place < len(text) and text[place] in _BETWEEN:
            place += 1
        if place >= len(text):
            return
        line += text.count("\n", counted, place)
        counted = place
        value, place = decoder.raw_decode(text, place)
        yield line, value


def spans_lines(head: str) -> bool:
    """Whether the values of a text run over its lines, so that it cannot be read line by line; told by its beginning.

    A first line that is an object or a list is a value of its own; one that breaks off is, unless the line after it
    begins a value anew.
    """
    lines = [line for line in head.lstrip("\ufeff").split("\n") if line.strip()][:2]
    if not lines or lines[0].lstrip()[:1] not in ("{", "["):
        return False
    if _is_value(lines[0]) or not _breaks_off(lines[0]):
        return False
    return len(lines) > 1 and (lines[0].strip() == "[" or not lines[1].startswith(("{", "[")))


def _is_value(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _breaks_off(line: str) -> bool:
    """Whether a line is the beginning of a value: what is wrong with it is only that it ends."""
    try:
        json.loads(line)
    except json.JSONDecodeError as error:
        return not line[error.pos :].strip() or error.msg.startswith("Expecting property name")
    except RecursionError:
        return False
    return False
