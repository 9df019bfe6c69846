"""Splitting samples into training and validation, by character and never by sample.

A model that has seen a character in training can answer about it from memory, so a character (its name together with its
profile) stands on one side only. Both sides hold the same mixture of languages, collections and dimensions:
characters are put into strata, and each stratum gives its share. Which characters of a stratum go to
validation is decided by a hash of seed and character, so adding characters moves few of the others.

Two characters can have had the same conversation (templates and seeds repeat themselves), and what it holds is the answer
to a question of conversation memory. Training therefore leaves out, and counts, CM samples whose conversation stands in
validation too.

    result = split(samples, validation_share=0.1, validation_characters=None, seed=0)
    write_split(result, Path("data"))  # train.json, validation.json, dataset_stats.json, README.md

`split_file` does the same from file to files, holding only what it must know of each character and what is counted of each
sample. Parts of a large file are read on all cores (raiden_core/dataset/parts.py).
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from raiden_core.config import Config
from raiden_core.config.sections.base import StageSettings
from raiden_core.config.sections.data import SplitConfig
from raiden_core.dataset.audit import Reservoir
from raiden_core.dataset.parts import Part, parts_of
from raiden_core.dataset.sides import (
    Key,
    Record,
    Side,
    collection_of,
    counted,
    key_of,
    stats_of,
    to_audit,
    write_sides,
)
from raiden_core.errors import ConfigError, DataError
from raiden_core.processes.workers import Workers
from raiden_core.samples import Sample, character_id, json_row, parse_sample
from raiden_core.stages.folder import STATS

Stratum = tuple[str, str, str]
"""Language, collection, dimensions."""


class SplitSettings(StageSettings):
    """What the split stage is given of the configuration."""

    split: SplitConfig
    seed: int

    @classmethod
    def of(cls, config: Config) -> SplitSettings:
        """Its part of a configuration."""
        return cls(split=config.split, seed=config.seed)


@dataclass(frozen=True)
class Split:
    """Samples of disjoint characters and conversations, each side in the order of the input."""

    train: tuple[Sample, ...]
    validation: tuple[Sample, ...]
    left_out: int = 0
    """Samples of training characters whose conversation stands in validation."""


def split(
    samples: Sequence[Sample],
    *,
    validation_share: float | None,
    validation_characters: int | None,
    seed: int,
) -> Split:
    """Split by character.

    Args:
        samples: in any order.
        validation_share: the share of characters that go to validation, between 0 and 1; or
        validation_characters: their number. One of both must be given.
        seed: decides which characters they are.

    Raises:
        ConfigError: both or neither of share and number are given, or one is out of range.
        DataError: too few characters for two sides.
    """
    census = _Census(seed)
    for sample in samples:
        census.add(sample)
    parts: dict[Side, list[Sample]] = {"train": [], "validation": [], None: []}
    for sample, side in zip(samples, census.sides(validation_share, validation_characters), strict=True):
        parts[side].append(sample)
    result = Split(tuple(parts["train"]), tuple(parts["validation"]), len(parts[None]))
    check_disjoint(result.train, result.validation)
    return result


def check_disjoint(train: Sequence[Sample], validation: Sequence[Sample]) -> None:
    """Check that no character is on both sides.

    Raises:
        DataError: one is; the message names some of them.
    """
    names = {character_id(sample): sample.character_name for sample in validation}
    shared = sorted({names[character] for sample in train if (character := character_id(sample)) in names})
    if shared:
        some = ", ".join(shared[:5]) + (", …" if len(shared) > 5 else "")
        raise DataError(
            f"{len(shared)} characters are both in training and in validation ({some}); split again by character"
        )


def write_split(result: Split, out: Path, generation: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Write ``train.json``, ``validation.json``, ``dataset_stats.json`` and the dataset card; the statistics come back.

    Args:
        result: both sides.
        out: the folder; made when missing.
        generation: statistics of the generate stage, for the card.

    Raises:
        DataError: a character is on both sides; nothing is written then.
    """
    check_disjoint(result.train, result.validation)
    samples = (*result.train, *result.validation)
    train: Side = "train"
    sides = [train] * len(result.train) + ["validation"] * len(result.validation)
    rows = (
        (json_row(sample), Record.of(sample), key_of(character_id(sample)), side)
        for sample, side in zip(samples, sides, strict=True)
    )
    return write_sides(rows, to_audit(sides), lambda place, _: samples[place], out, generation, result.left_out)


