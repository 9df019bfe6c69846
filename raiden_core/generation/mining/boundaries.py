"""Questions at the boundaries of what a character knows, by the LLM teacher (design: generation, twins).

Each begins with an answerable sample, its twin. A false premise (SCK) is written beside a fact's question; what the
user never said (RCB) is the twin's question after its conversation without the exchange that said it; and what nobody
told the character (RCB) is written beside any of its questions. All of them pass what other samples pass: independent
answers that the rule finds right, a judge that agrees with the rule, and one check more, whether the profile holds the
answer after all, also in other words.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from raiden_core.dataset.twins import TWIN
from raiden_core.generation.mining import reasons
from raiden_core.generation.mining.answers import answer, material_of
from raiden_core.generation.mining.checks import check_text
from raiden_core.generation.mining.interview import Interview
from raiden_core.generation.mining.parsing import agreement
from raiden_core.generation.mining.questions import Asked
from raiden_core.generation.mining.reasons import Drop, Dropped
from raiden_core.generation.mining.replies import HoldsReply, PremiseReply, UnknowableReply
from raiden_core.generation.mining.verify import Verifier
from raiden_core.generation.offline.boundary_words import boundary_words
from raiden_core.generation.quality import filters
from raiden_core.generation.quality.distractors import DISTRACTORS, holds
from raiden_core.prompts import GREETING
from raiden_core.rewards import contains_term, fold
from raiden_core.rewards.aside import guarded
from raiden_core.samples import Sample, Turn, Validator

PREMISE, UNTOLD, UNKNOWABLE = "false premise", "untold", "unknowable"
"""What ``metadata.boundary`` says of a sample."""


@dataclass(frozen=True)
class Edge:
    """A question at a boundary before anybody has answered it."""

    asked: Asked
    twin: Sample
    boundary: str
    validator: Validator
    wrong: tuple[str, ...]
    """Wrong answers to show the judge."""
    other_words: tuple[str, ...] = ()
    """Words by which the profile would say it after all."""


Write = Callable[[Interview], Coroutine[Any, Any, Edge]]


def plans(samples: Sequence[Sample], identity: str, seed: int) -> tuple[Iterator[Write], Iterator[Write]]:
    """What to write for SCK and for RCB, over the samples that can be twins; each is one's only once."""
    rng = random.Random(f"{seed}:boundaries:{identity}")
    script = [sample for sample in rng.sample(list(samples), len(samples)) if sample.dimension == "SBK"]
    memory = [sample for sample in rng.sample(list(samples), len(samples)) if sample.dimension == "CM"]
    half = (len(script) + 1) // 2
    rest: list[Write] = []
    for place in range(max(len(memory), len(script) - half)):
        rest += [_untold(twin) for twin in memory[place : place + 1]]
        rest += [_unknowable(twin, place) for twin in script[half + place : half + place + 1]]
    return (_premise(twin) for twin in script[:half]), iter(rest)


def _premise(twin: Sample) -> Write:
    async def write(interview: Interview) -> Edge:
        briefing = interview.briefing
        fact = f"{twin.metadata.get('attribute')}: {twin.keywords[0]} | {twin.metadata.get('evidence')}"
        reply = await interview.ask(
            PremiseReply,
            "premise",
            briefing.material(facts=fact, question=twin.question),
            temperature=interview.teacher.temperature,
        )
        wrong = reply.wrong.strip()
        right = [term for group in _wanted(twin) for term in group]
        if any(boundary_words(briefing.language).may_both_be_true(wrong, term) for term in right):
            raise Dropped(filters.PREMISE_HOLDS)
        if not contains_term(reply.question, wrong):
            raise Dropped(reasons.PREMISE_MISSING)
        if any(contains_term(reply.question, term) or holds(term, wrong) or holds(wrong, term) for term in right):
            raise Dropped(filters.GIVEN_AWAY)
        denied = tuple(dict.fromkeys([wrong, *_words(reply.equivalents, exclude=right)]))
        asked = _asked(twin, "SCK", reply.question, f"{twin.metadata.get('attribute')}", briefing.purpose("premise"))
        asked = replace(asked, question_type=reply.type, evidence=str(twin.metadata.get("evidence") or ""))
        return Edge(asked, twin, PREMISE, Validator(all_of=_wanted(twin), denied=(denied,)), reply.wrong_answers)

    return write


def _untold(twin: Sample) -> Write:
    async def write(interview: Interview) -> Edge:
        detail = [term for group in _wanted(twin) for term in group]
        history = without_detail(twin.conversation_history, detail)
        if sum(turn.role == "user" for turn in history) == 0:
            raise Dropped(reasons.NO_CONVERSATION)
        inventions = (*detail, *(twin.validator.none_of if twin.validator else ()))
        said = "\n".join((interview.briefing.profile, twin.question, *(turn.content for turn in history)))
        attribute = str(twin.metadata.get("attribute"))
        asked = _asked(twin, "RCB", twin.question, attribute, f"{UNTOLD} of {twin.metadata.get('template')}", history)
        asked = replace(asked, greeting=twin.metadata.get(GREETING))
        return Edge(asked, twin, UNTOLD, _abstaining(inventions, said), (twin.answer,))

    return write


