"""Dates that a table's reader has made of text.

``datasets`` and Arrow take a JSON column whose every text is an ISO date for timestamps: keywords of birthdays come
back as ``datetime`` objects, and a reward that asks for text would score nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any


def dates_as_text(value: Any) -> Any:
    """A value, also inside lists and mappings, with dates and times as the ISO text that they were read from.

    >>> dates_as_text([datetime(1990, 5, 17), "x"])
    ['1990-05-17', 'x']
    """
    if isinstance(value, datetime):
        # Arrow makes midnight of a date without a time.
        whole_day = value.time() == time(0) and value.tzinfo is None
        return value.date().isoformat() if whole_day else value.isoformat(sep=" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: dates_as_text(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [dates_as_text(item) for item in value]
    return value
