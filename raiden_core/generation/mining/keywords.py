"""Keywords, and single-term validation (STV): one noun or entity that every independent answer holds.

After RAIDEN-R1 (arXiv 2505.10218), section 3.2. A keyword must be grounded: it stands in the profile (SBK) or in the
conversation and not in the profile (CM). "Holds" is what scoring means by it, so a negated mention does not count.
"""

from __future__ import annotations

from dataclasses import dataclass

from raiden_core.generation.mining import reasons
from raiden_core.generation.mining.answers import Answers, material_of, numbered
from raiden_core.generation.mining.interview import Interview
from raiden_core.generation.mining.questions import Asked
from raiden_core.generation.mining.reasons import Dropped
from raiden_core.generation.mining.replies import MAX_TERMS, KeywordsReply
from raiden_core.generation.offline.values import MAX_ITEM_CJK, MAX_ITEM_WORDS
from raiden_core.generation.quality import filters
from raiden_core.rewards import Scorer, contains_term, fold
from raiden_core.rewards.folding import units
from raiden_core.samples import Validator


@dataclass(frozen=True)
class Keywords:
    """What the teacher says a right answer contains, grounded."""

    terms: tuple[str, ...]
    distractors: tuple[str, ...]
    """Wrong answers, as the teacher has them: not yet chosen from."""


async def find_keywords(interview: Interview, asked: Asked, answers: Answers) -> Keywords:
    """The keywords of a question.

    Raises:
        Dropped: there are none that an answer could be checked by.
    """
    material = material_of(interview, asked, evidence=asked.evidence, answers=numbered(answers.all))
    reply = await interview.ask(KeywordsReply, "keywords", material, count=str(MAX_TERMS))
    terms: dict[str, str] = {}
    for item in reply.terms:
        if item.kind == "other":
            raise Dropped(reasons.NOT_A_NOUN)
        terms.setdefault(fold(item.term), item.term.strip())
    for term in terms.values():
        if reason := _refusal(term, asked, interview.briefing.profile):
            raise Dropped(reason)
    return Keywords(tuple(terms.values()), reply.distractors)


def validate_single(term: str, none_of: tuple[str, ...], answers: Answers, scorer: Scorer) -> Validator:
    """The validator of a single term that every answer holds; a distractor that one of them claims is left out.

    Raises:
        Dropped: an answer does not hold the term.
    """
    if not all(right(Validator(all_of=((term,),)), text, answers, scorer) for text in answers.all):
        raise Dropped(reasons.NOT_IN_EVERY_ANSWER)
    fair = tuple(
        wrong
        for wrong in none_of
        if all(right(Validator(all_of=((term,),), none_of=(wrong,)), text, answers, scorer) for text in answers.all)
    )
    return Validator(all_of=((term,),), none_of=fair)


def right(validator: Validator, text: str, answers: Answers, scorer: Scorer) -> bool:
    """Whether scoring takes a text for a right answer."""
    sample = {"keywords": [], "validator": validator, "answer": answers.reference}
    return scorer.accuracy_of_text(sample, text).accuracy == 1.0


def _refusal(term: str, asked: Asked, profile: str) -> str | None:
    folded = fold(term)
    if not any(letter.isalnum() for letter in folded) or filters.is_generic(term):
        return filters.GENERIC_KEYWORD
    # Blanks set words apart in English and Korean; elsewhere each character is a unit.
    if units(folded) > MAX_ITEM_CJK or len(folded.split()) > MAX_ITEM_WORDS:
        return reasons.A_PHRASE
    if contains_term(asked.question, term):
        return filters.GIVEN_AWAY
    if asked.dimension == "SBK":
        return None if contains_term(profile, term) else reasons.KEYWORD_NOT_IN_PROFILE
    if contains_term(profile, term):
        return filters.IN_PROFILE
    # Of the conversation only what the user said counts: the character may have been made to say anything.
    said = any(contains_term(turn.content, term) for turn in asked.history if turn.role == "user")
    return None if said else reasons.NOT_IN_CONVERSATION
