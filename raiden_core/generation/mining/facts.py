"""Facts: what a profile says, each with the line that says so (design: generation, step 2).

The teacher is shown the profile's lines with numbers and names the line of each fact, so that it need not copy anything.
The line is the evidence. A fact whose value neither that line nor a single other one says was made up: it is dropped. So is
one of a line that is not there, one about the scene, one that says no more than the name, and one that is listed twice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from raiden_core.characters.keys import is_meta_key
from raiden_core.generation.mining import reasons
from raiden_core.generation.mining.interview import Interview
from raiden_core.generation.mining.prompts import numbered
from raiden_core.generation.mining.reasons import Drop, Dropped
from raiden_core.generation.mining.replies import MAX_FACTS, FactReply, FactsReply
from raiden_core.generation.quality import filters
from raiden_core.rewards import contains_term
from raiden_core.rewards.folding import fold, units

LONG_LINE = 40
"""Units from which a line is prose and is numbered sentence by sentence."""
LONG_VALUE = 40
"""Units of a value beyond which it is a retelling that nobody repeats word for word."""
FACTS_A_LINE = 2
"""Facts that a list is allowed for each line, and two more, up to `MAX_FACTS`: one that goes on has lost its way."""
SAME_FACT = "fact listed twice"
THE_NAME = "the name itself"
_SENTENCE_END = re.compile(r"(?<=[。！？])(?![”」』’\"])|(?<=[.!?])\s+(?=\S)")
_BETWEEN_WORDS = re.compile(r"[\s、，,；;／/・·]+|\band\b", re.IGNORECASE)


@dataclass(frozen=True)
class Fact:
    """One thing that the profile says."""

    attribute: str
    """Which aspect of the character, in the teacher's words."""
    value: str
    evidence: str
    """The line of the profile that says so, or the sentence of a long line."""


async def find_facts(interview: Interview) -> tuple[list[Fact], list[Drop]]:
    """The facts of a profile in the teacher's order, and those that were dropped.

    Raises:
        Dropped: the teacher gave no list of facts.
    """
    briefing = interview.briefing
    lines = lines_of(briefing.profile)
    most = min(MAX_FACTS, FACTS_A_LINE * len(lines) + 2)
    material = briefing.material(lines=numbered(lines))
    reply = await interview.ask(FactsReply, "facts", material, most={"facts": most}, count=str(most))
    about_it = fold(briefing.about or briefing.profile)
    kept: list[Fact] = []
    dropped: list[Drop] = []
    met: set[tuple[str, str]] = set()
    for listed in reply.facts:
        said = (fold(listed.attribute), fold(listed.value))
        fact = _with_evidence(listed, lines)
        reason = filters.NOT_IN_PROFILE if fact is None else _refusal(fact, about_it, briefing.name, said in met)
        if fact is None or reason:
            words = f"line {listed.line}, {listed.attribute}: {listed.value}"
            dropped.append(Drop(reason or filters.NOT_IN_PROFILE, briefing.language, example=words))
        else:
            met.add(said)
            kept.append(fact)
    return kept, dropped


def lines_of(profile: str) -> tuple[str, ...]:
    """The lines of a profile that say something, word for word; long ones sentence by sentence."""
    pieces: list[str] = []
    for line in profile.splitlines():
        pieces += _SENTENCE_END.split(line) if units(fold(line)) > LONG_LINE else [line]
    return tuple(piece.strip() for piece in pieces if any(map(str.isalnum, piece)))


def supports(evidence: str, value: str) -> bool:
    """Whether a line says a value: as a whole or, for lists and the like, each of its words, as scoring folds them."""
    if contains_term(evidence, value) or fold(value) in fold(evidence):
        return True
    words = [word for word in _BETWEEN_WORDS.split(value) if any(map(str.isalnum, word))]
    asked = [word for word in words if not filters.is_generic(word) and fold(word) not in ("an", "the")]
    return bool(asked) and all(contains_term(evidence, word) for word in asked)


def _with_evidence(listed: FactReply, lines: tuple[str, ...]) -> Fact | None:
    """The fact with its line: the named one, or where that does not say it, the only one that does.

    Small models give the right values with wrong numbers. A value that several other lines say belongs to the one that
    names the attribute too.
    """
    if not 1 <= listed.line <= len(lines):
        return None
    attribute, value = listed.attribute.strip(), listed.value.strip()
    named = lines[listed.line - 1]
    if not supports(named, value):
        saying = [line for line in lines if supports(line, value)]
        naming = [line for line in saying if contains_term(line, attribute)]
        for found in (saying, naming):
            if len(found) == 1:
                named = found[0]
    return Fact(attribute, value, named)


def _refusal(fact: Fact, about_it: str, name: str, met: bool) -> str | None:
    if fold(fact.evidence) not in about_it or is_meta_key(fact.attribute):
        return filters.OF_THE_SCENE
    if not any(letter.isalnum() for letter in fold(fact.value)):
        return reasons.BLANK
    if fold(fact.value) == fold(name):
        return THE_NAME
    if units(fold(fact.value)) > LONG_VALUE:
        return filters.UNVERIFIABLE
    if not supports(fact.evidence, fact.value):
        return reasons.UNSUPPORTED
    return SAME_FACT if met else None


def why_no_facts(dropped: list[Drop], refusal: Dropped | None) -> str:
    """Why a character has no fact to ask about."""
    if refusal is not None:
        return refusal.told()
    if dropped:
        return f"none of the {len(dropped)} facts that the teacher listed can be taken: {dropped[0].told()}"
    return "the teacher finds no fact in its profile"
