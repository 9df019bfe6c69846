"""English numerals: seventeen, twenty-one, one hundred and five, nineteen eighty-six, seventeenth."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from raiden_core.rewards.numbers.units import WORD
from raiden_core.rewards.numbers.values import Number

_ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
CARDINALS = {
    **{word: value for value, word in enumerate([*_ONES.split(), "seventeen", "eighteen", "nineteen"])},
    **{word: 10 * value for value, word in enumerate(_TENS.split(), 2)},
}
SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12}
ORDINALS = {
    **{"fifth": 5, "eighth": 8, "ninth": 9, "twelfth": 12},
    **{f"{word}th": value for word, value in CARDINALS.items() if value in (4, 6, 7, 10, 11) or 12 < value < 20},
    **{f"{word[:-1]}ieth": value for word, value in CARDINALS.items() if value >= 20},
}
LAST_ORDINALS = {"first": 1, "second": 2, "third": 3}
"""Ordinals that are numbers only at the end of a compound (twenty-first)."""
WEAK = {"first": "1st", "second": "2nd", "third": "3rd"}
"""Alone they are mostly no numbers ("just a second"), so only those who look for ordinals and dates read them."""
_ONLY_INSIDE = frozenset({"and", "oh", "o", *LAST_ORDINALS})

_NUMERAL = re.compile(
    f"(?<!{WORD})(?:{'|'.join([*CARDINALS, *ORDINALS, *SCALES, *LAST_ORDINALS, 'and', 'oh', 'o'])})(?!{WORD})"
)
_NO_NUMERAL = re.compile(r"(?:no|any|some|every|each|this|that|which|the)[ -]$")
_PRONOUN_AFTER = re.compile("'s| another")
_DOZEN = re.compile(f"(?<!{WORD})(?:(half a )|(a )?)dozen(?!{WORD})")
_TENS_WORDS = frozenset(_TENS.split())
_WEAK = re.compile(f"(?<!{WORD})(?:first|second|third)(?!{WORD})")
_LONGEST = 16


def find(text: str) -> list[Number]:
    """The English numerals of a text."""
    found: list[Number] = []
    chain: list[re.Match[str]] = []
    for word in _NUMERAL.finditer(text):
        if chain and text[chain[-1].end() : word.start()] not in (" ", "-"):
            found += _read(text, chain)
            chain = []
        chain.append(word)
    found += _read(text, chain)
    return [*found, *_dozens(text, found)] if "dozen" in text else found


def _dozens(text: str, numbers: list[Number]) -> Iterator[Number]:
    """A dozen, half a dozen, two dozen."""
    before = {number.end: number for number in numbers}
    for dozen in _DOZEN.finditer(text):
        count = before.get(dozen.start() - 1)
        if dozen[1] or dozen[2]:
            yield Number(*dozen.span(), "6" if dozen[1] else "12")
        elif count and count.value.isdecimal() and len(count.value) < 3:
            yield Number(count.start, dozen.end(), str(12 * int(count.value)))


def _read(text: str, chain: list[re.Match[str]]) -> list[Number]:
    found, place = [], 0
    words = [word.group() for word in chain]
    if len(words) == 3 and words[1] == "and" and 0 < CARDINALS.get(words[0], 0) < 10 and words[2] in _TENS_WORDS:
        # Eight and fifty, as it was once said.
        value = str(CARDINALS[words[0]] + CARDINALS[words[2]])
        return [Number(chain[0].start(), chain[2].end(), value)]
    while place < len(chain):
        read = None if words[place] in _ONLY_INSIDE else english_value(words[place : place + _LONGEST])
        if read is None:
            place += 1
            continue
        value, used = read
        start, end = chain[place].start(), chain[place + used - 1].end()
        if not (
            value == "1" and (_NO_NUMERAL.search(text[max(0, start - 8) : start]) or _PRONOUN_AFTER.match(text, end))
        ):
            found.append(Number(start, end, value))
        place += used
    return found


def weak_ordinals(text: str, numbers: Sequence[Number]) -> list[Number]:
    """The ordinals first, second and third of a text where they are no part of a number in ``numbers``."""
    ends = {number.end for number in numbers}
    return [Number(*word.span(), WEAK[word.group()]) for word in _WEAK.finditer(text) if word.end() not in ends]


def english_value(words: list[str]) -> tuple[str, int] | None:
    """The value of the longest numeral at the start of ``words``, and how many words it takes.

    >>> english_value(["one", "hundred", "and", "five", "nights"]), english_value(["nineteen", "eighty", "six"])
    (('105', 4), ('1986', 3))
    """
    if words[0] in SCALES:
        # "a hundred": the article is no numeral, the one is implied.
        implied = english_value(["one", *words])
        return (implied[0], implied[1] - 1) if implied else None
    total, place, count, last_scale = 0, 0, 0, 10**16
    while True:
        value, used, ordinal = _group(words[place:])
        if not used:
            break
        place += used
        scale = 1
        while not ordinal and place < len(words) and words[place] in SCALES:
            scale *= SCALES[words[place]]
            place += 1
        if scale >= last_scale:
            break
        total, count, last_scale = total + value * scale, place, scale
        if scale == 1:
            break
        place += words[place : place + 1] == ["and"]
    return (str(total), count) if count else None


def _group(words: list[str]) -> tuple[int, int, bool]:
    """A number below a thousand, or a year in two halves: its value, its words, whether it is an ordinal."""
    value, used, ordinal = _below_hundred(words)
    if not used or ordinal:
        return value, used, ordinal
    following = words[used : used + 1]
    if following == ["hundred"]:
        value, used = value * 100, used + 1
        skip = int(words[used : used + 1] == ["and"])
        rest, more, ordinal = _below_hundred(words[used + skip :])
        return (value + rest, used + skip + more, ordinal) if more else (value, used, False)
    if 10 <= value < 100:
        rest, more, _ = _below_hundred(words[used:])
        if more and 10 <= rest < 100:
            return value * 100 + rest, used + more, False
        tail = CARDINALS.get("".join(words[used + 1 : used + 2]), 0)
        if following in (["oh"], ["o"]) and 0 < tail < 10:
            return value * 100 + tail, used + 2, False
    return value, used, ordinal


def _below_hundred(words: list[str]) -> tuple[int, int, bool]:
    if not words:
        return 0, 0, False
    if words[0] in ORDINALS:
        return ORDINALS[words[0]], 1, True
    value = CARDINALS.get(words[0])
    if value is None:
        return 0, 0, False
    if value >= 20 and len(words) > 1:
        if 0 < CARDINALS.get(words[1], 0) < 10:
            return value + CARDINALS[words[1]], 2, False
        last = LAST_ORDINALS.get(words[1]) or ORDINALS.get(words[1], 0)
        if 0 < last < 10:
            return value + last, 2, True
    return value, 1, False
