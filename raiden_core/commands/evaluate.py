"""``raiden evaluate``: one or two models on a validation file, with intervals and controls."""

from __future__ import annotations

import json
from pathlib import Path

import click

from raiden_core.commands.options import config_options, progress_bar, read_config, write_folder


@click.command("evaluate")
@click.option("--model", required=True, metavar="DIR_OR_URL", help="A folder, or http://HOST:PORT/v1#NAME.")
@click.option("--base", metavar="DIR_OR_URL", help="The model to compare it with.")
@click.option("--data", required=True, type=click.Path(path_type=Path), help="validation.json")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the results; it must be new.")
@click.option("--samples", type=click.IntRange(min=1), metavar="K", help="Also sample K replies: pass@k, majority.")
@click.option("--drop-bad-gold", is_flag=True, help="Drop samples whose reference fails instead of refusing the file.")
@config_options
def evaluate(
    model: str,
    base: str | None,
    data: Path,
    out: Path,
    samples: int | None,
    drop_bad_gold: bool,
    config: Path | None,
    overrides: tuple[str, ...],
) -> None:
    """Ask MODEL (and BASE) the questions of DATA and say how sure the result is."""
    from rich.console import Console

    from raiden_core.evaluation.stage import evaluate_files, headline
    from raiden_core.evaluation.tables import result_tables

    ours = [*(["evaluation.drop_bad_gold=true"] if drop_bad_gold else [])]
    ours += [f"evaluation.samples={samples}"] if samples else []
    settings = read_config(config, (*overrides, *ours))
    models = {**({"base": _place(base)} if base else {}), "trained": _place(model)}
    with progress_bar("evaluate") as progress:
        write_folder(
            out,
            lambda folder: headline(evaluate_files(settings, models, data, {}, folder, progress)),
            resumable=True,
        )
    Console().print(result_tables(json.loads((out / "results.json").read_text("utf-8"))))
    click.echo(f"{out / 'results.json'}")


def _place(model: str) -> Path | str:
    from raiden_core.evaluation.served_model import is_url

    return model if is_url(model) else Path(model)
