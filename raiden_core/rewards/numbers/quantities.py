"""Quantities: numbers with what they are numbers of, so that 165cm, 一米六五 and 1.65 m are one value.

    read("我一米六五", find_numbers("我一米六五"))[0].meanings  # (('length', Fraction(33, 20)),)

A quantity has one meaning or, where its unit has two readings, several. Equal meanings are equal values; dates and
times also match a more telling one (`agree`). Approximate numbers keep their own spelling as value: 十七八岁 equals
neither 17 nor 18. Each number is read once, with a bounded look at what stands around it, so reading is linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from raiden_core.rewards.numbers.calendar import EMPTY, Date, read_date
from raiden_core.rewards.numbers.clock import Time, read_time, time_words
from raiden_core.rewards.numbers.cursor import Cursor
from raiden_core.rewards.numbers.english import weak_ordinals
from raiden_core.rewards.numbers.measures import COUNTS, KINDS_OF_MONEY, MEASURES, SIGNS, Measure, unit_at
from raiden_core.rewards.numbers.values import LONGEST, Number
from raiden_core.rewards.numbers.words import fractions, kana_counts

_SPELLED_OUT = frozenset({"ordinal", "floor", "date"})
"""Kinds for which first, second and third count."""
Value = Fraction | str | Date | Time
Meaning = tuple[str, Value]


class Quantity(NamedTuple):
    """One value of a text."""

    start: int
    end: int
    meanings: tuple[Meaning, ...]
    written: Fraction | None = None
    """The number as it is written, where it is a single one: 165 of 165cm."""
    is_bare: bool = False
    """Whether it has no unit, so that only the question can say what it is a number of."""


_SIGN_BEFORE = re.compile(r"(?:us)?[$¥₩€£] ?$")
_AGE_BEFORE = re.compile("(?:aged?:? |年龄(?:是|为|:)? ?|年岁 ?|나이[는:]? ?|年齢は)$")
_HEIGHT_BEFORE = re.compile("(?:身高(?:是|为|:)? ?|身长は? ?)$")
_ORDINAL_BEFORE = re.compile("(?:第|no\\. ?|number |#)$")
_FLOOR_OR_PLACE = re.compile("(?:st|nd|rd|th)? (?:(floor)|place|prize)(?![a-z])")
_WEAK_ORDINAL = re.compile(r"\d(?:st|nd|rd)")
_HALF_AFTER = re.compile("半(?![夜天路])| ?반(?![가-힣])| and a half")
_TAIL = re.compile(
    " ?([0-9零〇一二三四五六七八九]{1,2}|[일이삼사오육칠팔구십]{1,3})(?:[^0-9零〇一二三四五六七八九十百.%]|$)"
)
_DIGIT = {**dict(zip("零一二三四五六七八九", range(10), strict=True)), "〇": 0}
_FEET = re.compile("'|[ -]?(?:foot|feet|ft)(?![a-z])[.]? ?(?:and )?")
_INCHES = re.compile("\"|”|''|[ -]?(?:inch(?:es)?|ins?)(?![a-z])")
_INCH, _FOOT = Fraction("0.0254"), Fraction("0.3048")
_METRES = frozenset({"m", "米", "公尺", "メートル", "미터", "meter", "metre", "meters", "metres"})
_BARE_AFTER = re.compile(
    "$|[^\\w%'\"$-]|'(?!s)|[了啦呢的吧呀哦啊嘛だでになよねかとくらちでじ、多左]|예요|이에요|이요|요|입니|이야|이고|이다|정도|쯤|"
    " (?:now|and|but|this|last|next|in|or|so|if|when|as|on|at|today|already|exactly|sharp|or so)\\b"
)


def read(text: str, numbers: Sequence[Number], kinds: frozenset[str] | None = None) -> list[Quantity]:
    """The quantities of a folded text, from left to right.

    Args:
        text: folded.
        numbers: those that `find_numbers` finds in it.
        kinds: the kinds that are looked for, which spares reading words of other kinds; None reads all.
    """
    if kinds is None or not _SPELLED_OUT.isdisjoint(kinds):
        weak = weak_ordinals(text, numbers)
        numbers = sorted([*numbers, *weak]) if weak else numbers
    found = list(_read(Cursor(text, numbers)))
    spelled = list(_read_words(text, kinds))
    if not spelled:
        return found
    # 三分之一 is no 一: a number within a spelled value is not read alone.
    covered = {place for quantity in spelled for place in range(quantity.start, quantity.end)}
    return sorted([*spelled, *(quantity for quantity in found if quantity.start not in covered)])


def _read_words(text: str, kinds: frozenset[str] | None) -> Iterator[Quantity]:
    if kinds is None or "ratio" in kinds:
        yield from (Quantity(start, end, (("ratio", value),)) for start, end, value in fractions(text))
    if kinds is None or "time" in kinds:
        yield from (Quantity(start, end, (("time", value),)) for start, end, value in time_words(text))
    if kinds is None or not COUNTS.isdisjoint(kinds):
        yield from (Quantity(start, end, (count,)) for start, end, count in kana_counts(text))


def _read(cursor: Cursor) -> Iterator[Quantity]:
    place = 0
    while place < len(cursor.numbers):
        quantity, used = _read_at(cursor, place)
        if quantity:
            yield quantity
        place += used


def _read_at(cursor: Cursor, place: int) -> tuple[Quantity | None, int]:
    """The quantity that begins with a number, and how many numbers it takes."""
    number, text = cursor.numbers[place], cursor.text
    before = text[max(0, number.start - 12) : number.start]
    timed = read_time(cursor, place, before)
    if timed:
        start, end, time, used = timed
        return Quantity(start, end, (("time", time),)), used
    dated = read_date(cursor, place, before)
    if dated:
        start, end, date, used = dated
        extra = _day_as_duration(text, number) if used == 1 and date[:2] == EMPTY[:2] else ()
        return Quantity(start, end, (("date", date), *extra)), used
    return _measured(cursor, place, before)


def _day_as_duration(text: str, number: Number) -> tuple[Meaning, ...]:
    unit, _ = unit_at(text, number.end)
    exact = _exact(number.value)
    return (("seconds", exact * 86400),) if exact is not None and unit in ("日", "일") else ()


def _measured(cursor: Cursor, place: int, before: str) -> tuple[Quantity | None, int]:
    number, text = cursor.numbers[place], cursor.text
    start, end = number.start, number.end
    meanings: tuple[Meaning, ...]
    exact = _exact(number.value)
    if exact is None:
        unit, after = unit_at(text, end)
        meanings = tuple((measure.kind, f"{number.value}*{measure.factor}") for measure in MEASURES.get(unit, ()))
        return (Quantity(start, after, meanings) if meanings else None), 1
    if _WEAK_ORDINAL.fullmatch(number.value) or cursor.is_ordinal(number):
        floor = _FLOOR_OR_PLACE.match(text, end)
        kind = "floor" if floor and floor[1] else "ordinal"
        return Quantity(start, floor.end() if floor else cursor.ordinal_end(number), ((kind, exact),), exact), 1
    if text[start] in "俩仨":
        return Quantity(start, end, (("things", exact), ("people", exact)), exact), 1
    sign = _SIGN_BEFORE.search(before)
    if sign:
        meanings = tuple((kind, exact) for kind in SIGNS[sign.group().strip()])
        return Quantity(start - len(sign.group()), end, meanings, exact), 1
    feet = _feet(cursor, place, exact)
    if feet:
        return feet
    unit, after = unit_at(text, end)
    ordinal = _ORDINAL_BEFORE.search(before)
    if ordinal:
        kind = "floor" if unit in ("层", "楼", "阶", "층") else "ordinal"
        after = after if unit in ("层", "楼", "阶", "층", "名", "位", "等", "个", "号") else end
        return Quantity(start - len(ordinal.group()), after, ((kind, exact),), exact), 1
    if unit in _METRES:
        metres = _metres(cursor, place, exact, after)
        if metres:
            return metres
    if unit:
        return _with_unit(text, start, after, exact, MEASURES[unit]), 1
    if _AGE_BEFORE.search(before):
        return Quantity(start, end, (("age", exact),), exact), 1
    is_bare = _BARE_AFTER.match(text, end) is not None
    meanings = (("number", exact),)
    if _HEIGHT_BEFORE.search(before):
        meanings = (("length", exact if exact < 3 else exact / 100), *meanings)
    return Quantity(start, end, meanings, exact, is_bare), 1


def _with_unit(text: str, start: int, end: int, exact: Fraction, measures: Sequence[Measure]) -> Quantity:
    half = _HALF_AFTER.match(text, end) if measures[0].kind not in COUNTS else None
    amount = exact + Fraction(1, 2) if half else exact
    meanings = tuple((measure.kind, amount * measure.factor) for measure in measures)
    return Quantity(start, half.end() if half else end, meanings, None if half else exact)


def _metres(cursor: Cursor, place: int, exact: Fraction, end: int) -> tuple[Quantity, int] | None:
    """一米六五, 1m65, 一メートル六十五(センチ), 일 미터 육십오: metres and what follows them without a unit or in cm."""
    number, text = cursor.numbers[place], cursor.text
    following = cursor.number_at(end) or (cursor.number_at(end + 1) if text.startswith(" ", end) else None)
    if following:
        cm = _exact(following.value)
        unit, after = unit_at(text, following.end)
        if cm is None or cm >= 100 or cm.denominator != 1:
            return None
        is_short = following.end - following.start == 1 and not unit
        if unit and ("length", Fraction("0.01")) not in MEASURES[unit]:
            return None
        length = exact + (cm / 10 if is_short else cm / 100)
        return Quantity(number.start, after, (("length", length),)), 2
    tail = _TAIL.match(text, end)
    if tail and all(letter in _DIGIT for letter in tail[1]):
        figures = "".join(str(_DIGIT[letter]) for letter in tail[1])
        length = exact + Fraction(int(figures), 10 ** len(figures))
        return Quantity(number.start, tail.end(1), (("length", length),)), 1
    return None


def _feet(cursor: Cursor, place: int, exact: Fraction) -> tuple[Quantity, int] | None:
    """5'5", five foot five, 5 ft 5 in."""
    number, text = cursor.numbers[place], cursor.text
    feet = _FEET.match(text, number.end)
    following = feet and cursor.number_at(feet.end())
    if not feet or not following or (feet.group() == "'" and not _INCHES.match(text, following.end)):
        return None
    inches = _exact(following.value)
    if inches is None or inches >= 12:
        return None
    closing = _INCHES.match(text, following.end)
    end = closing.end() if closing else following.end
    return Quantity(number.start, end, (("length", exact * _FOOT + inches * _INCH),)), 2


def _exact(value: str) -> Fraction | None:
    """A number's value; None where it is approximate or absurdly long."""
    if _WEAK_ORDINAL.fullmatch(value):
        return Fraction(value[0])
    if len(value) > LONGEST or value.endswith("+") or "~" in value:
        return None
    return Fraction(value)


def agree(wanted: Meaning, found: Meaning) -> bool:
    """Whether a meaning in a text is the one that a term asks for."""
    if wanted[0] != found[0]:
        return False
    left, right = wanted[1], found[1]
    return left.agrees(right) if isinstance(left, (Date, Time)) else left == right


def fits_bare(kinds: frozenset[str], wanted: Quantity, bare: Quantity) -> bool:
    """Whether a number without a unit is the wanted value when the question asks for one of ``kinds``."""
    if bare.written is None:
        return False
    for kind, value in wanted.meanings:
        asked = "money" if kind in KINDS_OF_MONEY else "count" if kind in COUNTS else kind
        if asked not in kinds:
            continue
        if isinstance(value, (Date, Time)):
            if value.is_bare(bare.written):
                return True
        elif kind == "length":
            if value in (bare.written, bare.written / 100):
                return True
        elif wanted.written == bare.written:
            return True
    return False
