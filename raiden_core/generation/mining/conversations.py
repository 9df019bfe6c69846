"""Conversations that only memory can answer (CM): a detail, other turns, a question (design: generation, step 3).

The detail is the user's, comes up early and not again, and stands nowhere in the profile; otherwise the question would
ask for the profile, or for the last thing said. The same is asked of a detail found in a real conversation.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from raiden_core.generation.card_use import opened
from raiden_core.generation.mining import reasons
from raiden_core.generation.mining.checks import check_text
from raiden_core.generation.mining.interview import Interview
from raiden_core.generation.mining.prompts import load_prompts
from raiden_core.generation.mining.questions import DIFFICULTIES, Asked
from raiden_core.generation.mining.reasons import Drop, Dropped
from raiden_core.generation.mining.replies import ConversationReply, RecallReply
from raiden_core.generation.mining.turn_by_turn import write_turns
from raiden_core.generation.quality import filters
from raiden_core.rewards import contains_term
from raiden_core.samples import Difficulty, Turn

TURNS: dict[Difficulty, int] = {"easy": 4, "medium": 6, "hard": 8}
"""A longer conversation makes the detail harder to find."""
MIN_TURNS = 4
"""The detail with its reply, and one exchange about something else."""


@dataclass(frozen=True)
class Talk:
    """A conversation of the plan."""

    kind: str
    """What the detail is about."""
    difficulty: Difficulty
    draw: int
    """How often this subject has come up for the character before."""
    greeting: tuple[int, str] | None = None
    """Number and text of the greeting with which the character opens it; None where the user does."""


def plan_talks(language: str, identity: str, seed: int) -> Iterator[Talk]:
    """Conversations without end: all subjects in an order of the character's own, then all of them once more."""
    rng = random.Random(f"{seed}:conversations:{identity}")
    kinds = load_prompts(language).memory_kinds
    draw, place = 0, rng.randrange(len(DIFFICULTIES))
    while True:
        for kind in rng.sample(kinds, len(kinds)):
            yield Talk(kind, DIFFICULTIES[place % len(DIFFICULTIES)], draw)
            place += 1
        draw += 1


async def write_conversation(interview: Interview, talk: Talk) -> Asked | Drop:
    """The teacher's conversation about a subject with its question, or why there is none."""
    briefing = interview.briefing
    try:
        asked = await (_by_turns(interview, talk) if interview.teacher.turn_by_turn else _at_once(interview, talk))
        if talk.greeting is None:
            return asked
        whole, number = opened(asked.history, talk.greeting, [asked.hint])
        if number is None:
            raise Dropped(filters.IN_GREETING)
        return replace(asked, history=whole, greeting=number)
    except Dropped as dropped:
        return Drop(str(dropped), briefing.language, "CM", None, talk.difficulty, "conversations", dropped.detail)


async def _at_once(interview: Interview, talk: Talk) -> Asked:
    briefing = interview.briefing
    turns = TURNS[talk.difficulty]
    reply = await interview.ask(
        ConversationReply,
        "conversation",
        most={"turns": turns},
        temperature=interview.teacher.temperature,
        draw=talk.draw,
        turns=str(turns),
        kind=talk.kind,
        difficulty=talk.difficulty,
        opening="" if talk.greeting is None else talk.greeting[1],
    )
    history = tuple(Turn(role=turn.role, content=turn.content.strip()) for turn in reply.turns)
    for turn in history:
        check_text(turn.content, briefing.language)
    return _asked(interview, reply, history, talk.kind, briefing.purpose("conversation"), None)


async def _by_turns(interview: Interview, talk: Talk) -> Asked:
    opening = "" if talk.greeting is None else talk.greeting[1]
    turns = TURNS[talk.difficulty]
    reply, history = await write_turns(interview, talk.kind, talk.difficulty, turns, talk.draw, opening)
    return _asked(interview, reply, history, talk.kind, interview.briefing.purpose("tell"), None)


async def recall_detail(
    interview: Interview, history: Sequence[Turn], difficulty: Difficulty, draw: int, seed: str
) -> Asked | Drop:
    """A question about a detail of a conversation that is there already, or why there is none."""
    briefing = interview.briefing
    try:
        reply = await interview.ask(
            RecallReply,
            "recall",
            briefing.material(conversation=briefing.conversation(history)),
            temperature=interview.teacher.temperature,
            draw=draw,
            difficulty=difficulty,
        )
        return _asked(interview, reply, tuple(history), "seed", briefing.purpose("recall"), seed)
    except Dropped as dropped:
        return Drop(str(dropped), briefing.language, "CM", None, difficulty, "conversations", dropped.detail)


def _asked(
    interview: Interview,
    reply: ConversationReply | RecallReply,
    history: tuple[Turn, ...],
    kind: str,
    purpose: str,
    seed: str | None,
) -> Asked:
    """The question of a conversation that is sound.

    Raises:
        Dropped: it is not; the reason says in what.
    """
    question, detail = reply.question.strip(), reply.detail.strip()
    check_text(question, interview.briefing.language)
    shown = f"{detail} | {question}"
    if not is_conversation(history):
        raise Dropped(reasons.UNSOUND_CONVERSATION, f"{len(history)} turns")
    if contains_term(interview.briefing.profile, detail):
        raise Dropped(filters.IN_PROFILE, shown)
    if contains_term(question, detail):
        raise Dropped(filters.GIVEN_AWAY, shown)
    said = [place for place, turn in enumerate(history) if contains_term(turn.content, detail)]
    first = next((place for place in said if history[place].role == "user"), None)
    if first is None:
        raise Dropped(reasons.DETAIL_MISSING, shown)
    if said[-1] >= len(history) - 2:
        raise Dropped(reasons.DETAIL_FRESH, shown)
    return Asked(
        dimension="CM",
        question=question,
        question_type=reply.type,
        difficulty=reply.difficulty,
        attribute=kind,
        evidence=history[first].content,
        hint=detail,
        purpose=purpose,
        history=history,
        seed=seed,
    )


def is_conversation(history: Sequence[Turn]) -> bool:
    """Whether turns alternate from the user's first to the character's last, and are enough to forget something."""
    roles = [turn.role for turn in history]
    expected = ["user" if place % 2 == 0 else "assistant" for place in range(len(roles))]
    return len(roles) >= MIN_TURNS and len(roles) % 2 == 0 and roles == expected
