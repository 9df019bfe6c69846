"""``raiden evaluate``: one or two models on a validation file, with intervals and controls."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from raiden_core.cli.options import busy, config_options, progress_bar, read_config, write_folder

if TYPE_CHECKING:
    from raiden_core.config import Config


@click.command("evaluate")
@click.option(
    "--model", required=True, metavar="DIR_OR_URL", help="A folder, a .gguf file, or http://HOST:PORT/v1#NAME."
)
@click.option("--base", metavar="DIR_OR_URL", help="The model to compare it with.")
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path),
    help="validation.json, or a folder with npc.json and dialogue.json.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the results; it must be new.")
@click.option("--train", type=click.Path(path_type=Path), help="Training data, searched for questions of DATA.")
@click.option("--samples", type=click.IntRange(min=1), metavar="K", help="Also sample K replies: pass@k, majority.")
@click.option(
    "--engine", type=click.Choice(["transformers", "vllm"]), help="What computes the answers of a local folder."
)
@click.option("--judge", metavar="URL#MODEL", help="A model that compares the replies of MODEL and BASE in pairs.")
@click.option("--drop-bad-gold", is_flag=True, help="Drop samples whose reference fails instead of refusing the file.")
@config_options
def evaluate(
    model: str,
    base: str | None,
    data: Path,
    out: Path,
    train: Path | None,
    samples: int | None,
    engine: str | None,
    judge: str | None,
    drop_bad_gold: bool,
    config: Path | None,
    overrides: tuple[str, ...],
) -> None:
    """Ask MODEL (and BASE) the questions of DATA and say how sure the result is."""
    from rich.console import Console

    with busy("loading"):
        from raiden_core.evaluation.results import read_results
        from raiden_core.evaluation.settings import EvaluateSettings
        from raiden_core.evaluation.stage import evaluate_files, headline
        from raiden_core.evaluation.tables import result_tables
    from raiden_core.stages.layout import RESULTS_FILE
    from raiden_core.text.plain import one_line

    ours = [*(["evaluation.drop_bad_gold=true"] if drop_bad_gold else [])]
    ours += [f"evaluation.samples={samples}"] if samples else []
    ours += [f"evaluation.engine={engine}"] if engine else []
    settings = _with_judge(read_config(config, (*overrides, *ours)), judge)
    models = {**({"base": _place(base)} if base else {}), "trained": _place(model)}
    with progress_bar("evaluate") as progress:
        write_folder(
            out,
            lambda folder: headline(
                evaluate_files(EvaluateSettings.of(settings), models, data, {}, folder, progress, train)
            ),
            resumable=True,
        )
    results = read_results(out / RESULTS_FILE)
    Console().print(result_tables(results))
    for note in results.notes:
        click.echo(f"note: {one_line(note)}")
    click.echo(f"{out / RESULTS_FILE}")


def _with_judge(settings: Config, judge: str | None) -> Config:
    """The settings with the judge at an address; how it is asked is the configured judge's, else the served model's."""
    if judge is None:
        return settings
    from raiden_core.models.served_model import endpoint_at

    evaluation = settings.evaluation
    endpoint = endpoint_at(judge, evaluation.judge or evaluation.served)
    return settings.model_copy(update={"evaluation": evaluation.model_copy(update={"judge": endpoint})})


def _place(model: str) -> Path | str:
    from raiden_core.models.places import model_folder
    from raiden_core.models.served_model import is_url

    return model if is_url(model) else model_folder(model)
