"""Text of others inside a prompt: fenced as data, and filled into templates."""

from __future__ import annotations

import hashlib
import re

from raiden_core.text.control_tokens import spelled_apart
from raiden_core.text.plain import without_controls

_NAME = re.compile(r"\{([a-z_]+)\}")


MARK_DIGITS = 12


def fence(text: str) -> str:
    """A text as data, between marks that do not occur in it: control characters go, control tokens are spelled apart."""
    text = spelled_apart(without_controls(text))
    mark = _digest(text)
    while mark in text:
        mark = _digest(mark + text)
    return f"<data-{mark}>\n{text}\n</data-{mark}>"


def fill(template: str, **words: str) -> str:
    """A template with its names replaced, in one pass: braces in the words stay what they are.

    Raises:
        KeyError: the template has a name that is not given.
    """
    return _NAME.sub(lambda name: words[name.group(1)], template)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:MARK_DIGITS]
