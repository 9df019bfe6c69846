"""``raiden cold-start`` and ``raiden train``: the two training stages with explicit paths."""

from __future__ import annotations

from pathlib import Path

import click

from raiden_core.cli.options import config_options, progress_bar, read_config, write_folder
from raiden_core.stages.layout import MODEL, VALIDATION_FILE


@click.command("cold-start")
@click.option("--data", type=click.Path(path_type=Path), required=True, help="train.json")
@click.option("--model", help="The student: nano, a folder, a Hub id or a .gguf file; default: the configuration's.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the model; it must be new.")
@config_options
def cold_start(data: Path, model: str | None, out: Path, config: Path | None, overrides: tuple[str, ...]) -> None:
    """Fine-tune a student on the reasoning and answers of DATA; the model ends up in OUT/model."""
    from raiden_core.training.cold_start import cold_start_stage
    from raiden_core.training.settings import ColdStartSettings
    from raiden_core.training.stage import student_input

    chosen = (f"student.model={model}",) if model else ()
    whole = read_config(config, (*overrides, *chosen))
    settings = ColdStartSettings.of(whole)
    inputs = {"student": student_input(whole.student), "train": data.absolute()}
    with progress_bar("cold start") as progress:
        write_folder(
            out,
            lambda folder: cold_start_stage(settings, inputs, folder.absolute(), progress),
            resumable=True,
        )
    click.echo(f"{out / MODEL}")


@click.command("train")
@click.option("--model", required=True, help="The policy to start from: a folder, a Hub id or a .gguf file.")
@click.option("--data", type=click.Path(path_type=Path), required=True, help="train.json")
@click.option("--eval-data", type=click.Path(path_type=Path), help="validation.json; default: beside DATA.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the model; it must be new.")
@config_options
def train(
    model: str, data: Path, eval_data: Path | None, out: Path, config: Path | None, overrides: tuple[str, ...]
) -> None:
    """Train MODEL with GRPO on DATA; the model ends up in OUT/model."""
    from raiden_core.config.sections.training import StudentConfig
    from raiden_core.training.grpo import train_stage
    from raiden_core.training.settings import TrainSettings
    from raiden_core.training.stage import student_input

    settings = TrainSettings.of(read_config(config, overrides))
    inputs = {
        "base": student_input(StudentConfig(model=model)),
        "train": data.absolute(),
        "validation": (eval_data or data.with_name(VALIDATION_FILE)).absolute(),
    }
    with progress_bar("train") as progress:
        write_folder(
            out,
            lambda folder: train_stage(settings, inputs, folder.absolute(), progress),
            resumable=True,
        )
    click.echo(f"{out / MODEL}")
