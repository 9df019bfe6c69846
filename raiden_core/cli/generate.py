"""``raiden generate``: questions and answers about characters, as one file and as a training split.

The options are those of the OpenR1 guide, which people know; hyphens and underscores are the same. The teacher is the
offline one unless a configuration names a server (``teacher.kind: llm``); options go before the configuration.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from raiden_core.cli.options import config_options, progress_bar, read_config, samples_of, tell

if TYPE_CHECKING:
    from raiden_core.config import Config
    from raiden_core.config.sections.data import CharactersConfig

GUIDE = {"samples_per_character": 8, "include_cm": False, "cm_share": 0.25}
"""What is generated where neither a configuration nor an option says so."""
STATS_FILE = "generation_stats.json"


@click.command("generate")
@click.option(
    "--profiles-file", "profiles", multiple=True, help="Characters: file, folder or glob; default: raiden's own."
)
@click.option("--language", help="Only characters of this language: zh, en, ja or ko.")
@click.option(
    "--auto-detect", is_flag=True, help="Take every character in its own language (the default without --language)."
)
@click.option(
    "--num-samples-per-profile",
    type=click.IntRange(1),
    help="Samples per character; default: the configuration's, or 8.",
)
@click.option("--include-cm", is_flag=True, help="Write conversation-memory samples as well.")
@click.option("--max-profiles", type=click.IntRange(1), help="Use only this many characters, from the first.")
@click.option(
    "--output-file",
    default="data/generated_samples.json",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Where all samples go; the split goes into training/ beside it.",
)
@click.option(
    "--validation-share", type=click.FloatRange(0, 1, True, True), help="Default: the configuration's, or 0.1."
)
@click.option("--seed", type=int, help="Default: the configuration's, or 7.")
@config_options
def generate(
    profiles: tuple[str, ...],
    language: str | None,
    auto_detect: bool,
    num_samples_per_profile: int | None,
    include_cm: bool,
    max_profiles: int | None,
    output_file: Path,
    validation_share: float | None,
    seed: int | None,
    config: Path | None,
    overrides: tuple[str, ...],
) -> None:
    """Write verifiable samples about characters, with the offline teacher or the one that a configuration names.

    Beside OUTPUT_FILE, training/train.json and training/validation.json hold the same samples split by character, and
    generation_stats.json says what was dropped and why. An interrupted run continues where it stopped: the replies of
    a teacher behind a server are kept in the configuration's output_dir.
    """
    from raiden_core.dataset.split import split_file
    from raiden_core.errors import DataError, UsageError
    from raiden_core.generation.settings import GenerateSettings
    from raiden_core.generation.stage import generate_file

    if language and auto_detect:
        raise UsageError("--language and --auto-detect exclude each other; keep one")
    if output_file.suffix not in (".json", ".jsonl", ".parquet"):
        # Before anything is paid for.
        raise DataError(f"{output_file}: unknown kind of file; use .json, .jsonl or .parquet")
    settings = _settings(config, overrides, num_samples_per_profile, include_cm, seed)
    settings = settings.model_copy(update={"characters": _characters(settings.characters, profiles, language)})
    tell(f"teacher: {_teacher(settings)}")
    if settings.runner.kind != "none":
        tell("runner: shards are for `raiden run`; this command works in one process")
    with progress_bar("generate") as progress:
        generated = generate_file(
            GenerateSettings.of(settings), output_file, progress, tell, language=language, at_most=max_profiles
        )
    stats = output_file.with_name(STATS_FILE)
    stats.write_text(json.dumps(generated.stats, ensure_ascii=False, indent=2) + "\n", "utf-8")
    used = generated.stats["characters"]["used"]
    click.echo(f"{output_file}: {samples_of(len(generated.samples), used)}")
    if generated.dropped:
        most = sorted(generated.dropped.items(), key=lambda item: -item[1])
        tell("dropped: " + ", ".join(f"{count} {reason}" for reason, count in most))
    if used < 2:
        click.echo("one character only: nothing to split")
        return
    given = {} if validation_share is None else {"validation_share": validation_share, "validation_characters": None}
    folder = output_file.parent / "training"
    parts = split_file(
        output_file, settings.split.model_copy(update=given), settings.seed, folder, generation=generated.stats
    )
    sizes = ", ".join(f"{side}.json {parts[side]['samples']}" for side in ("train", "validation"))
    click.echo(f"{folder}: {sizes}")


def _characters(section: CharactersConfig, profiles: tuple[str, ...], language: str | None) -> CharactersConfig:
    """Whom to write about: the files of the option alone, else those of the configuration, else raiden's own."""
    from raiden_core.config.sections.data import ComposedConfig

    if profiles:
        return section.model_copy(update={"paths": profiles, "composed": ComposedConfig()})
    if section.paths or section.composed.count:
        return section
    return section.model_copy(update={"paths": (f"shipped:{language}" if language else "shipped",)})


def _settings(
    path: Path | None, overrides: tuple[str, ...], samples: int | None, include_cm: bool, seed: int | None
) -> Config:
    """The configuration with the options in it."""
    settings = read_config(path, overrides)
    given: dict[str, Any] = {"samples_per_character": samples, "include_cm": include_cm or None}
    guide = {} if path else {key: value for key, value in GUIDE.items() if key not in _named(overrides)}
    generation = settings.generation.model_copy(
        update=guide | {key: value for key, value in given.items() if value is not None}
    )
    return settings.model_copy(update={"generation": generation, "seed": settings.seed if seed is None else seed})


def _named(overrides: tuple[str, ...]) -> set[str]:
    """The settings of generation that ``--set`` names."""
    keys = (override.partition("=")[0].strip() for override in overrides)
    return {key.removeprefix("generation.") for key in keys if key.startswith("generation.")}


def _teacher(settings: Config) -> str:
    if settings.teacher.kind == "offline":
        return "offline rules (no server; it knows facts written as `key: value`)"
    answerer = settings.teacher.endpoints[settings.teacher.answerer]
    return f"{answerer.model} at {answerer.url}"
