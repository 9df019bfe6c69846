"""`Cursor`: a folded text with its numbers, for those who read what the numbers mean."""

from __future__ import annotations

import re
from collections.abc import Sequence

from raiden_core.rewards.numbers.values import Number

_ORDINAL_SUFFIX = re.compile(r"(?:st|nd|rd|th)(?![a-z])")
_ORDINAL_WORD = re.compile(r"[a-z -]*(?:th|first|second|third)")


class Cursor:
    """A text and its numbers, found by their place."""

    __slots__ = ("_at", "numbers", "text")

    def __init__(self, text: str, numbers: Sequence[Number]) -> None:
        self.text = text
        self.numbers = numbers
        self._at: dict[int, int] | None = None

    def number_at(self, place: int) -> Number | None:
        """The number that begins at ``place``."""
        if self._at is None:
            self._at = {number.start: index for index, number in enumerate(self.numbers)}
        index = self._at.get(place)
        return None if index is None else self.numbers[index]

    def is_ordinal(self, number: Number) -> bool:
        """Whether a number is spelled as an English ordinal: 17th, seventeenth."""
        text = self.text
        if text[number.start].isascii() and text[number.start].isalpha():
            return _ORDINAL_WORD.fullmatch(text, number.start, number.end) is not None
        return _ORDINAL_SUFFIX.match(text, number.end) is not None

    def ordinal_end(self, number: Number) -> int:
        """Where an ordinal ends, its suffix included."""
        suffix = _ORDINAL_SUFFIX.match(self.text, number.end)
        return suffix.end() if suffix else number.end
