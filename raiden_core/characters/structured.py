"""JSON, JSON5 and JSONL to rows, and the shapes in which such files hold characters.

JSON that is not quite JSON (comments, bare keys, trailing commas) is read as JSON5.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import IO, cast

from raiden_core.characters.encoding import decode, encoding_of_lines
from raiden_core.characters.records import is_card, names_a_character
from raiden_core.characters.rows import (
    MAX_DEPTH,
    MAX_FILE_BYTES,
    MAX_LINE_BYTES,
    BadRow,
    Note,
    Row,
    Rows,
    Unreadable,
    Value,
    check_depth,
)
from raiden_core.characters.strangers import LOREBOOK, lorebook_in
from raiden_core.text.json_values import spans_lines, values_in

LIST_KEYS = ("characters", "personas", "profiles", "roles", "rows", "data", "items", "results", "npcs", "角色", "人物")
"""Keys under which a wrapping object holds its list of characters."""
JSON5_BYTES = 8 * 1024 * 1024
"""The largest file that is tried as JSON5; by hand nobody writes more."""


def json_rows(text: str, card: bool = False) -> Rows:
    """The rows of JSON text: an object, an array, a mapping keyed by name, or one object a line.

    Raises:
        Unreadable: it is not JSON; the reason names line, column and offset.
    """
    repeated: list[str] = []
    try:
        value = _loads(text, repeated)
    except Unreadable:
        lines = [line for line in text.split("\n") if line.strip()]
        if not card and len(lines) > 1 and _is_object(lines[0]) and _is_object(lines[1]):
            yield from _rows_of_lines(enumerate(text.split("\n"), 1))
            return
        values = None if card else _one_after_another(text)
        if values is None:
            raise
        for number, value in enumerate(values, 1):
            check_depth(value)
            yield _row(number, value)
        return
    check_depth(value)
    yield from notes_on(None, repeated)
    if card and not isinstance(value, dict):
        raise Unreadable("the card is not an object with fields")
    yield from rows_of_value(value, card)


def _one_after_another(text: str) -> list[Value] | None:
    """The objects that follow one another in a text, over as many lines as they like; None where it is no such text."""
    try:
        values: list[Value] = [value for _, value in values_in(text)]
    except (ValueError, RecursionError):
        return None
    return values if len(values) > 1 and all(isinstance(value, dict) for value in values) else None


def rows_of_value(value: Value, card: bool = False) -> Rows:
    """The rows of what a JSON or YAML file holds.

    Raises:
        Unreadable: it holds neither objects nor texts.
    """
    if isinstance(value, dict):
        yield from _rows_of_object(value, card)
    elif isinstance(value, list):
        if not value:
            raise Unreadable("an empty list")
        for number, item in enumerate(value, 1):
            yield _row(number, item)
    else:
        raise Unreadable("neither an object nor a list of objects: no fields that could describe a character")


def _rows_of_object(value: dict[str, Value], card: bool) -> Rows:
    if not value:
        raise Unreadable("an empty object")
    if card or is_card(value):
        yield Row(None, value, is_card=card)
        return
    if lorebook_in(value):
        raise Unreadable(LOREBOOK)
    for key in LIST_KEYS:
        items = value.get(key)
        if isinstance(items, list) and items and all(isinstance(item, dict) for item in items):
            for number, item in enumerate(items, 1):
                yield _row(number, item)
            return
    if not names_a_character(value):
        # Objects, or texts long enough to be descriptions, under the characters' names.
        texts = [item for item in value.values() if isinstance(item, str)]
        if all(isinstance(item, dict) for item in value.values()):
            for number, (key, item) in enumerate(value.items(), 1):
                yield Row(number, item, name=key)
            return
        if len(texts) == len(value) and sum(map(len, texts)) >= 30 * len(texts):
            for number, (key, item) in enumerate(value.items(), 1):
                yield Row(number, item, name=key)
            return
    yield Row(None, value)


def _row(number: int, value: Value) -> Row | BadRow:
    if isinstance(value, dict) or (isinstance(value, str) and value.strip()):
        return Row(number, value)
    kind = "empty" if not value else f"a {type(value).__name__}, not an object with fields"
    return BadRow(number, kind)


def jsonl_rows(stream: IO[bytes]) -> Rows:
    """The rows of a JSONL file, read line by line: its size is not bounded, that of a line is.

    Raises:
        Unreadable: the encoding cannot be told, or there is nothing in it.
    """
    head = stream.read(65_536)
    encoding = encoding_of_lines(head)
    stream.seek(0)
    if spans_lines(head.decode(encoding, errors="ignore")):
        # An array, or objects over many lines, under the wrong name: only as a whole do they make sense.
        data = stream.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise Unreadable(f"JSON over many lines, of more than {MAX_FILE_BYTES >> 20} MiB; write one object a line")
        yield from json_rows(decode(data))
        return
    if encoding.startswith(("utf-16", "utf-32")):
        data = stream.read(MAX_LINE_BYTES + 1)
        if len(data) > MAX_LINE_BYTES:
            raise Unreadable(
                f"more than {MAX_LINE_BYTES >> 20} MiB of {encoding}; save it as UTF-8, which is read line by line"
            )
        yield from _rows_of_lines(enumerate(decode(data).split("\n"), 1))
        return
    yield from _rows_of_lines(_decoded(stream, encoding))


def _decoded(stream: IO[bytes], encoding: str) -> Iterator[tuple[int, str | BadRow]]:
    number = 0
    while line := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            length = len(line)
            while line and not line.endswith(b"\n"):
                line = stream.readline(MAX_LINE_BYTES)
                length += len(line)
            yield number, BadRow(number, f"a line of {length:,} bytes; at most {MAX_LINE_BYTES >> 20} MiB are read")
            continue
        try:
            yield number, line.decode("utf-8-sig" if number == 1 and encoding == "utf-8" else encoding)
        except UnicodeDecodeError as error:
            yield (
                number,
                BadRow(number, f"byte {error.start} of the line does not fit {encoding}; save the file as UTF-8"),
            )


def _rows_of_lines(lines: Iterator[tuple[int, str | BadRow]] | enumerate[str]) -> Rows:
    empty = True
    for number, line in lines:
        if isinstance(line, BadRow):
            empty = False
            yield line
        elif line.strip():
            empty = False
            repeated: list[str] = []
            try:
                value = _loads(line, repeated)
                if line.count("{") + line.count("[") > MAX_DEPTH:
                    check_depth(value)
            except Unreadable as error:
                yield BadRow(number, str(error))
                continue
            yield from notes_on(number, repeated)
            if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
                # A whole array on one line.
                for place, item in enumerate(value, 1):
                    yield _row(place, item)
                continue
            yield _row(number, value)
    if empty:
        raise Unreadable("an empty file")


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def notes_on(number: int | None, repeated: list[str]) -> Iterator[Note]:
    """What to tell the user about keys that an object has twice."""
    for key in dict.fromkeys(repeated):
        shown = json.dumps(key[:60], ensure_ascii=False)
        yield Note(number, f"the key {shown} stands more than once in one object; only its last value was read")


def _loads(text: str, repeated: list[str]) -> Value:
    """The value of JSON or JSON5 text; keys that an object has twice are added to ``repeated``."""

    def fields_of(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
        fields = dict(pairs)
        if len(fields) < len(pairs):
            counts = Counter(key for key, _ in pairs)
            repeated.extend(key for key, count in counts.items() if count > 1)
        return fields

    try:
        return cast(Value, json.loads(text, object_pairs_hook=fields_of))
    except json.JSONDecodeError as error:
        strict = error
    except RecursionError:
        raise Unreadable(f"nested more than {MAX_DEPTH} deep; no character file is") from None
    except ValueError as error:
        raise Unreadable(f"broken JSON: {error}".splitlines()[0]) from None
    if len(text) <= JSON5_BYTES and (value := _json5(text)) is not None:
        return value
    place = f"line {strict.lineno}, column {strict.colno} (offset {strict.pos:,})"
    if not text[strict.pos :].strip() or strict.msg.startswith("Unterminated string"):
        raise Unreadable(f"broken JSON at {place}: {strict.msg}; the file looks cut off, fetch it again")
    raise Unreadable(f"broken JSON at {place}: {strict.msg}")


def _json5(text: str) -> Value:
    """The value of JSON5 text; None where it is not that either."""
    import pyjson5

    try:
        return cast(Value, pyjson5.decode(text, MAX_DEPTH))
    except (pyjson5.Json5DecoderException, RecursionError):
        return None
