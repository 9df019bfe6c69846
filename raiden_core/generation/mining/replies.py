"""The shapes of the teacher's replies, each a pydantic model that is also the JSON schema sent with the request and
shown in it by an example.

Schemas are flat (references resolved, no titles): servers that constrain their output compile them once for each task.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from raiden_core.samples import Difficulty, QuestionType

MAX_FACTS = 40
MAX_TERMS = 6
"""A question that asks for more things than this is a recital."""


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FactReply(_Shape):
    """One fact."""

    attribute: str
    value: str
    evidence: str


class FactsReply(_Shape):
    """What the profile says."""

    facts: tuple[FactReply, ...] = Field(max_length=MAX_FACTS)


class QuestionReply(_Shape):
    """A question about the fact with this number."""

    number: int
    question: str
    type: QuestionType
    difficulty: Difficulty


class QuestionsReply(_Shape):
    """One question for each number."""

    questions: tuple[QuestionReply, ...]


class TurnReply(_Shape):
    """One turn of a conversation."""

    role: Literal["user", "assistant"]
    content: str


class RecallReply(_Shape):
    """A detail of a conversation that is there already."""

    detail: str
    question: str
    type: QuestionType
    difficulty: Difficulty


class ConversationReply(_Shape):
    """A conversation, the detail that came up in it, and the question that asks for it."""

    turns: tuple[TurnReply, ...]
    detail: str
    question: str
    type: QuestionType
    difficulty: Difficulty


class AnswerReply(_Shape):
    """An answer in character; the reasoning is written first, as the student will write it."""

    reasoning: str
    answer: str


class TermReply(_Shape):
    """A keyword and the kind of word that it is."""

    term: str
    kind: Literal["noun", "entity", "number", "other"]


class KeywordsReply(_Shape):
    """What a right answer must contain, and what it cannot."""

    terms: tuple[TermReply, ...] = Field(min_length=1, max_length=MAX_TERMS)
    distractors: tuple[str, ...]


class GroupReply(_Shape):
    """A keyword and what may stand in its place."""

    term: str
    equivalents: tuple[str, ...]


class ParseReply(_Shape):
    """The parts of a validator, and wrong answers to try it on."""

    groups: tuple[GroupReply, ...]
    distractors: tuple[str, ...]
    wrong_answers: tuple[str, ...] = Field(min_length=2)


class PremiseReply(_Shape):
    """A question that takes a wrong value for granted."""

    wrong: str
    equivalents: tuple[str, ...]
    question: str
    type: QuestionType
    wrong_answers: tuple[str, ...] = Field(min_length=1)


class UnknowableReply(_Shape):
    """A question that the character cannot answer."""

    topic: str
    things: tuple[str, ...]
    other_words: tuple[str, ...]
    question: str
    type: QuestionType
    inventions: tuple[str, ...] = Field(min_length=1)
    wrong_answers: tuple[str, ...] = Field(min_length=1)


class HoldsReply(_Shape):
    """Whether a question can be answered after all."""

    evidence: str
    holds: bool


class VerdictReply(_Shape):
    """Whether the answer with this number is right."""

    number: int
    right: bool


class JudgeReply(_Shape):
    """One verdict for each answer."""

    verdicts: tuple[VerdictReply, ...]
