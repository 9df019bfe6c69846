"""Values that are spelled without a number or around one: fractions (三分之一, 1/3, a third) and counts in kana (ふたり)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from raiden_core.rewards.numbers.han import HAN_NUMERALS, han_value
from raiden_core.rewards.numbers.korean import korean_value

_NUMERAL = f"(?:\\d{{1,9}}(?:\\.\\d{{1,9}})?|[{HAN_NUMERALS}]{{1,9}}|[영공일이삼사오육륙칠팔구십백]{{1,5}})"
_PARTS = re.compile(f"({_NUMERAL}) ?(?:分之|分の|분의) ?({_NUMERAL})")
_SLASH = re.compile(r"(?<![\d/.,])(\d{1,9})/(\d{1,9})(?![\d/]|[.,]\d)")
_ENGLISH_PART = {"third": 3, "quarter": 4, "fifth": 5, "sixth": 6, "eighth": 8, "tenth": 10}
_ENGLISH_COUNT = {"a": 1, "one": 1, "two": 2, "three": 3, "four": 4}
_ENGLISH = re.compile(
    f"(?<![a-z])(?:({'|'.join(_ENGLISH_COUNT)})[ -]({'|'.join(_ENGLISH_PART)})s?|(half))(?![a-z])(?! (?:past|of the time))"
)
_HALVES = re.compile("一半|半分|절반")
_KANA = (
    ("things", ("ひとつ", "ふたつ", "みっつ", "よっつ", "いつつ", "むっつ", "ななつ", "やっつ", "ここのつ")),
    ("people", ("ひとり", "ふたり", "さんにん", "よにん", "ごにん", "ろくにん")),
    ("animals", ("いっぴき", "にひき", "さんびき", "よんひき", "ごひき", "ろっぴき")),
)
_KANA_COUNTS = {word: (kind, Fraction(number)) for kind, words in _KANA for number, word in enumerate(words, 1)}
_KANA_COUNT = re.compile("|".join(_KANA_COUNTS))


def fractions(text: str) -> Iterator[tuple[int, int, Fraction]]:
    """Fractions of a folded text, and parts of a hundred (百分之八十)."""
    for match in _PARTS.finditer(text):
        whole, part = _value(match[1]), _value(match[2])
        if whole and part is not None:
            yield *match.span(), part / whole
    for match in _SLASH.finditer(text) if "/" in text else ():
        if int(match[2]):
            yield *match.span(), Fraction(int(match[1]), int(match[2]))
    for match in _ENGLISH.finditer(text):
        yield *match.span(), Fraction(1, 2) if match[3] else Fraction(_ENGLISH_COUNT[match[1]], _ENGLISH_PART[match[2]])
    for match in _HALVES.finditer(text):
        yield *match.span(), Fraction(1, 2)


def kana_counts(text: str) -> Iterator[tuple[int, int, tuple[str, Fraction]]]:
    """Counts that Japanese has words for."""
    ends = "つ" in text or "り" in text or "ぴき" in text or "ひき" in text or "にん" in text
    for match in _KANA_COUNT.finditer(text) if ends else ():
        yield *match.span(), _KANA_COUNTS[match.group()]


def _value(numeral: str) -> Fraction | None:
    if numeral[0].isdecimal():
        return Fraction(numeral)
    value = han_value(numeral) if numeral[0] in HAN_NUMERALS else korean_value(numeral)
    return Fraction(value) if value and "~" not in value else None
