"""Facts: what a profile says, each with the words that say so (design: generation, step 2).

A fact whose evidence is not in the profile was made up or is a paraphrase that nobody can check: it is dropped. So is
one about the scene, one that says no more than the name, and a second one that says the same.
"""

from __future__ import annotations

from raiden_core.characters.keys import is_meta_key
from raiden_core.generation.mining import reasons
from raiden_core.generation.mining.interview import Interview
from raiden_core.generation.mining.reasons import Drop, Dropped
from raiden_core.generation.mining.replies import MAX_FACTS, FactReply, FactsReply
from raiden_core.generation.quality import filters
from raiden_core.rewards.folding import fold

MIN_EVIDENCE = 2
"""Letters that evidence has at least: a single one stands in any text."""
SAME_FACT = "fact listed twice"
THE_NAME = "the name itself"


async def find_facts(interview: Interview) -> tuple[list[FactReply], list[Drop]]:
    """The facts of a profile in the teacher's order, and those that were dropped.

    Raises:
        Dropped: the teacher gave no list of facts.
    """
    reply = await interview.ask(FactsReply, "facts", count=str(MAX_FACTS))
    language = interview.briefing.language
    profile = fold(interview.briefing.profile)
    about_it = fold(interview.briefing.about or interview.briefing.profile)
    name = fold(interview.briefing.name)
    kept: list[FactReply] = []
    dropped: list[Drop] = []
    met: set[tuple[str, str]] = set()
    for fact in reply.facts:
        said = (fold(fact.attribute), fold(fact.value))
        if reason := _refusal(fact, profile, about_it, name, said in met):
            dropped.append(Drop(reason, language))
        else:
            met.add(said)
            kept.append(fact)
    return kept, dropped


def _refusal(fact: FactReply, profile: str, about_it: str, name: str, met: bool) -> str | None:
    evidence = fold(fact.evidence)
    if sum(letter.isalnum() for letter in evidence) < MIN_EVIDENCE or evidence not in profile:
        return filters.NOT_IN_PROFILE
    if evidence not in about_it or is_meta_key(fact.attribute):
        return filters.OF_THE_SCENE
    if not any(letter.isalnum() for letter in fold(fact.value)):
        return reasons.BLANK
    if fold(fact.value) == name:
        return THE_NAME
    return SAME_FACT if met else None


def why_no_facts(dropped: list[Drop], refusal: Dropped | None) -> str:
    """Why a character has no fact to ask about."""
    if refusal is not None:
        return refusal.told()
    if dropped:
        return f"none of the {len(dropped)} facts that the teacher listed stands in its profile"
    return "the teacher finds no fact in its profile"
