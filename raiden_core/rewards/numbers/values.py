"""`Number`, and one spelling for every value."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

LONGEST = 40
"""No numeral of more characters is calculated with: 亿亿亿… is not a number but an attack."""


class Number(NamedTuple):
    """One number of a text."""

    start: int
    end: int
    value: str


def canonical(digits: str) -> str:
    """One spelling for a number in digits: 05 is 5, 1.50 is 1.5.

    007 and other strings of three and more digits with a leading zero are names, not quantities: they stay.
    """
    if digits[0] != "0" and digits.isdecimal():
        return digits
    whole, point, fraction = digits.partition(".")
    if point:
        whole, fraction = whole.lstrip("0") or "0", fraction.rstrip("0")
        return f"{whole}.{fraction}" if fraction else whole
    return (whole.lstrip("0") or "0") if len(whole) < 3 else whole


def times(digits: str, factor: int) -> str | None:
    """``digits`` times ``factor``, as 3.5万 and 2.5 million ask for; None where that is absurdly long."""
    return canonical(f"{Decimal(digits) * factor:f}") if len(digits) <= LONGEST else None


def plus(left: str, right: str) -> str:
    """The sum of two values in digits: 3万5千."""
    return canonical(f"{Decimal(left) + Decimal(right):f}")
