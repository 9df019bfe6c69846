"""Keywords, and single-term validation (STV): one noun or entity that every independent answer holds.

After RAIDEN-R1 (arXiv 2505.10218), section 3.2. A keyword must be grounded: it stands in the profile (SBK) or in the
conversation and not in the profile (CM). "Holds" is what scoring means by it, so a negated mention does not count.

What all answers share is looked for first: the fact's value, each item of a list, or the longest part of it that every
answer repeats. The teacher is asked for keywords only where there is none, and for wrong answers in either case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from raiden_core.generation.mining import reasons
from raiden_core.generation.mining.answers import Answers, material_of
from raiden_core.generation.mining.interview import Interview
from raiden_core.generation.mining.kinds import is_of_the_kind
from raiden_core.generation.mining.prompts import numbered
from raiden_core.generation.mining.questions import Asked
from raiden_core.generation.mining.reasons import Dropped
from raiden_core.generation.mining.replies import MAX_TERMS, DistractorsReply, KeywordsReply
from raiden_core.generation.offline.values import MAX_ITEM_CJK, MAX_ITEM_WORDS, read_value
from raiden_core.generation.quality import filters
from raiden_core.rewards import Scorer, contains_term, fold
from raiden_core.rewards.folding import SPACELESS, units
from raiden_core.samples import Validator

_ARTICLE = re.compile(r"^(?:an?|the)\s+(?=\S)", re.IGNORECASE)
MAX_HINT = 400
"""Letters of a value, or of a seed's reference, in which a keyword is looked for."""
_TOKEN = re.compile(f"[^\\W{SPACELESS}]+(?:['’-][^\\W{SPACELESS}]+)*|[{SPACELESS}]")
_CLAUSE_END = re.compile(r"[，。！？、；：,;:!?()（）“”「」\n]|\.\s")
_FILLER_WORDS = """
a an the i i'm i've me my am is are was were be been it its he she his her this that to of in on at by for from with and or as
so do does did have has had you your we our they their 们 地 得 着 过 吧 与 跟 叫 把 被 给 从 到 住 来 去 请 您
"""
_FILLERS = frozenset(_FILLER_WORDS.split())
"""What no keyword begins or ends with, beside words that are generic anyway."""


@dataclass(frozen=True)
class Keywords:
    """What the teacher says a right answer contains, grounded."""

    terms: tuple[str, ...]
    distractors: tuple[str, ...]
    """Wrong answers, as the teacher has them: not yet chosen from."""


async def find_keywords(interview: Interview, asked: Asked, answers: Answers, scorer: Scorer) -> Keywords:
    """The keywords of a question.

    Raises:
        Dropped: there are none that an answer could be checked by.
    """
    briefing = interview.briefing
    shared = shared_terms(asked, answers, briefing.profile, briefing.language, scorer)
    if shared:
        return Keywords(shared, await _distractors(interview, asked, answers, shared))
    material = material_of(interview, asked, evidence=asked.evidence, answers=numbered(answers.all))
    reply = await interview.ask(KeywordsReply, "keywords", material, count=str(MAX_TERMS))
    terms: dict[str, str] = {}
    for item in reply.terms:
        if item.kind == "other":
            raise Dropped(reasons.NOT_A_NOUN, item.term)
        terms.setdefault(fold(item.term), item.term.strip())
    for term in terms.values():
        if reason := _refusal(term, asked, interview.briefing.profile):
            raise Dropped(reason, term)
    return Keywords(tuple(terms.values()), reply.distractors)


def shared_terms(asked: Asked, answers: Answers, profile: str, language: str, scorer: Scorer) -> tuple[str, ...]:
    """What of the fact's value, or of the conversation's detail, every answer says and an answer can be checked by.

    All items where the value is a list; else the value, or the longest part of it. () where there is no such thing.
    """

    def serves(term: str) -> bool:
        single = Validator(all_of=((term,),))
        said = all(contains_term(text, term) for text in answers.all)
        return said and not _refusal(term, asked, profile) and all(_right(single, text) for text in answers.all)

    def _right(validator: Validator, text: str) -> bool:
        return right(validator, text, answers, scorer)

    items = tuple(_ARTICLE.sub("", group[0]) for group in read_value(asked.hint, language, None).groups)
    if items and len(items) <= MAX_TERMS and all(map(serves, items)):
        return items
    if len(items) > 1:
        return ()
    return next(((span,) for span in _spans(asked.hint) if serves(span)), ())


def _spans(text: str) -> Iterator[str]:
    """The parts of a text that can be keywords, longest first: whole words within a clause, none at an edge that says nothing."""
    tokens = [match.span() for match in _TOKEN.finditer(text[:MAX_HINT])]
    for size in range(min(len(tokens), MAX_ITEM_CJK), 0, -1):
        for first in range(len(tokens) - size + 1):
            start, end = tokens[first][0], tokens[first + size - 1][1]
            edges = (text[slice(*tokens[first])], text[slice(*tokens[first + size - 1])])
            span = text[start:end]
            if len(fold(span)) > 1 and not _CLAUSE_END.search(span) and not any(map(_says_nothing, edges)):
                yield span


def _says_nothing(word: str) -> bool:
    return fold(word) in _FILLERS or (filters.is_generic(word) and not word.isdigit())


async def _distractors(interview: Interview, asked: Asked, answers: Answers, terms: tuple[str, ...]) -> tuple[str, ...]:
    """Wrong answers in the teacher's words; none where it gives no list of them, for there are other sources."""
    material = material_of(interview, asked, evidence=asked.evidence, answer=answers.reference, terms=numbered(terms))
    try:
        return (await interview.ask(DistractorsReply, "distractors", material)).distractors
    except Dropped:
        return ()


def validate_single(term: str, none_of: tuple[str, ...], answers: Answers, scorer: Scorer) -> Validator:
    """The validator of a single term that every answer holds; a distractor that one of them claims is left out.

    Raises:
        Dropped: an answer does not hold the term.
    """
    if not all(right(Validator(all_of=((term,),)), text, answers, scorer) for text in answers.all):
        lacking = next(text for text in answers.all if not right(Validator(all_of=((term,),)), text, answers, scorer))
        raise Dropped(reasons.NOT_IN_EVERY_ANSWER, f"{term}: {lacking}")
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
    if not is_of_the_kind(term, asked.question, asked.evidence):
        return reasons.WRONG_KIND
    if asked.dimension == "SBK":
        return None if contains_term(profile, term) else reasons.KEYWORD_NOT_IN_PROFILE
    if contains_term(profile, term):
        return filters.IN_PROFILE
    # Of the conversation only what the user said counts: the character may have been made to say anything.
    said = any(contains_term(turn.content, term) for turn in asked.history if turn.role == "user")
    return None if said else reasons.NOT_IN_CONVERSATION
