"""A conversation written turn by turn: for small models, which lose count of the turns of a whole one.

The user mentions the detail first (or after the character's greeting); then the character answers, the user speaks of
something else, and so on; at the end a question that asks for the detail is written. Each piece is a request of its own, and
what the whole must be is checked as for conversations that are written at once (conversations.py).
"""

from __future__ import annotations

import random

from raiden_core.generation.mining import reasons
from raiden_core.generation.mining.checks import check_text, check_voice
from raiden_core.generation.mining.interview import Interview
from raiden_core.generation.mining.prompts import load_prompts
from raiden_core.generation.mining.reasons import Dropped
from raiden_core.generation.mining.replies import RecallReply, RememberReply, SayReply, TellReply
from raiden_core.rewards import contains_term
from raiden_core.samples import Difficulty, Turn


async def write_turns(
    interview: Interview, kind: str, difficulty: Difficulty, turns: int, draw: int, opening: str
) -> tuple[RecallReply, tuple[Turn, ...]]:
    """A conversation of so many turns about a detail of a ``kind``, and the question that asks for it.

    Args:
        interview: the way to the teacher.
        kind: the subject of the detail.
        difficulty: of the question, as it is planned.
        turns: how many, the greeting not counted.
        draw: how often this subject has come up before.
        opening: the character's greeting; "" where the user begins.

    Raises:
        Dropped: a piece is missing, or is no sound text.
    """
    briefing, temperature = interview.briefing, interview.teacher.temperature
    language = briefing.language
    told = await interview.ask(TellReply, "tell", temperature=temperature, draw=draw, opening=opening, kind=kind)
    said, detail = told.said.strip(), told.detail.strip()
    if not contains_term(said, detail):
        raise Dropped(reasons.DETAIL_MISSING)
    others = [other for other in load_prompts(language).memory_kinds if other != kind]
    # Several drafts of a run ask for the same things; another order of subjects keeps their requests apart.
    subjects = random.Random(f"{kind}:{draw}:{said}").sample(others, turns // 2 - 1)
    greeting = [Turn(role="assistant", content=opening)] if opening else []
    history: list[Turn] = []
    for subject in ("", *subjects):
        if subject:
            shown = briefing.material(conversation=briefing.conversation([*greeting, *history]))
            reply = await interview.ask(SayReply, "say", shown, temperature=temperature, draw=draw, kind=subject)
            said = reply.said.strip()
        check_text(said, language)
        history.append(Turn(role="user", content=said))
        shown = briefing.material(conversation=briefing.conversation([*greeting, *history]))
        reply = await interview.ask(SayReply, "say_back", shown, temperature=temperature, draw=draw)
        check_text(reply.said, language)
        check_voice(reply.said, briefing.name, language)
        history.append(Turn(role="assistant", content=reply.said.strip()))
    material = briefing.material(told=history[0].content, detail=detail)
    asked = await interview.ask(RememberReply, "remember", material, temperature=temperature, draw=draw)
    return RecallReply(detail=detail, question=asked.question, type=asked.type, difficulty=difficulty), tuple(history)
