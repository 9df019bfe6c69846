"""Quantities: numbers with what they are numbers of, so that 165cm, 一米六五 and 1.65 m are one value.

    read("我一米六五", find_numbers("我一米六五"))[0].meanings  # (('length', Fraction(33, 20)),)

A quantity has one meaning or, where its unit has two readings, several. Equal meanings are equal values; dates and
times also match a more telling one (`agree`). Approximate numbers keep their own spelling as value: 十七八岁 equals
neither 17 nor 18. Each number is read once, with a bounded look at what stands around it, so reading is linear.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from raiden_core.rewards.numbers.calendar import Date, read_date
from raiden_core.rewards.numbers.clock import Time, read_time, time_words
from raiden_core.rewards.numbers.cursor import Cursor
from raiden_core.rewards.numbers.english import weak_ordinals
from raiden_core.rewards.numbers.measured import Meaning, Quantity, amounts, beginnings, read_measured
from raiden_core.rewards.numbers.measures import COUNTS, KINDS_OF_MONEY, unit_at
from raiden_core.rewards.numbers.values import Number
from raiden_core.rewards.numbers.words import fractions, kana_counts

_WITH_WEAK_ORDINALS = frozenset({"ordinal", "floor", "date"})
"""Kinds for which first, second and third count."""
_BESIDE_DATES = frozenset({"date", "months", "seconds"})
"""Kinds whose units dates have as well: the 3日 of 5月3日 are no three days."""
_BESIDE_TIMES = frozenset({"time", "seconds"})
_SPELLED = frozenset({"ratio", "time"}) | COUNTS
"""Kinds with words of their own."""
_BEFORE = 12
"""How many characters before a number are read."""


def read(text: str, numbers: Sequence[Number], kinds: frozenset[str] | None = None) -> list[Quantity]:
    """The quantities of a folded text, from left to right.

    Args:
        text: folded.
        numbers: those that `find_numbers` finds in it.
        kinds: the kinds that are looked for, which spares reading others; "number" stands for numbers without a unit.
            None reads everything.
    """
    if _wants(_WITH_WEAK_ORDINALS, kinds):
        weak = weak_ordinals(text, numbers)
        numbers = sorted([*numbers, *weak]) if weak else numbers
    found = list(_read(Cursor(text, numbers), kinds)) if numbers else []
    spelled = list(_read_words(text, kinds)) if _wants(_SPELLED, kinds) else ()
    if not spelled:
        return found
    # 三分之一 is no 一: a number within a spelled value is not read alone.
    covered = {place for quantity in spelled for place in range(quantity.start, quantity.end)}
    return sorted([*spelled, *(quantity for quantity in found if quantity.start not in covered)])


def _wants(some: frozenset[str], kinds: frozenset[str] | None) -> bool:
    return kinds is None or not some.isdisjoint(kinds)


def _read_words(text: str, kinds: frozenset[str] | None) -> Iterator[Quantity]:
    if kinds is None or "ratio" in kinds:
        yield from (Quantity(start, end, (("ratio", value),)) for start, end, value in fractions(text))
    if kinds is None or "time" in kinds:
        yield from (Quantity(start, end, (("time", value),)) for start, end, value in time_words(text))
    if _wants(COUNTS, kinds) and not text.isascii():
        for start, end, count in kana_counts(text):
            yield Quantity(start, end, (count,), count[1], count[0] == "things")


def _read(cursor: Cursor, kinds: frozenset[str] | None) -> Iterator[Quantity]:
    text, numbers = cursor.text, cursor.numbers
    reads_times, reads_dates = _wants(_BESIDE_TIMES, kinds), _wants(_BESIDE_DATES, kinds)
    nearby = beginnings(kinds)
    place = 0
    while place < len(numbers):
        start, end, _ = numbers[place]
        # The letters beside a number tell at once whether it may be what is looked for.
        if nearby and not _is_beside(text, start, end, *nearby):
            place += 1
            continue
        before = text[start - _BEFORE if start > _BEFORE else 0 : start]
        timed = read_time(cursor, place, before) if reads_times else None
        dated = read_date(cursor, place, before) if reads_dates and not timed else None
        quantity: Quantity | None
        if timed:
            quantity, used = Quantity(*timed[:2], (("time", timed[2]),)), timed[3]
        elif dated:
            quantity, used = Quantity(*dated[:2], _meanings(cursor, place, dated[2])), dated[3]
        else:
            quantity, used = read_measured(cursor, place, before, kinds)
        if quantity:
            yield quantity
        place += used


def _is_beside(text: str, start: int, end: int, behind: frozenset[str], before: frozenset[str]) -> bool:
    """Whether the letters beside a number, a blank or hyphen skipped, are among those given."""
    after, last = text[end : end + 1], text[start - 1 : start]
    if after in (" ", "-"):
        after = text[end + 1 : end + 2]
    if last == " ":
        last = text[start - 2 : start - 1]
    return after in behind or last in before or text[start] in "俩仨"


def _meanings(cursor: Cursor, place: int, date: Date) -> tuple[Meaning, ...]:
    """3日 alone is a day of the month or three days."""
    if date.year is None and date.month is None:
        unit, _ = unit_at(cursor.text, cursor.numbers[place].end)
        if unit in ("日", "일"):
            return ("date", date), *amounts(cursor.numbers[place].value, unit)
    return (("date", date),)


def agree(wanted: Meaning, found: Meaning) -> bool:
    """Whether a meaning in a text is the one that a term asks for."""
    left, right = wanted[1], found[1]
    return wanted[0] == found[0] and (left.agrees(right) if isinstance(left, (Date, Time)) else left == right)


def fits_bare(asked: frozenset[str], wanted: Quantity, bare: Quantity) -> bool:
    """Whether a number without a unit is the wanted value when the question asks for one of ``asked``."""
    number = bare.written
    return number is not None and any(
        _asked_as(kind) in asked and _is_said_by(number, kind, value, wanted.written) for kind, value in wanted.meanings
    )


def _asked_as(kind: str) -> str:
    return "money" if kind in KINDS_OF_MONEY else "count" if kind in COUNTS else kind


def _is_said_by(number: Fraction, kind: str, value: object, written: Fraction | None) -> bool:
    if isinstance(value, (Date, Time)):
        return value.is_bare(number)
    # 165 or 1.65 says how tall somebody is.
    return value in (number, number / 100) if kind == "length" else written == number
