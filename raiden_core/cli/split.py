"""``raiden split SAMPLES --out DIR``: train.json and validation.json, no character on both sides."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from raiden_core.cli.options import config_options, read_config, samples_of, write_folder

if TYPE_CHECKING:
    from raiden_core.config import Config


@click.command("split")
@click.argument("samples", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the files; it must be new.")
@click.option("--drop-repeats", is_flag=True, help="First drop samples that nearly repeat one of the same character.")
@config_options
def split(samples: Path, out: Path, drop_repeats: bool, config: Path | None, overrides: tuple[str, ...]) -> None:
    """Split SAMPLES (.json, .jsonl, .parquet) by character into train.json and validation.json."""
    settings = read_config(config, overrides)
    stats = write_folder(out, lambda folder: _split(samples, folder, settings, drop_repeats))
    for side in ("train", "validation"):
        click.echo(f"{side}: {samples_of(stats[side]['samples'], stats[side]['characters'])}")
    click.echo(f"{out}")


def _split(samples: Path, folder: Path, settings: Config, without_repeats: bool) -> dict[str, Any]:
    from raiden_core.dataset.split import split_file

    if not without_repeats:
        return split_file(samples, settings.split, settings.seed, folder)
    from raiden_core.generation.quality.repeats import drop_repeats

    with tempfile.TemporaryDirectory(dir=folder, prefix=".kept-") as name:
        kept = Path(name) / "kept.jsonl"
        repeats = drop_repeats(samples, kept)
        click.echo(f"left out: {len(repeats):,} that repeat an earlier sample of the same character")
        return split_file(kept, settings.split, settings.seed, folder)
