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
from functools import cache
from types import ModuleType
from typing import NamedTuple

from raiden_core.rewards.negation.clause import QUOTES, Clause, Clauses
from raiden_core.rewards.negation.doubt import is_only_asked, is_open
from raiden_core.rewards.negation.hints import CHINESE, ENGLISH, JAPANESE, KOREAN, words
from raiden_core.rewards.negation.needed import MENTION
from raiden_core.rewards.negation.soft import soften
from raiden_core.rewards.negation.table import Table
from raiden_core.rewards.negation.topic import NO_TOPIC, Topic
from raiden_core.text.scripts import HAN, HANGUL, KANA

_KANA = re.compile(f"[{KANA}]")
_HANGUL = re.compile(f"[{HANGUL}]")
_HAN = re.compile("[\u4e00-\u9fff]")
_LATIN = re.compile("[a-z][a-z]")
_NEAR_WORDS = words(ENGLISH.near)
_FAR_WORDS = words(ENGLISH.far)
_TOPICAL_WORDS = words(ENGLISH.far, ENGLISH.topical)


class _Looks(NamedTuple):
    """What is looked for in a text: all hints, those that reach to the next clause, those that reach further."""

    any: re.Pattern[str]
    near: re.Pattern[str]
    far: re.Pattern[str]


class _Scripts(NamedTuple):
    """The scripts that a text holds."""

    kana: bool
    hangul: bool
    han: bool
    latin: bool


def _scripts_of(text: str) -> _Scripts:
    if text.isascii():
        return _Scripts(False, False, False, _LATIN.search(text) is not None)
    return _Scripts(
        kana=_KANA.search(text) is not None,
        hangul=_HANGUL.search(text) is not None,
        han=_HAN.search(text) is not None,
        latin=_LATIN.search(text) is not None,
    )


@cache
def _looks(scripts: _Scripts, topical: bool) -> _Looks:
    """The hints of the scripts that a text holds."""
    kana, hangul, han, latin = scripts
    letters = [hints for hints, there in ((JAPANESE, kana), (KOREAN, hangul), (CHINESE, han or kana)) if there]
    near = [hints.near for hints in letters]
    far = [f"{hints.far}|{hints.topical}" if topical else hints.far for hints in letters]
    if latin:
        near.append(_NEAR_WORDS)
        far.append(_TOPICAL_WORDS if topical else _FAR_WORDS)
    near.append(r"\?")
    return _Looks(*(re.compile("|".join(kinds) or "(?!)") for kinds in ([*near, *far], near, far)))


_SURE_STOP = re.compile(r"[,.。!?;][,.。!?;\s]*(?!\d)")
_REACH = 2
"""A denial may stand in the mention's own clause or in the next."""
_REACH_OF_ASIDES = 5
"""Asides may stand between an echo and its answer, and a whole sentence may be taken back (A nurse? Me? Well, never)."""
_SENTENCE_END = re.compile(r"[.。!?]")
_LONGEST_BARE = 24
"""A clause that holds more than this before the mention is no bare item of a list."""
_MORE = re.compile(r" ?\w")
_LONGEST_ECHO = 8
_TOUCHES = re.compile(f"[{HAN}{KANA}]")
_CHINESE_NEGATOR = re.compile(f"(?:不[是会当做在叫喜]|没有|没当|并非|从不)[^{KANA}]*$")


