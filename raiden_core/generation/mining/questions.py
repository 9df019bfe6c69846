"""Questions about facts (SBK): six types, three difficulties, spread by a plan (design: generation, step 3).

The plan is made here, from the seed: which fact is asked about, with which type and difficulty as a wish. So the data
are spread however a model would like to repeat itself, and a character's plan never depends on another's.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from raiden_core.generation.mining import reasons
from raiden_core.generation.mining.checks import check_text
from raiden_core.generation.mining.facts import Fact
from raiden_core.generation.mining.interview import Interview, together
from raiden_core.generation.mining.reasons import Drop, Dropped, Stage
from raiden_core.generation.mining.replies import QuestionsReply
from raiden_core.samples import Difficulty, Dimension, QuestionType, Turn

BATCH = 10
"""Questions that one request asks for: a longer reply is the likelier to be cut off."""
TYPES: tuple[QuestionType, ...] = get_args(QuestionType)
DIFFICULTIES: tuple[Difficulty, ...] = get_args(Difficulty)


@dataclass(frozen=True)
class Asked:
    """A question before anybody has answered it."""

    dimension: Dimension
    question: str
    question_type: QuestionType
    difficulty: Difficulty
    attribute: str
    """What it is about: the fact's attribute (SBK), the subject of the detail (CM)."""
    evidence: str
    """The words of the profile (SBK) or of the conversation (CM) that hold the answer."""
    hint: str
    """The fact's value or the conversation's detail, as the teacher has it."""
    purpose: str
    """What it was written by, with the version of the wording; or where it was read."""
    history: tuple[Turn, ...] = ()
    reference: str | None = None
    """An answer that came with the question; None where the teacher's first one is the reference."""
    seed: str | None = None
    """The file and row that it came from; None for the teacher's own."""
    greeting: int | None = None
    """The number of the card's greeting that opens the conversation; None where none does."""

    def drop(self, reason: str, language: str, stage: Stage = "samples") -> Drop:
        """How statistics count it when it is given up."""
        return Drop(reason, language, self.dimension, self.question_type, self.difficulty, stage, self.question)


@dataclass(frozen=True)
class Wish:
    """One question of the plan."""

    fact: Fact
    type: QuestionType
    difficulty: Difficulty


def plan_questions(facts: Sequence[Fact], identity: str, seed: int) -> list[Wish]:
    """All questions that a character's facts are good for, in the order in which they are wanted.

    Each fact comes once before any comes again; every fact comes twice, the second time with another type.
    """
    rng = random.Random(f"{seed}:questions:{identity}")
    order = rng.sample(list(facts), len(facts))
    types, levels = rng.randrange(len(TYPES)), rng.randrange(len(DIFFICULTIES))
    wishes = []
    for place in range(2 * len(order)):
        again = place // len(order)
        number = place % len(order)
        kind = TYPES[(types + number + again * (len(TYPES) // 2)) % len(TYPES)]
        # One step further after each run through the types, so that every pair of both comes up.
        level = DIFFICULTIES[(levels + number + number // len(TYPES) + again) % len(DIFFICULTIES)]
        wishes.append(Wish(order[number], kind, level))
    return wishes


async def write_questions(interview: Interview, wishes: Sequence[Wish]) -> tuple[list[Asked], list[Drop]]:
    """The teacher's questions for a part of the plan, in its order, and what was dropped of it."""
    parts = [wishes[start : start + BATCH] for start in range(0, len(wishes), BATCH)]
    results = await together(_write(interview, part) for part in parts)
    return [asked for part, _ in results for asked in part], [drop for _, part in results for drop in part]


async def _write(interview: Interview, wishes: Sequence[Wish]) -> tuple[list[Asked], list[Drop]]:
    briefing = interview.briefing
    lines = "\n".join(
        f"{number}. ({wish.type}, {wish.difficulty}) {wish.fact.attribute}: {wish.fact.value} | {wish.fact.evidence}"
        for number, wish in enumerate(wishes, 1)
    )
    try:
        reply = await interview.ask(
            QuestionsReply,
            "questions",
            briefing.material(facts=lines),
            most={"questions": len(wishes)},
            temperature=interview.teacher.temperature,
        )
    except Dropped as dropped:
        lost = [
            Drop(str(dropped), briefing.language, "SBK", wish.type, wish.difficulty, "questions", dropped.detail)
            for wish in wishes
        ]
        return [], lost
    asked: dict[int, Asked] = {}
    drops: list[Drop] = []
    for item in reply.questions:
        if not 1 <= item.number <= len(wishes) or item.number in asked:
            words = f"{item.number}. {item.question}"
            drops.append(
                Drop(reasons.UNKNOWN_NUMBER, briefing.language, "SBK", item.type, item.difficulty, "questions", words)
            )
            continue
        fact = wishes[item.number - 1].fact
        one = Asked(
            dimension="SBK",
            question=item.question.strip(),
            question_type=item.type,
            difficulty=item.difficulty,
            attribute=fact.attribute,
            evidence=fact.evidence,
            hint=fact.value,
            purpose=briefing.purpose("questions"),
        )
        try:
            check_text(one.question, briefing.language)
        except Dropped as dropped:
            drops.append(one.drop(str(dropped), briefing.language, "questions"))
            continue
        asked[item.number] = one
    return [asked[number] for number in sorted(asked)], drops
