"""``raiden audit DATA``: how much of a data set can be won without playing the character."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from raiden_core.cli.options import config_options, progress_bar, read_config, tell

if TYPE_CHECKING:
    from raiden_core.dataset.audit import Audit


@click.command("audit")
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--bound", "bounds", multiple=True, metavar="POLICY=SHARE", help="The share that a policy may win; repeatable."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@config_options
def audit(data: Path, bounds: tuple[str, ...], as_json: bool, config: Path | None, overrides: tuple[str, ...]) -> None:
    """Let policies that do not play the character answer every sample of DATA (.json, .jsonl, .parquet).

    Prints what each policy wins, and what to add to validators against it; exit code 1 if one wins more than its bound.
    Samples are scored as they are in the file; training adds an aside where there is none.
    """
    from raiden_core.dataset.audit import audit_samples, bounds_of
    from raiden_core.rewards.configured import data_scorer
    from raiden_core.samples import read_samples

    wanted = bounds_of(bounds)
    scorer = data_scorer(read_config(config, overrides))
    samples = read_samples(data)
    with progress_bar("audit") as progress:
        found = audit_samples(samples, scorer, wanted, progress)
    if as_json:
        click.echo(json.dumps(found.as_json()))
    else:
        _print(found)
    if found.left_out:
        tell(f"{data}: {found.left_out} samples left out: no keywords, or the reference fails")
    above = found.above()
    if above:
        tell(f"{data}: above the bound: {', '.join(above)}")
        click.get_current_context().exit(1)


def _print(found: Audit) -> None:
    from rich.console import Console
    from rich.text import Text

    from raiden_core.dataset.audit_table import audit_table, proposal_lines

    console = Console(highlight=False)
    console.print(audit_table(found))
    for line in proposal_lines(found):
        console.print(Text(line), soft_wrap=True)
