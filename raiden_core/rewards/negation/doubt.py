"""Doubt: a mention that is neither affirmed nor denied, so that it claims nothing.

A question back (医生？), one of several (either Oslo or Bergen), what would have been (had I studied, I would be a doctor),
what was or will be where the present is asked for, and what its speaker corrects (武汉……不，长沙).
"""

from __future__ import annotations

import re
from itertools import islice
from types import ModuleType

from raiden_core.rewards.negation.clause import MENTION, Clause
from raiden_core.rewards.negation.topic import Topic

_RUNS_ON = re.compile(r"\.\.|[…—,!。-]")
"""What may part a slip of the tongue from its correction; a plain full stop does not."""
_LONGEST_VALUE = 24
"""What follows "no," in a self-correction is a value, not a sentence."""


def is_open(language: ModuleType, clause: Clause, topic: Topic) -> bool:
    """Whether the mention claims nothing, by the rules of one language."""
    around = clause.surroundings
    if language.RULES["open"].search(around):
        return True
    if topic.about not in ("", "event") and _is_other_time(language, around, topic):
        return True
    return _is_corrected(language, clause)


def _is_other_time(language: ModuleType, around: str, topic: Topic) -> bool:
    if not topic.is_past and language.RULES["past"].search(around):
        return True
    return topic.about == "identity" and not topic.is_future and language.RULES["future"].search(around) is not None


def _is_corrected(language: ModuleType, clause: Clause) -> bool:
    """Rotherham... no, Leeds: what stands at the end is claimed."""
    rules = language.RULES
    filler = rules["filler"]
    said = [piece.text for piece in clause.pieces(language.COMMA) if piece.text and not piece.inside]
    while said and filler.match(said[0]):
        said.pop(0)
    if not said:
        return False
    if rules["takes back"].match(said[0]):
        return True
    found = rules["no, but"].match(said[0])
    if not found or not (_RUNS_ON.search(clause.marks) or language.COMMA):
        return False
    rest = said[0][found.end() :].strip()
    value = rest or next((text for text in said[1:] if not filler.match(text)), "")
    return 0 < len(value) <= _LONGEST_VALUE and language.VALUE.match(value) is not None


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
        if not piece.text or piece.inside or rules["filler"].match(piece.text):
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


_PIECES_READ = 16