def split_file(
    samples: Path, section: SplitConfig, seed: int, out: Path, generation: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The split stage: read samples, split them by character, write both sides into ``out``.

    Statistics of generation go into the dataset card: those given, or those that lie beside the samples.

    Raises:
        DataError: the file cannot be read, or has too few characters for two sides.
    """
    number = section.validation_characters
    share = section.validation_share if number is None else None
    parts = parts_of(samples)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".parts-") as name, Workers() as workers:
        files = [Path(name) / str(number) for number in range(len(parts))]
        census = _Census(seed)
        records: list[Record] = []
        for one, counted_ones in workers.map(_read_part, [(*both, seed) for both in zip(parts, files, strict=True)]):
            census.join(one)
            records += counted_ones
        sides = list(census.sides(share, number))
        rows = zip(_rows(files), records, census.keys, sides, strict=True)

        def sample_of(place: int, row: str) -> Sample:
            return parse_sample(json.loads(row), f"{samples}: sample {place + 1}")

        return write_sides(rows, to_audit(sides), sample_of, out, generation or _generation_stats(samples))


def _read_part(part: Part, rows: Path, seed: int) -> tuple[_Census, list[Record]]:
    """Write a part's rows, as they stand in the result, and count its samples."""
    census = _Census(seed)
    records: list[Record] = []
    alike: dict[tuple[str, ...], tuple[str, ...]] = {}
    with rows.open("w", encoding="utf-8") as file:
        for sample in part.samples():
            census.add(sample)
            slices, keywords = Record.of(sample)
            records.append(Record(alike.setdefault(slices, slices), keywords))
            file.write(json_row(sample) + "\n")
    return census, records


def _rows(files: Iterable[Path]) -> Iterator[str]:
    """The rows of all parts; each file goes when it is read."""
    for path in files:
        with path.open(encoding="utf-8", newline="\n") as lines:
            for line in lines:
                yield line[:-1]
        path.unlink()


def dataset_stats(train: Iterable[Sample], validation: Iterable[Sample], left_out: int = 0) -> dict[str, Any]:
    """Counts of both sides and of what neither has, and how much of validation's vocabulary training has seen."""
    seen = Reservoir[Sample]()
    return stats_of(counted(train, seen), counted(validation, seen), left_out, seen.samples)


@dataclass
class _Character:
    key: Key
    """The one object that all its samples share."""
    origin: tuple[str, str]
    """Language and collection, of its first sample."""
    rank: str
    """Decides which characters of a stratum go to validation."""
    dimensions: set[str] = field(default_factory=set)


class _Census:
    """All characters that there are, and for each sample its character and its conversation."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.characters: dict[Key, _Character] = {}
        self.keys: list[Key] = []
        self.talks: list[Key | None] = []

    def add(self, sample: Sample) -> None:
        """Count a sample in."""
        identity = character_id(sample)
        key = key_of(identity)
        character = self.characters.get(key)
        if character is None:
            origin = (sample.language, collection_of(sample))
            character = self.characters[key] = _Character(key, origin, _rank(identity, self.seed))
        character.dimensions.add(sample.dimension)
        self.keys.append(character.key)
        self.talks.append(_talk(sample))

    def join(self, other: _Census) -> None:
        """Count in what another part has counted."""
        for key, theirs in other.characters.items():
            self.characters.setdefault(key, theirs).dimensions.update(theirs.dimensions)
        self.keys += [self.characters[key].key for key in other.keys]
        self.talks += other.talks

    def sides(self, share: float | None, number: int | None) -> Iterator[Side]:
        """Where each sample goes, in their order."""
        strata = _strata(self.characters)
        seats = _seats(strata, _validation_count(len(self.characters), share, number))
        held_out = {key for stratum, count in seats.items() for key in strata[stratum][:count]}
        heard = {talk for key, talk in zip(self.keys, self.talks, strict=True) if talk and key in held_out}
        for key, talk in zip(self.keys, self.talks, strict=True):
            yield "validation" if key in held_out else None if talk in heard else "train"


def _validation_count(characters: int, share: float | None, number: int | None) -> int:
    if (share is None) == (number is None):
        raise ConfigError("split: give either validation_share or validation_characters, not both and not neither")
    if characters < 2:
        raise DataError(f"split: {characters} characters cannot be split into training and validation; generate more")
    if number is not None:
        if number < 1:
            raise ConfigError(f"split.validation_characters: {number} is less than 1")
        if number >= characters:
            raise DataError(
                f"split.validation_characters: {number} of {characters} characters leaves none to train on; "
                "lower it or generate more characters"
            )
        return number
    assert share is not None
    if not 0 < share < 1:
        raise ConfigError(f"split.validation_share: {share} is not between 0 and 1")
    return min(max(1, round(characters * share)), characters - 1)


def _strata(characters: Mapping[Key, _Character]) -> dict[Stratum, list[Key]]:
    """The characters of each stratum, those first that go to validation first."""
    sizes = Counter(character.origin for character in characters.values())
    strata: dict[Stratum, list[Key]] = {}
    for key in sorted(characters, key=lambda key: characters[key].rank):
        character = characters[key]
        language, collection = character.origin
        # Characters that have a file each are one collection: a stratum of one cannot be divided.
        collection = collection if sizes[character.origin] > 1 else ""
        strata.setdefault((language, collection, "+".join(sorted(character.dimensions))), []).append(key)
    return strata


def _seats(strata: Mapping[Stratum, Sequence[Key]], wanted: int) -> dict[Stratum, int]:
    """How many characters of each stratum go to validation: one of each while there is room, then its share.

    Seats are given one by one to the stratum that is furthest below its share; a stratum keeps its last character for
    training as long as others can give one.
    """
    total = sum(len(members) for members in strata.values())
    exact = {stratum: Fraction(wanted * len(members), total) for stratum, members in strata.items()}
    seats = dict.fromkeys(strata, 0)

    def claim(stratum: Stratum) -> tuple[bool, bool, Fraction, Stratum]:
        unseen = seats[stratum] == 0 and len(strata[stratum]) > 1
        spare = len(strata[stratum]) - seats[stratum] > 1
        return (not unseen, not spare, seats[stratum] - exact[stratum], stratum)

    while sum(seats.values()) < wanted:
        open_strata = [stratum for stratum in strata if seats[stratum] < len(strata[stratum])]
        seats[min(open_strata, key=claim)] += 1
    return seats


def _talk(sample: Sample) -> Key | None:
    """What makes two conversations the same; None where nothing of a conversation is asked for."""
    if sample.dimension != "CM" or not sample.conversation_history:
        return None
    return key_of(json.dumps([[turn.role, turn.content] for turn in sample.conversation_history]))


def _rank(identity: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}:{identity}".encode("utf-8", "surrogatepass")).hexdigest()


def _generation_stats(samples: Path) -> dict[str, Any] | None:
    """What the generate stage left beside its samples; None for samples from elsewhere."""
    file = samples.parent / STATS
    if not file.is_file():
        return None
    try:
        stats = json.loads(file.read_text("utf-8"))
    except ValueError:
        return None  # somebody else's file of that name
    return stats if isinstance(stats, dict) and "dropped" in stats else None
