"""Splitting samples into training and validation, by character and never by sample.

A model that has seen a character in training can answer about it from memory, so a character (its name together with its
profile) stands on one side only. Both sides hold the same mixture of languages, collections and dimensions:
characters are put into strata, and each stratum gives its share. Which characters of a stratum go to
validation is decided by a hash of seed and character, so adding characters moves few of the others.

    result = split(samples, validation_share=0.1, validation_characters=None, seed=0)
    write_split(result, Path("data"))  # train.json, validation.json, dataset_stats.json
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from raiden_core.config_sections.data import SplitConfig
from raiden_core.errors import ConfigError, DataError
from raiden_core.samples import Sample, read_samples, write_samples

CharacterId = str
Stratum = tuple[str, str, str]
"""Language, collection, dimensions."""


@dataclass(frozen=True)
class Split:
    """Samples of disjoint characters, each side in the order of the input."""

    train: tuple[Sample, ...]
    validation: tuple[Sample, ...]


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
    characters = _by_character(samples)
    wanted = _validation_count(len(characters), validation_share, validation_characters)
    strata = _strata(characters, seed)
    held_out: set[CharacterId] = set()
    for stratum, seats in _seats(strata, wanted).items():
        held_out.update(strata[stratum][:seats])
    result = Split(
        train=tuple(sample for sample in samples if character_id(sample) not in held_out),
        validation=tuple(sample for sample in samples if character_id(sample) in held_out),
    )
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


def write_split(result: Split, out: Path) -> dict[str, Any]:
    """Write ``train.json``, ``validation.json`` and ``dataset_stats.json`` into a folder; the statistics come back.

    Raises:
        DataError: a character is on both sides; nothing is written then.
    """
    check_disjoint(result.train, result.validation)
    stats = dataset_stats(result.train, result.validation)
    out.mkdir(parents=True, exist_ok=True)
    write_samples(out / "train.json", result.train)
    write_samples(out / "validation.json", result.validation)
    (out / "dataset_stats.json").write_text(json.dumps(stats, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return stats


def dataset_stats(train: Sequence[Sample], validation: Sequence[Sample]) -> dict[str, Any]:
    """Counts of both sides, and how much of validation's vocabulary training has seen."""
    known = {keyword for sample in train for keyword in sample.keywords}
    asked = [keyword for sample in validation for keyword in sample.keywords]
    return {
        "train": _side(train),
        "validation": _side(validation),
        "characters_on_both_sides": len(set(_by_character(train)) & set(_by_character(validation))),
        "validation_keywords_seen_in_training": _share(sum(keyword in known for keyword in asked), len(asked)),
    }


def character_id(sample: Sample) -> CharacterId:
    """What makes two samples belong to one character: name and profile, whatever the order of its fields."""
    return json.dumps([sample.character_name, sample.character_profile], ensure_ascii=False, sort_keys=True)


def _by_character(samples: Sequence[Sample]) -> dict[CharacterId, list[Sample]]:
    characters: dict[CharacterId, list[Sample]] = {}
    for sample in samples:
        characters.setdefault(character_id(sample), []).append(sample)
    return characters


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


def _strata(characters: Mapping[CharacterId, Sequence[Sample]], seed: int) -> dict[Stratum, list[CharacterId]]:
    """The characters of each stratum, those first that go to validation first."""
    origins = {character: (of_one[0].language, _collection(of_one[0])) for character, of_one in characters.items()}
    sizes = Counter(origins.values())
    strata: dict[Stratum, list[CharacterId]] = {}
    for character in sorted(characters, key=lambda name: _rank(name, seed)):
        language, collection = origins[character]
        # Characters that have a file each are one collection: a stratum of one cannot be divided.
        collection = collection if sizes[language, collection] > 1 else ""
        dimensions = "+".join(sorted({sample.dimension for sample in characters[character]}))
        strata.setdefault((language, collection, dimensions), []).append(character)
    return strata


def _collection(sample: Sample) -> str:
    return str(sample.metadata.get("source", ""))


def _seats(strata: Mapping[Stratum, Sequence[CharacterId]], wanted: int) -> dict[Stratum, int]:
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


def _rank(character: CharacterId, seed: int) -> str:
    return hashlib.sha256(f"{seed}:{character}".encode("utf-8", "surrogatepass")).hexdigest()


def _side(samples: Sequence[Sample]) -> dict[str, Any]:
    return {
        "samples": len(samples),
        "characters": len(_by_character(samples)),
        "dimension": _count(sample.dimension for sample in samples),
        "language": _count(sample.language for sample in samples),
        "question_type": _count(sample.question_type for sample in samples),
        "difficulty": _count(sample.difficulty for sample in samples),
        "validation_method": _count(sample.validation_method for sample in samples),
        "source": _count(_collection(sample) for sample in samples),
    }


def _count(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def split_file(samples: Path, section: SplitConfig, seed: int, out: Path) -> dict[str, Any]:
    """The split stage: read samples, split them by character, write both sides into ``out``.

    Raises:
        DataError: the file cannot be read, or has too few characters for two sides.
    """
    number = section.validation_characters
    share = section.validation_share if number is None else None
    result = split(read_samples(samples), validation_share=share, validation_characters=number, seed=seed)
    return write_split(result, out)
