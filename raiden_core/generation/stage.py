"""The generate stage: from the configuration's characters to files of samples.

It leaves ``samples.jsonl`` (to be split), ``evaluation_only/<row>.jsonl`` for characters that are only ever evaluated,
and ``skipped.jsonl``: who was left out, and why.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from raiden_core.characters import Character, read_characters
from raiden_core.characters.compose import compose
from raiden_core.characters.sources import find_sources
from raiden_core.config.sections.data import CharactersConfig
from raiden_core.dataset.twins import LOST_TWIN, without_widows
from raiden_core.errors import ConfigError, DataError
from raiden_core.generation.made import Generated, Skipped, statistics
from raiden_core.generation.mining.dropped import DROPPED_AT, in_words, lines_of
from raiden_core.generation.mining.session import Group, mine_groups, training_group
from raiden_core.generation.offline.generate import generate
from raiden_core.generation.offline.teacher import OfflineTeacher
from raiden_core.generation.quality.dedup import counts, drop_overlaps, evaluation_digests, read_evaluation
from raiden_core.generation.settings import GenerateSettings
from raiden_core.samples import write_samples
from raiden_core.stages.digests import digest_bytes, digest_path
from raiden_core.stages.layout import EVALUATION_ONLY, SAMPLES_FILE, SKIPPED_FILE
from raiden_core.stages.progress import Progress


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


def stage_inputs(settings: GenerateSettings) -> dict[str, str]:
    """All that the stage reads, by content: characters, seeds of the teacher's, and evaluation files to keep out.

    Raises:
        ConfigError: as `character_files`.
        DataError: a file does not exist.
    """
    seeds = settings.teacher.seeds
    return {
        **character_files(settings.characters, seeded=bool(seeds)),
        **{f"seeds {path}": digest_path(Path(path)) for path in seeds},
        **evaluation_digests(settings.generation.decontaminate),
    }


def generate_stage(settings: GenerateSettings, out: Path, progress: Progress) -> Mapping[str, Any]:
    """Write the samples of all characters that the settings name into ``out``.

    Raises:
        DataError: a path does not exist, or no character has a fact that can be asked about.
        StageError: the teacher's server is gone; what it said is kept, and a rerun goes on from there.
    """
    groups, refused = read_groups(settings)
    generated, *evaluated = make_samples(settings, groups, progress)
    if not generated.samples:
        raise DataError(f"characters: no sample could be made; {_why_nothing(generated, refused)}")
    write_samples(out / SAMPLES_FILE, generated.samples)
    skipped = list(generated.skipped)
    stats = {**generated.stats, "refused": refused, EVALUATION_ONLY: {}}
    for (row, paths), made in zip(settings.characters.evaluation_only.items(), evaluated, strict=True):
        if not made.samples:
            where = f"characters.evaluation_only.{row}: no sample could be made of {', '.join(paths)}"
            raise DataError(f"{where}; {_why_nothing(made, [])}")
        (out / EVALUATION_ONLY).mkdir(exist_ok=True)
        write_samples(out / EVALUATION_ONLY / f"{row}.jsonl", made.samples)
        skipped += made.skipped
        stats[EVALUATION_ONLY][row] = made.stats
    _write_skipped(out / SKIPPED_FILE, skipped)
    stats["skipped"] = [str(one) for one in skipped]
    return stats


def generate_file(
    settings: GenerateSettings,
    file: Path,
    progress: Progress,
    tell: Callable[[str], None],
    *,
    language: str | None = None,
    at_most: int | None = None,
) -> Generated:
    """Write the samples of the characters to train on into one file, ``.json``, ``.jsonl`` or ``.parquet``.

    Args:
        settings: as for the stage; characters that are only evaluated are left out.
        file: its folder is made.
        progress: told about characters that are done.
        tell: told a line for each character or seed that is refused or skipped.
        language: take characters of this language only.
        at_most: take so many characters.

    Raises:
        DataError: a path does not exist, nobody speaks that language, or no character has a fact that can be asked about.
        StageError: as for `generate_stage`.
    """
    everybody, refused = _to_train_on(settings)
    for place in refused:
        tell(f"refused: {place}")
    characters = [one for one in everybody if not language or one.language == language][:at_most]
    named = ", ".join(settings.characters.paths) or "characters"
    if language and everybody and not characters:
        raise DataError(f"{named}: no character of language {language!r}; leave --language out to take all")
    generated = make_samples(settings, [training_group(settings, characters)], progress)[0]
    for place in generated.stats.get("seeds_refused", ()):
        tell(f"refused: {place}")
    for skipped in generated.skipped:
        tell(f"skipped: {skipped}")
    if not generated.samples:
        for line in lines_of(generated.stats.get(DROPPED_AT, {})):
            tell(line)
        raise DataError(f"{named}: no sample could be made; the lines above say why")
    file.parent.mkdir(parents=True, exist_ok=True)
    write_samples(file, generated.samples)
    return generated


def read_groups(settings: GenerateSettings) -> tuple[list[Group], list[str]]:
    """All characters that the settings name, those to train on first; and what could not be read.

    Raises:
        DataError: a path does not exist; a file of seeds is none.
    """
    generation = settings.generation
    characters, refused = _to_train_on(settings)
    groups = [training_group(settings, characters)]
    for paths in settings.characters.evaluation_only.values():
        others, refused_here = _read(paths)
        refused += refused_here
        limit = generation.evaluation_only_samples or generation.samples_per_character
        groups.append(Group(others, limit, trained_on=False))
    return groups, refused


def make_samples(settings: GenerateSettings, groups: Sequence[Group], progress: Progress) -> list[Generated]:
    """The samples of groups of characters, by the teacher that the settings name.

    Raises:
        RaidenError: as `raiden_core.generation.mining.session.mine_groups`.
    """
    if settings.teacher.kind == "llm":
        return mine_groups(settings, groups, progress)
    return [_by_rule(settings, group, progress) for group in groups]


def _why_nothing(generated: Generated, refused: Sequence[str]) -> str:
    """What the stages of the chain dropped; else the first reason why somebody was left out."""
    if table := generated.stats.get(DROPPED_AT):
        return in_words(table)
    first = next(iter([*refused, *map(str, generated.skipped)]), "no character was read")
    return f"the first reason: {first}"


def _to_train_on(settings: GenerateSettings) -> tuple[list[Character], list[str]]:
    """The characters to train on, and what could not be read of them."""
    characters, refused = _read(settings.characters.paths)
    composed = settings.characters.composed
    if composed.count:
        characters += compose(composed.count, language=composed.language, facts=composed.facts, seed=settings.seed)
    return characters, refused


def _by_rule(settings: GenerateSettings, group: Group, progress: Progress) -> Generated:
    generation = settings.generation
    generated = generate(
        group.characters,
        teacher=OfflineTeacher(settings.seed),
        samples_per_character=group.limit,
        include_cm=generation.include_cm,
        cm_share=generation.cm_share,
        seed=settings.seed,
        scorer=settings.scorer,
        boundaries=generation.boundaries.share,
        progress=progress,
    )
    if not (generation.decontaminate and group.trained_on):
        return generated
    evaluation = [item for path in generation.decontaminate for item in read_evaluation(Path(path))]
    kept, overlaps = drop_overlaps(generated.samples, evaluation, similarity=generation.max_similarity)
    kept, lost = without_widows(kept)
    dropped = {**generated.dropped, **counts(overlaps), **({LOST_TWIN: len(lost)} if lost else {})}
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