def _unknowable(twin: Sample, draw: int) -> Write:
    async def write(interview: Interview) -> Edge:
        briefing = interview.briefing
        fact = f"{twin.metadata.get('attribute')} | {twin.metadata.get('evidence')}"
        reply = await interview.ask(
            UnknowableReply,
            "unknowable",
            briefing.material(facts=fact),
            temperature=interview.teacher.temperature,
            draw=draw,
        )
        said = f"{briefing.profile}\n{reply.question}"
        validator = _abstaining(reply.inventions, said)
        things = _words(reply.things)
        if things:
            validator = validator.model_copy(update={"denied": (things,)})
        asked = _asked(twin, "RCB", reply.question, reply.topic.strip(), briefing.purpose("unknowable"))
        asked = replace(asked, question_type=reply.type)
        return Edge(asked, twin, UNKNOWABLE, validator, reply.wrong_answers, _words(reply.other_words))

    return write


def without_detail(history: Sequence[Turn], detail: Sequence[str]) -> tuple[Turn, ...]:
    """A conversation without the exchanges that mention a detail; a greeting that opens it stays."""
    first = 1 if history and history[0].role == "assistant" else 0
    exchanges = [history[:first], *(history[place : place + 2] for place in range(first, len(history), 2))]
    kept = [
        exchange
        for exchange in exchanges
        if not any(contains_term(turn.content, term) for turn in exchange for term in detail)
    ]
    return tuple(turn for exchange in kept for turn in exchange)


async def mine_boundary(verifier: Verifier, write: Write) -> tuple[Sample | Drop, Interview]:
    """The sample of one plan, or why there is none, with the interview that it took."""
    interview = verifier.interview.for_sample()
    edge: Edge | None = None
    try:
        edge = await write(interview)
        return await _sample(verifier, interview, edge), interview
    except Dropped as dropped:
        language = verifier.character.language
        return edge.asked.drop(str(dropped), language) if edge else _unwritten(dropped, language), interview


def _unwritten(dropped: Dropped, language: str) -> Drop:
    return Drop(str(dropped), language, stage="questions", example=dropped.detail)


async def _sample(verifier: Verifier, interview: Interview, edge: Edge) -> Sample:
    asked, profile, scorer = edge.asked, interview.briefing.profile, verifier.scorer
    check_text(asked.question, interview.briefing.language)
    told = "\n".join((profile, *(turn.content for turn in asked.history)))
    if any(contains_term(told, term) for group in edge.validator.denied for term in group):
        raise Dropped(filters.PREMISE_HOLDS)
    if any(contains_term(profile, word) for word in edge.other_words):
        raise Dropped(reasons.KNOWN_AFTER_ALL)
    reply = await interview.ask(HoldsReply, "holds", material_of(interview, asked), endpoint=interview.teacher.judge)
    if reply.holds:
        raise Dropped(reasons.KNOWN_AFTER_ALL)
    answers = await answer(interview, asked, "boundary_answer")
    validator = guarded(edge.validator, verifier.told, (asked.question, *answers.all))
    sample = verifier.build(interview, asked, answers, validator)

    def is_right(text: str) -> bool:
        return scorer.accuracy_of_text(sample, text).accuracy == 1.0

    if not all(map(is_right, answers.all)):
        raise Dropped(reasons.NOT_EVERY_ANSWER_SEES_IT)
    share = await agreement(interview, asked, answers, edge.wrong, is_right, "boundary_judge")
    if scorer.check(sample) is not None:
        raise Dropped(filters.GOLD_FAILS)
    metadata: dict[str, Any] = {"agreement": round(share, 4), "boundary": edge.boundary, TWIN: edge.twin.id}
    if verifier.student is not None:
        metadata["pass_rate"] = await verifier.student.check(sample, scorer)
    passed = [
        *(reasons.WRONG_LANGUAGE, reasons.LEAKED_TAGS, reasons.REPETITION, filters.NEAR_DUPLICATE),
        *(filters.PREMISE_HOLDS, reasons.KNOWN_AFTER_ALL, reasons.NOT_EVERY_ANSWER_SEES_IT, reasons.DISAGREEMENT),
        filters.GOLD_FAILS,
        *([reasons.TOO_EASY, reasons.TOO_HARD] if verifier.student else []),
    ]
    metadata = {**verifier.metadata(interview, asked, answers, passed), **metadata}
    return sample.model_copy(update={"metadata": metadata})


def _asked(
    twin: Sample, dimension: Any, question: str, attribute: str, purpose: str, history: tuple[Turn, ...] = ()
) -> Asked:
    return Asked(
        dimension=dimension,
        question=question.strip(),
        question_type=twin.question_type,
        difficulty="hard",
        attribute=attribute,
        evidence="",
        hint="",
        purpose=purpose,
        history=history,
    )


def _abstaining(inventions: Sequence[str], said: str) -> Validator:
    """The validator of what nobody can know: no answer may claim one of the inventions.

    Raises:
        Dropped: none of them can be told from what is said.
    """
    free = [word for word in _words(inventions) if len(fold(word)) > 1 and not holds(said, word)]
    if not free:
        raise Dropped(reasons.NO_DISTRACTORS)
    return Validator(abstains=True, none_of=tuple(sorted(free[: 2 * DISTRACTORS])))


def _words(offered: Sequence[str], exclude: Sequence[str] = ()) -> tuple[str, ...]:
    taken = {fold(word) for word in exclude}
    kept = [word.strip() for word in offered if any(map(str.isalnum, word)) and fold(word) not in taken]
    return tuple(dict.fromkeys(kept))


def _wanted(sample: Sample) -> tuple[tuple[str, ...], ...]:
    return sample.validator.all_of if sample.validator else tuple((keyword,) for keyword in sample.keywords)
