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

from raiden_core.rewards.negation.clause import QUOTES, Clause, Clauses
from raiden_core.rewards.negation.doubt import is_only_asked, is_open
from raiden_core.rewards.negation.kinds import kind_of, looked_for
from raiden_core.rewards.negation.needed import MENTION
from raiden_core.rewards.negation.signs import Scripts, plain_signs, signs_in
from raiden_core.rewards.negation.soft import soften
from raiden_core.rewards.negation.table import Table
from raiden_core.rewards.negation.topic import NO_TOPIC, Topic
from raiden_core.text.scripts import HAN, KANA

_SURE_STOP = re.compile(r"[,.。!?;][,.。!?;\s]*(?!\d)")
_REACH = 2
"""A denial may stand in the mention's own clause or in the next."""
_CLOSE, _CLOSE_IN_LATIN = 8, 14
"""A hint within so many characters of a mention."""
_REACH_OF_ASIDES = 5
"""Asides may stand between an echo and its answer, and a whole sentence may be taken back (A nurse? Me? Well, never)."""
_REACH_OF_REPLIES = 4
"""How many segments behind an echo answer it."""
_SENTENCE_END = re.compile(r"[.。!?]")
_LONGEST_BARE = 24
"""A clause that holds more than this before the mention is no bare item of a list."""
_MORE = re.compile(r" ?\w")
_LONGEST_ECHO = 8
_ELSE = re.compile("[谁哪]")
_ANSWERS_ITSELF = re.compile(
    r"\b(?:else|better|best|than|forget|ever|know|tried|tasted|heard|can i|may i|could|would)\b|n't\b|"
    "还能|难道|不|没|知道|听说|见过|吃过|吧|"
    "知って|ご存|でしょ|じゃない|だろ|ない|보다|보이|알아|아시|들어|있어|있을|아니|않|안 |지$|죠"
)
_TOUCHES = re.compile(f"[{HAN}{KANA}]")
_NEGATOR = "(?:不[是会当做在叫喜]|没有|没当|并非|从不)"
_CHINESE_ANYWHERE = re.compile(_NEGATOR)
_CHINESE_NEGATOR = re.compile(f"{_NEGATOR}[^{KANA}]*$")


