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
from collections.abc import Callable, Sequence
from functools import cache

from raiden_core.rewards.negation.clause import Clause, Clauses
from raiden_core.rewards.negation.hints import CHINESE, ENGLISH, JAPANESE, KOREAN
from raiden_core.text.scripts import HANGUL, KANA

_LETTERS = re.compile(f"{CHINESE}|{JAPANESE}|{KOREAN}")
_WORDS = re.compile(ENGLISH)
_SURE_STOP = re.compile(r"[,。!?;](?!\d)")
_REACH = 2
"""A denial may stand in the mention's own clause or in the next."""
_REACH_OF_QUESTION = 3
"""A nurse? Me? Never."""
_LONGEST_BARE = 24
"""A clause that holds more than this before the mention is no bare item of a list."""
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
    """What is denied in one folded text."""

    def __init__(self, text: str, breaks: Sequence[int] = ()) -> None:
        """``text`` has terms masked that hold a negator themselves; ``breaks`` are the places where lines begin."""
        self._text = text
        self._breaks = breaks
        self._cut: Clauses | None = None
        self._is_english = _LATIN.search(text) is not None
        self._is_chinese = _HAN.search(text) is not None
        self._is_japanese = _KANA.search(text) is not None
        self._is_korean = _HANGUL.search(text) is not None
        self._hints = [] if text.isascii() else [hint.start() for hint in _LETTERS.finditer(text)]
        if self._is_english:
            self._hints = sorted([*self._hints, *[hint.start() for hint in _WORDS.finditer(text)]])

    def denies(self, start: int, end: int) -> bool:
        """Whether the mention ``text[start:end]`` is denied."""
        if self._is_out_of_reach(start, end):
            return False
        chinese, english, japanese, korean = _languages()
        if self._cut is None:
            self._cut = Clauses(self._text, self._breaks)
        clause = Clause(self._cut, start, end)
        if self._is_japanese:
            # 不 and 无 are parts of words in Japanese (不思議, 無口), so Chinese rules need a Chinese negator to apply.
            if japanese(clause) or (_CHINESE_NEGATOR.search(clause.before) is not None and chinese(clause)):
                return True
        elif self._is_chinese and chinese(clause):
            return True
        if self._is_korean and korean(clause):
            return True
        return self._is_english and english(clause)

    def _is_out_of_reach(self, start: int, end: int) -> bool:
        """A quick look: whether stops part the mention from all that could negate it."""
        text, hints = self._text, self._hints
        place = bisect_left(hints, start)
        if place < len(hints):
            stops = _SURE_STOP.findall(text, end, hints[place])
            if len(stops) < (_REACH_OF_QUESTION if "?" in stops else _REACH):
                return False
        if place == 0:
            return True
        hint = hints[place - 1]
        stop = max(text.rfind(",", hint, start), text.rfind("。", hint, start), text.rfind("!", hint, start))
        return stop >= 0 and start - stop > _LONGEST_BARE and not text[stop + 1].isdigit()


@cache
def _languages() -> tuple[Callable[[Clause], bool], ...]:
    """The rules of all languages; loaded when first needed, because compiling them takes a while."""
    from raiden_core.rewards.negation import chinese, english, japanese, korean

    return chinese.denies, english.denies, japanese.denies, korean.denies
