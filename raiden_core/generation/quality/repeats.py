"""Near-duplicates of a file too large to be held: found, and the rest written, on all cores.

    matches = drop_repeats(Path("samples.jsonl"), Path("kept.jsonl"))

Each part of the file is read once: its rows are written as they will stand in the result, and what samples are compared
by goes into bundles, so that all samples of a character are in one. Bundles are compared each on its own
(raiden_core/generation/quality/dedup.py says what counts as the same), and then the rows that repeat nothing are copied.
"""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Sequence
from pathlib import Path

from raiden_core.dataset.parts import Part, parts_of
from raiden_core.dataset.sides import key_of
from raiden_core.errors import DataError
from raiden_core.generation.quality.dedup import SIMILARITY, Entry, Match, repeats_of
from raiden_core.processes.workers import Workers
from raiden_core.samples import character_id, json_row

BUNDLES = 16
"""Each process holds one bundle's texts at a time."""


def drop_repeats(source: Path, kept: Path, *, similarity: float = SIMILARITY) -> list[Match]:
    """Write the samples of a file without those that repeat an earlier one of the same character.

    Args:
        source: ``.jsonl``, ``.json`` or ``.parquet``; only a ``.jsonl`` file is read by several processes.
        kept: the ``.jsonl`` file to write; the rows lie beside it while they are compared.
        similarity: the Jaccard similarity from which two texts are the same.

    Returns:
        What was left out, by position.

    Raises:
        DataError: the file or one of its rows cannot be read.
    """
    if kept.suffix != ".jsonl":
        raise DataError(f"{kept}: samples without repeats are written as .jsonl; give it that suffix")
    parts = parts_of(source)
    bundles = BUNDLES if len(parts) > 1 else 1
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".repeats-") as name, Workers() as workers:
        folder = Path(name)
        counts = workers.map(_read_part, [(part, folder, number, bundles) for number, part in enumerate(parts)])
        starts = [sum(counts[:number]) for number in range(len(parts))]
        found = workers.map(_compare_bundle, [(folder, bundle, starts, similarity) for bundle in range(bundles)])
        matches = sorted(match for some in found for match in some)
        repeats = {match.position for match in matches}
        with kept.open("wb") as file:
            position = 0
            for number in range(len(parts)):
                rows = folder / f"{number}.jsonl"
                with rows.open("rb") as lines:
                    for line in lines:
                        if position not in repeats:
                            file.write(line)
                        position += 1
                rows.unlink()
    return matches


def _read_part(part: Part, folder: Path, number: int, count: int) -> int:
    """Write a part's rows and its share of each bundle; how many samples it has."""
    bundles: list[dict[bytes, list[Entry]]] = [{} for _ in range(count)]
    position = 0
    with (folder / f"{number}.jsonl").open("w", encoding="utf-8") as rows:
        for position, sample in enumerate(part.samples(), 1):
            rows.write(json_row(sample) + "\n")
            key = key_of(character_id(sample))
            bundles[key[0] % count].setdefault(key, []).append(Entry.of(position - 1, sample))
    for bundle, characters in enumerate(bundles):
        with (folder / f"{number}-{bundle}.pickle").open("wb") as file:
            pickle.dump(characters, file, pickle.HIGHEST_PROTOCOL)
    return position


def _compare_bundle(folder: Path, bundle: int, starts: Sequence[int], similarity: float) -> list[Match]:
    """The repeats among a bundle's characters."""
    characters: dict[bytes, list[Entry]] = {}
    for number, start in enumerate(starts):
        with (folder / f"{number}-{bundle}.pickle").open("rb") as file:
            for key, entries in pickle.load(file).items():
                moved = [Entry(start + one.position, one.text, one.keywords) for one in entries]
                characters.setdefault(key, []).extend(moved)
    return [match for entries in characters.values() for match in repeats_of(entries, similarity)]
