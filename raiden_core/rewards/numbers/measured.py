"""Numbers with a unit, a sign or a prefix: what one number of a text measures."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from raiden_core.rewards.numbers.calendar import Date
from raiden_core.rewards.numbers.clock import Time
from raiden_core.rewards.numbers.cursor import Cursor
from raiden_core.rewards.numbers.measures import KINDS, KINDS_OF_MONEY, MEASURES, SIGNS, TAKES_HALF, unit_at
from raiden_core.rewards.numbers.values import LONGEST

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
    """Whether its unit, if any, says nothing, so that only the question can say what it is a number of."""


_Read = tuple[Quantity | None, int]
"""A quantity, and how many numbers it takes."""

_SIGN_BEFORE = re.compile(r"(?:us)?[$¥₩€£] ?$")
_AGE_BEFORE = re.compile("(?:aged?:? |年龄(?:是|为|:)? ?|나이[는:]? ?|年龄は)$")
_HEIGHT_BEFORE = re.compile("(?:身高(?:是|为|:)? ?|身长は? ?)$")
_ORDINAL_BEFORE = re.compile("(?:第|no\\. ?|number |#)$")
_MAY_STAND_BEFORE = frozenset("第#.r $¥₩€£")
_FLOOR_OR_PLACE = re.compile("(?:st|nd|rd|th)? (?:(floor)|place|prize)(?![a-z])")
_FLOORS = frozenset("层楼阶층")
_RANKS = frozenset("名位等个号")
_HALF_AFTER = re.compile("半(?![夜天路])| ?반(?=이[요에었야]|입니|정도|쯤|만|을|에|의|[^가-힣]|$)| and a half")
_MAY_BEGIN_HALF = frozenset("半반 ")
_TAIL = re.compile("([0-9零〇一二三四五六七八九]{1,2})(?:[^0-9零〇一二三四五六七八九十百.%]|$)")
_DIGIT = {**dict(zip("零一二三四五六七八九", range(10), strict=True)), "〇": 0}
_MAY_BEGIN_FEET = frozenset("' -f")
_FEET = re.compile("'|[ -]?(?:foot|feet|ft)(?![a-z])[.]? ?(?:and )?")
_INCHES = re.compile("\"|”|''|[ -]?(?:inch(?:es)?|ins?)(?![a-z])")
_INCH, _FOOT, _CENTIMETRE = Fraction("0.0254"), Fraction("0.3048"), Fraction("0.01")
_METRES = frozenset({"m", "米", "公尺", "メートル", "미터", "meter", "metre", "meters", "metres"})
_BARE_AFTER = re.compile(
    "$|[^\\w%'\"$:-]|:(?!\\d)|'(?!s)|[了啦呢的吧呀哦啊嘛だでになよねかとくらちじ多左]|예요|이에요|이요|요|입니|이야|이고|이다|정도|쯤"
)
_NOUN_AFTER = re.compile(
    " and a half| (?!(?:now|and|but|this|last|next|in|or|so|if|when|as|on|at|today|already|exactly|sharp|years young)\\b)[a-z]"
)


def read_measured(cursor: Cursor, place: int, before: str, kinds: frozenset[str] | None) -> _Read:
    """What the number at ``place`` measures; None where it measures nothing of ``kinds``."""
    number, text = cursor.numbers[place], cursor.text
    start, end = number.start, number.end
    if text[start] in "俩仨":
        exact = exact_value(number.value)
        return (Quantity(start, end, (("things", exact), ("people", exact)), exact) if exact else None), 1
    unit, after = unit_at(text, end)
    mark = text[end : end + 1]
    special_kinds = kinds is None or not kinds.isdisjoint(_SPECIAL)
    last = before[-1:]
    if last in ("第", "#") or mark in "'-f" or (special_kinds and (last in _MAY_STAND_BEFORE or mark.isascii())):
        special = _special(cursor, place, before, unit, after)
        if special:
            return special
    if unit:
        if kinds is not None and KINDS[unit].isdisjoint(kinds):
            return None, 1
        if unit in _METRES:
            metres = _metres(cursor, place, after)
            if metres:
                return metres
        return _with_unit(text, start, after, number.value, unit), 1
    if kinds is not None and "number" not in kinds and "age" not in kinds and "length" not in kinds:
        return None, 1
    return _without_unit(cursor, place, before), 1


def _with_unit(text: str, start: int, end: int, value: str, unit: str) -> Quantity:
    half = _HALF_AFTER.match(text, end) if text[end : end + 1] in _MAY_BEGIN_HALF and unit in TAKES_HALF else None
    exact = exact_value(value)
    if half and exact is not None:
        more = exact + Fraction(1, 2)
        return Quantity(start, half.end(), tuple((kind, more * factor) for kind, factor in MEASURES[unit]))
    return Quantity(start, end, amounts(value, unit), exact, unit == "つ")


def _without_unit(cursor: Cursor, place: int, before: str) -> Quantity | None:
    number, text = cursor.numbers[place], cursor.text
    start, end = number.start, number.end
    exact = exact_value(number.value)
    if exact is None:
        return None
    if _AGE_BEFORE.search(before):
        return Quantity(start, end, (("age", exact),), exact)
    is_bare = _BARE_AFTER.match(text, end) is not None and not _NOUN_AFTER.match(text, end)
    if _HEIGHT_BEFORE.search(before):
        return Quantity(start, end, (("length", exact if exact < 3 else exact / 100),), exact, is_bare)
    return Quantity(start, end, (("number", exact),), exact, is_bare)


def _special(cursor: Cursor, place: int, before: str, unit: str, after: int) -> _Read | None:
    """Ordinals (第三, 3rd, third place), amounts behind a sign ($15) and feet with inches (5'5")."""
    number, text = cursor.numbers[place], cursor.text
    start, end = number.start, number.end
    exact = exact_value(number.value)
    if exact is None:
        return None
    if cursor.is_ordinal(number):
        floor = _FLOOR_OR_PLACE.match(text, end)
        kind = "floor" if floor and floor[1] else "ordinal"
        return Quantity(start, floor.end() if floor else cursor.ordinal_end(number), ((kind, exact),), exact), 1
    if before[-1:] in _MAY_STAND_BEFORE:
        sign = _SIGN_BEFORE.search(before)
        if sign:
            meanings = tuple((kind, exact) for kind in SIGNS[sign.group().strip()])
            return Quantity(start - len(sign.group()), end, meanings, exact), 1
        ordinal = _ORDINAL_BEFORE.search(before)
        if ordinal:
            kind = "floor" if unit in _FLOORS else "ordinal"
            after = after if unit in _FLOORS or unit in _RANKS else end
            return Quantity(start - len(ordinal.group()), after, ((kind, exact),), exact), 1
    return _feet(cursor, place, exact) if text[end : end + 1] in _MAY_BEGIN_FEET else None


def _metres(cursor: Cursor, place: int, end: int) -> _Read | None:
    """一米六五, 1m65, 一メートル六十五(センチ), 일 미터 육십오: metres and what follows them without a unit or in cm."""
    number, text = cursor.numbers[place], cursor.text
    exact = exact_value(number.value)
    if exact is None:
        return None
    following = cursor.number_at(end) or (cursor.number_at(end + 1) if text.startswith(" ", end) else None)
    if following:
        cm = exact_value(following.value)
        unit, after = unit_at(text, following.end)
        if cm is None or cm >= 100 or cm.denominator != 1:
            return None
        if unit and ("length", _CENTIMETRE) not in MEASURES[unit]:
            return None
        is_short = following.end - following.start == 1 and not unit
        return Quantity(number.start, after, (("length", exact + (cm / 10 if is_short else cm / 100)),)), 2
    tail = _TAIL.match(text, end)
    if not tail:
        return None
    figures = "".join(str(_DIGIT.get(letter, letter)) for letter in tail[1])
    length = exact + Fraction(int(figures), 10 ** len(figures))
    return Quantity(number.start, tail.end(1), (("length", length),)), 1


def _feet(cursor: Cursor, place: int, exact: Fraction) -> _Read | None:
    """5'5", five foot five, 5 ft 5 in."""
    number, text = cursor.numbers[place], cursor.text
    feet = _FEET.match(text, number.end)
    following = feet and cursor.number_at(feet.end())
    if not feet or not following or (feet.group() == "'" and not _INCHES.match(text, following.end)):
        return None
    inches = exact_value(following.value)
    if inches is None or inches >= 12:
        return None
    closing = _INCHES.match(text, following.end)
    end = closing.end() if closing else following.end
    return Quantity(number.start, end, (("length", exact * _FOOT + inches * _INCH),)), 2


@lru_cache(maxsize=256)
def beginnings(kinds: frozenset[str] | None) -> tuple[frozenset[str], frozenset[str]] | None:
    """The letters that stand right behind and right before a number which measures one of ``kinds``; None: any do.

    A number of which neither is among them need not be read.
    """
    if kinds is None or not kinds.isdisjoint(_ANYWHERE):
        return None
    behind = {unit[0] for unit, its in KINDS.items() if not its.isdisjoint(kinds)}
    before = set()
    if "length" in kinds:
        behind.add("'")
    if not KINDS_OF_MONEY.isdisjoint(kinds):
        before |= set("$¥₩€£")
    if not kinds.isdisjoint({"age", "length"}):
        before |= set(":de龄岁高长是为는나이は")
    return frozenset(behind), frozenset(before)


_SPECIAL = frozenset({"ordinal", "floor", "length", "number"}) | KINDS_OF_MONEY
"""Kinds that are told by more than a unit."""
_ANYWHERE = frozenset({"number", "ordinal", "floor", "date", "time", "months", "seconds"})
"""Kinds that show in more than what stands right beside a number; seventeenth has its ordinal suffix inside."""


@lru_cache(maxsize=65536)
def amounts(value: str, unit: str) -> tuple[Meaning, ...]:
    """What a number of a unit means, in base units; approximate numbers stay apart from all others."""
    exact = exact_value(value)
    if exact is None:
        return tuple((kind, f"{value[:LONGEST]}*{factor}") for kind, factor in MEASURES[unit])
    return tuple((kind, exact * factor) for kind, factor in MEASURES[unit])


@lru_cache(maxsize=65536)
def exact_value(value: str) -> Fraction | None:
    """A number's value; None where it is approximate or absurdly long."""
    if len(value) > LONGEST or value.endswith("+") or "~" in value:
        return None
    return Fraction(value.rstrip("stndr"))
