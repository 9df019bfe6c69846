"""Reading a fact's value: which terms a right answer must contain, and what may stand in their place.

A short value is one term (single-term validation); a list is one term an item (multi-term parsing). Prose is neither:
nobody repeats a sentence word for word, so a fact that is told in prose is reported as unverifiable (RAIDEN-R1,
section 3.2). What may stand in a term's place is equivalents.py's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from raiden_core.generation.offline.catalogue import Attribute, Shape
from raiden_core.generation.offline.equivalents import APPOSITION, CALLED, equivalents
from raiden_core.generation.quality.generic import GENERIC
from raiden_core.generation.teacher import TermGroup

MAX_CJK = 20
"""A single value of more CJK characters is prose."""
MAX_WORDS = 8
"""A single value of more words is prose."""
MAX_ITEM_CJK = 12
MAX_ITEM_WORDS = 5
"""A list with a longer item is a sentence with commas in it."""
MAX_PAUSED_CJK = 8
"""The same in Chinese where the items stand between ，, which also parts clauses, and not between 、."""
MAX_ITEMS = 6
"""A longer list is an inventory; nobody is asked to recite one."""


_SEPARATORS = {
    "zh": re.compile(r"[、，,；;／/]"),
    "ja": re.compile(r"[、，,；;／/]"),
    "ko": re.compile(r"[,，、;／/]| 그리고 | 및 "),
    "en": re.compile(r"\s*(?:[,;]\s*(?:and\s+|&\s+)?|\s/\s|\s(?:and|&)\s)\s*"),
}
_SENTENCE = re.compile(
    r"[。！？!?]|(?<!\bMr)(?<!\bMrs)(?<!\bMs)(?<!\bDr)(?<!\bSt)\.\s+\S|\n|(?:ます|ました|です|でした|니다|[아어해]요|세요|시오)$"
)
_TO_THE_READER = re.compile(r"[你您]|\byou(?:r|'re)?\b|あなた|ください|ましょう|당신|하세요|하십시오", re.IGNORECASE)
_CLAUSE = {
    "zh": re.compile(r"^(?:以|但|并|而|且|其中|因|如|使|却|从而|即|所以|也|还|会|就|可)"),
    "en": re.compile(
        r"^(?:including|but|which|who|though|although|because|so|then|while|when|if|especially)\b", re.IGNORECASE
    ),
    "ja": re.compile(r"^そのうち|[をにが].*(?:し|て|で|り|き|く|ず|け|め|え)$|(?:が|ので|から|ため|けど)$"),
    "ko": re.compile(r"^그중|^그 중| .*(?:고|며|면서|지만|하면|해서)$"),
}
"""What an item looks like that is no item but part of a sentence."""
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_QUOTED = re.compile(r"^[\"“”「『‘'《](.+?)[\"“”」』’'》]$")
_PARENTHESIS = re.compile(r"\s*[(（][^)）]*[)）]")


@dataclass(frozen=True)
class Reading:
    """A value as it is said, and the terms to look for; without terms, the reason why there are none."""

    value: str
    groups: tuple[TermGroup, ...] = ()
    unverifiable: str | None = None


def clean(value: str) -> str:
    """A value without markdown, outer quotes and closing punctuation."""
    value = re.sub(r"[*`]|__", "", value).strip()
    value = re.sub(r"\s+", " ", value).strip(" 　,，、;；。．")
    if value.endswith(".") and not re.search(r"\b\w\.$|\.\.$", value):
        value = value[:-1]
    quoted = _QUOTED.match(value)
    return quoted.group(1).strip() if quoted and not re.search(r"[\"“”「」『』《》]", quoted.group(1)) else value


def read_value(raw: str, language: str, attribute: Attribute | None) -> Reading:
    """What an answer about this value must contain.

    Args:
        raw: the value as the profile has it.
        language: one of the catalogue's.
        attribute: what is known about the attribute; None for an unknown key.
    """
    shape: Shape = attribute.shape if attribute else "text"
    value = clean(raw)
    bare = clean(_PARENTHESIS.sub("", value)) or value
    if shape == "quote":
        # The closing mark goes: a reply may well go on after the phrase.
        value = value.rstrip("。．.！!？?~～…")
    elif bare != value and shape != "name":
        value = bare
    if not value or value.lower() in GENERIC:
        return Reading(value, unverifiable="says nothing definite")
    if attribute and attribute.values:
        for group in attribute.values:
            if value.lower() in {term.lower() for term in group}:
                return Reading(value, ((value, *(term for term in group if term != value)),))
    if shape != "quote":
        if _TO_THE_READER.search(value):
            return Reading(value, unverifiable="instruction")
        if _SENTENCE.search(value) or _is_unbalanced(value):
            return Reading(value, unverifiable="prose")
    items = _items(value, language, shape)
    if len(items) > 1:
        return _read_list(value, items, language)
    if _is_long(value, MAX_CJK, MAX_WORDS):
        return Reading(value, unverifiable="prose")
    return Reading(value, (_group(value, language, shape),))


def _read_list(value: str, items: list[str], language: str) -> Reading:
    """What an answer about a value of several items must contain: each of them."""
    longest = MAX_PAUSED_CJK if language == "zh" and re.search("[，,]", value) else MAX_ITEM_CJK
    if len(items) > MAX_ITEMS or any(
        _CLAUSE[language].search(item) or _is_long(item, longest, MAX_ITEM_WORDS) for item in items
    ):
        return Reading(value, unverifiable="prose")
    if any(item.lower() in GENERIC for item in items):
        return Reading(value, unverifiable="says nothing definite")
    return Reading(value, tuple(_group(item, language, "text") for item in items))


def _items(value: str, language: str, shape: Shape) -> list[str]:
    if shape not in ("text", "person", "named") or CALLED[language].fullmatch(value):
        return [value]
    if re.fullmatch(r"[\d,.\s]+\D{0,10}", value):
        return [value]
    if language == "ja" and shape == "person" and APPOSITION.match(value):
        return [value]
    items = [item.strip() for item in _SEPARATORS[language].split(value)]
    if language == "zh" and len(items) > 1 and (tail := re.fullmatch(r"(.{2,})[和与及](.{2,})", items[-1])):
        items[-1:] = [tail.group(1), tail.group(2)]
    return [item for item in dict.fromkeys(clean(item) for item in items) if item] or [value]


def _group(value: str, language: str, shape: Shape) -> TermGroup:
    return tuple(term for term in equivalents(value, language, shape) if term.lower() not in GENERIC)


def _is_unbalanced(value: str) -> bool:
    return any(
        value.count(opening) != value.count(closing)
        for opening, closing in ("()", "（）", "《》", "「」", "『』", "“”")
    )


def _is_long(value: str, most_cjk: int, most_words: int) -> bool:
    cjk = len(_CJK.findall(value))
    words = len(_CJK.sub(" ", value).split())
    return cjk > most_cjk or words > most_words
