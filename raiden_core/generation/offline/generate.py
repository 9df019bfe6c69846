"""The generation stage: characters in, verified samples out, with a count of everything that was left out.

    generated = generate(
        characters, teacher=OfflineTeacher(seed=0), samples_per_character=8,
        include_cm=True, cm_share=0.3, seed=0, scorer=Scorer(),
    )

Generation asks the teacher for drafts, gives each its distractors, and takes what passes all filters until a character
has enough. The steps and filters are those of RAIDEN-R1 (arXiv 2505.10218), section 3. A character's samples
depend on the seed and on the character alone; other characters matter only as the source of distractors.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from raiden_core.characters.character import Character
from raiden_core.dataset.twins import TWIN, linked
from raiden_core.errors import ConfigError
from raiden_core.generation.card_use import card_metadata, greetings_of, opened
from raiden_core.generation.made import (
    Generated,
    Skipped,
    collection,
    identity,
    quotas_with_boundaries,
    statistics,
    unusable,
)
from raiden_core.generation.offline.boundaries import BoundaryDrafts
from raiden_core.generation.offline.cutting import as_text
from raiden_core.generation.offline.teacher import OfflineTeacher
from raiden_core.generation.quality import filters
from raiden_core.generation.quality.distractors import Pools, choose_distractors, collect_pools
from raiden_core.generation.teacher import UNREAD, Draft, Fact, Teacher
from raiden_core.rewards import Scorer, contains_term
from raiden_core.rewards.aside import Told, guarded, of_profile
from raiden_core.samples import WITHHELD, Sample, Validator
from raiden_core.stages.progress import Progress, silent

SHOWN_SENTENCES = 50
"""So many of the sentences that no rule reads are shown in the statistics; all are counted."""
PATIENCE = 6
"""A character gets this many more memory drafts than it needs before generation gives up on it."""


def generate(
    characters: Sequence[Character],
    *,
    teacher: Teacher,
    samples_per_character: int | None,
    include_cm: bool,
    cm_share: float,
    seed: int,
    scorer: Scorer,
    boundaries: float = 0.0,
    progress: Progress = silent,
) -> Generated:
    """Samples of all characters.

    Args:
        characters: what `raiden_core.characters.read_characters` read.
        teacher: who drafts questions and answers.
        samples_per_character: how many of each; None means one for each verifiable fact, and CM samples beside them.
        include_cm: whether to make CM samples.
        cm_share: the share of CM among a character's samples, from 0 to 1; where it gives no whole number, the
            characters round up and down so that the share holds over all of them.
        seed: of the choices made here; the teacher has its own.
        scorer: by which every reference must score 1.
        boundaries: the share of SCK and RCB among a character's samples, from 0 to 0.5; each has a twin among the rest.
        progress: told after each character.

    Raises:
        ConfigError: boundaries are asked of a teacher that knows none.
    """
    if boundaries and not isinstance(teacher, OfflineTeacher):
        raise ConfigError(
            f"generation.boundaries.share: the teacher {teacher.name} writes no such questions; set it to 0"
        )
    dropped: Counter[str] = Counter()
    skipped: list[Skipped] = []
    readable: list[tuple[Character, list[Fact], list[Fact]]] = []  # with its verifiable facts, and with all
    met: set[str] = set()
    unread: list[str] = []
    for character in characters:
        reason = unusable(character, teacher.name, teacher.languages)
        if not reason and identity(character) in met:
            reason = "the same name and profile as a character before it"
        met.add(identity(character))
        listed = [] if reason else teacher.facts_of(character)
        unread += [fact.value for fact in listed if fact.unverifiable == UNREAD]
        facts = [fact for fact in listed if fact.unverifiable != UNREAD]
        verifiable = [fact for fact in facts if fact.unverifiable is None]
        dropped[filters.UNVERIFIABLE] += len(facts) - len(verifiable)
        dropped[filters.OF_OTHERS] += 0 if reason else len(character.others)
        if not reason and not verifiable:
            reason = _why_none(facts, len(listed) - len(facts))
        if reason:
            skipped.append(Skipped(character.name, character.source, character.row, reason))
        else:
            readable.append((character, verifiable, facts))
    pools = collect_pools((character.language, verifiable) for character, verifiable, _ in readable)

    samples: list[Sample] = []
    seen: set[str] = set()
    for done, (character, facts, told) in enumerate(readable, 1):
        script, memory, unsure = quotas_with_boundaries(
            character, len(facts), samples_per_character, cm_share if include_cm else 0.0, boundaries, seed
        )
        taker = _Taker(character, facts, teacher.name, pools, scorer, seed, seen, dropped)
        made = taker.take(teacher.script_drafts(character, facts), script, patience=None)
        made += taker.take(teacher.memory_drafts(character, facts), memory, patience=PATIENCE + memory)
        if boundaries and made and isinstance(teacher, OfflineTeacher):
            drafts = BoundaryDrafts(teacher, character, told, pools, seed)
            made = linked([*made, *taker.take_boundaries(drafts, made, unsure)])
        if not made:
            reason = "no draft about it passed the filters (see what was dropped)"
            skipped.append(Skipped(character.name, character.source, character.row, reason))
        samples += made
        progress(done, len(readable), f"{len(samples)} samples")
    left_out = {reason: count for reason, count in sorted(dropped.items()) if count}
    stats = statistics(samples, len(characters), len(skipped), left_out, teacher.name)
    if unread:
        stats["sentences_left"] = {"count": len(unread), "first": unread[:SHOWN_SENTENCES]}
    return Generated(tuple(samples), tuple(skipped), left_out, stats)


class _Taker:
    """Turns the drafts of one character into samples, as long as they pass."""

    def __init__(
        self,
        character: Character,
        facts: Sequence[Fact],
        teacher: str,
        pools: Pools,
        scorer: Scorer,
        seed: int,
        seen: set[str],
        dropped: Counter[str],
    ) -> None:
        self.character = character
        self.teacher = teacher
        self.pools = pools
        self.scorer = scorer
        self.seed = seed
        self.seen = seen
        self.dropped = dropped
        self.identity = identity(character)
        self.asked = filters.AskedBefore()
        # Apart, because what was never said is asked for in the words of its twin.
        self.asked_at_boundaries = filters.AskedBefore()
        self.greetings = greetings_of(character, self.identity, seed)
        self.terms = [[term for group in fact.groups for term in group] for fact in facts]
        self.profile_text = as_text(character.profile)
        self.told = of_profile(character.profile, self.terms)

    def take(self, drafts: Iterator[Draft], wanted: int, patience: int | None) -> list[Sample]:
        """Up to ``wanted`` samples; after ``patience`` refusals, what there is."""
        taken: list[Sample] = []
        refused = 0
        while len(taken) < wanted and (patience is None or refused < patience):
            draft = next(drafts, None)
            if draft is None:
                break
            result = self._sample(draft)
            if isinstance(result, Sample):
                taken.append(result)
            else:
                self.dropped[result] += 1
                refused += 1
        return taken

    def take_boundaries(self, drafts: BoundaryDrafts, made: Sequence[Sample], wanted: int) -> list[Sample]:
        """Up to ``wanted`` samples at the boundaries of what the character knows, each with a twin of its own.

        Half of them are SCK, the other half RCB, kind by kind in turn; where one half falls short, the other fills up. RCB
        chooses first: false premises suit some attributes only, and what they leave would be lacking more often than the
        rest, so that the attribute would tell what to answer.
        """
        rng = random.Random(f"{self.seed}:boundary:{self.identity}")
        free = {sample.id: sample for sample in rng.sample(made, len(made))}
        premises, unknown = drafts.false_premises(free), drafts.unknowables(free)
        half = wanted // 2 + (wanted % 2 and rng.randrange(2))
        taken = self._take_twins(unknown, free, wanted - half)
        taken += self._take_twins(premises, free, wanted - len(taken))
        return taken + self._take_twins(unknown, free, wanted - len(taken))

    def _take_twins(self, drafts: Iterator[Draft | str], free: dict[str, Sample], wanted: int) -> list[Sample]:
        """Up to ``wanted`` samples; their twins are no longer free."""
        taken: list[Sample] = []
        while len(taken) < wanted and (draft := next(drafts, None)) is not None:
            result = draft if isinstance(draft, str) else self._sample(draft)
            if isinstance(result, Sample):
                taken.append(result)
                del free[str(result.metadata[TWIN])]
            else:
                self.dropped[result] += 1
        return taken

    def _sample(self, draft: Draft) -> Sample | str:
        """The sample, or the reason why there is none."""
        if reason := filters.refusal(draft, self.profile_text):
            return reason
        greeting: int | None = None
        if draft.dimension == "CM" or (draft.abstains and draft.history):
            terms = [*(term for group in draft.groups for term in group), *(draft.rivals if draft.abstains else ())]
            history, greeting = opened(draft.history, next(self.greetings), terms)
            draft = replace(draft, history=history)
        asked = self.asked_at_boundaries if draft.boundary else self.asked
        if asked.near_duplicate(draft):
            return filters.NEAR_DUPLICATE
        sample = self._build(draft, greeting)
        if sample.id in self.seen:
            return filters.DUPLICATE
        if self.scorer.check(sample) is not None:
            return filters.GOLD_FAILS
        asked.add(draft)
        self.seen.add(sample.id)
        return sample

    def _told_in(self, profile: Mapping[str, Any]) -> Told:
        """What a profile from which something is left out still holds."""
        text = as_text(profile)
        return of_profile(profile, [terms for terms in self.terms if any(contains_term(text, term) for term in terms)])

    def _build(self, draft: Draft, greeting: int | None) -> Sample:
        history = "\n".join(turn.content for turn in draft.history)
        rng = random.Random(f"{self.seed}:distractors:{self.identity}:{draft.question}:{history}")
        contexts = (self.profile_text, f"{history}\n{draft.question}")
        whole: Mapping[str, Any] = self.character.profile
        profile = whole if draft.profile is None else draft.profile
        left_out = {key: value for key, value in whole.items() if profile.get(key) != value}
        told = self._told_in(profile) if left_out else self.told
        none_of = (
            draft.rivals
            if draft.abstains
            else choose_distractors(draft, self.character.language, self.pools, contexts, rng)
        )
        return Sample(
            character_name=self.character.name or "",
            character_profile=dict(profile),
            conversation_history=draft.history,
            question=draft.question,
            answer=draft.answer,
            keywords=tuple(group[0] for group in draft.groups),
            dimension=draft.dimension,
            question_type=draft.question_type,
            validation_method="multi_term_parsing" if len(draft.groups) > 1 else "single_term_validation",
            validator=guarded(
                Validator(all_of=draft.groups, none_of=none_of, denied=draft.denied, abstains=draft.abstains),
                told,
                (draft.question, draft.answer),
            ),
            difficulty=draft.difficulty,
            reasoning=draft.reasoning,
            language=self.character.language,
            metadata={
                "teacher": self.teacher,
                "source": collection(self.character),
                "attribute": draft.key,
                "evidence": draft.evidence,
                "template": draft.template,
                **({"boundary": draft.boundary, TWIN: draft.twin} if draft.boundary else {}),
                **({WITHHELD: left_out} if left_out else {}),
                **card_metadata(self.character, draft.question, draft.history, draft.evidence, greeting),
            },
        )


def _why_none(facts: Sequence[Fact], unread: int) -> str:
    left = f"; no rule reads any of its {unread} sentences" if unread else ""
    if not facts:
        return f"no `key: value` facts in its text{left}"
    reasons = Counter(fact.unverifiable or "" for fact in facts)
    told = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
    return f"none of its {len(facts)} facts can be verified ({told}){left}"
