"""Choosing `none_of`: wrong answers that a right answer does not claim.

Distractors are what other characters of the same language say about the same attribute, so that a model that answers
for the wrong character is caught (RAIDEN-R1, section 3.2, multi-term dynamic parsing). None is a term of the profile,
the history or the question, and none is part of a keyword or holds one: those would punish right answers.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from raiden_core.generation.teacher import Draft, Fact
from raiden_core.rewards import contains_term, fold

DISTRACTORS = 6
"""How many a validator gets at most."""

_MATCHED_OTHERWISE = re.compile("[0-9a-z\u00c0-\u024f\uac00-\ud7a3〇零一二三四五六七八九十百千万亿]")
"""Letters of terms that match by word or by value. Any other term is a plain substring, which is much faster to look up."""

Pools = Mapping[tuple[str, str], Sequence[str]]
"""For each language and attribute, the keywords of all characters, sorted."""


def collect_pools(facts: Iterable[tuple[str, Sequence[Fact]]]) -> dict[tuple[str, str], list[str]]:
    """The pools of all characters' facts, given as pairs of language and facts."""
    pools: dict[tuple[str, str], dict[str, str]] = {}
    for language, of_one in facts:
        for fact in of_one:
            pools.setdefault((language, fact.attribute), {}).update(
                {max(group, key=len): group[0] for group in fact.groups}
            )
    # In the order of the whole values, so that which keyword stands for one moves no other.
    return {place: list(dict.fromkeys(terms[whole] for whole in sorted(terms))) for place, terms in pools.items()}


def choose_distractors(
    draft: Draft, language: str, pools: Pools, contexts: Sequence[str], rng: random.Random
) -> tuple[str, ...]:
    """Up to `DISTRACTORS` wrong answers to a draft's question, sorted; () where other values contradict nothing.

    Args:
        draft: the question.
        language: of the character.
        pools: what others say.
        contexts: profile, history and question, as one or more texts.
        rng: decides which; the same draft must get the same generator.
    """
    if not draft.exclusive:
        return ()
    own = [term for group in draft.groups for term in group]
    shortest = min(len(_folded(term)) for term in own)
    pool = () if draft.closed else pools.get((language, draft.attribute), ())
    chosen: list[str] = []
    for candidate in _candidates(pool, draft.rivals, rng):
        if len(chosen) == DISTRACTORS:
            break
        text = _folded(candidate)
        # A single letter stands in too many words to be a claim, unless the answer itself is one.
        if (len(text) == 1 and shortest > 1) or any(holds(context, candidate) for context in contexts):
            continue
        if any(_overlap(candidate, other) for other in (*own, *chosen)):
            continue
        chosen.append(candidate)
    return tuple(sorted(chosen))


def _candidates(pool: Sequence[str], rivals: Sequence[str], rng: random.Random) -> Iterator[str]:
    """Terms to try, others' values first. Pools hold thousands and most candidates pass, so a few are enough."""
    for terms in (pool, rivals):
        yield from rng.sample(terms, min(len(terms), 3 * DISTRACTORS))


@lru_cache(maxsize=65536)
def _overlap(one: str, other: str) -> bool:
    """Whether one of two terms is part of the other, in letters or in value."""
    return holds(one, other) or holds(other, one)


@lru_cache(maxsize=65536)
def holds(text: str, term: str) -> bool:
    """Whether a text holds a term: in letters where the script has no word boundaries, else as scoring sees it."""
    folded = _folded(term)
    if not folded.isascii() and folded in _folded(text):
        return True
    return _MATCHED_OTHERWISE.search(folded) is not None and contains_term(text, term)


@lru_cache(maxsize=65536)
def _folded(text: str) -> str:
    return fold(text)
