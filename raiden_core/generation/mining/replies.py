"""The shapes of the teacher's replies, each a pydantic model that is also the JSON schema sent with the request and
shown in it by an example.

Schemas are flat (references resolved, no titles): servers that constrain their output compile them once for each task.
Every list and every string has an end: a small model that may go on with a list does, up to the last token it is given.
A text that reaches `MAX_TEXT` was cut off there and does not count (raiden_core.generation.mining.interview).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from raiden_core.samples import Difficulty, QuestionType

MAX_FACTS = 40
MAX_TERMS = 6
"""A question that asks for more things than this is a recital."""
MAX_WORDS = 8
"""Distractors, equivalents, inventions: more are asked for nowhere."""
MAX_LISTED = 64
"""Questions and verdicts, where a request does not say how many it wants."""
MAX_TURNS = 12
"""Turns of a conversation that is written as a whole."""
MAX_TEXT = 1200
"""Letters of a sentence or a few. Longer ones have lost their way."""

Word = Annotated[str, Field(max_length=120)]
"""A term, a value, the name of an aspect."""
Text = Annotated[str, Field(max_length=MAX_TEXT)]
Words = Annotated[tuple[Word, ...], Field(max_length=MAX_WORDS)]
WrongAnswers = Annotated[tuple[Text, ...], Field(min_length=1, max_length=4)]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FactReply(_Shape):
    """One fact, and the number of the profile's line that states it."""

    line: int
    attribute: Word
    value: Word


class FactsReply(_Shape):
    """What the profile says."""

    facts: tuple[FactReply, ...] = Field(max_length=MAX_FACTS)


class QuestionReply(_Shape):
    """A question about the fact with this number."""

    number: int
    question: Text
    type: QuestionType
    difficulty: Difficulty


class QuestionsReply(_Shape):
    """One question for each number."""

    questions: tuple[QuestionReply, ...] = Field(max_length=MAX_LISTED)


class TurnReply(_Shape):
    """One turn of a conversation."""

    role: Literal["user", "assistant"]
    content: Text


class RecallReply(_Shape):
    """A detail of a conversation that is there already."""

    detail: Word
    question: Text
    type: QuestionType
    difficulty: Difficulty


class ConversationReply(_Shape):
    """A conversation, the detail that came up in it, and the question that asks for it."""

    turns: tuple[TurnReply, ...] = Field(max_length=MAX_TURNS)
    detail: Word
    question: Text
    type: QuestionType
    difficulty: Difficulty


class AnswerReply(_Shape):
    """An answer in character; the reasoning is written first, as the student will write it."""

    reasoning: Text
    answer: Text


class TermReply(_Shape):
    """A keyword and the kind of word that it is."""

    term: Word
    kind: Literal["noun", "entity", "number", "other"]


class KeywordsReply(_Shape):
    """What a right answer must contain, and what it cannot."""

    terms: tuple[TermReply, ...] = Field(min_length=1, max_length=MAX_TERMS)
    distractors: Words


class DistractorsReply(_Shape):
    """Wrong answers to a question."""

    distractors: Words = Field(min_length=1)


class TellReply(_Shape):
    """What a user says about themselves in passing, and the detail in it."""

    said: Text
    detail: Word


class SayReply(_Shape):
    """The next turn of a conversation."""

    said: Text


class RememberReply(_Shape):
    """A question about a detail that is known already."""

    question: Text
    type: QuestionType


class GroupReply(_Shape):
    """A keyword and what may stand in its place."""

    term: Word
    equivalents: Words


class ParseReply(_Shape):
    """The parts of a validator, and wrong answers to try it on."""

    groups: tuple[GroupReply, ...] = Field(max_length=MAX_TERMS)
    distractors: Words
    wrong_answers: tuple[Text, ...] = Field(min_length=2, max_length=4)


class PremiseReply(_Shape):
    """A question that takes a wrong value for granted."""

    wrong: Word
    equivalents: Words
    question: Text
    type: QuestionType
    wrong_answers: WrongAnswers


class UnknowableReply(_Shape):
    """A question that the character cannot answer."""

    topic: Word
    things: Words
    other_words: Words
    question: Text
    type: QuestionType
    inventions: tuple[Word, ...] = Field(min_length=1, max_length=MAX_WORDS)
    wrong_answers: WrongAnswers


class HoldsReply(_Shape):
    """Whether a question can be answered after all."""

    evidence: Text
    holds: bool


class VerdictReply(_Shape):
    """Whether the answer with this number is right."""

    number: int
    right: bool


class JudgeReply(_Shape):
    """One verdict for each answer."""

    verdicts: tuple[VerdictReply, ...] = Field(max_length=MAX_LISTED)
