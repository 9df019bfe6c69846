"""What a teacher is: it reads facts out of a profile, and drafts questions with their answers.

A teacher knows characters and wording; it does not know how many samples are wanted, which distractors are around or
whether a draft is any good. That is `raiden_core.generation`'s work, the same for every teacher. Drafts come from
iterators, so that a teacher that pays for each one drafts no more than are taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from raiden_core.characters.character import Character
from raiden_core.samples import Difficulty, Dimension, QuestionType, Turn

TermGroup = tuple[str, ...]
"""Terms that mean the same; the first is the keyword, the others are accepted in its place."""


UNREAD = "a sentence that no rule reads"
"""Why nothing can be checked of a sentence that a teacher by rule leaves; it is reported apart from facts."""


@dataclass(frozen=True)
class Fact:
    """One thing that a profile says about its character."""

    key: str
    """The attribute's name as the profile has it."""
    value: str
    """The value as a character would say it: no markdown, no closing comma."""
    attribute: str
    """What the key means, the same word for synonyms; facts that share it give each other distractors."""
    evidence: str
    """The words of the profile that say so."""
    groups: tuple[TermGroup, ...] = ()
    """What a right answer must contain; empty where that cannot be checked."""
    unverifiable: str | None = None
    """Why nothing can be checked; None where it can."""


@dataclass(frozen=True)
class Draft:
    """A question with its reference answer, before distractors are chosen and filters have passed it."""

    dimension: Dimension
    attribute: str
    """The fact's attribute (SBK) or the kind of detail (CM)."""
    key: str
    """The fact's key as written (SBK) or the kind of detail (CM)."""
    question: str
    answer: str
    reasoning: str
    groups: tuple[TermGroup, ...]
    evidence: str
    """The words of the profile (SBK) or of the conversation (CM) that hold the answer."""
    template: str
    """Which wording asked."""
    question_type: QuestionType
    difficulty: Difficulty
    history: tuple[Turn, ...] = ()
    rivals: tuple[str, ...] = ()
    """Wrong answers that the teacher knows of; generation takes those of other characters first."""
    exclusive: bool = True
    """Whether another value contradicts the answer; traits and the like go together, so they get no distractors."""
    closed: bool = False
    """Whether ``rivals`` are all the wrong answers there are."""
    denied: tuple[TermGroup, ...] = ()
    """What the question wrongly assumes, so that a right answer denies or corrects it."""
    abstains: bool = False
    """A right answer says that it does not know; ``rivals`` are what somebody would invent."""
    boundary: str = ""
    """Which boundary of the character's knowledge it asks at; "" for a question that can be answered."""
    twin: str = ""
    """The id of the answerable sample beside it."""
    profile: Mapping[str, Any] | None = None
    """What the prompt shows of the character, where the question is about something that is left out; None: all."""


class Teacher(Protocol):
    """Who turns profiles into drafts."""

    @property
    def name(self) -> str:
        """What samples' metadata call this teacher."""

    @property
    def languages(self) -> frozenset[str]:
        """ISO 639-1 codes of the languages it can write."""

    def facts_of(self, character: Character) -> list[Fact]:
        """All facts of a profile, in its order; what cannot be verified is there too, with the reason."""

    def script_drafts(self, character: Character, facts: Sequence[Fact]) -> Iterator[Draft]:
        """SBK drafts over verifiable facts: each fact once, then each once more in other words, and so on."""

    def memory_drafts(self, character: Character, facts: Sequence[Fact]) -> Iterator[Draft]:
        """CM drafts: each about another kind of detail as long as there are kinds left."""