def may_negate(text: str, topic: Topic = NO_TOPIC) -> bool:
    """A quick look: False means that nothing in a folded text can deny a mention or leave it open."""
    if topic.about == "fear" or "~~" in text:
        # A fear is denied without any negator (I laugh at spiders).
        return True
    return _looks(_scripts_of(text), bool(topic.about)).any.search(text) is not None


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
        self._kind = _kind(topic)
        self._may_be_struck = "~~" in self._raw
        self._scripts = _scripts_of(text)
        looks = _looks(self._scripts, bool(topic.about))
        hints = [hint.start() for hint in looks.any.finditer(text)]
        self._near = [place for place in hints if looks.near.match(text, place)]
        self._far = [place for place in hints if looks.far.match(text, place)]
        self._may_be_asked = "?" in text or "吗" in text or "么" in text
        self._is_doubtful = bool(self._far) or "?" in text or topic.about == "fear"

    def claims(self, start: int, end: int, denied: bool = False) -> bool:
        """Whether the mention ``text[start:end]`` says what is asked for.

        Args:
            start, end: where the mention stands.
            denied: what is asked for is what is not so, and a mention counts unless it is affirmed.
        """
        if self._may_be_struck and self._is_struck(start, end):
            return False
        before, after = self._reach(start, end)
        if not (before or after):
            return not denied or not self._affirms(self._clause(start, end))
        clause = self._clause(start, end)
        if denied:
            return not self._is_open(clause, denied) and (self._denies(clause, after) or not self._affirms(clause))
        # In this order, because most of what claims nothing is denied by its own clause.
        return not (self._denies(clause, after) or self._is_open(clause, denied))

    def claims_one(self, spans: Sequence[tuple[int, int]], denied: bool = False) -> bool:
        """Whether one of the mentions of a term, from left to right, is claimed and not taken back by the next.

        "It is a tailor. No, it is not a tailor." takes back; "A tailor? I'm not a tailor." only asks.
        """
        for place, (start, end) in enumerate(spans):
            if self.claims(start, end, denied):
                last = denied or place + 1 == len(spans)
                if last or not self._is_taken_back(self._clause(start, end), spans[place + 1]):
                    return True
        return False

    def _is_taken_back(self, clause: Clause, following: tuple[int, int]) -> bool:
        start, end = following
        if not any(self._reach(start, end)):
            return False
        later = self._clause(start, end)
        said = next(later.previous, None)
        openings = [said.text.strip(QUOTES)] if said else []
        for language in self._languages:
            if language.COMMA and language.COMMA in later.before:  # いいえ、大工ではありません is one clause
                openings.append(later.before.partition(language.COMMA)[0].strip(QUOTES))
        is_no = any(language.RULES["no"].match(opening) for language in self._languages for opening in openings)
        return (is_no or clause.is_question) and start != clause.start and not self.claims(start, end)

    def denies_one(self, spans: Sequence[tuple[int, int]]) -> bool:
        """Whether one of the mentions of a term is denied, by its own clause or by what answers it."""
        return any(
            (before or after) and self._denies(self._clause(start, end), after)
            for start, end in spans
            for before, after in [self._reach(start, end)]
        )

    def is_asked(self, start: int, end: int) -> bool:
        """Whether the mention stands in a question."""
        return self._clause(start, end).is_question

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

    @property
    def _languages(self) -> tuple[ModuleType, ...]:
        """The languages whose scripts the text holds."""
        return _spoken(self._scripts)

    def _denies(self, clause: Clause, after: bool) -> bool:
        topic, kind, has_kana = self._topic, self._kind, self._scripts.kana
        for language in self._languages:
            # 不 and 无 are parts of words in Japanese (不思議, 無口), so Chinese rules need a Chinese negator to apply.
            if has_kana and _is_chinese(language) and not _CHINESE_NEGATOR.search(clause.before):
                continue
            if kind not in ("fear", "name") and language.denies(clause, topic):
                return True
            rules: Table = language.RULES
            if "contrast" in rules.kinds and clause.holds(rules, "contrast"):
                return True
            if (kind and _holds(rules, kind, clause)) or (after and language.is_answered(clause, topic)):
                return True
        return False

    def _is_open(self, clause: Clause, denied: bool) -> bool:
        """Whether the mention is only asked for, one of several, corrected or not so at present."""
        if not self._is_doubtful:
            return False
        spoken = _spoken(self._scripts._replace(han=False)) if self._scripts.kana else self._languages
        # What was and is no more is not so.
        topic = self._topic._replace(is_past=True) if denied else self._topic
        for language in spoken:
            if is_open(language, clause, topic):
                return True
        return (
            self._may_be_asked
            and bool(spoken)
            and all(is_only_asked(language, clause, self._topic) for language in spoken)
        )

    def _affirms(self, clause: Clause) -> bool:
        """Whether a sentence affirms what the question wants denied (I love peaches)."""
        if self._topic.about == "event":
            # The cause may be told in any words.
            return False
        return any(language.RULES["affirming"].search(clause.surroundings) for language in self._languages)

    def _reach(self, start: int, end: int) -> tuple[bool, bool]:
        """A quick look: whether anything before, and anything behind, may deny the mention or leave it open."""
        if self._topic.about == "fear":
            return True, True
        text = self._text
        near, far = self._near, self._far
        place = bisect_left(near, start)
        after = place < len(near) and self._parted(end, near[place]) < _REACH
        before = False
        if place:
            hint = near[place - 1]
            stop = max(text.rfind(",", hint, start), text.rfind("。", hint, start), text.rfind("!", hint, start))
            before = stop < 0 or start - stop <= _LONGEST_BARE or text[stop + 1].isdigit()
        if far:
            place = bisect_left(far, start)
            after = after or (place < len(far) and self._parted(end, far[place]) < _REACH_OF_ASIDES)
            before = before or (place > 0 and _SENTENCE_END.search(text, far[place - 1], start) is None)
        return before, after

    def _parted(self, end: int, hint: int) -> int:
        """By how many stops a hint is parted from a mention; behind a question asides do not count."""
        stops = _SURE_STOP.findall(self._text, end, hint)
        is_asked = len(stops) > 1 and "?" in "".join(stops)
        return max(0, len(stops) - (_REACH_OF_ASIDES - _REACH)) if is_asked else len(stops)


def _kind(topic: Topic) -> str:
    """The kind of rows that a topic adds to, or puts in the place of, the general rules."""
    if topic.about == "fear":
        return "fear"
    if topic.is_name:
        return "name"
    return "dislike" if topic.about in ("taste", "activity", "other") else ""


def _holds(rules: Table, kind: str, clause: Clause) -> bool:
    """Whether a row of a kind is found around the mention; an echo (蛇？) is the topic of its answer."""
    if not clause.kinds(rules)[kind]:
        return False
    if rules[kind].search(clause.surroundings):
        return True
    if not clause.is_question or len(clause.before) + len(clause.after) > _LONGEST_ECHO:
        return False
    replies = clause.replies(rules["filler"])
    if not replies or replies[-1].stop == "?":
        return False
    said = replies[-1].text
    blank = "" if _TOUCHES.match(said) else " "
    return rules[kind].search(f"{MENTION}{blank}{said}") is not None


@cache
def _languages() -> tuple[ModuleType, ...]:
    """The rules of all languages; loaded when first needed, because compiling them takes a while."""
    from raiden_core.rewards.negation import chinese, english, japanese, korean

    return chinese, english, japanese, korean


def _is_chinese(language: ModuleType) -> bool:
    return language is _languages()[0]


@cache
def _spoken(scripts: _Scripts) -> tuple[ModuleType, ...]:
    written = (scripts.han, scripts.latin, scripts.kana, scripts.hangul)
    return tuple(language for language, there in zip(_languages(), written, strict=True) if there)
