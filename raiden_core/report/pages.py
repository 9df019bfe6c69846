"""What raiden's HTML pages share: templates that escape everything, and the filters for numbers and texts."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from raiden_core.text.formatting import (
    p_value,
    percent,
    percent_range,
    points,
    points_range,
    signed_value,
    value,
    value_range,
)
from raiden_core.text.plain import printable

if TYPE_CHECKING:
    from jinja2 import Environment

MAX_TEXT = 4000
"""Characters of one text on a page: some replies never come to an end."""


@cache
def page_environment(package: str) -> Environment:
    """The templates of a package's ``templates`` folder.

    Whatever they print is escaped, with control characters as marks, those that turn a line around among them. An undefined
    name is an error.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_marked,
    )
    environment.filters |= {
        "percent": percent,
        "points": points,
        "percent_range": percent_range,
        "points_range": points_range,
        "p_value": p_value,
        "value": value,
        "value_range": value_range,
        "signed_value": signed_value,
        "clip": clip,
    }
    return environment


def clip(text: str) -> str:
    """A text that fits on a page."""
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]} … ({len(text) - MAX_TEXT:,} more characters)"


def _marked(value: object) -> object:
    """What a template prints, unless it is markup of ours."""
    return printable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
