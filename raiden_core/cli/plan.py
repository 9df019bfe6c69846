"""``raiden plan CONFIG``: memory, fit, steps and time of the training stages, before anything is loaded."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command("plan")
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--gpus", metavar="8xH200", help="GPUs to plan for; default: those of this machine.")
@click.option("--data", type=click.Path(path_type=Path), help="Samples whose number and lengths to plan with.")
@click.option("--accelerate", type=click.Path(path_type=Path), help="The accelerate config that GRPO is launched with.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object; sizes in bytes, times in seconds.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a setting.")
def plan(
    config: Path,
    gpus: str | None,
    data: Path | None,
    accelerate: Path | None,
    as_json: bool,
    overrides: tuple[str, ...],
) -> None:
    """Say what training by CONFIG needs on each device, and whether it fits; exit code 1 if it does not."""
    from raiden_core.planning.plan import as_object, make_plan
    from raiden_core.training.flat import read_any_config

    settings, files = read_any_config(config, overrides, accelerate)
    if data is None and files and files.train and files.train.is_file():
        data = files.train
    made = make_plan(settings, gpus, data)
    if as_json:
        click.echo(json.dumps(as_object(made)))
    else:
        from rich.console import Console

        from raiden_core.planning.tables import plan_view

        Console(highlight=False).print(plan_view(made))
    if not made.fits:
        click.get_current_context().exit(1)
