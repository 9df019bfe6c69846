"""What generation leaves: samples, characters without any, counts; the same for every teacher."""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from raiden_core.characters.character import Character
from raiden_core.samples import Sample, character_id


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


def quotas(character: Character, facts: int, wanted: int | None, cm_share: float, seed: int) -> tuple[int, int]:
    """How many SBK and how many CM samples a character with so many facts gets."""
    rng = random.Random(f"{seed}:quota:{identity(character)}")
    if wanted is None:
        # All facts; CM on top so that it makes up its share of the whole. A share of 1 leaves nothing to build on.
        exact = facts * cm_share / (1 - cm_share) if cm_share < 1 else float(facts)
        return (0 if cm_share == 1 else facts), _rounded(exact, rng)
    memory = _rounded(wanted * cm_share, rng)
    return wanted - memory, memory


def quotas_with_boundaries(
    character: Character, facts: int, wanted: int | None, cm_share: float, share: float, seed: int
) -> tuple[int, int, int]:
    """How many SBK and CM samples a character gets, and how many at the boundaries of what it knows, a share of all."""
    if not share:
        return (*quotas(character, facts, wanted, cm_share, seed), 0)
    rng = random.Random(f"{seed}:boundaries:{identity(character)}")
    if wanted is None:
        script, memory = quotas(character, facts, None, cm_share, seed)
        return script, memory, _rounded((script + memory) * share / (1 - share), rng)
    unsure = _rounded(wanted * share, rng)
    return (*quotas(character, facts, wanted - unsure, cm_share, seed), unsure)


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
    per_character = Counter(map(character_id, samples))
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
