"""Text of strangers and models made fit for a terminal: it can neither move the cursor nor turn the line around."""

from __future__ import annotations

import unicodedata

KEPT = frozenset("\n\t\u200c\u200d")
"""Line breaks, tabs, and the joiners inside emoji and some scripts."""

REFUSED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode's control and format characters, halves of surrogate pairs, and separators of lines."""


def printable(text: str) -> str:
    """The text with every control character but line break and tab as U+FFFD.

    >>> printable("a\\x1b[31mb")
    'a\ufffd[31mb'
    """
    return _with(text, "\ufffd")


def without_controls(text: str) -> str:
    """The text without those characters, for a model to read."""
    return _with(text, "")


def _with(text: str, mark: str) -> str:
    """The text with ``mark`` for each of those characters; most lines hold none, which `str.isprintable` tells at once."""
    return "\n".join(
        line if line.isprintable() else "".join(letter if _is_plain(letter) else mark for letter in line)
        for line in text.split("\n")
    )


def _is_plain(letter: str) -> bool:
    return letter in KEPT or unicodedata.category(letter) not in REFUSED


def one_line(text: str) -> str:
    """The same for a name or a path: without line breaks."""
    return printable(" ".join(text.split()))
