"""``raiden export --to trl|verl|openr1 DIR``: a dataset on which another trainer trains with raiden's rewards alone."""

from __future__ import annotations

from pathlib import Path

import click

from raiden_core.commands.options import config_options, read_config, write_folder


@click.command("export")
@click.argument("out", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--to", type=click.Choice(["trl", "verl", "openr1"]), required=True, help="The trainer.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default="data/training",
    show_default=True,
    help="Folder with train.json and validation.json, or one file of samples.",
)
@config_options
def export(out: Path, to: str, data: Path, config: Path | None, overrides: tuple[str, ...]) -> None:
    """Write the samples of a split into DIR, which must be new."""
    from raiden_core.export import export as write

    settings = read_config(config, overrides)
    train = data / "train.json" if data.is_dir() else data
    validation = data / "validation.json" if data.is_dir() else None
    if validation is not None and not validation.is_file():
        validation = None
    counts = write_folder(out, lambda folder: write(to, train, validation, settings, folder, out.absolute()))
    for split in ("train", "test"):
        if split in counts:
            left_out = counts[f"{split}_left_out"]
            note = f", {left_out} left out because their reference fails" if left_out else ""
            click.echo(f"{split}: {counts[split]} samples{note}")
    click.echo(f"{out}")
    if to == "trl":
        click.echo(
            f"trl grpo --dataset_name {out} --reward_funcs raiden_core.rewards.accuracy_reward "
            f"raiden_core.rewards.format_reward --reward_weights {settings.accuracy.weight} {settings.format.weight} …"
        )
