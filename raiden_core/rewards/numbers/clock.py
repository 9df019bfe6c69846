"""Clock times: 5:30, 五点半, half past five, 5時半, 다섯 시 반, 5 p.m., 下午三点, 15時.

A time on a twelve-hour clock without a word for the half of the day agrees with either half.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from raiden_core.rewards.numbers.cursor import Cursor
from raiden_core.rewards.numbers.values import Number


class Time(NamedTuple):
    """A time of day."""

    hour: int
    """0 to 11."""
    minute: int
    half: str
    """"am", "pm" or "" for either."""

    def agrees(self, found: object) -> bool:
        """Whether ``found`` is this time, or may be where one of the two leaves the half of the day open."""
        return isinstance(found, Time) and self[:2] == found[:2] and (not self.half or found.half in ("", self.half))

    def is_bare(self, number: Fraction) -> bool:
        """Whether a number alone says it: 5 as an answer to "what time?"."""
        return self.minute == 0 and number.denominator == 1 and self.agrees(_time(int(number), 0, ""))


_MORNING = "凌晨|清晨|清早|早上|早晨|上午|早|午前|朝|오전|새벽|아침"
_EVENING = "下午|午后|晚上|傍晚|中午|夜里|夜|晚|夕方|오후|저녁|밤|낮"
_HALF_BEFORE = re.compile(f"(?:({_MORNING})|({_EVENING}))(?:の|에)? ?$")
_HALF_AFTER = re.compile(
    r" ?(?:(a\.m\.?|am|in the morning)|(p\.m\.?|pm|in the (?:afternoon|evening)|at night|this evening))(?![a-z])"
)
_HOUR = re.compile(
    " ?(?:点钟|点整|点|时整|时|시 ?정각|시(?!간|[가-힣])|시(?=[에는은이까부면쯤전예입요반]))|(?: o'clock)"
)
_NO_HOUR = re.compile(" ?时间")
_FRACTION = re.compile(" ?(?:(半|반)|(一刻)|(三刻))")
_MINUTE_UNIT = re.compile(" ?(?:分(?!之)|분)")
_PAST = re.compile("(?<![a-z])(?:(half)|((?:a )?quarter)) (past|after|to|before|till) $")
_LINK = re.compile("(?: minutes?)? (past|after|to|before|till) ")
_SPOKEN_MINUTES = frozenset({5, 10, 20, 25})
_NOUN_AFTER = re.compile(r" (?!(?:in|at|every|and|on|each|sharp)\b)[a-z]|[0-9%:-]")
_GAP = re.compile("[ 零〇]")
_WORDS = re.compile("(?<![a-z])(?:noon|midday)(?![a-z])|正午|정오|((?<![a-z])midnight(?![a-z])|午夜|자정)")


def time_words(text: str) -> Iterator[tuple[int, int, Time]]:
    """Times that are a word: noon and midnight."""
    for word in _WORDS.finditer(text):
        yield *word.span(), Time(0, 0, "am" if word[1] else "pm")


def read_time(cursor: Cursor, place: int, before: str) -> tuple[int, int, Time, int] | None:
    """The time that begins with a number: where it starts and ends, what it is and how many numbers it takes."""
    number, text = cursor.numbers[place], cursor.text
    hour = _whole(number)
    if hour is None or hour > 24:
        return _in_two_halves(text, number)
    start, end, minute, used = number.start, number.end, 0, 1
    mark = text[end : end + 1]
    unit = _HOUR.match(text, end) if mark not in (":", "") and not _NO_HOUR.match(text, end) else None
    if mark == ":":
        minutes = cursor.number_at(end + 1)
        if not minutes or minutes.end - minutes.start != 2 or not minutes.value.isdecimal():
            return None
        minute, end, used = int(minutes.value), minutes.end, 2
    elif unit:
        end = unit.end()
        minute, end, used = _minutes(cursor, end)
    else:
        spoken = _spoken(cursor, place, before)
        if spoken is None:
            return None
        start, end, hour, minute, used = spoken
    if minute > 59:
        return None
    half, start, end = _half(text, start, end)
    return start, end, _time(hour, minute, half), used


def _in_two_halves(text: str, number: Number) -> tuple[int, int, Time, int] | None:
    """Ten thirteen, which reads like a year as well."""
    if not text[number.start].isalpha() or not number.value.isdecimal() or len(number.value) != 4:
        return None
    hour, minute = divmod(int(number.value), 100)
    if not 10 <= hour <= 12 or not 10 <= minute <= 59 or "d" in text[number.start : number.end]:
        # The d is that of hundred and thousand.
        return None
    half, start, end = _half(text, number.start, number.end)
    return start, end, _time(hour, minute, half), 1


def _minutes(cursor: Cursor, end: int) -> tuple[int, int, int]:
    """The minutes behind an hour, where they end and how many numbers they take with the hour's."""
    text = cursor.text
    fraction = _FRACTION.match(text, end)
    if fraction:
        used = 2 if cursor.number_at(fraction.end() - 2) else 1
        return (30 if fraction[1] else 15 if fraction[2] else 45), fraction.end(), used
    gap = _GAP.match(text, end)
    following = cursor.number_at(end) or (cursor.number_at(gap.end()) if gap else None)
    value = _whole(following) if following else None
    if following is None or value is None or value > 59:
        return 0, end, 1
    unit = _MINUTE_UNIT.match(text, following.end)
    if unit or following.end - following.start > 1:
        return value, unit.end() if unit else following.end, 2
    return 0, end, 1


