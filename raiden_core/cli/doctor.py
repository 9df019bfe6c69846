"""``raiden doctor CONFIG``: whether everything a configuration needs is there; ✗ says what to do."""

from __future__ import annotations

import json
from pathlib import Path

import click

from raiden_core.cli.options import progress_bar


@click.command("doctor")
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="Training samples; default: those of the newest run.")
@click.option("--accelerate", type=click.Path(path_type=Path), help="The accelerate config that GRPO is launched with.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a setting.")
def doctor(config: Path, data: Path | None, accelerate: Path | None, as_json: bool, overrides: tuple[str, ...]) -> None:
    """Check everything that a run of CONFIG needs, and change nothing; exit code 1 if something must be corrected."""
    from raiden_core.doctor.examine import CHECKS, examine
    from raiden_core.doctor.subject import Subject
    from raiden_core.doctor.tables import as_object, check_table, summary
    from raiden_core.training.flat import read_any_config

    settings, files = read_any_config(config, overrides, accelerate)
    checks = []
    with progress_bar("doctor") as progress:
        for number, check in enumerate(examine(Subject(settings, data, files)), 1):
            checks.append(check)
            progress(number, len(CHECKS), check.name)
    if as_json:
        click.echo(json.dumps(as_object(checks)))
    else:
        from rich.console import Console

        console = Console(highlight=False)
        console.print(check_table(checks))
        console.print(summary(checks))
    if any(check.status == "bad" for check in checks):
        click.get_current_context().exit(1)
