"""Doubt: a mention that is neither affirmed nor denied, so that it claims nothing.

A question back (医生？), one of several (either Oslo or Bergen), what would have been (had I studied, I would be a doctor),
what was or will be where the present is asked for, and what its speaker corrects (武汉……不，长沙).
"""

from __future__ import annotations

import re
from itertools import islice
from types import ModuleType

from raiden_core.rewards.negation.clause import Clause
from raiden_core.rewards.negation.needed import MENTION
from raiden_core.rewards.negation.table import Table
from raiden_core.rewards.negation.topic import Topic

_RUNS_ON = re.compile(r"\.\.|[…—,!。-]")
"""What may part a slip of the tongue from its correction; a plain full stop does not."""
_ENDS = re.compile(r"[.。!?;\n]")
_LONGEST_VALUE = 24
"""What follows "no," in a self-correction is a value, not a sentence."""


def is_open(language: ModuleType, clause: Clause, topic: Topic, is_followed: bool = True) -> bool:
    """Whether the mention claims nothing, by the rules of one language.

    Args:
        language: its module.
        clause: the clause of the mention.
        topic: what is asked.
        is_followed: whether a hint stands behind the mention, so that something there may take it back.
    """
    rules = language.RULES
    if clause.holds(rules, "open") or clause.holds(rules, "not said"):
        return True
    if topic.about not in ("", "event") and (_is_other_time(rules, clause, topic) or _is_another(rules, clause, topic)):
        return True
    if not is_followed:
        return False
    present = clause.present(rules)
    takes_back = present["takes back"]
    if (takes_back or present["no, but"]) and _is_corrected(language, clause):
        return True
    return bool(takes_back or present["retracts"]) and _is_retracted(language, clause)


def _is_other_time(rules: Table, clause: Clause, topic: Topic) -> bool:
    if not (topic.is_past or topic.asks_denied) and clause.holds(rules, "past"):
        return True
    return topic.about == "identity" and not topic.is_future and clause.holds(rules, "future")


def _is_another(rules: Table, clause: Clause, topic: Topic) -> bool:
    """My father is the carpenter, and the rabbit was given away: another's fact, or what one has no more."""
    if not topic.is_others and clause.holds(rules, "others"):
        return True
    if topic.is_past or topic.asks_denied or topic.about not in ("possession", "other"):
        return False
    return clause.holds(rules, "lost")


def _is_corrected(language: ModuleType, clause: Clause) -> bool:
    """Rotherham... no, Leeds: what stands at the end is claimed."""
    rules = language.RULES
    said: list[str] = []
    for piece in clause.pieces(language.COMMA):
        if piece.text and not piece.inside and not rules.begins("filler", piece.text):
            said.append(piece.text)
            if len(said) == 1 and not (rules.begins("takes back", said[0]) or rules["no, but"].match(said[0])):
                return False
            if len(said) == _SAID:
                break
    if not said:
        return False
    if rules.begins("takes back", said[0]):
        return True
    found = rules["no, but"].match(said[0])
    if not found or not (_RUNS_ON.search(clause.marks) or language.COMMA):
        return False
    if len(said) > 1 and rules.begins("takes back", said[1]):
        return True
    rest = said[0][found.end() :].strip()
    if rest and said[0].startswith("n") and clause.marks.strip() == ",":
        # "Twelfth, no lift" adds something.
        return False
    value = rest or (said[1] if len(said) > 1 else "")
    return 0 < len(value) <= _LONGEST_VALUE and language.VALUE.match(value) is not None


def _is_retracted(language: ModuleType, clause: Clause) -> bool:
    """I'm a doctor, and a good one. Just kidding: the next sentence takes back the whole one before."""
    rules = language.RULES
    ended = _ENDS.search(clause.marks) is not None
    for piece in islice(clause.pieces(), _PIECES_READ):
        if ended and piece.text and not rules.begins("filler", piece.text):
            # An aside may stand before a comma of its own script (なんてね、嘘です).
            parts = piece.text.split(language.COMMA) if language.COMMA else [piece.text]
            taken_back = rules.begins("takes back", piece.text)
            if taken_back or any(rules.begins("retracts", part) for part in (piece.text, parts[-1])):
                return True
            if not rules.begins("no", piece.text):
                return False
        ended = ended or (not piece.inside and _ENDS.search(piece.stop) is not None)
    return False


def is_only_asked(language: ModuleType, clause: Clause, topic: Topic) -> bool:
    """A question that nothing answers; one that asks for assent (isn't it?) or is negated (Am I not?) affirms."""
    rules = language.RULES
    if language.COMMA and language.COMMA in clause.after:
        return False
    if not (clause.is_question or language.ASKS.search(clause.after)):
        return False
    if rules["assent"].search(f"{clause.before}{MENTION}{clause.after}"):
        return False
    asked_again = False
    for piece in islice(clause.pieces(language.COMMA), _PIECES_READ):
        if not piece.text or piece.inside or rules.begins("filler", piece.text):
            continue
        if rules["unknown"].search(piece.text):
            return True
        if piece.stop != "?" and not language.ASKS.search(piece.text):
            return False
        if rules["assent"].search(MENTION + piece.text):
            return False
        asked_again = True
    # Asked what the user said, a character may be unsure; one that offers two does not know.
    return asked_again or not (topic.is_memory or not topic.about)


_SAID = 2
"""A correction and what it puts in the place of what it takes back."""
_PIECES_READ = 16
