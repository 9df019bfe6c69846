"""Signs: where in a text something may deny, and in which scripts it is written.

Most answers hold no hint of a language's tables (`hints`); they are done with here, before any rule is loaded.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import NamedTuple

from raiden_core.rewards.negation.hints import CHINESE, ENGLISH, JAPANESE, KOREAN, NO_WORDS, behind_no_letter, in_parts
from raiden_core.text.scripts import HANGUL, KANA

_KANA = re.compile(f"[{KANA}]")
_HANGUL = re.compile(f"[{HANGUL}]")
_BESIDE_HAN = re.compile(f"[{KANA}{HANGUL}a-z]")
_HAN = re.compile("[\u4e00-\u9fff]")
_LATIN = re.compile("[a-z][a-z]")
_NEAR_WORDS = re.compile(behind_no_letter(ENGLISH.near))
_FAR_WORDS = re.compile(behind_no_letter(ENGLISH.far))
_TOPICAL_WORDS = re.compile(behind_no_letter(ENGLISH.far, ENGLISH.topical))
_NO_WORDS = re.compile(NO_WORDS)


class _Looks(NamedTuple):
    """What is looked for in a text: hints that reach to the next clause, and hints that reach further."""

    near: tuple[re.Pattern[str], ...]
    far: tuple[re.Pattern[str], ...]


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


@cache
def _looks(scripts: Scripts, topical: bool) -> _Looks:
    """The hints of the scripts that a text holds; English ones apart."""
    kana, hangul, han, _ = scripts
    letters = [hints for hints, there in ((JAPANESE, kana), (KOREAN, hangul), (CHINESE, han or kana)) if there]
    near = [hints.near for hints in letters]
    far = [f"{hints.far}|{hints.topical}" if topical else hints.far for hints in letters]
    near.append(r"\?")
    return _Looks(*(tuple(map(re.compile, in_parts(*kinds))) for kinds in (near, far)))


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
    looks = _looks(scripts, topical)
    near = [hint.start() for part in looks.near for hint in part.finditer(text)]
    far = [hint.start() for part in looks.far for hint in part.finditer(text)]
    if scripts.latin:
        # An English hint is searched for with the blank before it, which is where the hint stands in the text.
        padded = f" {text}"
        others = [hint.start() for hint in _NO_WORDS.finditer(text)]
        near += others + [hint.start() for hint in _NEAR_WORDS.finditer(padded)]
        far += others + [hint.start() for hint in (_TOPICAL_WORDS if topical else _FAR_WORDS).finditer(padded)]
    near.sort()
    far.sort()
    return Signs(scripts, near, far)
