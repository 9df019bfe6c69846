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

import hashlib
import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from raiden_core.characters.character import Character
from raiden_core.generation import filters
from raiden_core.generation.distractors import Pools, choose_distractors, collect_pools
from raiden_core.progress import Progress, silent
from raiden_core.rewards import Scorer
from raiden_core.samples import Sample, Validator
from raiden_core.teacher import Draft, Fact, Teacher

PATIENCE = 6
"""A character gets this many more memory drafts than it needs before generation gives up on it."""


@dataclass(frozen=True)
class Skipped:
    """A character without samples, and why."""

    name: str | None
    source: str
    row: int | None
    reason: str

    def __str__(self) -> str:
        place = self.source if self.row is None else f"{self.source}: row {self.row}"
        return f"{place}: {self.name}: {self.reason}" if self.name else f"{place}: {self.reason}"


@dataclass(frozen=True)
class Generated:
    """What a run of the stage yields."""

    samples: tuple[Sample, ...]
    """Character by character, in the order of the input."""
    skipped: tuple[Skipped, ...]
    """Characters of which there is no sample."""
    dropped: dict[str, int]
    """How many drafts and facts each filter kept out."""
    stats: dict[str, Any]
    """Counts for ``stats.json``."""


def generate(
    characters: Sequence[Character],
    *,
    teacher: Teacher,
    samples_per_character: int | None,
    include_cm: bool,
    cm_share: float,
    seed: int,
    scorer: Scorer,
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
        progress: told after each character.
    """
    dropped: Counter[str] = Counter()
    skipped: list[Skipped] = []
    readable: list[tuple[Character, list[Fact]]] = []
    met: set[str] = set()
    for character in characters:
        reason = unusable(character, teacher.name, teacher.languages)
        if not reason and identity(character) in met:
            reason = "the same name and profile as a character before it"
        met.add(identity(character))
        facts = [] if reason else teacher.facts_of(character)
        verifiable = [fact for fact in facts if fact.unverifiable is None]
        dropped[filters.UNVERIFIABLE] += len(facts) - len(verifiable)
        if not reason and not verifiable:
            reason = _why_none(facts)
        if reason:
            skipped.append(Skipped(character.name, character.source, character.row, reason))
        else:
            readable.append((character, verifiable))
    pools = collect_pools((character.language, facts) for character, facts in readable)

    samples: list[Sample] = []
    seen: set[str] = set()
    for done, (character, facts) in enumerate(readable, 1):
        script, memory = quotas(character, len(facts), samples_per_character, cm_share if include_cm else 0.0, seed)
        taker = _Taker(character, teacher.name, pools, scorer, seed, seen, dropped)
        made = taker.take(teacher.script_drafts(character, facts), script, patience=None)
        made += taker.take(teacher.memory_drafts(character, facts), memory, patience=PATIENCE + memory)
        if not made:
            reason = "no draft about it passed the filters (see what was dropped)"
            skipped.append(Skipped(character.name, character.source, character.row, reason))
        samples += made
        progress(done, len(readable), f"{len(samples)} samples")
    left_out = {reason: count for reason, count in sorted(dropped.items()) if count}
    stats = statistics(samples, len(characters), len(skipped), left_out, teacher.name)
    return Generated(tuple(samples), tuple(skipped), left_out, stats)


class _Taker:
    """Turns the drafts of one character into samples, as long as they pass."""

    def __init__(
        self,
        character: Character,
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
        self.profile_text = "\n".join(f"{key}：{value}" for key, value in character.profile.items())

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

    def _sample(self, draft: Draft) -> Sample | str:
        """The sample, or the reason why there is none."""
        if reason := filters.refusal(draft, self.profile_text):
            return reason
        if self.asked.near_duplicate(draft):
            return filters.NEAR_DUPLICATE
        sample = self._build(draft)
        if sample.id in self.seen:
            return filters.DUPLICATE
        if self.scorer.check(sample) is not None:
            return filters.GOLD_FAILS
        self.asked.add(draft)
        self.seen.add(sample.id)
        return sample

    def _build(self, draft: Draft) -> Sample:
        history = "\n".join(turn.content for turn in draft.history)
        rng = random.Random(f"{self.seed}:distractors:{self.identity}:{draft.question}:{history}")
        contexts = (self.profile_text, f"{history}\n{draft.question}")
        none_of = choose_distractors(draft, self.character.language, self.pools, contexts, rng)
        return Sample(
            character_name=self.character.name or "",
            character_profile=dict(self.character.profile),
            conversation_history=draft.history,
            question=draft.question,
            answer=draft.answer,
            keywords=tuple(group[0] for group in draft.groups),
            dimension=draft.dimension,
            question_type=draft.question_type,
            validation_method="multi_term_parsing" if len(draft.groups) > 1 else "single_term_validation",
            validator=Validator(all_of=draft.groups, none_of=none_of),
            difficulty=draft.difficulty,
            reasoning=draft.reasoning,
            language=self.character.language,
            metadata={
                "teacher": self.teacher,
                "source": collection(self.character),
                "attribute": draft.key,
                "evidence": draft.evidence,
                "template": draft.template,
            },
        )


def collection(character: Character) -> str:
    """Where a character comes from, as tables group it: ``shipped`` for those of raiden, else its file or collection."""
    return "shipped" if character.source.startswith("shipped:") else character.source


def unusable(character: Character, teacher: str, languages: frozenset[str]) -> str | None:
    """Why a teacher of that name, who writes those languages, can make nothing of a character; None if it can."""
    if not character.name:
        return "no name"
    if character.language not in languages:
        known = ", ".join(sorted(languages))
        return f"language {character.language!r} is not one that {teacher} writes ({known})"
    return None


def _why_none(facts: Sequence[Fact]) -> str:
    if not facts:
        return "no `key: value` facts in its text"
    reasons = Counter(fact.unverifiable or "" for fact in facts)
    told = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
    return f"none of its {len(facts)} facts can be verified ({told})"


def quotas(character: Character, facts: int, wanted: int | None, cm_share: float, seed: int) -> tuple[int, int]:
    """How many SBK and how many CM samples a character with so many facts gets."""
    rng = random.Random(f"{seed}:quota:{identity(character)}")
    if wanted is None:
        # All facts; CM on top so that it makes up its share of the whole. A share of 1 leaves nothing to build on.
        exact = facts * cm_share / (1 - cm_share) if cm_share < 1 else float(facts)
        return (0 if cm_share == 1 else facts), _rounded(exact, rng)
    memory = _rounded(wanted * cm_share, rng)
    return wanted - memory, memory


def _rounded(exact: float, rng: random.Random) -> int:
    """Up or down at random, so that the mean over many characters is exact."""
    return int(exact) + (rng.random() < exact - int(exact))


def identity(character: Character) -> str:
    """A digest of language, name and profile: characters that share it are one."""
    parts = json.dumps([character.language, character.name, character.profile], ensure_ascii=False)
    return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()


def statistics(
    samples: Sequence[Sample], characters: int, skipped: int, dropped: Mapping[str, int], teacher: str
) -> dict[str, Any]:
    """The counts of ``stats.json``."""
    per_character = Counter((sample.character_name, str(sample.character_profile)) for sample in samples)
    counts = sorted(per_character.values())
    return {
        "teacher": teacher,
        "samples": len(samples),
        "characters": {"read": characters, "used": len(counts), "skipped": skipped},
        "samples_per_character": {
            "min": counts[0] if counts else 0,
            "mean": round(len(samples) / len(counts), 2) if counts else 0.0,
            "max": counts[-1] if counts else 0,
        },
        "dimension": _count(sample.dimension for sample in samples),
        "language": _count(sample.language for sample in samples),
        "question_type": _count(sample.question_type for sample in samples),
        "difficulty": _count(sample.difficulty for sample in samples),
        "validation_method": _count(sample.validation_method for sample in samples),
        "source": _count(str(sample.metadata.get("source")) for sample in samples),
        "dropped": dict(dropped),
    }


def _count(values: Iterator[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))
