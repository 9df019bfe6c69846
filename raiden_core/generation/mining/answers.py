"""Answers: several independent ones in character, and one by somebody who has not read (design: generation, step 4).

The reference is the question's own where it came with one, else the teacher's first. The others are there to find out
whether a keyword is what every right answer says (keywords.py), or whether a validator is fair (parsing.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from raiden_core.generation.mining.checks import check_text, check_voice
from raiden_core.generation.mining.interview import Interview, together
from raiden_core.generation.mining.prompts import Task
from raiden_core.generation.mining.questions import Asked
from raiden_core.generation.mining.replies import AnswerReply


@dataclass(frozen=True)
class Answers:
    """What was said to a question."""

    reference: str
    reasoning: str
    others: tuple[str, ...]
    """Independent answers beside the reference, in a fixed order: the answerer's draws, then each second answerer's."""

    @property
    def all(self) -> tuple[str, ...]:
        """The reference first."""
        return (self.reference, *self.others)


async def answer(interview: Interview, asked: Asked, task: Task = "answer") -> Answers:
    """``teacher.answers`` answers of the answerer and one of each second answerer.

    Raises:
        Dropped: one of them is missing or no sound text, or somebody else than the character speaks.
    """
    teacher, material = interview.teacher, material_of(interview, asked)
    endpoints = [(teacher.answerer, draw) for draw in range(teacher.answers)]
    endpoints += [(name, 0) for name in teacher.second_answerers]
    replies = await together(
        interview.ask(AnswerReply, task, material, endpoint=endpoint, temperature=teacher.temperature, draw=draw)
        for endpoint, draw in endpoints
    )
    texts = [reply.answer.strip() for reply in replies]
    reference = asked.reference or texts[0]
    reasoning = replies[0].reasoning.strip()
    language, name = interview.briefing.language, interview.briefing.name
    for text in (reference, reasoning, *texts):
        check_text(text, language)
    for text in texts:
        check_voice(text, name, language)
    check_voice(reasoning, name, language, thought=True)
    return Answers(reference, reasoning, tuple(texts if asked.reference else texts[1:]))


async def guess(interview: Interview, asked: Asked) -> str:
    """An answer by somebody who has not read what holds it: SBK without the profile, CM without the conversation.

    Raises:
        Dropped: there is none.
    """
    material = interview.briefing.material(question=asked.question)
    reply = await interview.ask(AnswerReply, "guess", material, bare=asked.dimension == "SBK")
    return reply.answer


def material_of(interview: Interview, asked: Asked, **parts: str) -> str:
    """What tasks about a question show: the conversation, the question, and ``parts``."""
    briefing = interview.briefing
    conversation = briefing.conversation(asked.history)
    return briefing.material(conversation=conversation, question=asked.question, **parts)
