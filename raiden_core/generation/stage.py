"""The generate stage: from the configuration's characters to files of samples.

It leaves ``samples.jsonl`` (to be split), ``evaluation_only/<row>.jsonl`` for characters that are only ever evaluated,
and ``skipped.jsonl``: who was left out, and why.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from raiden_core.characters import Character, read_characters
from raiden_core.characters.compose import compose
from raiden_core.characters.sources import find_sources
from raiden_core.config import Config
from raiden_core.config.sections.data import CharactersConfig
from raiden_core.errors import ConfigError, DataError
from raiden_core.generation.made import Generated, Skipped, statistics
from raiden_core.generation.mining.session import Group, mine_groups, training_group
from raiden_core.generation.offline.generate import generate
from raiden_core.generation.offline.teacher import OfflineTeacher
from raiden_core.generation.quality.dedup import counts, drop_overlaps, evaluation_digests, read_evaluation
from raiden_core.rewards.configured import configured_scorer
from raiden_core.samples import write_samples
from raiden_core.stages.digests import digest_bytes, digest_path
from raiden_core.stages.progress import Progress

SAMPLES_FILE = "samples.jsonl"
EVALUATION_ONLY = "evaluation_only"
SKIPPED_FILE = "skipped.jsonl"


def character_files(characters: CharactersConfig, seeded: bool = False) -> dict[str, str]:
    """The files of characters: for each group of paths one digest over the names and contents of its files.

    Args:
        characters: the paths.
        seeded: whether there are characters in files of seeds too.

    Raises:
        ConfigError: nobody is asked for, or a row's name cannot be a file's.
        DataError: a path does not exist.
    """
    if not characters.paths and not characters.composed.count and not seeded:
        raise ConfigError("characters: nobody to train on; give characters.paths or characters.composed.count")
    groups = {"characters": characters.paths}
    for row, paths in characters.evaluation_only.items():
        if not re.fullmatch(r"[\w .-]+", row) or row.startswith("."):
            raise ConfigError(f"characters.evaluation_only: {row!r} cannot be a row's name; use letters and hyphens")
        groups[f"{EVALUATION_ONLY} {row}"] = paths
    return {name: _digest(paths) for name, paths in groups.items() if paths}


def stage_inputs(config: Config) -> dict[str, str]:
    """All that the stage reads, by content: characters, seeds of the teacher's, and evaluation files to keep out.

    Raises:
        ConfigError: as `character_files`.
        DataError: a file does not exist.
    """
    seeds = config.teacher.seeds if config.teacher.kind == "llm" else ()
    return {
        **character_files(config.characters, seeded=bool(seeds)),
        **{f"seeds {path}": digest_path(Path(path)) for path in seeds},
        **evaluation_digests(config.generation.decontaminate),
    }


def generate_stage(config: Config, out: Path, progress: Progress) -> Mapping[str, Any]:
    """Write the samples of all characters that the configuration names into ``out``.

    Raises:
        DataError: a path does not exist, or no character has a fact that can be asked about.
        StageError: the teacher's server is gone; what it said is kept, and a rerun goes on from there.
    """
    wanted = config.characters
    groups, refused = read_groups(config)
    generated, *evaluated = make_samples(config, groups, progress)
    if not generated.samples:
        first = next(iter([*refused, *map(str, generated.skipped)]), "no character was read")
        raise DataError(f"characters: no sample could be made; the first reason: {first}")
    write_samples(out / SAMPLES_FILE, generated.samples)
    skipped = list(generated.skipped)
    stats = {**generated.stats, "refused": refused, EVALUATION_ONLY: {}}
    for (row, paths), made in zip(wanted.evaluation_only.items(), evaluated, strict=True):
        if not made.samples:
            raise DataError(f"characters.evaluation_only.{row}: no sample could be made of {', '.join(paths)}")
        (out / EVALUATION_ONLY).mkdir(exist_ok=True)
        write_samples(out / EVALUATION_ONLY / f"{row}.jsonl", made.samples)
        skipped += made.skipped
        stats[EVALUATION_ONLY][row] = made.stats
    _write_skipped(out / SKIPPED_FILE, skipped)
    stats["skipped"] = [str(one) for one in skipped]
    return stats


def read_groups(config: Config) -> tuple[list[Group], list[str]]:
    """All characters that the configuration names, those to train on first; and what could not be read.

    Raises:
        DataError: a path does not exist; a file of seeds is none.
    """
    wanted, limit = config.characters, config.generation.samples_per_character
    characters, refused = _read(wanted.paths)
    composed = wanted.composed
    if composed.count:
        characters += compose(composed.count, language=composed.language, facts=composed.facts, seed=config.seed)
    groups = [training_group(config, characters)]
    for paths in wanted.evaluation_only.values():
        others, refused_here = _read(paths)
        refused += refused_here
        groups.append(Group(others, config.generation.evaluation_only_samples or limit, trained_on=False))
    return groups, refused


def make_samples(config: Config, groups: Sequence[Group], progress: Progress) -> list[Generated]:
    """The samples of groups of characters, by the teacher that the configuration names.

    Raises:
        RaidenError: as `raiden_core.generation.mining.session.mine_groups`.
    """
    if config.teacher.kind == "llm":
        return mine_groups(config, groups, progress)
    return [_by_rule(config, group, progress) for group in groups]


def _by_rule(config: Config, group: Group, progress: Progress) -> Generated:
    generation = config.generation
    generated = generate(
        group.characters,
        teacher=OfflineTeacher(config.seed),
        samples_per_character=group.limit,
        include_cm=generation.include_cm,
        cm_share=generation.cm_share,
        seed=config.seed,
        scorer=configured_scorer(config),
        progress=progress,
    )
    if not (generation.decontaminate and group.trained_on):
        return generated
    evaluation = [item for path in generation.decontaminate for item in read_evaluation(Path(path))]
    kept, overlaps = drop_overlaps(generated.samples, evaluation, similarity=generation.max_similarity)
    dropped = {**generated.dropped, **counts(overlaps)}
    characters = generated.stats["characters"]
    stats = statistics(kept, characters["read"], characters["skipped"], dropped, generated.stats["teacher"])
    return replace(generated, samples=tuple(kept), dropped=dropped, stats=stats)


def _read(paths: Sequence[str]) -> tuple[list[Character], list[str]]:
    if not paths:
        return [], []
    result = read_characters(paths)
    return list(result.characters), [str(refusal) for refusal in result.refused]


def _digest(paths: Sequence[str]) -> str:
    lines = []
    for source in find_sources(paths):
        if source.path is None:
            raise ConfigError("characters.paths: '-' (standard input) cannot be read twice; save it as a file")
        lines.append(f"{source.name} {digest_path(source.path)}")
    return digest_bytes("\n".join(lines).encode("utf-8", "surrogateescape"))


def _write_skipped(path: Path, skipped: Sequence[Skipped]) -> None:
    rows = ({"name": one.name, "source": one.source, "row": one.row, "reason": one.reason} for one in skipped)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
