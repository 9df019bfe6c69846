"""Negation: whether a mention of a term is denied where it stands.

Chinese and English negate before the term, Japanese and Korean after it, so each language has a module of its own;
which of them speaks depends on the scripts of the text. A negation governs its clause: it ends at punctuation and
at conjunctions that open a new statement. Two negations cancel; idioms that only look negative (不仅, not only,
だけでなく, 뿐만 아니라) do not count. The classic account of such rules, with negator, scope, end of scope and
pseudo-negation, is NegEx (Chapman et al., J. Biomed. Inform. 34, 2001).

Rules, not a parser: they are fast, linear and the same on every machine, and docs/vrar.md says what they miss.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import cache, cached_property
from types import ModuleType

from raiden_core.rewards.negation.clause import QUOTES, Clause, Clauses
from raiden_core.rewards.negation.doubt import is_only_asked, is_open
from raiden_core.rewards.negation.hints import CHINESE, ENGLISH, JAPANESE, KOREAN
from raiden_core.rewards.negation.soft import soften
from raiden_core.rewards.negation.table import Table
from raiden_core.rewards.negation.topic import NO_TOPIC, Topic
from raiden_core.text.scripts import HANGUL, KANA

_LETTERS = re.compile(f"{CHINESE}|{JAPANESE}|{KOREAN}")
_WORDS = re.compile(ENGLISH)
_SURE_STOP = re.compile(r"[,。!?;](?!\d)")
_REACH = 4
"""What denies a mention stands in its own clause or the next, with asides between (A nurse? Me? Well, never)."""
_LONGEST_BARE = 24
"""A clause that holds more than this before the mention is no bare item of a list."""
_MORE = re.compile(r" ?\w")
_KANA = re.compile(f"[{KANA}]")
_CHINESE_NEGATOR = re.compile(f"(?:不[是会当做在叫喜]|没有|没当|并非|从不)[^{KANA}]*$")
_HANGUL = re.compile(f"[{HANGUL}]")
_HAN = re.compile("[\u4e00-\u9fff]")
_LATIN = re.compile("[a-z]{2}")


def may_negate(text: str) -> bool:
    """A quick look: False means that nothing in a folded text can negate."""
    if not text.isascii() and _LETTERS.search(text):
        return True
    return _LATIN.search(text) is not None and _WORDS.search(text) is not None


class Negation:
    """What is claimed in one folded text."""

    def __init__(self, text: str, breaks: Sequence[int] = (), topic: Topic = NO_TOPIC) -> None:
        """``text`` has terms masked that hold a negator themselves; ``breaks`` are the places where lines begin."""
        self._raw = text
        text = soften(text)
        self._text = text
        self._breaks = breaks
        self._topic = topic
        self._cut: Clauses | None = None
        self._is_english = _LATIN.search(text) is not None
        self._is_chinese = _HAN.search(text) is not None
        self._is_japanese = _KANA.search(text) is not None
        self._is_korean = _HANGUL.search(text) is not None
        self._hints = [] if text.isascii() else [hint.start() for hint in _LETTERS.finditer(text)]
        if self._is_english:
            self._hints = sorted([*self._hints, *[hint.start() for hint in _WORDS.finditer(text)]])

    def claims(self, start: int, end: int, denied: bool = False) -> bool:
        """Whether the mention ``text[start:end]`` says what is asked for.

        Args:
            start, end: where the mention stands.
            denied: what is asked for is what is not so, and a mention counts unless it is affirmed.
        """
        if self._is_struck(start, end):
            return False
        if self._is_out_of_reach(start, end):
            return not denied or not self._affirms(self._clause(start, end))
        clause = self._clause(start, end)
        if self._is_open(clause):
            return False
        says_no = self._denies(clause)
        return (says_no or not self._affirms(clause)) if denied else not says_no

    def denies(self, start: int, end: int) -> bool:
        """Whether the mention ``text[start:end]`` is denied."""
        return not self._is_out_of_reach(start, end) and self._denies(self._clause(start, end))

    def is_unknown(self) -> bool:
        """Whether the text says that its speaker does not know."""
        return any(language.RULES["unknown"].search(self._text) for language in self._languages)

    def says_no(self) -> bool:
        """Whether the text begins with a "no" of its own."""
        clause = self._clause(0, 0)
        for language in self._languages:
            filler, comma = language.RULES["filler"], language.COMMA
            first = (clause.after.split(comma)[0] if comma else clause.after).strip(QUOTES)
            said = [first, *(piece.text for piece in clause.pieces(comma) if not piece.inside)]
            opening = next((text for text in said if text and not filler.match(text)), "")
            if language.RULES["no"].match(opening):
                return True
        return False

    def _is_struck(self, start: int, end: int) -> bool:
        """``~~doctor~~ nurse``, but not a soft ending: more of the sentence must follow."""
        text = self._raw
        return text[max(0, start - 2) : start] == "~~" == text[end : end + 2] and _MORE.match(text, end + 2) is not None

    def _clause(self, start: int, end: int) -> Clause:
        if self._cut is None:
            self._cut = Clauses(self._text, self._breaks)
        return Clause(self._cut, start, end)

    @cached_property
    def _languages(self) -> list[ModuleType]:
        """The languages whose scripts the text holds."""
        chinese, english, japanese, korean = _languages()
        spoken = (
            (chinese, self._is_chinese),
            (english, self._is_english),
            (japanese, self._is_japanese),
            (korean, self._is_korean),
        )
        return [language for language, is_spoken in spoken if is_spoken]

    def _denies(self, clause: Clause) -> bool:
        chinese = _languages()[0]
        for language in self._languages:
            # 不 and 无 are parts of words in Japanese (不思議, 無口), so Chinese rules need a Chinese negator to apply.
            if language is chinese and self._is_japanese and not _CHINESE_NEGATOR.search(clause.before):
                continue
            if _denies(language, clause, self._topic):
                return True
        return False

    def _is_open(self, clause: Clause) -> bool:
        """Whether the mention is only asked for, one of several, corrected or not so at present."""
        spoken = [language for language in self._languages if not (self._is_japanese and language is _languages()[0])]
        if any(is_open(language, clause, self._topic) for language in spoken):
            return True
        return bool(spoken) and all(is_only_asked(language, clause, self._topic) for language in spoken)

    def _affirms(self, clause: Clause) -> bool:
        """Whether a sentence affirms what the question wants denied (I love peaches)."""
        if self._topic.about in ("event", "other", ""):
            return False
        return any(language.RULES["affirming"].search(clause.surroundings) for language in self._languages)

    def _is_out_of_reach(self, start: int, end: int) -> bool:
        """A quick look: whether stops part the mention from all that could negate it."""
        text, hints = self._text, self._hints
        if self._topic.about == "fear":
            # A fear is denied without any negator (I laugh at spiders).
            return False
        place = bisect_left(hints, start)
        if place < len(hints):
            stops = _SURE_STOP.findall(text, end, hints[place])
            if len(stops) < _REACH:
                return False
        if place == 0:
            return True
        hint = hints[place - 1]
        stop = max(text.rfind(",", hint, start), text.rfind("。", hint, start), text.rfind("!", hint, start))
        return stop >= 0 and start - stop > _LONGEST_BARE and not text[stop + 1].isdigit()


def _denies(language: ModuleType, clause: Clause, topic: Topic) -> bool:
    rules: Table = language.RULES
    if topic.about == "fear":
        inside = rules["fear"].search(clause.surroundings) is not None
    elif topic.is_name:
        inside = rules["name"].search(clause.surroundings) is not None
    else:
        inside = language.denies(clause, topic)
        if not inside and topic.about in ("taste", "activity"):
            inside = rules["dislike"].search(clause.surroundings) is not None
    return inside or language.is_answered(clause, topic)


@cache
def _languages() -> tuple[ModuleType, ...]:
    """The rules of all languages; loaded when first needed, because compiling them takes a while."""
    from raiden_core.rewards.negation import chinese, english, japanese, korean

    return chinese, english, japanese, korean
