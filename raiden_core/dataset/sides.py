"""Both sides of a split as files, and what is to be said about them: counts, seen keywords, the audit.

A sample is known here by its row, as it stands in the file, and by a `Record` of what is counted: whoever reads a large
file makes both once, and the rows are then copied.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from raiden_core.dataset.audit import Reservoir, audit_samples
from raiden_core.rewards import Scorer
from raiden_core.samples import JsonArray, Sample, character_id
from raiden_core.stages.layout import DATASET_STATS_FILE, TRAIN_FILE, VALIDATION_FILE

Key = bytes
"""A digest of a character's id or of a conversation: there may be hundreds of thousands of them."""
Side = Literal["train", "validation"] | None
"""Where a sample goes; None: nowhere."""
FILES: dict[Side, str] = {"train": TRAIN_FILE, "validation": VALIDATION_FILE}
SLICES = ("dimension", "language", "question_type", "difficulty", "validation_method", "source")
"""What the statistics count samples by."""


class Record(NamedTuple):
    """What is counted of a sample."""

    slices: tuple[str, ...]
    """Its value in each of `SLICES`."""
    keywords: tuple[str, ...]

    @classmethod
    def of(cls, sample: Sample) -> Record:
        """That of a sample."""
        values = (collection_of(sample) if name == "source" else getattr(sample, name) for name in SLICES)
        return cls(tuple(values), sample.keywords)


@dataclass
class Counts:
    """Counts of one side."""

    characters: set[Key] = field(default_factory=set)
    samples: int = 0
    slices: Counter[tuple[str, ...]] = field(default_factory=Counter)
    keywords: Counter[str] = field(default_factory=Counter)

    def add(self, record: Record, key: Key) -> None:
        """Count a sample of the character ``key`` in."""
        self.samples += 1
        self.characters.add(key)
        self.slices[record.slices] += 1
        for keyword in record.keywords:
            self.keywords[keyword] += 1

    def stats(self) -> dict[str, Any]:
        """As they stand in the statistics' file."""
        single: dict[str, Counter[str]] = {name: Counter() for name in SLICES}
        for values, count in self.slices.items():
            for name, value in zip(SLICES, values, strict=True):
                single[name][value] += count
        slices = {name: dict(sorted(counter.items())) for name, counter in single.items()}
        return {"samples": self.samples, "characters": len(self.characters), **slices}


def key_of(identity: str) -> Key:
    """The digest of a character's id, or of what else is told apart."""
    return hashlib.blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def collection_of(sample: Sample) -> str:
    """Where a sample comes from, by its metadata."""
    return str(sample.metadata.get("source", ""))


def to_audit(sides: Iterable[Side]) -> list[int]:
    """The places of the samples that are audited, of those that go to a side."""
    chosen = Reservoir[int]()
    for place, side in enumerate(sides):
        if side is not None:
            chosen.add(place)
    return chosen.samples


def write_sides(
    samples: Iterable[tuple[str, Record, Key, Side]],
    audited: Sequence[int],
    sample_of: Callable[[int, str], Sample],
    out: Path,
    generation: Mapping[str, Any] | None,
    left_out: int = 0,
) -> dict[str, Any]:
    """Write both sides, the statistics and the dataset card; the statistics come back.

    Args:
        samples: each one's row, what is counted of it, its character's key, and where it goes.
        audited: the places of the samples to audit (`to_audit`).
        sample_of: the sample at a place, of which the row is given.
        out: where the files go; the folder is made.
        generation: statistics of the generate stage, for the card.
        left_out: samples that are not among these.
    """
    from raiden_core.dataset.card import CARD, dataset_card

    out.mkdir(parents=True, exist_ok=True)
    counts: dict[Side, Counts] = {side: Counts() for side in FILES}
    wanted = frozenset(audited)
    met: dict[int, Sample] = {}
    with ExitStack() as stack:
        arrays = {
            side: JsonArray(stack.enter_context((out / name).open("w", encoding="utf-8")))
            for side, name in FILES.items()
        }
        for place, (row, record, key, side) in enumerate(samples):
            if side is None:
                left_out += 1
                continue
            arrays[side].add(row)
            counts[side].add(record, key)
            if place in wanted:
                met[place] = sample_of(place, row)
        for array in arrays.values():
            array.end()
    stats = stats_of(counts["train"], counts["validation"], left_out, [met[place] for place in audited])
    (out / DATASET_STATS_FILE).write_text(json.dumps(stats, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    (out / CARD).write_text(dataset_card(stats, generation), encoding="utf-8", errors="replace")
    return stats


def stats_of(train: Counts, validation: Counts, left_out: int, audited: Sequence[Sample]) -> dict[str, Any]:
    """Counts of both sides and of what neither has, how much of validation's vocabulary training has seen, the audit."""
    known = sum(count for keyword, count in validation.keywords.items() if keyword in train.keywords)
    asked = validation.keywords.total()
    return {
        "train": train.stats(),
        "validation": validation.stats(),
        "characters_on_both_sides": len(train.characters & validation.characters),
        "left_out_of_training": left_out,
        "validation_keywords_seen_in_training": round(known / asked, 4) if asked else None,
        "audited": len(audited),
        "audit": audit_samples(audited, Scorer()).rows(),
    }


def counted(samples: Iterable[Sample], seen: Reservoir[Sample]) -> Counts:
    """The counts of one side; ``seen`` meets its samples."""
    side = Counts()
    for sample in samples:
        seen.add(sample)
        side.add(Record.of(sample), key_of(character_id(sample)))
    return side
