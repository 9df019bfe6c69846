"""`read_characters`: any mixture of files in, characters out, with a reason for everything that was not read.

    result = read_characters(["cards/", "people.xlsx", "https-scrape.jsonl", "shipped:zh"])

One broken row or file never stops the rest. The formats are in structured.py (JSON), yaml_text.py, texts.py, tables.py and
cards.py; what a character is made of is settled in drafts.py.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from raiden_core.characters import archives, cards, structured, tables, workbook
from raiden_core.characters.character import Character, Refusal
from raiden_core.characters.datasets import characters_of
from raiden_core.characters.drafts import Draft, NotACharacter, character_of, draft_of_text
from raiden_core.characters.encoding import decode
from raiden_core.characters.language import SUPPORTED
from raiden_core.characters.records import draft_of_record
from raiden_core.characters.rows import BadRow, Note, Row, Rows, Unreadable
from raiden_core.characters.scrub import Found, scrub_row, scrub_text
from raiden_core.characters.sources import Source, find_sources, read_bytes
from raiden_core.characters.texts import drafts_of_text
from raiden_core.characters.yaml_text import yaml_rows

MANY_ROWS = 10
"""So many rows of a file that are refused for the same reason are one refusal."""


@dataclass(frozen=True)
class ReadResult:
    """What was read, what was not and why, and what the user should know about what was read."""

    characters: tuple[Character, ...]
    refused: tuple[Refusal, ...]
    warnings: tuple[Refusal, ...]


def read_characters(paths: Sequence[str | Path]) -> ReadResult:
    """Read all characters of files, folders, globs, ``-`` (standard input) and ``shipped`` or ``shipped:<language>``.

    Names stay as written. Of two characters with the same name and text one is kept; with different texts both are
    (`labels` tells them apart). Either is among the warnings, as are characters without a name and those in a
    language that raiden does not generate for.

    Raises:
        DataError: a path does not exist, or a glob or collection matches nothing.
    """
    collected = _Collection()
    for source in find_sources(paths):
        collected.read(source)
    return ReadResult(tuple(collected.characters), tuple(collected.refused), tuple(collected.warnings))


def labels(characters: Sequence[Character]) -> tuple[str, ...]:
    """What to call each character where two must not be confused: its name, with a number from the second one on."""
    taken: Counter[str] = Counter()
    names = {character.name for character in characters}
    found = []
    for character in characters:
        base = character.name if character.name is not None else "(no name)"
        taken[base] += 1
        label = base if taken[base] == 1 else f"{base} ({taken[base]})"
        while taken[base] > 1 and label in names:
            taken[base] += 1
            label = f"{base} ({taken[base]})"
        found.append(label)
    return tuple(found)


class _Collection:
    """What has been read so far."""

    def __init__(self) -> None:
        self.characters: list[Character] = []
        self.refused: list[Refusal] = []
        self.warnings: list[Refusal] = []
        self._texts: dict[tuple[str | None, bytes], str] = {}
        self._names: dict[str, str] = {}

    def read(self, source: Source) -> None:
        """Add everything that one source holds."""
        number: int | None = None
        before = len(self.refused)
        try:
            if source.problem is not None:
                raise Unreadable(source.problem)
            for place, rows in _parts(source):
                for row in rows:
                    number = row.number
                    self._add(row, place, source.language)
                number = None
        except Unreadable as error:
            after = f"after row {number}: " if number else ""
            self.refused.append(Refusal(source.name, None, f"{after}{_one_line(str(error))}"))
        self.refused[before:] = _together(self.refused[before:])

    def _add(self, row: Row | BadRow | Note | _Drafted, place: str, language: str | None) -> None:
        if isinstance(row, Note):
            self.warnings.append(Refusal(place, row.number, _one_line(row.text)))
            return
        if isinstance(row, BadRow):
            self.refused.append(Refusal(place, row.number, _one_line(row.reason)))
            return
        if isinstance(row, Row):
            row = self._scrubbed(row, place)
            several = list(characters_of(row))
            if len(several) > 1 or several[0] is not row:
                for one in several:
                    self._add_one(one, place, language)
                return
        self._add_one(row, place, language)

    def _scrubbed(self, row: Row, place: str) -> Row:
        """The row without secrets and images, which are told by the names of their fields."""
        found = Found()
        value = scrub_row(row.value, found)
        self.warnings += [Refusal(place, row.number, _one_line(text)) for text in found.warnings()]
        return replace(row, value=value) if found.secrets or found.images else row

    def _add_one(self, row: Row | _Drafted, place: str, language: str | None) -> None:
        try:
            draft = row.draft if isinstance(row, _Drafted) else _draft_of_row(row)
            draft, mended = _without_half_characters(draft)
            if language is not None and draft.language is None:
                draft = replace(draft, language=language)
            character = character_of(draft, place, row.number)
        except NotACharacter as error:
            self.refused.append(Refusal(place, row.number, _one_line(str(error))))
            return
        self._keep(character, mended)

    def _keep(self, character: Character, mended: bool) -> None:
        def warn(text: str) -> None:
            self.warnings.append(Refusal(character.source, character.row, _one_line(text)))

        here = character.source if character.row is None else f"{character.source}: row {character.row}"
        text = character.text.replace("\r\n", "\n") if "\r" in character.text else character.text
        key = (character.name, hashlib.sha256(text.strip().encode("utf-8", "surrogatepass")).digest())
        twin = key in self._texts or character.name in self._names
        shown = _shown(character.name) if twin else ""
        if key in self._texts:
            warn(f"{shown} stands there a second time with the same text; kept once, from {self._texts[key]}")
            return
        self._texts[key] = here
        if character.name is None:
            warn("no name: kept without one, and skipped when questions are generated; give it a field for its name")
        elif character.name in self._names:
            warn(f"{shown} has another text than in {self._names[character.name]}; both are kept")
        else:
            self._names[character.name] = here
        if character.language not in SUPPORTED:
            said = (
                "no language could be told"
                if character.language == "und"
                else f"its language is {character.language!r}"
            )
            warn(f"{said}; raiden generates for {', '.join(SUPPORTED)} and skips others")
        if mended:
            warn("half of a surrogate pair in its text was replaced by U+FFFD")
        self.characters.append(character)


def _together(refused: list[Refusal]) -> list[Refusal]:
    """The refusals of a file, those of many rows that are the same as one: a chat log has thousands of lines."""
    rows = Counter((one.source, one.reason) for one in refused if one.row is not None)
    found: list[Refusal] = []
    told: set[tuple[str, str]] = set()
    for one in refused:
        what = (one.source, one.reason)
        if one.row is None or rows[what] < MANY_ROWS:
            found.append(one)
        elif what not in told:
            told.add(what)
            found.append(Refusal(one.source, None, f"{rows[what]:,} rows from row {one.row} on: {one.reason}"))
    return found


@dataclass(frozen=True)
class _Drafted:
    """A character that a text holds, in place of a `Row`."""

    number: int | None
    draft: Draft


def _parts(source: Source) -> Iterator[tuple[str, Iterator[Row | BadRow | Note | _Drafted]]]:
    """The rows of a source, with the name of the place they come from: a workbook has one for each sheet."""
    kind = source.format
    try:
        if kind == "dataset":
            yield source.name, _dataset_rows(source.parts)
        elif kind in ("parquet", "arrow") and source.path is not None:
            yield source.name, (tables.parquet_rows if kind == "parquet" else tables.arrow_rows)(source.path)
        elif kind in _STREAMED and source.path is not None and source.path.is_file():
            with source.path.open("rb") as stream:
                yield from _stream_parts(kind, stream, source.name)
        else:
            data = read_bytes(source)
            kind = kind if kind in ("json", "yaml", "csv", "text", "markdown") else _sniffed(data)
            if kind in _STREAMED:
                yield from _stream_parts(kind, io.BytesIO(data), source.name)
            else:
                yield source.name, _text_rows(kind, decode(data))
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror or error}") from None


_STREAMED = ("jsonl", "png", "charx", "byaf", "jpeg", "excel")
"""Formats that are read from a stream rather than from text."""


def _stream_parts(kind: str, stream: io.BufferedReader | io.BytesIO, name: str) -> Iterator[tuple[str, Rows]]:
    if kind == "excel":
        for sheet, rows in workbook.excel_sheets(stream):
            yield (name if sheet is None else f"{name}#{sheet}"), rows
    elif kind == "png":
        yield name, cards.png_rows(stream)
    elif kind in ("charx", "byaf", "jpeg"):
        read = {"charx": archives.charx_rows, "byaf": archives.byaf_rows, "jpeg": archives.jpeg_rows}[kind]
        yield name, read(stream)
    else:
        yield name, structured.jsonl_rows(stream)


def _text_rows(kind: str, text: str) -> Iterator[Row | BadRow | Note | _Drafted]:
    if not text.strip():
        raise Unreadable("an empty file")
    if kind == "json":
        yield from structured.json_rows(text)
    elif kind == "yaml":
        yield from yaml_rows(text)
    elif kind == "csv":
        yield from tables.csv_rows(text)
    elif kind == "text" and _is_json(text):
        yield from structured.json_rows(text)
    else:
        found = Found()
        text = scrub_text(text, found)
        for warning in found.warnings():
            yield Note(None, warning)
        drafts = drafts_of_text(text, markdown=kind == "markdown")
        for number, draft in enumerate(drafts, 1):
            yield _Drafted(number if len(drafts) > 1 else None, draft)


def _dataset_rows(parts: Sequence[Path]) -> Rows:
    number = 0
    for part in parts:
        for row in tables.arrow_rows(part, number + 1):
            number = row.number or number
            yield row


def _sniffed(data: bytes) -> str:
    """The format of content without a telling name."""
    if data.startswith(cards.PNG_SIGNATURE):
        return "png"
    if data.startswith(archives.ZIP_SIGNATURE):
        return archives.kind_of_archive(io.BytesIO(data))
    if data.startswith(archives.JPEG_SIGNATURE):
        return "jpeg"
    if data.startswith(b"PAR1"):
        raise Unreadable("a Parquet file; give it the suffix .parquet")
    text = decode(data)
    if text.lstrip()[:1] in ("{", "["):
        return "json"
    return "text"


def _is_json(text: str) -> bool:
    """Whether a text file is JSON, or JSON lines, all the same; card markup may begin with a bracket too."""
    start = text.lstrip()
    if start[:1] not in ("{", "["):
        return False
    for candidate in (start, start.split("\n", 1)[0]):
        try:
            return isinstance(json.loads(candidate), (dict, list))
        except (ValueError, RecursionError):
            continue
    return False


def _draft_of_row(row: Row) -> Draft:
    if isinstance(row.value, dict):
        return draft_of_record(row.value, row.name or None)
    return draft_of_text(str(row.value), row.name or None)


def _without_half_characters(draft: Draft) -> tuple[Draft, bool]:
    r"""The draft without lone surrogates (``"\ud83d"`` in JSON), which no file could hold as text."""

    def whole(text: str) -> str:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    try:
        # The text holds every field that the draft has, and its key.
        draft.text.encode("utf-8")
        for key in (draft.name or "", *(item.key for item in draft.fields)):
            key.encode("utf-8")
        if draft.speech:
            json.dumps(draft.speech, ensure_ascii=False).encode("utf-8")
        return draft, False
    except UnicodeEncodeError:
        fields = tuple(item._replace(key=whole(item.key), value=whole(item.value)) for item in draft.fields)
        speech = json.loads(whole(json.dumps(draft.speech, ensure_ascii=False)))
        name = None if draft.name is None else whole(draft.name)
        return replace(draft, name=name, fields=fields, text=whole(draft.text), speech=speech), True


def _shown(name: str | None) -> str:
    return "a character without a name" if name is None else json.dumps(name, ensure_ascii=False)


def _one_line(text: str) -> str:
    """A reason without line ends and control characters, which names and foreign errors may hold."""
    return "".join(char if char.isprintable() else "\ufffd" if char not in "\r\n\t" else " " for char in text)[:600]
