"""What a pattern needs: strings of which every text that it matches holds one.

A rule costs nothing in a text that holds none of its strings, so a kind of rules is first looked for by them. The
reading is careful rather than complete: of each alternative it takes the longest run of plain letters that is not
optional, or, where groups alternate, the strings of a group.
"""

from __future__ import annotations

import re

_QUANTIFIER = re.compile(r"[*+?]\??|\{(\d+)(?:,\d*)?\}\??")

MENTION = "■"
"""Stands for the mention in the surroundings of a clause."""

_SPECIAL = frozenset(".^$[(|)\\*+?{}" + MENTION)


def needed(pattern: str) -> frozenset[str] | None:
    """The strings of a pattern; None where one of its alternatives needs nothing in particular."""
    found: set[str] = set()
    for alternative in alternatives(pattern):
        strings = _of_alternative(alternative)
        if strings is None:
            return None
        found |= strings
    return frozenset(found)


def alternatives(pattern: str) -> list[str]:
    """A pattern's alternatives, outside of any group."""
    parts, place, start = [], 0, 0
    while place < len(pattern):
        if pattern[place] == "|":
            parts.append(pattern[start:place])
            start = place + 1
        place = _end_of_item(pattern, place)
    return [*parts, pattern[start:]]


def _of_alternative(pattern: str) -> set[str] | None:
    choices: list[set[str]] = []
    run = ""
    place = 0
    while place < len(pattern):
        end = _end_of_item(pattern, place)
        item = pattern[place:end]
        quantifier = _QUANTIFIER.match(pattern, end)
        optional = quantifier is not None and (quantifier.group()[0] in "*?" or quantifier.group(1) == "0")
        letter = _letter(item)
        if letter and not quantifier:
            run += letter
        else:
            if letter and not optional:
                run += letter
            choices.append({run} if run else set())
            run = ""
            if item.startswith(("(?:", "(?!", "(?=", "(?<")) and not optional and item.startswith("(?:"):
                choices.append(set(needed(item[3:-1]) or ()))
        place = quantifier.end() if quantifier else end
    choices.append({run} if run else set())
    usable = [strings for strings in choices if strings]
    return max(usable, key=lambda strings: (min(map(len, strings)), -len(strings))) if usable else None


def _letter(item: str) -> str:
    """The plain letter that an item stands for; "" where it is none."""
    if len(item) == 1:
        return "" if item in _SPECIAL else item
    return item[1] if len(item) == 2 and item[0] == "\\" and not item[1].isalnum() else ""


def _end_of_item(pattern: str, place: int) -> int:
    """Where the letter, escape, class or group ends that begins at a place."""
    if pattern[place] == "\\":
        return place + 2
    if pattern[place] == "[":
        place += 2 if pattern[place + 1] in "]^" else 1
        while pattern[place] != "]":
            place += 2 if pattern[place] == "\\" else 1
        return place + 1
    if pattern[place] != "(":
        return place + 1
    place += 1
    while pattern[place] != ")":
        place = _end_of_item(pattern, place)
    return place + 1
