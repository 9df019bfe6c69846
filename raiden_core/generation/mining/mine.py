"""`mine`: the samples of all characters, with a window of them under way at a time.

The window bounds what is held and keeps the prompts of one character close together, which is what a server's prefix
cache lives on. Characters are independent: their samples are the same alone, in any order and in any company.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from raiden_core.characters.character import Character
from raiden_core.config.sections.data import GenerationConfig
from raiden_core.config.sections.teacher import TeacherConfig
from raiden_core.dataset.twins import LOST_TWIN, without_widows
from raiden_core.errors import RaidenError
from raiden_core.generation.made import Generated, Skipped, identity, statistics, unusable
from raiden_core.generation.mining.character import Mined, Shop, mine_character
from raiden_core.generation.mining.dropped import DROPPED_AT, by_stage
from raiden_core.generation.mining.interview import Ledger
from raiden_core.generation.mining.reasons import Drop
from raiden_core.generation.mining.seeds import Seeds
from raiden_core.generation.mining.student import Student
from raiden_core.generation.offline.catalogue import LANGUAGES
from raiden_core.generation.quality import filters
from raiden_core.generation.quality.dedup import clean
from raiden_core.models.answering import Asker
from raiden_core.models.served.waiting import told_regularly
from raiden_core.rewards import Scorer
from raiden_core.samples import Sample
from raiden_core.stages.progress import Progress, silent

_NO_SEEDS = Seeds()


async def mine(
    characters: Sequence[Character],
    *,
    asker: Asker,
    teacher: TeacherConfig,
    generation: GenerationConfig,
    scorer: Scorer,
    seed: int,
    seeds: Seeds = _NO_SEEDS,
    student: Student | None = None,
    progress: Progress = silent,
    note: Callable[[], str] = str,
) -> Generated:
    """Samples of all characters, in their order; then of those that only seeds know.

    Args:
        characters: what `raiden_core.characters.read_characters` read.
        asker: the way to the endpoints.
        teacher: which endpoint answers and which judges, and how many answers a keyword must be found in.
        generation: how many samples of which kind.
        scorer: by which every reference must score 1.
        seed: of the plans; the same seed and the same replies give the same samples.
        seeds: questions and conversations to mine beside the teacher's own.
        student: whose pass rate decides as well.
        progress: told after each character and each sample.
        note: a figure to show beside the progress.

    Raises:
        RaidenError: the teacher cannot be asked any more; what it said so far is in the asker's store.
    """
    skipped: list[Skipped] = []
    usable = _usable(characters, teacher, skipped)
    known = {identity(character) for character in usable}
    usable += [one.character for key, one in seeds.characters.items() if one.own and key not in known]
    done, accepted = 0, 0

    def tell() -> None:
        words = [f"{accepted} samples", note()]
        progress(done, len(usable), ", ".join(word for word in words if word))

    def accept() -> None:
        nonlocal accepted
        accepted += 1
        tell()

    shop = Shop(
        asker=asker,
        teacher=teacher,
        scorer=scorer,
        seed=seed,
        wanted=generation.samples_per_character,
        cm_share=generation.cm_share if generation.include_cm else 0.0,
        boundaries=generation.boundaries.share,
        student=student,
        accepted=accept,
    )
    results: list[Mined | None] = [None] * len(usable)
    waiting = iter(enumerate(usable))

    async def work() -> None:
        nonlocal done
        for place, character in waiting:
            results[place] = await mine_character(shop, character, seeds.characters.get(identity(character)))
            done += 1
            tell()

    try:
        async with told_regularly(tell), asyncio.TaskGroup() as group:
            for _ in range(min(teacher.characters_at_once, len(usable))):
                group.create_task(work())
    except BaseExceptionGroup as error:
        raise _cause(error) from None
    mined = [result for result in results if result is not None]
    read = len(characters) + len(usable) - len(known)
    return _generated(mined, read, skipped, generation, teacher)


def _usable(characters: Sequence[Character], teacher: TeacherConfig, skipped: list[Skipped]) -> list[Character]:
    usable: list[Character] = []
    met: set[str] = set()
    name = teacher.endpoints[teacher.answerer].model
    for character in characters:
        reason = unusable(character, name, frozenset(LANGUAGES))
        if not reason and identity(character) in met:
            reason = "the same name and profile as a character before it"
        met.add(identity(character))
        if reason:
            skipped.append(Skipped(character.name, character.source, character.row, reason))
        else:
            usable.append(character)
    return usable


def _generated(
    mined: Sequence[Mined],
    read: int,
    skipped: list[Skipped],
    generation: GenerationConfig,
    teacher: TeacherConfig,
) -> Generated:
    drops = [drop for one in mined for drop in one.drops]
    ledger = Ledger()
    samples: list[Sample] = []
    seen: set[str] = set()
    for one in mined:
        ledger.add(one.ledger)
        if one.reason is not None:
            skipped.append(Skipped(one.character.name, one.character.source, one.character.row, one.reason))
        for sample in one.samples:
            if sample.id in seen:
                drops.append(Drop.of_sample(sample, filters.DUPLICATE))
            else:
                seen.add(sample.id)
                samples.append(sample)
    samples, repeated = clean(samples, max_similarity=generation.max_similarity, decontaminate=generation.decontaminate)
    drops += [Drop.of_sample(one.sample, one.reason) for one in repeated]
    samples, widows = without_widows(samples)
    drops += [Drop.of_sample(sample, LOST_TWIN) for sample in widows]
    dropped = _count(drop.reason for drop in drops)
    stats = statistics(samples, read, len(skipped), dropped, teacher.endpoints[teacher.answerer].model)
    stats["dropped_by"] = _by(drops)
    stats[DROPPED_AT] = by_stage(drops)
    stats["asked"] = {
        "requests": dict(sorted(ledger.requests.items())),
        "refused": dict(sorted(ledger.refused.items())),
        "prompt_tokens": ledger.prompt_tokens,
        "completion_tokens": ledger.completion_tokens,
    }
    return Generated(tuple(samples), tuple(skipped), dropped, stats)


def _by(drops: Sequence[Drop]) -> dict[str, dict[str, dict[str, int]]]:
    """For each reason, how many drafts of each dimension, type, difficulty and language; unknown ones are left out."""
    table: dict[str, dict[str, dict[str, int]]] = {}
    for reason in sorted({drop.reason for drop in drops}):
        here = [drop for drop in drops if drop.reason == reason]
        table[reason] = {
            "dimension": _count(drop.dimension for drop in here),
            "question_type": _count(drop.question_type for drop in here),
            "difficulty": _count(drop.difficulty for drop in here),
            "language": _count(drop.language for drop in here),
        }
    return table


def _count(values: Any) -> dict[str, int]:
    return dict(sorted(Counter(value for value in values if value is not None).items()))


def _cause(error: BaseExceptionGroup[BaseException]) -> BaseException:
    """What ended the work, out of the groups of concurrent tasks: a word for the user before any other."""
    found: list[BaseException] = []
    waiting: list[BaseException] = [error]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
        else:
            found.append(one)
    return next((one for one in found if isinstance(one, RaidenError)), found[0])
