"""What a pattern needs: strings of which every text that it matches holds one.

A rule costs nothing in a text that holds none of its strings, so a kind of rules is first looked for by them. The
reading is careful rather than complete: of each alternative it takes the longest run of plain letters that is not
optional, or, where groups alternate, the strings of a group.
"""

from __future__ import annotations

import re
from functools import cache

_QUANTIFIER = re.compile(r"[*+?]\??|\{(\d+)(?:,\d*)?\}\??")

MENTION = "■"
"""Stands for the mention in the surroundings of a clause."""

_SPECIAL = frozenset(".^$[(|)\\*+?{}" + MENTION)


@cache
def needed(pattern: str) -> frozenset[str] | None:
    """The strings of a pattern; None where one of its alternatives needs nothing in particular."""
    found: set[str] = set()
    for alternative in alternatives(pattern):
        strings = _of_alternative(alternative)
        if strings is None:
            return None
        found |= strings
    return frozenset(found)


def all_needed(alternative: str) -> tuple[frozenset[str], ...]:
    """Sets of strings of which every text that an alternative matches holds one each; none where it needs nothing."""
    return tuple(map(frozenset, _choices(alternative)))


def literals(pattern: str) -> list[str] | None:
    """All texts that a pattern matches; None where those cannot be listed."""
    found: list[str] = []
    for alternative in alternatives(pattern):
        begun = [""]
        place = 0
        while place < len(alternative):
            end = _end_of_item(alternative, place)
            item, quantifier = alternative[place:end], _QUANTIFIER.match(alternative, end)
            repeated = quantifier.group() if quantifier else ""
            options = _options(item)
            if options is None or repeated not in ("", "?") or len(begun) * len(options) > _MOST_LITERALS:
                return None
            begun = [text + option for text in begun for option in ([*options, ""] if repeated else options)]
            place = quantifier.end() if quantifier else end
        found += begun
    return found


_MOST_LITERALS = 64


def _options(item: str) -> list[str] | None:
    """The texts of one item; None where they cannot be listed."""
    letter = _letter(item)
    if letter:
        return [letter]
    if item.startswith("(?:"):
        return literals(item[3:-1])
    if item.startswith("["):
        return [letter.removeprefix("\\") for letter in _letters_of(item)] or None
    return None


def alternatives(pattern: str) -> list[str]:
    """A pattern's alternatives, outside of any group."""
    parts, place, start = [], 0, 0
    while place < len(pattern):
        if pattern[place] == "|":
            parts.append(pattern[start:place])
            start = place + 1
        place = _end_of_item(pattern, place)
    return [*parts, pattern[start:]]


def by_letters(pattern: str) -> str:
    """The pattern so that each of its alternatives begins with a plain letter, if that can be; else as it is.

    Both match the same texts at the same places, but a search for the one skips from candidate to candidate, where it
    would try all alternatives at every place for the other: 不|(?<!可)以为|(?:别|勿)再 is 不|以(?<!可以)为|别再|勿再.
    """
    if pattern.startswith("^"):
        return pattern
    if pattern.startswith("(?:") and len(alternatives(pattern)) == 1:
        end = _end_of_item(pattern, 0)
        if not _QUANTIFIER.match(pattern, end):
            return f"(?:{by_letters(pattern[3 : end - 1])}){pattern[end:]}"
    begun: list[str] = []
    for alternative in alternatives(pattern):
        letters = _by_letters(alternative)
        if letters is None:
            return pattern
        begun += letters
    found = "|".join(begun)
    return found if len(found) < _MOST_TIMES * len(pattern) else pattern


_MOST_TIMES = 6
"""A pattern that grows by more takes too long to compile."""


def _by_letters(pattern: str) -> list[str] | None:
    """An alternative as one or several that begin with a letter each; None where it cannot be."""
    if not pattern:
        return None
    end = _end_of_item(pattern, 0)
    item, quantifier = pattern[:end], _QUANTIFIER.match(pattern, end)
    rest = pattern[quantifier.end() if quantifier else end :]
    repeated = quantifier.group() if quantifier else ""
    if repeated not in ("", "?", "+"):
        return None
    if not repeated and (item in ("^", "\\b") or item.startswith(("(?<!", "(?<=", "(?=", "(?!"))):
        return _behind_letter(item, _by_letters(rest))
    letters = [item] if item == MENTION or _letter(item) else _letters_of(item)
    found: list[str] = []
    if letters:
        more = f"{item}*" if repeated == "+" else ""
        found = [f"{letter}{more}{rest}" for letter in letters]
    elif item.startswith("(?:") and repeated != "+":
        for alternative in alternatives(item[3:-1]):
            begun = _by_letters(alternative + rest)
            if begun is None:
                return None
            found += begun
    else:
        return None
    if repeated == "?":
        without = _by_letters(rest)
        return None if without is None else [*found, *without]
    return found


def _letters_of(item: str) -> list[str]:
    """The letters of a plain class."""
    inside = item[1:-1]
    is_plain = item[0] == "[" and inside[0] != "^" and "\\" not in inside and "-" not in inside[:-1]
    return [re.escape(letter) for letter in inside] if is_plain else []


def _behind_letter(assertion: str, begun: list[str] | None) -> list[str] | None:
    """Alternatives that begin with a letter, and an assertion about the place before it moved behind it."""
    if begun is None:
        return None
    found: list[str] = []
    for alternative in begun:
        letter = alternative[: _end_of_item(alternative, 0)]
        if assertion == "\\b":
            if not letter.isalnum():
                return None
            assertion_behind = rf"(?<!\w{letter})"
        elif assertion.startswith("(?<"):
            assertion_behind = f"{assertion[:4]}(?:{assertion[4:-1]}){letter})"
        else:
            assertion_behind = f"(?<={assertion}{letter})"
        found.append(letter + assertion_behind + alternative[len(letter) :])
    return found


def _of_alternative(pattern: str) -> set[str] | None:
    usable = _choices(pattern)
    return max(usable, key=lambda strings: (min(map(len, strings)), -len(strings))) if usable else None


def _choices(pattern: str) -> list[set[str]]:
    """What each item of an alternative needs, for those that need anything."""
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
    return [strings for strings in choices if strings]


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
