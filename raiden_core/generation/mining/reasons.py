"""Why a draft of the teacher is dropped: the names that statistics count, beside those of generation/filters.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

from raiden_core.samples import Difficulty, Dimension, QuestionType, Sample

WRONG_LANGUAGE = "wrong language"
LEAKED_TAGS = "leaked tags"
REPETITION = "repetition"
BLANK = "blank text"
ENDLESS = "cut"
"""Of a reply: a text in it is as long as a text may be, so it was cut off."""
UNSUPPORTED = "evidence does not say the value"
COPIED = "copied from the instructions"
THIRD_PERSON = "character speaks of itself in the third person"
WRONG_KIND = "keyword is not what the question asks for"
NO_DISTRACTORS = "no wrong answer to tell it from"
UNKNOWN_NUMBER = "question about no fact of the list"
UNSOUND_CONVERSATION = "conversation does not alternate, or is too short"
DETAIL_MISSING = "detail not in the conversation"
DETAIL_FRESH = "detail comes up right before the question"
NOT_A_NOUN = "keyword is no noun, name or number"
A_PHRASE = "keyword is a phrase"
NOT_IN_EVERY_ANSWER = "keyword not in every answer"
NOT_IN_CONVERSATION = "keyword not in the conversation"
KEYWORD_NOT_IN_PROFILE = "keyword not in the profile"
KEYWORD_NOT_IN_EVIDENCE = "keyword of another fact than the question's"
NOT_PARSED = "keywords lost in parsing"
NOT_JUDGED = "judge left answers out"
REFERENCE_WRONG = "judge finds the reference wrong"
ONE_SIDED = "judge finds no answer wrong"
DISAGREEMENT = "judge and validator disagree"
KNOWN_WITHOUT_PROFILE = "answerable without the profile"
KNOWN_WITHOUT_CONVERSATION = "answerable without the conversation"
PREMISE_MISSING = "false premise not in the question"
KNOWN_AFTER_ALL = "the profile or the conversation answers it after all"
NOT_EVERY_ANSWER_SEES_IT = "not every answer corrects or admits it"
NO_CONVERSATION = "no conversation is left without the detail"
TOO_EASY = "too easy for the student"
TOO_HARD = "too hard for the student"


Stage = Literal["facts", "questions", "conversations", "samples", "duplicates"]
"""The chain: facts of the profile; questions about them; conversations with theirs; answers, keywords, validator and what
checks them; what repeats another sample or an evaluation file."""


def refused(purpose: str, reason: str) -> str:
    """The reason of a sample that lost a reply it needed, such as ``no reply (answer): length``."""
    return f"no reply ({purpose.partition('/')[0]}): {reason}"


class Dropped(Exception):
    """A draft that is given up; ``str()`` is the reason, which is counted."""

    def __init__(self, reason: str, detail: str = "") -> None:
        """``detail``: what a server said, for whoever reads about this one draft."""
        super().__init__(reason)
        self.detail = detail

    def told(self) -> str:
        """The reason with what the server said."""
        return f"{self}: {self.detail}" if self.detail else str(self)


@dataclass(frozen=True)
class Drop:
    """A draft that was given up, as statistics count it."""

    reason: str
    language: str
    dimension: Dimension | None = None
    """None for facts."""
    question_type: QuestionType | None = None
    difficulty: Difficulty | None = None
    stage: Stage = "facts"
    """Of the chain; statistics show what each stage lost."""
    example: str = ""
    """What was given up, in the teacher's words; "" where no reply came."""

    @classmethod
    def of_sample(cls, sample: Sample, reason: str) -> Self:
        """A finished sample that is left out after all, at the end of the chain."""
        return cls(
            reason,
            sample.language,
            sample.dimension,
            sample.question_type,
            sample.difficulty,
            "duplicates",
            sample.question,
        )

    def told(self) -> str:
        """The reason, with the example."""
        return f"{self.reason} ({self.example!r})" if self.example else self.reason
