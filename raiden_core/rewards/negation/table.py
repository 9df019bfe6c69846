"""Tables of rules: every negator, idiom and reply of a language is a row with an example that tests it.

``chinese.tsv``, ``english.tsv``, ``japanese.tsv`` and ``korean.tsv`` stand beside this module. A line is blank, a
comment (``#``), or a row of five or six fields parted by tabs:

    kind    pattern     example                 term    verdict     question
    harmless    忍不住  我忍不住又去了长沙。    长沙    affirmed
    fear    不怕.{0,8}■ 我不怕停电。    停电    denied  你最怕什么？

``pattern`` is a regular expression over folded text (in the kinds that read the whole surroundings ``■`` stands for the
mention), ``verdict`` (affirmed or denied) what the example says of the term as an answer to the question, if there is
one; tests/rewards/test_negation_tables.py checks it, and that it changes when the row is taken out. The rows of a kind
are the alternatives of one expression, in their order; the language's module says into which frame they go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import NamedTuple

from raiden_core.errors import DataError
from raiden_core.rewards.negation.needed import alternatives, by_letters, needed
from raiden_core.rewards.negation.presence import Index, Piece, Present

REMEMBERED = 8192
"""What a clause or reply says by itself is remembered, because the completions of a group say much the same."""
ROWS = "<rows>"
"""Where the rows stand in a frame."""
_DOUBTFUL = ("open", "past", "future", "unknown", "assent", "affirming")
DOUBT = {
    **dict.fromkeys(_DOUBTFUL, ROWS),
    "filler": f"^(?:{ROWS})$",
    "yes": f"^(?:{ROWS})",
    "goes on": ROWS,
    "takes back": f"^(?:{ROWS})",
    "no, but": f"^(?:{ROWS})",
    "retracts": f"^(?:{ROWS})$",
    "not said": ROWS,
}
"""Kinds that every language has, and their frames (see `doubt`)."""
_FIELDS = ("kind", "pattern", "example", "term", "verdict")
_FURTHER = 1
"""The question may be left out."""
_VERDICTS = ("affirmed", "denied")


class Row(NamedTuple):
    """One rule and its example."""

    kind: str
    pattern: str
    example: str
    """A sentence in which the rule decides."""
    term: str
    denied: bool
    """Whether the example denies the term."""
    question: str
    """What the example answers; "" where that does not matter."""
    where: str
    """File and line, for messages."""


class Table(dict[str, re.Pattern[str]]):
    """The rows of a language by kind: ``table[kind]`` is the expression of one, compiled when it is first asked for."""

    def __init__(self, rows: tuple[Row, ...], frames: Mapping[str, str], prepare: Callable[[str], str] = str) -> None:
        """``frames`` names each kind that the code uses and the expression around its rows; ``prepare`` folds it."""
        self.rows = rows
        self._frames = frames
        self._prepare = prepare
        super().__init__()
        self.kinds = tuple(frames)
        """The kinds that the code uses."""
        self._needed: dict[str, tuple[str, ...]] = {}
        self._compiled: dict[tuple[str, ...], re.Pattern[str]] = {}
        self._pieces: dict[str, list[Piece]] = {}
        self._indices: dict[tuple[str, ...], Index] = {}
        self.begins = lru_cache(maxsize=REMEMBERED)(self._begins)
        """`_begins`, remembered: what is said again and again is looked up."""
        for row in rows:
            if row.kind not in frames:
                raise DataError(f"{row.where}: the kind {row.kind!r} is unknown; known are {', '.join(frames)}")

    def __missing__(self, kind: str) -> re.Pattern[str]:
        self[kind] = self.either(kind)
        return self[kind]

    def either(self, *kinds: str) -> re.Pattern[str]:
        """One expression for several kinds; compiled once."""
        if kinds not in self._compiled:
            pattern = "|".join(self._frames[kind].replace(ROWS, self._alternatives(kind)) for kind in kinds)
            self._compiled[kinds] = re.compile(by_letters(self._prepare(pattern)))
        return self._compiled[kinds]

    def look(self, text: str, kinds: tuple[str, ...]) -> Present:
        """What of some kinds a text may hold, row by row."""
        index = self._indices.get(kinds)
        if index is None:
            known = [kind for kind in kinds if kind in self._frames]
            index = self._indices[kinds] = Index(kinds, (piece for kind in known for piece in self._pieces_of(kind)))
        return index.look(text)

    def _pieces_of(self, kind: str) -> list[Piece]:
        if kind not in self._pieces:
            prepared = [self._prepare(row.pattern) for row in self.rows if row.kind == kind]
            self._pieces[kind] = [
                Piece(kind, alternative, partial(self._expression, kind, alternative))
                for pattern in prepared
                for alternative in alternatives(pattern)
            ]
        return self._pieces[kind]

    def _expression(self, kind: str, alternative: str) -> str:
        before, _, after = self._frames[kind].partition(ROWS)
        return by_letters(f"{self._prepare(before)}{alternative}{self._prepare(after)}")

    def _begins(self, kind: str, text: str) -> bool:
        """Whether a text begins with a row of a kind, in its frame."""
        return self[kind].match(text) is not None

    def without(self, row: Row, text: str | None = None) -> Table:
        """The table without one of its rows.

        Args:
            row: the one that goes.
            text: folded; with it, of the row's kind only those stay that may be found in it. What the table says of
                the text is the same, and a kind of a few rows compiles in no time.
        """

        def stays(other: Row) -> bool:
            return other.kind != row.kind or (other is not row and (text is None or self._may_match(other, text)))

        table = Table(tuple(filter(stays, self.rows)), self._frames, self._prepare)
        table.update((kind, pattern) for kind, pattern in self.items() if kind != row.kind)
        table._needed.update((kind, strings) for kind, strings in self._needed.items() if kind != row.kind)
        table._compiled.update((kinds, found) for kinds, found in self._compiled.items() if row.kind not in kinds)
        return table

    def may_hold(self, kind: str, text: str) -> bool:
        """A quick look: False means that no row of a kind can be found in a text."""
        if kind not in self._needed:
            self._needed[kind] = tuple(sorted(needed(self._prepare(self._alternatives(kind))) or ("",)))
        return any(map(text.__contains__, self._needed[kind]))

    def _may_match(self, row: Row, text: str) -> bool:
        return any(map(text.__contains__, needed(self._prepare(row.pattern)) or ("",)))

    def _alternatives(self, kind: str) -> str:
        return "|".join(row.pattern for row in self.rows if row.kind == kind) or "(?!)"


@cache
def read_rows(path: Path) -> tuple[Row, ...]:
    """The rows of a table.

    Raises:
        DataError: a row is not in order; the message names file and line.
    """
    rows = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            rows.append(_row(line, f"{path.name}: line {number}"))
    return tuple(rows)


def _row(line: str, where: str) -> Row:
    fields = line.split("\t")
    if not len(_FIELDS) <= len(fields) <= len(_FIELDS) + _FURTHER:
        raise DataError(f"{where}: {len(fields)} fields instead of {len(_FIELDS)} ({', '.join(_FIELDS)}, by tabs)")
    for name, field in zip(_FIELDS, fields, strict=False):
        if not field.strip():
            raise DataError(f"{where}: {name} is blank; every rule needs an example that tests it")
    kind, pattern, example, term, verdict, question = (*fields, "")[: len(_FIELDS) + _FURTHER]
    if verdict not in _VERDICTS:
        raise DataError(f"{where}: the verdict is {verdict!r}; it must be affirmed or denied")
    if term.casefold() not in example.casefold():
        raise DataError(f"{where}: the example does not hold its term {term!r}")
    try:
        re.compile(pattern)
    except re.error as error:
        raise DataError(f"{where}: the pattern is no regular expression: {error}") from None
    return Row(kind, pattern, example, term, verdict == "denied", question, where)


def load(language: str, frames: Mapping[str, str], prepare: Callable[[str], str] = str) -> Table:
    """The table of a language, beside this module."""
    return Table(read_rows(Path(__file__).with_name(f"{language}.tsv")), frames, prepare)
