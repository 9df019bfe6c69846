"""Signs: where in a text something may deny, and in which scripts it is written.

Most answers hold no hint of a language's tables (`hints`); they are done with here, before any rule is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import NamedTuple

import ahocorasick

from raiden_core.rewards.negation.hints import CHINESE, ENGLISH, JAPANESE, KOREAN, Hints
from raiden_core.rewards.negation.needed import alternatives, literals
from raiden_core.text.scripts import HANGUL, KANA

_KANA = re.compile(f"[{KANA}]")
_HANGUL = re.compile(f"[{HANGUL}]")
_BESIDE_HAN = re.compile(f"[{KANA}{HANGUL}a-z]")
_HAN = re.compile("[\u4e00-\u9fff]")
_LATIN = re.compile("[a-z][a-z]")


class Scripts(NamedTuple):
    """The scripts that a text holds."""

    kana: bool
    hangul: bool
    han: bool
    latin: bool


def _scripts_of(text: str) -> Scripts:
    if text.isascii():
        return Scripts(False, False, False, _LATIN.search(text) is not None)
    if not _BESIDE_HAN.search(text):
        return Scripts(False, False, _HAN.search(text) is not None, False)
    return Scripts(
        kana=_KANA.search(text) is not None,
        hangul=_HANGUL.search(text) is not None,
        han=_HAN.search(text) is not None,
        latin=_LATIN.search(text) is not None,
    )


class _Looks(NamedTuple):
    """What is looked for in a text."""

    strings: ahocorasick.Automaton | None
    """Hints of scripts without blanks: for each its size, and whether it reaches to the next clause, and further."""
    further: re.Pattern[str] | None
    """Those that reach further and are no plain strings."""
    words: ahocorasick.Automaton | None
    """Latin hints, each with the blank before it."""


@cache
def _looks(scripts: Scripts, topical: bool) -> _Looks:
    """The hints of the scripts that a text holds."""
    kana, hangul, han, latin = scripts
    spoken = [hints for hints, there in ((JAPANESE, kana), (KOREAN, hangul), (CHINESE, han or kana)) if there]
    near, far = "|".join(hints.near for hints in spoken), _far(spoken, topical)
    further = [hint for hint in alternatives(far) if literals(hint) is None]
    strings = _automaton(
        {string: len(string) for hint in alternatives(near) for string in literals(hint) or ()},
        {string: len(string) for hint in alternatives(far) for string in literals(hint) or ()},
    )
    words = (
        _automaton(_as_words(ENGLISH.near) | _NO_WORDS, _as_words(_far([ENGLISH], topical)) | _NO_WORDS)
        if latin
        else None
    )
    return _Looks(strings, re.compile("|".join(further)) if further else None, words)


def _far(spoken: Sequence[Hints], topical: bool) -> str:
    return "|".join(f"{hints.far}|{hints.topical}" if topical else hints.far for hints in spoken)


def _automaton(near: dict[str, int], far: dict[str, int]) -> ahocorasick.Automaton | None:
    strings = {**near, **far}
    strings.pop("", None)
    if not strings:
        return None
    automaton = ahocorasick.Automaton()
    for string, size in strings.items():
        automaton.add_word(string, (size, string in near, string in far))
    automaton.make_automaton()
    return automaton


def _as_words(hints: str) -> dict[str, int]:
    """Whole words with a blank on either side, words that may go on (mix\\w*) with one before, and their sizes."""
    found: dict[str, int] = {}
    for hint in alternatives(hints):
        words = literals(hint)
        if words is None:
            begun = _BEGINNING.match(hint)
            words = [begun.group()] if begun else []
            found |= {f" {word}": len(word) + 1 for word in words}
        else:
            found |= {f" {word.translate(_BLANKS)} ": len(word) + 2 for word in words}
    return found


class _Blanks(dict[int, str]):
    """Blanks for whatever is no part of a word."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        self[code] = found = letter if letter.isalnum() or letter == "_" else " "
        return found


_BLANKS = _Blanks()
_ASCII_BLANKS = bytes(code if chr(code).isalnum() or chr(code) == "_" else 32 for code in range(256))
_BEGINNING = re.compile("[a-z]+(?=\\\\w|[a-z]\\+)")
_NO_WORDS = {"n t ": 4, " ll ": 4}
"""n't and 'll, where apostrophes are blanks."""


@cache
def plain_signs(scripts: Scripts) -> re.Pattern[str]:
    """The plain signs of a denial in the languages of these scripts."""
    kana, hangul, han, latin = scripts
    signs = [hints.plain for hints, there in ((JAPANESE, kana), (KOREAN, hangul), (CHINESE, han and not kana)) if there]
    if latin:
        signs.append(rf"n't\b|\b(?:{ENGLISH.plain})\b")
    return re.compile("|".join(signs) or "(?!)")


class Signs(NamedTuple):
    """Where in a text the hints stand."""

    scripts: Scripts
    near: list[int]
    far: list[int]


@lru_cache(maxsize=16)
def signs_in(text: str, topical: bool) -> Signs:
    """The hints in a text; remembered, because whether there are any is asked first."""
    scripts = _scripts_of(text)
    strings, further, words = _looks(scripts, topical)
    near: list[int] = []
    far: list[int] = []
    if strings:
        _gather(strings, text, near, far)
    if further:
        far += [hint.start() for hint in further.finditer(text)]
    if words:
        # A Latin hint is searched for with the blank before it, which is where the hint stands in the text.
        _gather(words, f" {_only_words(text)} ", near, far)
    place = text.find("?")
    while place >= 0:
        near.append(place)
        if words:
            far.append(place)
        place = text.find("?", place + 1)
    near.sort()
    far.sort()
    return Signs(scripts, near, far)


def _gather(hints: ahocorasick.Automaton, text: str, near: list[int], far: list[int]) -> None:
    for end, (size, is_near, is_far) in hints.iter(text):
        if is_near:
            near.append(end - size + 1)
        if is_far:
            far.append(end - size + 1)


def _only_words(text: str) -> str:
    """The text with a blank for each letter that is part of no word."""
    if text.isascii():
        return text.encode().translate(_ASCII_BLANKS).decode()
    return text.translate(_BLANKS)