def may_negate(text: str, topic: Topic = NO_TOPIC) -> bool:
    """A quick look: False means that nothing in a folded text can deny a mention or leave it open."""
    if topic.about == "fear" or "~~" in text:
        # A fear is denied without any negator (I laugh at spiders).
        return True
    signs = signs_in(text, bool(topic.about))
    return bool(signs.near or signs.far)


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
        self._kind = kind_of(topic)
        self._may_be_struck = "~~" in self._raw
        self._scripts, self._near, self._far = signs_in(text, bool(topic.about))
        self._close = _CLOSE_IN_LATIN if self._scripts.latin else _CLOSE
        self._may_be_asked = "?" in text or "吗" in text or "么" in text
        self._languages = _spoken(self._scripts)
        """The languages whose scripts the text holds."""
        self._without_chinese = self._languages
        """The same where Han characters are taken for Japanese."""
        self._may_be_chinese = False
        if self._scripts.kana:
            self._without_chinese = _spoken(self._scripts._replace(han=False))
            self._may_be_chinese = _CHINESE_ANYWHERE.search(text) is not None
        self._stops: list[int] | None = None

    def claims(self, start: int, end: int, denied: bool = False) -> bool:
        """Whether the mention ``text[start:end]`` says what is asked for.

        Args:
            start, end: where the mention stands.
            denied: what is asked for is what is not so, and a mention counts unless it is affirmed.
        """
        if self._may_be_struck and self._is_struck(start, end):
            return False
        is_close = not denied and self._is_close(start, end)
        if is_close and self._denies_itself(self._clause(start, end)):
            return False
        before, after = self._reach(start, end)
        if not (before or after):
            return not denied or self._leaves_bare(self._clause(start, end))
        clause = self._clause(start, end)
        denies = (not is_close and self._denies_itself(clause)) or self._denies(clause, after)
        if denied:
            return not self._is_open(clause, denied) and (denies or self._leaves_bare(clause))
        return not (denies or self._is_open(clause, denied))

    def _is_close(self, start: int, end: int) -> bool:
        """Whether a hint stands so close to a mention that its own clause most likely denies it."""
        hints, text = self._near, self._text
        place = bisect_left(hints, start)
        if place > 0 and start - hints[place - 1] < self._close and "," not in text[hints[place - 1] : start]:
            return True
        return place < len(hints) and hints[place] - end < self._close and "," not in text[end : hints[place]]

    def _denies_itself(self, clause: Clause) -> bool:
        """Whether the words of the clause alone deny its mention, by the general rules."""
        if self._kind in ("fear", "name"):
            return False
        return any(language.denies_itself(clause, self._topic) for language in self._speaking(clause))

    def _speaking(self, clause: Clause) -> Sequence[ModuleType]:
        """The languages whose rules go for a clause."""
        # 不 and 无 are parts of words in Japanese (不思議, 無口), so Chinese rules need a Chinese negator to apply.
        if self._may_be_chinese and _CHINESE_NEGATOR.search(clause.before):
            return self._languages
        return self._without_chinese

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
        return any(self._is_denied(start, end) for start, end in spans)

    def _is_denied(self, start: int, end: int) -> bool:
        clause = self._clause(start, end)
        if self._denies_itself(clause):
            return True
        before, after = self._reach(start, end)
        return (before or after) and self._denies(clause, after)

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
            self._cut = Clauses(self._text, self._breaks, looked_for(self._topic, self._kind))
        return Clause(self._cut, start, end)

    def _denies(self, clause: Clause, after: bool) -> bool:
        topic, kind = self._topic, self._kind
        for language in self._speaking(clause):
            if kind not in ("fear", "name") and language.denies(clause, topic):
                return True
            rules: Table = language.RULES
            if clause.holds(rules, "contrast"):
                return True
            if (kind and _holds(rules, kind, clause)) or (after and language.is_answered(clause, topic)):
                return True
        return False

    def _is_open(self, clause: Clause, denied: bool) -> bool:
        """Whether the mention is only asked for, one of several, corrected or not so at present."""
        if not (self._far or self._may_be_asked or self._topic.about == "fear"):
            return False
        spoken = self._without_chinese
        # What was and is no more is not so.
        topic = self._topic._replace(is_past=True) if denied else self._topic
        for language in spoken:
            if is_open(language, clause, topic, self._is_followed(clause.end)):
                return True
        if self._may_be_asked and not denied and self._is_refused(clause):
            return True
        return (
            self._may_be_asked
            and bool(spoken)
            and all(is_only_asked(language, clause, self._topic) for language in spoken)
        )

    def _is_followed(self, end: int) -> bool:
        """Whether a hint stands behind a mention, so that something there may take it back."""
        return self._topic.about == "fear" or bool(self._far and self._far[-1] >= end)

    def _is_refused(self, clause: Clause) -> bool:
        """Whether an echo (A queen? I bow to no one) is answered by neither a yes nor a plain statement."""
        topic = self._topic
        if (
            not (topic.about and clause.is_question and "、" not in clause.after)
            or not (clause.is_echo or self._merely_asks(clause))
            or _ELSE.search(clause.before)
            or topic.is_memory
            or topic.asks_denied
        ):
            return False
        if self._affirms(clause) or self._goes_on(clause) or self._asks_for_assent(clause):
            return False
        return not any(
            language.RULES.begins("yes", reply.text)
            for language in self._without_chinese
            for reply in clause.replies(language.RULES, language.COMMA)
        )

    def _goes_on(self, clause: Clause) -> bool:
        """Whether an echo is followed by more about its mention, such as for how long (A doctor? Twenty years now)."""
        end = clause.reach(_REACH_OF_REPLIES)
        if self._has_sign(clause.end, end):
            return False
        said = self._text[clause.reach(0) + 1 : end].strip()
        return any(language.RULES["goes on"].search(said) for language in self._without_chinese)

    def _asks_for_assent(self, clause: Clause) -> bool:
        asked = f"{clause.before}{MENTION}{clause.after}"
        return any(language.RULES["assent"].search(asked) for language in self._without_chinese)

    def _merely_asks(self, clause: Clause) -> bool:
        """Whether a question is neither negated nor one that answers itself (What else would I be but a doctor?)."""
        asked = f"{clause.before}{MENTION}{clause.after}"
        is_negated = self._has_sign(clause.begin, clause.end + len(clause.after))
        return not (is_negated or _ANSWERS_ITSELF.search(asked))

    def _has_sign(self, start: int, end: int) -> bool:
        """Whether a plain sign of a denial stands between two places."""
        return plain_signs(self._scripts).search(self._text, start, end) is not None

    def _leaves_bare(self, clause: Clause) -> bool:
        """Whether a mention of what the question wants denied is left bare, or stands where something is denied.

        "Peaches." answers "What can't you eat?", and so does "Peaches and I don't get along"; "I had peaches for lunch"
        does not.
        """
        if self._topic.about == "event":
            # The cause may be told in any words.
            return True
        if self._affirms(clause):
            return False
        return not self._topic.asks_denied or clause.is_echo or self._has_sign(clause.begin, clause.reach(1))

    def _affirms(self, clause: Clause) -> bool:
        """Whether a sentence affirms its mention outright (I love peaches)."""
        return any(clause.holds(language.RULES, "affirming") for language in self._languages)

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
        if self._stops is None:
            self._stops = [stop.start() for stop in _SURE_STOP.finditer(self._text)]
        stops = bisect_left(self._stops, hint) - bisect_left(self._stops, end)
        is_asked = stops > 1 and "?" in self._text[end:hint]
        return max(0, stops - (_REACH_OF_ASIDES - _REACH)) if is_asked else stops


def _holds(rules: Table, kind: str, clause: Clause) -> bool:
    """Whether a row of a kind is found around the mention; an echo (蛇？) is the topic of its answer."""
    present = clause.present(rules)
    if not present[kind]:
        return False
    if present.search(kind, clause.surroundings):
        return True
    if not clause.is_question or len(clause.before) + len(clause.after) > _LONGEST_ECHO:
        return False
    replies = clause.replies(rules)
    if not replies or replies[-1].stop == "?":
        return False
    said = replies[-1].text
    blank = "" if _TOUCHES.match(said) else " "
    return present.search(kind, f"{MENTION}{blank}{said}")


@cache
def _languages() -> tuple[ModuleType, ...]:
    """The rules of all languages; loaded when first needed, because compiling them takes a while."""
    from raiden_core.rewards.negation import chinese, english, japanese, korean

    return chinese, english, japanese, korean


@cache
def _spoken(scripts: Scripts) -> tuple[ModuleType, ...]:
    written = (scripts.han, scripts.latin, scripts.kana, scripts.hangul)
    return tuple(language for language, there in zip(_languages(), written, strict=True) if there)
