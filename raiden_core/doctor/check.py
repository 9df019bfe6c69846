"""`Check`: what one look at one thing found, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "bad", "none"]


@dataclass(frozen=True)
class Check:
    """The result of one check."""

    name: str
    status: Status
    """``none``: there is nothing to check in this configuration, or what it needs is not there yet."""
    found: str
    """What was seen, in a line."""
    advice: str = ""
    """What to do; empty unless something is bad."""


def ok(name: str, found: str) -> Check:
    """All is well."""
    return Check(name, "ok", found)


def bad(name: str, found: str, advice: str) -> Check:
    """Something is wrong, and this helps."""
    return Check(name, "bad", found, advice)


def none(name: str, why: str) -> Check:
    """Nothing to check."""
    return Check(name, "none", why)
