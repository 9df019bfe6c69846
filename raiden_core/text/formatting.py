"""How numbers of an evaluation are written, in the terminal and on the page alike."""

from __future__ import annotations

from collections.abc import Sequence

DASH = "–"
"""Stands where there is no number."""


def percent(share: float | None) -> str:
    """``0.6125`` as ``61.3``: the sign stands in the heading."""
    return DASH if share is None else f"{100 * share:.1f}"


def points(difference: float | None) -> str:
    """A difference of shares in percentage points, always with its sign."""
    if difference is None:
        return DASH
    text = f"{100 * difference:+.1f}".replace("-", "−")
    return "0.0" if text in ("+0.0", "−0.0") else text


def percent_range(interval: Sequence[float] | None) -> str:
    """An interval of shares: ``58.1 to 65.9``."""
    return DASH if interval is None else " to ".join(percent(end) for end in interval)


def points_range(interval: Sequence[float] | None) -> str:
    """An interval of differences: ``+25.2 to +35.0``."""
    return DASH if interval is None else " to ".join(points(end) for end in interval)


def p_value(p: float | None) -> str:
    """A p value as papers print it: never 0."""
    if p is None:
        return DASH
    return "< 0.0001" if p < 0.0001 else f"{p:.4f}" if p < 0.01 else f"{p:.2f}"


def value(number: float | None) -> str:
    """A reward, which need be no share: three digits behind the point."""
    return DASH if number is None else f"{number:.3f}".replace("-", "−")


def value_range(interval: Sequence[float] | None) -> str:
    """An interval of rewards."""
    return DASH if interval is None else " to ".join(value(end) for end in interval)


def signed_value(difference: float | None) -> str:
    """A difference of rewards, always with its sign."""
    return DASH if difference is None else f"{difference:+.3f}".replace("-", "−")
