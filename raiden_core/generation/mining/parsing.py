"""Multi-term dynamic parsing (MTDP): a validator of several terms, tried on answers that a judge has marked.

After RAIDEN-R1 (arXiv 2505.10218), section 3.2. The teacher expands each keyword to equivalents and names distractors;
the validator that comes of it is data. It is kept when it and the judge agree on enough answers, right and wrong ones.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from raiden_core.generation.mining import reasons
from raiden_core.generation.mining.answers import Answers, material_of
from raiden_core.generation.mining.interview import Interview
from raiden_core.generation.mining.keywords import Keywords, right
from raiden_core.generation.mining.prompts import Task, numbered
from raiden_core.generation.mining.questions import Asked
from raiden_core.generation.mining.reasons import Dropped
from raiden_core.generation.mining.replies import JudgeReply, ParseReply
from raiden_core.generation.quality import filters
from raiden_core.rewards import Scorer, contains_term, fold
from raiden_core.samples import Validator

MAX_EQUIVALENTS = 5

ChooseNoneOf = Callable[[tuple[tuple[str, ...], ...], tuple[str, ...]], tuple[str, ...]]
"""From groups and a teacher's distractors to those that the rules allow."""


async def validate_multiple(
    interview: Interview, asked: Asked, keywords: Keywords, answers: Answers, scorer: Scorer, choose: ChooseNoneOf
) -> tuple[Validator, float]:
    """The validator of several terms, and the share of answers on which the judge agrees with it.

    Raises:
        Dropped: the teacher lost a keyword, or judge and validator disagree.
    """
    material = material_of(
        interview, asked, evidence=asked.evidence, answer=answers.reference, terms=numbered(keywords.terms)
    )
    reply = await interview.ask(ParseReply, "parse", material)
    expanded = {fold(group.term): group.equivalents for group in reply.groups}
    groups = []
    for term in keywords.terms:
        if fold(term) not in expanded:
            raise Dropped(reasons.NOT_PARSED)
        groups.append((term, *_equivalents(term, expanded[fold(term)], keywords.terms, asked)))
    all_of = tuple(groups)
    validator = Validator(all_of=all_of, none_of=choose(all_of, (*keywords.distractors, *reply.distractors)))
    share = await agreement(
        interview, asked, answers, reply.wrong_answers, lambda text: right(validator, text, answers, scorer)
    )
    return validator, share


def _equivalents(term: str, offered: tuple[str, ...], terms: tuple[str, ...], asked: Asked) -> list[str]:
    """Those of the offered words that check something of their own: no generic ones, none that the question holds."""
    taken = {fold(one) for one in terms}
    kept: list[str] = []
    for word in offered:
        folded = fold(word)
        if folded in taken or filters.is_generic(word) or not any(letter.isalnum() for letter in folded):
            continue
        if contains_term(asked.question, word) or any(contains_term(other, word) for other in terms if other != term):
            continue
        taken.add(folded)
        kept.append(word.strip())
    return kept[:MAX_EQUIVALENTS]


async def agreement(
    interview: Interview,
    asked: Asked,
    answers: Answers,
    wrong: tuple[str, ...],
    is_right: Callable[[str], bool],
    task: Task = "judge",
) -> float:
    """The share of answers, right and wrong ones, on which the judge agrees with the rule.

    Raises:
        Dropped: it is too small, or the judge left answers out, refuses the reference or finds none wrong.
    """
    shown = list(dict.fromkeys((*answers.all, *wrong)))
    # A judge that sees all right answers first could go by their place.
    random.Random(asked.question).shuffle(shown)
    material = material_of(
        interview, asked, evidence=asked.evidence, answer=answers.reference, answers=numbered(tuple(shown))
    )
    reply = await interview.ask(
        JudgeReply, task, material, most={"verdicts": len(shown)}, endpoint=interview.teacher.judge
    )
    verdicts = {verdict.number: verdict.right for verdict in reply.verdicts}
    if set(verdicts) != set(range(1, len(shown) + 1)):
        raise Dropped(reasons.NOT_JUDGED)
    if not verdicts[shown.index(answers.reference) + 1]:
        raise Dropped(reasons.REFERENCE_WRONG)
    if all(verdicts.values()):
        raise Dropped(reasons.ONE_SIDED)
    agreed = [is_right(text) == verdicts[number] for number, text in enumerate(shown, 1)]
    share = sum(agreed) / len(agreed)
    if share < interview.teacher.min_agreement:
        raise Dropped(reasons.DISAGREEMENT)
    return share
