"""Clauses: the part of a sentence that a negation can govern, and its neighbours."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

WINDOW = 120
"""How many characters of a clause on either side of a mention are read: its cost does not grow with the text."""
NEIGHBOURS = 6
"""How many segments before a clause are read."""

_STOP = re.compile(r"[,.!?;:。()\[\]—|…-][,.!?;:。()\[\]—|…\s\"-]*")
_DOUBTFUL = re.compile(r"[.-]|\d[,:]\d")
"""Without any of these every stop is one."""
_ABBREVIATION = re.compile(r"(?<![\w'])(?:mr|mrs|ms|dr|st|prof|jr|sr|vs|no|mt|[a-z])$")
OPEN = frozenset(",:—…-|()[]\n")
"""Stops over which a list may run on."""


class Segment(NamedTuple):
    """What stands between two stops."""

    text: str
    stop: str
    """The punctuation that ends it; "" at the end of the text."""


class Clauses:
    """A folded text cut into segments, once for all its mentions."""

    def __init__(self, text: str, breaks: Sequence[int] = ()) -> None:
        """``breaks`` are the places where a new line begins."""
        spans = [stop.span() for stop in _STOP.finditer(text)]
        if _DOUBTFUL.search(text):
            spans = [span for span in spans if _is_stop(text, *span)]
        if breaks:
            stopped = {end for _, end in spans}
            spans = sorted([*spans, *((place, place) for place in breaks if place not in stopped)])
        self.text = text
        self.starts = [0, *[end for _, end in spans]]
        self.ends = [*[start for start, _ in spans], len(text)]

    def mark(self, place: int) -> str:
        """The punctuation that ends a segment: a question mark if there is one, "" at the end of the text."""
        if place + 1 == len(self.ends):
            return ""
        if self.starts[place + 1] == self.ends[place] + 1:
            return self.text[self.ends[place]]
        marks = self.text[self.ends[place] : self.starts[place + 1]]
        return "?" if "?" in marks else marks[:1] or "\n"

    def segment(self, place: int) -> Segment:
        """One segment; of a very long one the beginning."""
        start = self.starts[place]
        return Segment(self.text[start : min(self.ends[place], start + WINDOW)], self.mark(place))


class Clause:
    """The clause of the mention ``text[start:end]``, no more than `WINDOW` characters of it on either side."""

    __slots__ = ("_clauses", "_first", "_last", "after", "before", "stop")

    def __init__(self, clauses: Clauses, start: int, end: int) -> None:
        self._clauses = clauses
        self._first = bisect_right(clauses.starts, start) - 1
        self._last = bisect_left(clauses.ends, end, self._first)
        self.before = clauses.text[max(clauses.starts[self._first], start - WINDOW) : start]
        """The clause up to the mention."""
        self.after = clauses.text[end : min(clauses.ends[self._last], end + WINDOW)]
        """The clause behind the mention."""
        self.stop = clauses.mark(self._last)
        """The punctuation that ends the clause."""

    @property
    def is_question(self) -> bool:
        return self.stop == "?"

    @property
    def following(self) -> Segment:
        """The segment after the clause; a blank one at the end of the text."""
        return self._later(1)

    @property
    def after_next(self) -> Segment:
        """The segment after the following one."""
        return self._later(2)

    def _later(self, distance: int) -> Segment:
        place = self._last + distance
        return self._clauses.segment(place) if place < len(self._clauses.ends) else Segment("", "")

    @property
    def previous(self) -> Iterator[Segment]:
        """The segments before the clause, the nearest first."""
        for place in range(self._first - 1, max(-1, self._first - 1 - NEIGHBOURS), -1):
            yield self._clauses.segment(place)


def _is_stop(text: str, start: int, end: int) -> bool:
    mark, following = text[start:end].rstrip(), text[end : end + 1]
    if mark == "-":
        # A dash between blanks parts clauses, a hyphen joins words.
        return end > start + 1 and text[start - 1 : start] == " "
    if mark == ".":
        # 3.5, a.m., Dr. Smith
        return not ((end == start + 1 and following.isalnum()) or _ABBREVIATION.search(text, max(0, start - 5), start))
    return not (mark in (",", ":") and end == start + 1 and following.isdigit() and text[start - 1 : start].isdigit())
