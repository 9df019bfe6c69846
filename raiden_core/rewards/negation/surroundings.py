"""Surroundings: the part of a long text that can negate a mention, so that the rest costs nothing."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

Span = tuple[int, int]

MENTIONS_READ = 1000
"""Of a term that an answer repeats without end, no more mentions are read for negation."""
NEAR = 1000
"""What is further than this from a mention cannot negate it."""
LONG = 8 * NEAR
"""A shorter text is read as it is."""


class Surroundings:
    """A folded text without what is far from every mention; each piece that is left ends with a full stop."""

    __slots__ = ("_pieces", "_shifts", "_starts", "mentions", "text")

    def __init__(self, text: str, mentions: Sequence[Sequence[Span]]) -> None:
        self.text = text
        self.mentions = mentions
        """For each term, where the shortened text mentions it."""
        self._pieces: list[tuple[int, int]] = []
        self._shifts: list[int] = []
        if len(text) < LONG:
            return
        read = [spans[:MENTIONS_READ] for spans in mentions]
        for start, end in sorted(span for spans in read for span in spans):
            start, end = max(0, start - NEAR), end + NEAR
            if self._pieces and start <= self._pieces[-1][1]:
                start = self._pieces.pop()[0]
            self._pieces.append((start, end))
        self._starts = [start for start, _ in self._pieces]
        size = 0
        for start, end in self._pieces:
            self._shifts.append(size - start)
            size += end - start + 1
        self.text = "。".join(text[start:end] for start, end in self._pieces)
        self.mentions = [
            [(self._move(start), self._move(start) + end - start) for start, end in spans] for spans in read
        ]

    def moved(self, places: Sequence[int]) -> Sequence[int]:
        """Places of the whole text as places of the shortened one; those that were cut away are left out."""
        if not self._pieces:
            return places
        kept = [places[bisect_left(places, start) : bisect_left(places, end)] for start, end in self._pieces]
        return [self._move(place) for part in kept for place in part]

    def _move(self, place: int) -> int:
        return place + self._shifts[bisect_right(self._starts, place) - 1]
