"""One character from beginning to end: facts, rounds of questions and conversations, seeds, samples.

All that can run at once does; what decides which samples are taken is the plan's order and never who replied first.
Rounds go on until the quota is met, the plan is used up or `ROUNDS` are over.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import get_args

from raiden_core.characters.character import Character
from raiden_core.config.sections.teacher import TeacherConfig
from raiden_core.dataset.twins import linked
from raiden_core.generation.card_use import greetings_of, style_of, without_scene
from raiden_core.generation.made import identity, quotas_with_boundaries
from raiden_core.generation.mining.boundaries import Write, mine_boundary, plans
from raiden_core.generation.mining.conversations import Talk, plan_talks, recall_detail, write_conversation
from raiden_core.generation.mining.dropped import drops_in_words
from raiden_core.generation.mining.facts import Fact, find_facts, why_no_facts
from raiden_core.generation.mining.interview import Interview, Ledger, together
from raiden_core.generation.mining.prompts import Briefing
from raiden_core.generation.mining.questions import DIFFICULTIES, Asked, Wish, plan_questions, write_questions
from raiden_core.generation.mining.reasons import Drop, Dropped
from raiden_core.generation.mining.seeds import Seeded
from raiden_core.generation.mining.student import Student
from raiden_core.generation.mining.verify import Verifier
from raiden_core.generation.quality import filters
from raiden_core.models.answering import Asker
from raiden_core.prompts import profile_text
from raiden_core.rewards import Scorer
from raiden_core.rewards.aside import of_profile, terms_of
from raiden_core.samples import Dimension, Sample

ROUNDS = 3
"""Rounds of drafts that a character gets to meet its quota."""


@dataclass(frozen=True)
class Shop:
    """What the mining of all characters shares."""

    asker: Asker
    teacher: TeacherConfig
    scorer: Scorer
    seed: int
    wanted: int | None
    """Samples a character; None for one of each fact, and CM beside them."""
    cm_share: float
    boundaries: float = 0.0
    """Share of SCK and RCB."""
    student: Student | None = None
    accepted: Callable[[], None] = lambda: None
    """Called whenever a sample has passed."""


@dataclass
class Mined:
    """What came of a character."""

    character: Character
    samples: list[Sample] = field(default_factory=list)
    drops: list[Drop] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    reason: str | None = None
    """Why there is no sample; None where there is one."""


async def mine_character(shop: Shop, character: Character, seeded: Seeded | None = None) -> Mined:
    """The samples of a character, its own first, then those from seeds."""
    return await _Mining(shop, character).run(seeded)


class _Mining:
    def __init__(self, shop: Shop, character: Character) -> None:
        self.shop = shop
        self.mined = Mined(character)
        self.identity = identity(character)
        profile = profile_text(character.profile, character.language)
        about = profile_text(without_scene(character.profile), character.language)
        briefing = Briefing(character.language, character.name or "", profile, about, style_of(character))
        self.interview = Interview(shop.asker, shop.teacher, briefing, self.mined.ledger)
        # One for each dimension: both are mined at once, and neither may depend on how far the other is.
        self.asked: dict[Dimension, filters.AskedBefore] = {name: filters.AskedBefore() for name in get_args(Dimension)}
        told = of_profile(character.profile)
        self.verifier = Verifier(character, self.interview, shop.scorer, shop.seed, self.identity, shop.student, told)

    async def run(self, seeded: Seeded | None) -> Mined:
        parts: list[list[Sample]] = []
        if seeded is None or not seeded.own:
            parts += await self._own()
        if seeded is not None:
            parts.append(await self._seeds(seeded))
        self.mined.samples = [sample for part in parts for sample in part]
        if not self.mined.samples and self.mined.reason is None:
            self.mined.reason = f"no draft about it passed the filters; {drops_in_words(self.mined.drops)}"
        return self.mined

    async def _own(self) -> list[list[Sample]]:
        facts, refusal = await self._facts()
        character = self.mined.character
        shop = self.shop
        script, memory, unsure = quotas_with_boundaries(
            character, len(facts), shop.wanted, shop.cm_share, shop.boundaries, shop.seed
        )
        if not facts:
            self.mined.reason = why_no_facts(self.mined.drops, refusal)
            # Its conversations would be about nobody.
            return []
        made = await together([self._script(facts, script), self._memory(memory)])
        return [linked([*made[0], *made[1], *await self._boundaries([*made[0], *made[1]], unsure)])]

    async def _boundaries(self, twins: Sequence[Sample], wanted: int) -> list[Sample]:
        """Half of them false premises, the rest what the character cannot know; a plan that fails is not tried again."""
        if not wanted:
            return []
        premises, unknown = plans(twins, self.identity, self.shop.seed)
        taken = await self._take(premises, wanted // 2)
        taken += await self._take(unknown, wanted - len(taken))
        return taken + await self._take(premises, wanted - len(taken))

    async def _take(self, writers: Iterator[Write], wanted: int) -> list[Sample]:
        taken: list[Sample] = []
        while len(taken) < wanted and (part := list(itertools.islice(writers, wanted - len(taken)))):
            results = await together(mine_boundary(self.verifier, write) for write in part)
            for result, interview in results:
                self.mined.ledger.add(interview.ledger)
                if isinstance(result, Drop):
                    self.mined.drops.append(result)
                elif self.asked[result.dimension].near_duplicate(_AboutSample(result)):
                    self.mined.drops.append(Drop.of_sample(result, filters.NEAR_DUPLICATE))
                else:
                    self.asked[result.dimension].add(_AboutSample(result))
                    taken.append(result)
                    self.shop.accepted()
        return taken

    async def _facts(self) -> tuple[list[Fact], Dropped | None]:
        try:
            facts, drops = await find_facts(self.interview)
        except Dropped as dropped:
            self.mined.drops.append(Drop(str(dropped), self.mined.character.language, example=dropped.detail))
            return [], dropped
        self.mined.drops += drops
        told = of_profile(self.mined.character.profile, [terms_of(fact.value) for fact in facts])
        self.verifier = replace(self.verifier, told=told)
        return facts, None

    async def _script(self, facts: Sequence[Fact], wanted: int) -> list[Sample]:
        plan = plan_questions(facts, self.identity, self.shop.seed)
        taken: list[Sample] = []
        for _ in range(ROUNDS):
            part: list[Wish] = plan[: self._drafts(wanted - len(taken))]
            if not part:
                break
            del plan[: len(part)]
            asked, drops = await write_questions(self.interview, part)
            self.mined.drops += drops
            taken += await self._verify(asked, wanted - len(taken))
        return taken

    async def _memory(self, wanted: int) -> list[Sample]:
        character, seed = self.mined.character, self.shop.seed
        talks_planned = plan_talks(character.language, self.identity, seed)
        openings = greetings_of(character, self.identity, seed)
        plan: Iterator[Talk] = (replace(talk, greeting=next(openings)) for talk in talks_planned)
        taken: list[Sample] = []
        for _ in range(ROUNDS):
            talks = list(itertools.islice(plan, self._drafts(wanted - len(taken))))
            if not talks:
                break
            written = await together(write_conversation(self.interview, talk) for talk in talks)
            taken += await self._verify(self._asked(written), wanted - len(taken))
        return taken

    async def _seeds(self, seeded: Seeded) -> list[Sample]:
        questions = [
            Asked(
                dimension="SBK",
                question=seed.question,
                question_type=seed.question_type,
                difficulty=seed.difficulty,
                attribute="seed",
                evidence=seed.reference,
                hint=seed.reference,
                purpose="seed",
                reference=seed.reference,
                seed=seed.place,
            )
            for seed in seeded.questions
        ]
        recalled = await together(
            recall_detail(self.interview, talk.history, DIFFICULTIES[number % len(DIFFICULTIES)], 0, talk.place)
            for number, talk in enumerate(seeded.talks)
        )
        asked = [*questions, *self._asked(recalled)]
        return await self._verify(asked, len(asked))

    def _asked(self, written: Sequence[Asked | Drop]) -> list[Asked]:
        self.mined.drops += [one for one in written if isinstance(one, Drop)]
        return [one for one in written if isinstance(one, Asked)]

    def _drafts(self, missing: int) -> int:
        """How many drafts it takes for so many samples, as far as anybody knows."""
        return math.ceil(missing * self.shop.teacher.drafts) if missing > 0 else 0

    async def _verify(self, asked: Sequence[Asked], wanted: int) -> list[Sample]:
        """Up to ``wanted`` samples of questions that have not been asked before."""
        fresh: list[Asked] = []
        language = self.mined.character.language
        for one in asked:
            if self.asked[one.dimension].near_duplicate(one):
                self.mined.drops.append(one.drop(filters.NEAR_DUPLICATE, language, "duplicates"))
            else:
                self.asked[one.dimension].add(one)
                fresh.append(one)
        passed: list[Sample] = []
        while fresh and len(passed) < wanted:
            # No more at a time than are missing: writing a question costs little, verifying it a lot.
            part = fresh[: wanted - len(passed)]
            del fresh[: len(part)]
            results = await together(self._one(one) for one in part)
            passed += [result for result in results if isinstance(result, Sample)]
            self.mined.drops += [result for result in results if isinstance(result, Drop)]
        return passed

    async def _one(self, asked: Asked) -> Sample | Drop:
        result, interview = await self.verifier.verify(asked)
        self.mined.ledger.add(interview.ledger)
        if isinstance(result, Sample):
            self.shop.accepted()
        return result


@dataclass(frozen=True)
class _AboutSample:
    """A sample as the rule against near-duplicates sees it."""

    sample: Sample

    @property
    def attribute(self) -> str:
        return str(self.sample.metadata.get("attribute"))

    @property
    def question(self) -> str:
        return self.sample.question
