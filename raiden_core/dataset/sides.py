"""Both sides of a split as files, and what is to be said about them: counts, seen keywords, the audit.

A part of the samples becomes a `WrittenPart`: its rows, a file for each side, and its counts. `finish` joins them.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from raiden_core.dataset.audit import Reservoir, audit_samples
from raiden_core.rewards import Scorer
from raiden_core.samples import Sample, character_id, json_row
from raiden_core.stages.layout import DATASET_STATS_FILE, TRAIN_FILE, VALIDATION_FILE

Key = bytes
"""A digest of a character's id or of a conversation: there may be hundreds of thousands of them."""
Side = Literal["train", "validation"] | None
"""Where a sample goes; None: nowhere."""
FILES: dict[Side, str] = {"train": TRAIN_FILE, "validation": VALIDATION_FILE}
SLICES = ("dimension", "language", "question_type", "difficulty", "validation_method", "source")
"""What the statistics count samples by."""


@dataclass
class Counts:
    """Counts of one side."""

    characters: set[Key] = field(default_factory=set)
    samples: int = 0
    slices: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in SLICES})
    keywords: Counter[str] = field(default_factory=Counter)

    def add(self, sample: Sample, key: Key) -> None:
        """Count a sample of the character ``key`` in."""
        self.samples += 1
        self.characters.add(key)
        self.keywords.update(sample.keywords)
        for name in SLICES:
            value = collection_of(sample) if name == "source" else getattr(sample, name)
            self.slices[name][value] += 1

    def join(self, other: Counts) -> None:
        """Count in what another part has counted."""
        self.samples += other.samples
        self.characters |= other.characters
        self.keywords.update(other.keywords)
        for name in SLICES:
            self.slices[name].update(other.slices[name])

    def stats(self) -> dict[str, Any]:
        """As they stand in the statistics' file."""
        slices = {name: dict(sorted(self.slices[name].items())) for name in SLICES}
        return {"samples": self.samples, "characters": len(self.characters), **slices}


@dataclass(frozen=True)
class WrittenPart:
    """What `write_part` leaves of its samples."""

    counts: Mapping[Side, Counts]
    left_out: int
    audited: Mapping[int, Sample]
    """By place in the part: the samples that the audit asked for."""


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


@contextmanager
def folder_for_parts(out: Path) -> Iterator[Path]:
    """A folder for the rows of parts, on the disk of ``out``; it goes when it is done with."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".parts-") as name:
        yield Path(name)


def write_part(
    samples: Iterable[Sample],
    keys: Iterable[Key],
    sides: Iterable[Side],
    audited: Collection[int],
    folder: Path,
    number: int,
) -> WrittenPart:
    """Write the rows of each side into ``folder``, for `finish`, and count them.

    Args:
        samples, keys, sides: the samples, each with its character's key and with where it goes.
        audited: the places of samples to hand on.
        folder: where the rows go.
        number: which part it is.
    """
    counts: dict[Side, Counts] = {side: Counts() for side in FILES}
    handed: dict[int, Sample] = {}
    left_out = 0
    with ExitStack() as stack:
        files = {
            side: stack.enter_context(_rows_file(folder, name, number).open("w", encoding="utf-8"))
            for side, name in FILES.items()
        }
        for place, (sample, key, side) in enumerate(zip(samples, keys, sides, strict=True)):
            if side is None:
                left_out += 1
                continue
            before = ",\n" if counts[side].samples else ""
            files[side].write(before + json_row(sample))
            counts[side].add(sample, key)
            if place in audited:
                handed[place] = sample
    return WrittenPart(counts, left_out, handed)


def finish(
    parts: Sequence[WrittenPart],
    audited: Sequence[Sample],
    out: Path,
    folder: Path,
    generation: Mapping[str, Any] | None,
    left_out: int = 0,
) -> dict[str, Any]:
    """Join the rows of all parts to both files, and write what is to be said about them.

    Args:
        parts: in the samples' order; their rows lie in ``folder`` under their numbers.
        audited: the samples to audit.
        out: where the files go.
        folder: where the rows are.
        generation: statistics of the generate stage, for the card.
        left_out: samples that are in no part.
    """
    from raiden_core.dataset.card import CARD, dataset_card

    counts: dict[Side, Counts] = {side: Counts() for side in FILES}
    for side, name in FILES.items():
        with (out / name).open("wb") as file:
            file.write(b"[\n")
            for number, part in enumerate(parts):
                rows = _rows_file(folder, name, number)
                if part.counts[side].samples:
                    file.write(b",\n" if counts[side].samples else b"")
                    with rows.open("rb") as source:
                        shutil.copyfileobj(source, file)
                counts[side].join(part.counts[side])
                rows.unlink()
            file.write(b"\n]\n")
    left_out += sum(part.left_out for part in parts)
    stats = stats_of(counts["train"], counts["validation"], left_out, audited)
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
        side.add(sample, key_of(character_id(sample)))
    return side


def _rows_file(folder: Path, name: str, number: int) -> Path:
    return folder / f"{name}.{number}"