def _spoken(cursor: Cursor, place: int, before: str) -> tuple[int, int, int, int, int] | None:
    """English times: half past five, ten to six, five thirty, 5 p.m."""
    number, text = cursor.numbers[place], cursor.text
    value, start, end = _whole(number) or 0, number.start, number.end
    link = _LINK.match(text, end) if value in _SPOKEN_MINUTES else None
    second = cursor.number_at(link.end()) if link else None
    hour = (_whole(second) or 0) if second else 0
    if link and second and 1 <= hour <= 12 and not (_counts_back(link[1]) and _NOUN_AFTER.match(text, second.end)):
        # "Five to ten years" is a range.
        return (start, second.end, *_shifted(hour, value, link[1]), 2)
    hour = value
    if not 1 <= hour <= 12:
        return None
    before = text[max(0, start - 24) : start]
    past = _PAST.search(before) if before.endswith((" past ", " to ", " after ", " before ", " till ")) else None
    if past and (past[1] or past[2]):
        return (start - len(past.group()), end, *_shifted(hour, 30 if past[1] else 15, past[3]), 1)
    following = cursor.number_at(end + 1) if text.startswith(" ", end) and text[start].isalpha() else None
    minutes = _whole(following) if following else None
    if following and minutes and 10 <= minutes <= 59 and text[following.start].isalpha():
        return start, following.end, hour, minutes, 2
    return (start, end, hour, 0, 1) if _HALF_AFTER.match(text, end) else None


def _shifted(hour: int, minutes: int, link: str) -> tuple[int, int]:
    """Ten past six and ten to six."""
    return (hour - 1 or 12, 60 - minutes) if _counts_back(link) else (hour, minutes)


def _counts_back(link: str) -> bool:
    """Whether a word between minutes and hour counts back from the hour."""
    return link in ("to", "before", "till")


def _half(text: str, start: int, end: int) -> tuple[str, int, int]:
    before = _HALF_BEFORE.search(text[max(0, start - 6) : start])
    after = _HALF_AFTER.match(text, end)
    if after:
        return ("am" if after[1] else "pm"), start, after.end()
    if before:
        return ("am" if before[1] else "pm"), start - len(before.group()), end
    return "", start, end


def _time(hour: int, minute: int, half: str) -> Time:
    if hour == 0 or hour == 24:
        half = "am"
    elif hour > 12:
        half = "pm"
    return Time(hour % 12, minute, half)


def _whole(number: Number) -> int | None:
    return int(number.value) if number.value.isdecimal() and len(number.value) <= 2 else None
