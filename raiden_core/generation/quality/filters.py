"""What keeps a draft out of the data set. Every reason is a name that the statistics count (design: section 5).

The near-duplicate rule compares character bigrams of the folded questions, as in shingling (Broder, 1997); it looks only
within one character and attribute, since different facts are properly asked in the same words.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Protocol

from raiden_core.generation.quality.generic import GENERIC
from raiden_core.generation.teacher import Draft
from raiden_core.rewards import contains_term, fold

GIVEN_AWAY = "answer given away by the question"
GOLD_FAILS = "reference fails its own validator"
NEAR_DUPLICATE = "near-duplicate question"
GENERIC_KEYWORD = "keyword too generic"
IN_PROFILE = "detail already in the profile"
NOT_IN_PROFILE = "evidence not in the profile"
PREMISE_HOLDS = "the profile holds what the question falsely assumes"
DUPLICATE = "duplicate sample"
UNVERIFIABLE = "value not verifiable"
OF_OTHERS = "fact about somebody else"
OF_THE_SCENE = "about the scene or the card, not the character"
IN_GREETING = "detail already in the greeting"

SIMILAR = 0.8
"""Jaccard similarity of bigrams from which two questions about one attribute are the same."""

_STOP_CHARACTERS = frozenset(
    "的了是在有和人我你他她它这那一不也都就很太吗呢吧啊个上下中大小好多のはがをにでとも이가은는을를의에도"
)


def refusal(draft: Draft, profile_text: str) -> str | None:
    """Why a draft is refused on its own, before it has a validator; None if it is not."""
    if any(contains_term(profile_text, term) for group in draft.denied for term in group):
        return PREMISE_HOLDS
    if draft.abstains:
        return None
    terms = [term for group in draft.groups for term in group]
    if not terms or any(is_generic(group[0]) for group in draft.groups):
        return GENERIC_KEYWORD
    if any(contains_term(draft.question, term) for term in terms):
        return GIVEN_AWAY
    grounded = all(any(contains_term(profile_text, term) for term in group) for group in draft.groups)
    if draft.dimension in ("SBK", "SCK") and not grounded:
        return NOT_IN_PROFILE
    if draft.dimension == "CM" and any(contains_term(profile_text, term) for term in terms):
        return IN_PROFILE
    return None


def is_generic(term: str) -> bool:
    """Whether a term stands in answers of every kind."""
    text = fold(term)
    return text in GENERIC or text in _STOP_CHARACTERS or (len(text) == 1 and text.isascii() and not text.isdigit())


class Question(Protocol):
    """What counts for near-duplicates."""

    @property
    def attribute(self) -> str:
        """What is asked about."""

    @property
    def question(self) -> str:
        """The words."""


class AskedBefore:
    """The questions that one character has been asked."""

    def __init__(self) -> None:
        self._asked: list[tuple[str, str, frozenset[str]]] = []

    def near_duplicate(self, draft: Question) -> bool:
        """Whether this character has been asked the same, in the same or in nearly the same words."""
        question = fold(draft.question)
        shingles = _bigrams(question)
        return any(
            question == other or (attribute == draft.attribute and _similarity(shingles, others) >= SIMILAR)
            for attribute, other, others in self._asked
        )

    def add(self, draft: Question) -> None:
        """Remember a question that was taken."""
        question = fold(draft.question)
        self._asked.append((draft.attribute, question, _bigrams(question)))


def _bigrams(text: str) -> frozenset[str]:
    letters = [letter for letter in text if letter.isalnum()]
    return frozenset(first + second for first, second in pairwise(letters))


def _similarity(one: Iterable[str], other: Iterable[str]) -> float:
    a, b = set(one), set(other)
    return len(a & b) / len(a | b) if a | b else 1.0
