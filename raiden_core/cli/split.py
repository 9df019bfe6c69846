"""``raiden split SAMPLES --out DIR``: train.json and validation.json, no character on both sides."""

from __future__ import annotations

from pathlib import Path

import click

from raiden_core.cli.options import config_options, read_config, samples_of, write_folder


@click.command("split")
@click.argument("samples", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the files; it must be new.")
@config_options
def split(samples: Path, out: Path, config: Path | None, overrides: tuple[str, ...]) -> None:
    """Split SAMPLES (.json, .jsonl, .parquet) by character into train.json and validation.json."""
    from raiden_core.dataset.split import split_file

    settings = read_config(config, overrides)
    stats = write_folder(out, lambda folder: split_file(samples, settings.split, settings.seed, folder))
    for side in ("train", "validation"):
        click.echo(f"{side}: {samples_of(stats[side]['samples'], stats[side]['characters'])}")
    click.echo(f"{out}")
