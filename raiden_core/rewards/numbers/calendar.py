"""Dates: 1987-05-03, 3 May 1987, May 3rd, 1987年5月3日, 昭和62年5月3日, 87年生, 5월 3일.

Lunar dates (五月初五) are left alone: they name a day of another calendar, and match as they are written. 03/05/1987 is
left alone too: it means two different days in two countries.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from raiden_core.rewards.numbers.cursor import Cursor
from raiden_core.rewards.numbers.measures import unit_at
from raiden_core.rewards.numbers.values import Number


class Date(NamedTuple):
    """A date or a part of one; a negative year is one of which only the last two digits are said."""

    year: int | None = None
    month: int | None = None
    day: int | None = None

    def agrees(self, found: object) -> bool:
        """Whether ``found`` says all that this date says."""
        if not isinstance(found, Date):
            return False
        return _same_year(self.year, found.year) and all(
            mine is None or mine == its for mine, its in zip(self[1:], found[1:], strict=True)
        )

    def is_bare(self, number: Fraction) -> bool:
        """Whether a number alone says it: 1986 a year, 19 a day."""
        known = [part for part in self if part is not None]
        return len(known) == 1 and self.month is None and number == known[0]


ERAS = {"令和": 2018, "平成": 1988, "昭和": 1925, "大正": 1911, "明治": 1867, "民国": 1911}
"""Era → the year before its first."""

_ERA = re.compile("(令和|平成|昭和|大正|明治|民国)$")
_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
MONTH_OF = {
    **{name: number for number, name in enumerate(_MONTHS, 1)},
    **{name[:3]: number for number, name in enumerate(_MONTHS, 1)},
    "sept": 9,
}
MONTH_NAME = "|".join(sorted(MONTH_OF, key=len, reverse=True))
_MONTH_BEFORE = re.compile(rf"(?<![a-z])({MONTH_NAME})\.?,? (?:the )?$")
_MONTH_AFTER = re.compile(rf"(?:st|nd|rd|th)?(?: day)?(?: of)? ?({MONTH_NAME})(?![a-z])\.?")
_SUFFIX = re.compile("(?:st|nd|rd|th)(?![a-z])")
_YEAR_AFTER = re.compile(",? (?:of )?(?=[12])")
_BORN = re.compile(" ?(?:生|出生|级|届|产|的|に?生まれ|생|도|에 태어)")
_YEAR_WORD = re.compile("(?:in|since|year|of|from|until|born|circa|around|by) $")
_LUNAR = re.compile("初[一二三四五六七八九十]")
_KOREAN_DAYS = ("초하루", "초이틀", "초사흘", "초나흘", "초닷새", "초엿새", "초이레", "초여드레", "초아흐레", "열흘")
_KOREAN_DAY = re.compile(f" ?({'|'.join(_KOREAN_DAYS)})")
_PARTING = re.compile("の| ")
_SHORT_YEAR = re.compile("(?<![a-z0-9])'$")


def read_date(cursor: Cursor, place: int, before: str) -> tuple[int, int, Date, int] | None:
    """The date that begins with a number: where it starts and ends, what it is and how many numbers it takes."""
    number, text = cursor.numbers[place], cursor.text
    value = _whole(number)
    if value is None:
        return None
    letter = text[number.end : number.end + 1]
    if letter == " ":
        letter = text[number.end + 1 : number.end + 2]
        letter = letter if letter in "년월일" else ""
    if letter in _READERS and letter:
        return _east(cursor, place, before, value, letter)
    if 1000 <= value <= 2999 and letter in ("-", "/", "."):
        return _iso(cursor, place, value, letter)
    return _english(cursor, place, before, value)


_READERS = frozenset("年년月월日号일")


def _east(cursor: Cursor, place: int, before: str, value: int, letter: str) -> tuple[int, int, Date, int] | None:
    """Year, month and day as Chinese, Japanese and Korean write them, beginning with any of the three."""
    numbers, text = cursor.numbers, cursor.text
    start, end, used = numbers[place].start, numbers[place].end, 1
    year = month = day = None
    if letter in "年년":
        era = _ERA.search(before)
        end = _behind(text, end, "年년")
        following = _next(cursor, end)
        has_month = following is not None and _behind(text, following.end, "月월") > following.end
        if era:
            year, start = ERAS[era[1]] + value, start - 2
        elif value >= 1000:
            year = value
        elif (10 <= value < 100 and (_BORN.match(text, end) or has_month)) or (value < 10 and has_month):
            year = -value
        else:
            return None
        if text.startswith(("间", "간", "代"), end) or (value >= 3000 and not era):
            return None
        if not following or not has_month:
            return start, end, Date(year), used
        number, used = following, used + 1
        value = _whole(number) or 0
        end, letter = number.end, text[_behind(text, number.end, "月월") - 1]
    if letter in "月월":
        end = _behind(text, end, "月월")
        if not 1 <= value <= 12 or _LUNAR.match(text, end) or text.startswith("间", end):
            return None
        month = value
        named = _KOREAN_DAY.match(text, end) if letter == "월" else None
        if named:
            return start, named.end(), Date(year, month, 1 + _KOREAN_DAYS.index(named[1])), used
        following = _next(cursor, end)
        days = _whole(following) if following else None
        if not following or not days or days > 31 or _behind(text, following.end, "日号일") == following.end:
            return start, end, Date(year, month), used
        value, used, end, letter = days, used + 1, following.end, "日"
    end = _behind(text, end, "日号일")
    day = value
    if not 1 <= day <= 31 or text.startswith(("间", "간"), end):
        return None
    return start, end, Date(year, month, day), used


def _behind(text: str, place: int, letters: str) -> int:
    """The place behind one of ``letters``, with a blank before it or not; ``place`` where none follows."""
    start = place + 1 if text.startswith(" ", place) else place
    return start + 1 if text[start : start + 1] and text[start] in letters else place


def _next(cursor: Cursor, place: int) -> Number | None:
    parting = _PARTING.match(cursor.text, place)
    return cursor.number_at(place) or (cursor.number_at(parting.end()) if parting else None)


def _iso(cursor: Cursor, place: int, year: int, mark: str) -> tuple[int, int, Date, int] | None:
    numbers = cursor.numbers
    start, end = numbers[place].start, numbers[place].end
    month = cursor.number_at(end + 1)
    months = _whole(month) if month else None
    if not month or not months or months > 12:
        return None
    if cursor.text[month.end : month.end + 1] == mark:
        day = cursor.number_at(month.end + 1)
        days = _whole(day) if day else None
        if day and days and days <= 31:
            return start, day.end, Date(year, months, days), 3
    is_month = mark == "-" and month.end - month.start == 2
    return (start, month.end, Date(year, months), 2) if is_month else None


def _english(cursor: Cursor, place: int, before: str, value: int) -> tuple[int, int, Date, int] | None:
    number, text = cursor.numbers[place], cursor.text
    start, end, used = number.start, number.end, 1
    named = _MONTH_BEFORE.search(before)
    if named:
        month, start = MONTH_OF[named[1]], start - len(named.group())
        if 1000 <= value <= 2999:
            return start, end, Date(value, month), used
        suffix = _SUFFIX.match(text, end)
        end = suffix.end() if suffix else end
    else:
        named = _MONTH_AFTER.match(text, end)
        if not named:
            if 1000 <= value <= 2999 and _YEAR_WORD.search(before) and not unit_at(text, end)[0]:
                return start, end, Date(value), used
            short = 10 <= value < 100 and _SHORT_YEAR.search(before)
            return (start - 1, end, Date(-value), used) if short else None
        month, end = MONTH_OF[named[1]], named.end()
    if not 1 <= value <= 31:
        return None
    gap = _YEAR_AFTER.match(text, end)
    year = cursor.number_at(gap.end()) if gap else None
    years = _whole(year) if year else None
    if year and years and 1000 <= years <= 2999:
        return start, year.end, Date(years, month, value), used + 1
    return start, end, Date(None, month, value), used


def _whole(number: Number) -> int | None:
    value = number.value
    if value in ("1st", "2nd", "3rd"):
        return int(value[0])
    return int(value) if value.isdecimal() and len(value) <= 4 else None


def _same_year(mine: int | None, its: int | None) -> bool:
    if mine is None or its is None or mine == its:
        return mine is None or mine == its
    short, long = sorted((mine, its))
    return short < 0 and 1900 <= long < 2100 and long % 100 == -short
