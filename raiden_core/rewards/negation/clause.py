"""Clauses: the part of a sentence that a negation can govern, and its neighbours."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from raiden_core.rewards.negation.needed import MENTION

if TYPE_CHECKING:
    from raiden_core.rewards.negation.presence import Present
    from raiden_core.rewards.negation.table import Table
    from raiden_core.rewards.negation.topic import Topic

WINDOW = 120
"""How many characters of a clause on either side of a mention are read: its cost does not grow with the text."""
PIECES_READ = 12
"""How many segments behind a clause are read for its answer."""
NEIGHBOURS = 6
"""How many segments before a clause are read."""

_STOP = re.compile(r"[,.!?;:。()\[\]—|…-][,.!?;:。()\[\]—|…\s\"-]*")
_DOUBTFUL = re.compile(r"[.,:-](?:(?<=[.-])|(?<=\d[,:])(?=\d))")
"""Without any of these every stop is one."""
_ABBREVIATION = re.compile(r"(?<![\w'])(?:mr|mrs|ms|dr|st|prof|jr|sr|vs|mt|[a-z])$")
_NUMBER_SIGN = re.compile(r"(?<![\w'])no$")
"""No. 5 is a number, but "No." a reply."""
QUOTES = " \"'“”‘’「」『』《》"
_LITTLE_BEFORE = re.compile(r"\W*(?:(?:(?:the|an?|my|our|your|some|any|what|as|to|me) )*|[^\Wa-z]{0,2})[\"'“「『《(]?")
_LITTLE_BEHIND = re.compile(r"[\"'”」』》)]?[^\Wa-z]{0,3}\W*")
"""Particles and the like: such a mention stands alone in its clause."""
_NUMERAL = re.compile("[\\d一二三四五六七八九十百]")
OPEN = frozenset(",:—…-|()[]\n")
"""Stops over which a list may run on."""


class Segment(NamedTuple):
    """What stands between two stops."""

    text: str
    stop: str
    """The punctuation that ends it; "" at the end of the text."""


_NONE = Segment("", "")


class Piece(NamedTuple):
    """What stands behind a clause, between two stops or commas."""

    text: str
    stop: str
    inside: bool
    """Whether it stands in brackets, as a stage direction does."""


class Clauses:
    """A folded text cut into segments, once for all its mentions."""

    def __init__(self, text: str, breaks: Sequence[int] = (), kinds: tuple[str, ...] = ()) -> None:
        """``breaks`` are the places where a new line begins, ``kinds`` the kinds of rows that will be asked for."""
        spans = [stop.span() for stop in _STOP.finditer(text)]
        if _DOUBTFUL.search(text):
            spans = [span for span in spans if _is_stop(text, *span)]
        if breaks:
            stopped = {end for _, end in spans}
            spans = sorted([*spans, *((place, place) for place in breaks if place not in stopped)])
        self.text = text.replace(MENTION, " ")
        self.starts = [0, *[end for _, end in spans]]
        self.ends = [*[start for start, _ in spans], len(text)]
        self.stops = [text[start] if end == start + 1 else _stop(text[start:end]) for start, end in spans]
        """For each segment the punctuation that ends it: a question mark if there is one, "" at the end of the text."""
        self.stops.append("")
        self._has_brackets = "(" in text
        self._kinds = kinds
        self._present: dict[int, Present] = {}
        self._pieces: dict[str, list[list[Piece]]] = {}
        self._segments: dict[int, Segment] = {}

    def present(self, rules: Table) -> Present:
        """What of a table the text may hold."""
        present = self._present.get(id(rules))
        if present is None:
            present = self._present[id(rules)] = rules.look(self.text, self._kinds)
        return present

    def marks(self, place: int) -> str:
        """All punctuation between a segment and the next; "" at the end of the text."""
        return self.text[self.ends[place] : self.starts[place + 1]] if place + 1 < len(self.ends) else ""

    def segment(self, place: int) -> Segment:
        """One segment; of a very long one the beginning."""
        found = self._segments.get(place)
        if found is None:
            start, end = self.starts[place], self.ends[place]
            found = Segment(self.text[start : end if end - start < WINDOW else start + WINDOW], self.stops[place])
            self._segments[place] = found
        return found

    def behind(self, place: int, comma: str) -> Iterator[Piece]:
        """The pieces of the segments that stand behind one."""
        pieces = self._pieces.get(comma)
        if pieces is None:
            pieces = self._pieces[comma] = [[] for _ in self.ends]
        depth = self.marks(place).count("(") if self._has_brackets else 0
        for following in range(place + 1, min(len(self.ends), place + 1 + PIECES_READ)):
            own = pieces[following]
            if not own:
                own = pieces[following] = _cut(self.segment(following), comma)
            yield from [piece._replace(inside=True) for piece in own] if depth else own
            if self._has_brackets:
                marks = self.marks(following)
                depth = max(0, depth + marks.count("(") - marks.count(")"))


class Clause:
    """The clause of the mention ``text[start:end]``, no more than `WINDOW` characters of it on either side."""

    def __init__(self, clauses: Clauses, start: int, end: int) -> None:
        text = clauses.text
        self._clauses = clauses
        self.start, self.end = start, end
        self._around = ""
        self._first = first = bisect_right(clauses.starts, start) - 1
        self._last = last = bisect_left(clauses.ends, end, first)
        begins, ends = clauses.starts[first], clauses.ends[last]
        self.before = text[begins if start - begins < WINDOW else start - WINDOW : start]
        """The clause up to the mention."""
        self.after = text[end : ends if ends - end < WINDOW else end + WINDOW]
        """The clause behind the mention."""
        self.stop = clauses.stops[last]
        """The punctuation that ends the clause."""
        self.is_question = self.stop == "?"

    @property
    def is_echo(self) -> bool:
        """Whether the mention stands alone, but for articles and particles: 医生啊, My wife?"""
        behind = self.after.split("、")[0]
        return _LITTLE_BEFORE.fullmatch(self.before) is not None and _LITTLE_BEHIND.fullmatch(behind) is not None

    @property
    def begin(self) -> int:
        """Where the clause begins."""
        return self._clauses.starts[self._first]

    def reach(self, distance: int) -> int:
        """Where the segment ends that stands so many behind the clause."""
        ends = self._clauses.ends
        return ends[min(self._last + distance, len(ends) - 1)]

    @property
    def next_stop(self) -> str:
        """The punctuation that ends the segment after the clause."""
        stops = self._clauses.stops
        return stops[self._last + 1] if self._last + 1 < len(stops) else ""

    @property
    def following(self) -> Segment:
        """The segment after the clause; a blank one at the end of the text."""
        return self.later(1)

    @property
    def marks(self) -> str:
        """All punctuation between the clause and the next."""
        return self._clauses.marks(self._last)

    def pieces(self, comma: str = "") -> Iterator[Piece]:
        """What stands behind the clause, piece by piece, with what its own comma (、) parts from it first."""
        behind = self._clauses.behind(self._last, comma)
        if not comma or comma not in self.after:
            return behind
        return chain(_cut(Segment(self.after, self.stop), comma)[1:], behind)

    def replies(self, rules: Table, comma: str = "") -> list[Piece]:
        """What may answer the clause: stage directions and interjections, then what is neither."""
        found: list[Piece] = []
        for piece in self.pieces(comma):
            if piece.text:
                found.append(piece)
                if not piece.inside and not rules.begins("filler", piece.text):
                    break
        return found

    def holds(self, rules: Table, kind: str) -> bool:
        """Whether a row of a kind that reads the surroundings is found in them."""
        present = self._clauses.present(rules)
        return bool(present[kind]) and present.search(kind, self.surroundings)

    def present(self, rules: Table) -> Present:
        """What of a table the text may hold."""
        return self._clauses.present(rules)

    @property
    def is_value(self) -> bool:
        """Whether the mention holds a number: another one, not a negated predicate, denies it."""
        return _NUMERAL.search(self._clauses.text, self.start, self.end) is not None

    @property
    def opening(self) -> str:
        """What stands before the mention in its sentence; at most `WINDOW` characters."""
        clauses, first = self._clauses, self._first
        while first > 0 and self._first - first < NEIGHBOURS and clauses.stops[first - 1] in OPEN:
            first -= 1
        return clauses.text[max(clauses.starts[first], self.start - WINDOW) : self.start]

    @property
    def rest(self) -> str:
        """What stands behind the mention in its sentence; at most `WINDOW` characters."""
        clauses, last = self._clauses, self._last
        while last + 1 < len(clauses.ends) and last - self._last < NEIGHBOURS and clauses.stops[last] in OPEN:
            last += 1
        return clauses.text[self.end : min(clauses.ends[last], self.end + WINDOW)]

    @property
    def surroundings(self) -> str:
        """The sentence so far, `MENTION`, the rest of the clause and three more; at most `WINDOW` a side."""
        if not self._around:
            self._around = self._read_around()
        return self._around

    def _read_around(self) -> str:
        clauses = self._clauses
        first = self._first
        while first > 0 and self._first - first < NEIGHBOURS and clauses.stops[first - 1] in OPEN:
            first -= 1
        last = min(self._last + 3, len(clauses.ends) - 1)
        text = clauses.text
        before = text[max(clauses.starts[first], self.start - WINDOW) : self.start]
        after = text[self.end : min(clauses.ends[last] + 1, self.end + WINDOW)]
        return f"{before}{MENTION}{after}"

    def later(self, distance: int) -> Segment:
        """A segment behind the clause, 1 being the next; a blank one past the end of the text."""
        place = self._last + distance
        return self._clauses.segment(place) if place < len(self._clauses.ends) else _NONE

    @property
    def previous(self) -> Iterator[Segment]:
        """The segments before the clause, the nearest first."""
        for place in range(self._first - 1, max(-1, self._first - 1 - NEIGHBOURS), -1):
            yield self._clauses.segment(place)


def is_predicated(clause: Clause, topic: Topic) -> bool:
    """Whether any negated predicate of its sentence may deny a mention: names, identities and fears have their own."""
    return topic.about in _PREDICATED and not (topic.is_name or topic.asks_denied or clause.is_value)


_PREDICATED = frozenset({"taste", "activity", "possession", "other"})


def _stop(marks: str) -> str:
    return "?" if "?" in marks else marks[:1] or "\n"


def _cut(segment: Segment, comma: str) -> list[Piece]:
    """The pieces of a segment that is not in brackets."""
    text, stop = segment
    if not comma or comma not in text:
        return [Piece(text.strip(QUOTES), stop, False)]
    *parts, last = text.split(comma)
    return [*(Piece(part.strip(QUOTES), ",", False) for part in parts), Piece(last.strip(QUOTES), stop, False)]


def _is_stop(text: str, start: int, end: int) -> bool:
    mark, following = text[start:end].rstrip(), text[end : end + 1]
    if mark == "-":
        # A dash between blanks parts clauses, and one at the beginning marks a list; a hyphen joins words.
        return start == 0 or (end > start + 1 and text[start - 1 : start] == " ")
    if mark == ".":
        # 3.5, a.m., Dr. Smith
        if end == start + 1 and following.isalnum():
            return False
        if following.isdigit() and _NUMBER_SIGN.search(text, max(0, start - 3), start):
            return False
        return _ABBREVIATION.search(text, max(0, start - 5), start) is None
    return not (mark in (",", ":") and end == start + 1 and following.isdigit() and text[start - 1 : start].isdigit())
