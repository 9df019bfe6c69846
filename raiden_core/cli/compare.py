"""``raiden compare RUN…``: evaluated runs side by side, in the terminal, as a page, as CSV or as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from raiden_core.cli.options import tell

if TYPE_CHECKING:
    from raiden_core.evaluation.compared import RunComparison


@click.command("compare")
@click.argument("runs", nargs=-1, required=True, metavar="RUN…")
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), help="Also write a page that needs no network."
)
@click.option("--csv", "table", type=click.Path(path_type=Path, dir_okay=False), help="Also write the numbers as CSV.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
def compare(runs: tuple[str, ...], html: Path | None, table: Path | None, as_json: bool) -> None:
    """Show evaluated runs side by side, and how each differs from the first.

    RUN is a run's folder, the folder of its evaluation, a results.json or a predictions.jsonl; LABEL=RUN names it.
    """
    from raiden_core.evaluation.compare import compare_runs, load_runs, without_evaluation
    from raiden_core.evaluation.compared import comparison_rows

    bare = [name for name in runs if without_evaluation(name)]
    if len(bare) == len(runs):
        bare = []  # nothing else to show: the first one's error says what to do
    for name in bare:
        tell(f"left out: {name}: this run was not evaluated")
    loaded = load_runs([name for name in runs if name not in bare])
    comparison = compare_runs(loaded)
    if html is not None:
        from raiden_core.report.comparison import write_page

        write_page(html, comparison, loaded)
    if table is not None:
        _write_csv(table, comparison_rows(comparison))
    if as_json:
        click.echo(json.dumps(comparison.as_json(), ensure_ascii=True))
    else:
        _print(comparison)
    for words in comparison.warnings:
        tell(f"warning: {words}")
    for path in (html, table):
        if path is not None:
            click.echo(f"{path}", err=as_json)


def _print(comparison: RunComparison) -> None:
    from rich.console import Console

    from raiden_core.evaluation.compare_tables import comparison_tables

    Console().print(comparison_tables(comparison))


def _write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    import csv

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
