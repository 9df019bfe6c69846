"""Presence: which rows of a table a text may hold, by the strings that a row cannot do without.

One pass over the text finds the strings of all rows (Aho and Corasick, "Efficient string matching", CACM 18, 1975). Most
texts hold the strings of a few rows, and only those rows are searched for, one by one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import ahocorasick

from raiden_core.rewards.negation.needed import all_needed


class Piece:
    """One alternative of a row, in its frame; compiled when it is first searched for."""

    __slots__ = ("_expression", "_pattern", "begun_by", "kind", "others")

    def __init__(self, kind: str, alternative: str, expression: Callable[[], str]) -> None:
        """``alternative`` is what the row says, and ``expression`` writes it in its frame."""
        self.kind = kind
        needs = sorted(all_needed(alternative), key=lambda strings: (-min(map(len, strings)), len(strings)))
        self.begun_by = needs[0] if needs else frozenset()
        """A text without any of these does not hold the piece; where there are none, any text may."""
        self.others = tuple(map(tuple, needs[1:]))
        """Of each of these a text must hold a string as well."""
        self._expression = expression
        self._pattern: re.Pattern[str] | None = None

    @property
    def pattern(self) -> re.Pattern[str]:
        if self._pattern is None:
            self._pattern = re.compile(self._expression())
        return self._pattern


class Present(dict[str, list[Piece]]):
    """By kind, the pieces that a text may hold."""

    def search(self, kind: str, text: str) -> bool:
        """Whether a piece of a kind is found in a part of the text."""
        return any(piece.pattern.search(text) for piece in self[kind])


class Index:
    """The pieces of some kinds by the strings that they need."""

    def __init__(self, kinds: Sequence[str], pieces: Iterable[Piece]) -> None:
        self._nothing = Present((kind, _NO_PIECES) for kind in kinds)
        self._always: list[Piece] = []
        by_string: dict[str, list[Piece]] = {}
        for piece in pieces:
            for string in piece.begun_by:
                by_string.setdefault(string, []).append(piece)
            if not piece.begun_by:
                self._always.append(piece)
        self._strings = ahocorasick.Automaton()
        for string, its in by_string.items():
            self._strings.add_word(string, tuple(its))
        self._strings.make_automaton()

    def look(self, text: str) -> Present:
        """The pieces that a text may hold."""
        found = {piece for _, pieces in self._strings.iter(text) for piece in pieces}
        present = Present(self._nothing)
        for piece in (*found, *self._always):
            for strings in piece.others:
                for string in strings:
                    if string in text:
                        break
                else:
                    break
            else:
                its = present[piece.kind]
                if its:
                    its.append(piece)
                else:
                    present[piece.kind] = [piece]
        return present


_NO_PIECES: list[Piece] = []
