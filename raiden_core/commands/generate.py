"""``raiden generate``: questions and answers about characters, as one file and as a training split.

The options are those of the OpenR1 guide, which people know; hyphens and underscores are the same.
"""

from __future__ import annotations

from pathlib import Path

import click

from raiden_core.commands.options import progress_bar


@click.command("generate")
@click.option(
    "--profiles-file", "profiles", multiple=True, help="Characters: file, folder or glob; default: raiden's own."
)
@click.option("--language", help="Only characters of this language: zh, en, ja or ko.")
@click.option(
    "--auto-detect", is_flag=True, help="Take every character in its own language (the default without --language)."
)
@click.option(
    "--num-samples-per-profile", default=8, show_default=True, type=click.IntRange(1), help="Samples a character."
)
@click.option("--include-cm", is_flag=True, help="Write conversation-memory samples as well.")
@click.option("--max-profiles", type=click.IntRange(1), help="Only the first so many characters.")
@click.option(
    "--output-file",
    default="data/generated_samples.json",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Where all samples go; the split lies beside it in training/.",
)
@click.option("--validation-share", default=0.1, show_default=True, type=click.FloatRange(0, 1, True, True))
@click.option("--seed", default=7, show_default=True, type=int)
def generate(
    profiles: tuple[str, ...],
    language: str | None,
    auto_detect: bool,
    num_samples_per_profile: int,
    include_cm: bool,
    max_profiles: int | None,
    output_file: Path,
    validation_share: float,
    seed: int,
) -> None:
    """Write verifiable samples about characters with the offline teacher.

    Beside OUTPUT_FILE, training/train.json and training/validation.json hold the same samples split by character.
    """
    from raiden_core.characters import read_characters
    from raiden_core.errors import DataError, UsageError
    from raiden_core.generation import generate as generate_samples
    from raiden_core.rewards import Scorer
    from raiden_core.samples import write_samples
    from raiden_core.splitting import split, write_split
    from raiden_core.teacher.offline import OfflineTeacher

    if language and auto_detect:
        raise UsageError("--language and --auto-detect exclude each other; keep one")
    paths = profiles or ((f"shipped:{language}" if language else "shipped"),)
    read = read_characters(paths)
    for refusal in read.refused:
        click.echo(f"refused: {refusal}", err=True)
    characters = [one for one in read.characters if not language or one.language == language][:max_profiles]
    if language and read.characters and not characters:
        raise DataError(f"{', '.join(paths)}: no character of language {language!r}; leave --language out to take all")
    click.echo("teacher: offline rules (no server; it knows facts written as `key: value`)", err=True)
    with progress_bar("generate") as progress:
        generated = generate_samples(
            characters,
            teacher=OfflineTeacher(seed),
            samples_per_character=num_samples_per_profile,
            include_cm=include_cm,
            cm_share=0.25,
            seed=seed,
            scorer=Scorer(),
            progress=progress,
        )
    for skipped in generated.skipped:
        click.echo(f"skipped: {skipped}", err=True)
    if not generated.samples:
        raise DataError(f"{', '.join(paths)}: no sample could be made; the lines above say why")
    output_file.parent.mkdir(parents=True, exist_ok=True)
    write_samples(output_file, generated.samples)
    click.echo(f"{output_file}: {len(generated.samples)} samples of {len(characters)} characters")
    if generated.stats["characters"]["used"] < 2:
        click.echo("one character only: nothing to split")
        return
    parts = split(generated.samples, validation_share=validation_share, validation_characters=None, seed=seed)
    folder = output_file.parent / "training"
    write_split(parts, folder)
    click.echo(f"{folder}: train.json {len(parts.train)}, validation.json {len(parts.validation)}")
