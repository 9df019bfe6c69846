"""``raiden runs``, ``raiden open RUN``, ``raiden clean``: what an output folder holds, and what of it can go."""

from __future__ import annotations

import json
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from raiden_core.cli.options import tell

if TYPE_CHECKING:
    from raiden_core.stages.leftovers import Leftover
    from raiden_core.stages.runs import RunRecord

OUTPUT_DIR = click.argument("output_dir", type=click.Path(path_type=Path), default=Path("runs"))


@click.command("runs")
@OUTPUT_DIR
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per run instead of a table.")
def runs(output_dir: Path, as_json: bool) -> None:
    """List the finished runs below OUTPUT_DIR (default: runs), the oldest first."""
    from rich.console import Console
    from rich.table import Table

    from raiden_core.errors import DataError
    from raiden_core.stages.runs import list_runs
    from raiden_core.text.plain import one_line

    table = Table("run", "until", "time", "strict, base to trained", "difference", box=None, pad_edge=False)
    found = 0
    for run in list_runs(output_dir):
        if isinstance(run, DataError):
            tell(f"left out: {run}")
            continue
        found += 1
        if as_json:
            click.echo(json.dumps(_as_json(run), ensure_ascii=True))
        else:
            last = next(reversed(list(run.stages)), "")
            table.add_row(one_line(run.folder.name), last, f"{run.seconds:,.0f} s", *_headline(run))
    if not as_json and found:
        Console().print(table)
        click.echo(f"folders: {output_dir / 'runs'}; see one with: raiden open {output_dir / 'runs'}/RUN")
    elif not as_json:
        click.echo(f"no finished run below {output_dir}")


@click.command("open")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--print", "only_print", is_flag=True, help="Print where the report is and open nothing.")
def open_run(run: Path, only_print: bool) -> None:
    """Open a run's report in the browser. RUN is its folder, as `raiden runs` lists them."""
    from raiden_core.errors import DataError
    from raiden_core.stages.runs import read_run

    page = read_run(run).report
    if page is None:
        raise DataError(f"{run}: this run has no report; run it until report first")
    if not page.is_file():
        raise DataError(f"{page}: is missing, although the run names it; run again")
    click.echo(page)
    if not only_print and not webbrowser.open(page.absolute().as_uri()):
        tell("no browser was found; open that file in one")


@click.command("clean")
@OUTPUT_DIR
@click.option("--delete", is_flag=True, help="Delete what is listed; without it, nothing is touched.")
@click.option("--unfinished", is_flag=True, help="Include unfinished work: checkpoints and replies of a teacher.")
def clean(output_dir: Path, delete: bool, unfinished: bool) -> None:
    """List the folders below OUTPUT_DIR (default: runs) that no finished run needs, and delete them with --delete.

    A stage that another process is at work on is left alone.
    """
    from rich.console import Console
    from rich.table import Column, Table

    from raiden_core.stages.leftovers import find_leftovers, remove

    leftovers = [one for one in find_leftovers(output_dir) if unfinished or not one.unfinished]
    if not leftovers:
        click.echo(f"nothing below {output_dir} can go")
        return
    name = Column("folder", no_wrap=True, min_width=max(len(one.folder.name) for one in leftovers))
    table = Table(
        name, Column("size", no_wrap=True), Column("last used", no_wrap=True), "what it is", box=None, pad_edge=False
    )
    for one in leftovers:
        table.add_row(one.folder.name, _size(one.size), f"{one.changed:%Y-%m-%d %H:%M}", one.what)
    Console().print(table)
    if unfinished:
        click.echo("a run with the same settings goes on from what is unfinished")
    total = _size(sum(one.size for one in leftovers))
    if not delete:
        click.echo(f"{len(leftovers)} folders, {total}; delete them with: raiden clean {output_dir} --delete")
        return
    gone = [one for one in leftovers if remove(one)]
    click.echo(f"deleted {len(gone)} folders, {_size(sum(one.size for one in gone))}")
    for one in _kept(leftovers, gone):
        tell(f"kept: {one.folder}: in use by another process")


def _kept(leftovers: list[Leftover], gone: list[Leftover]) -> list[Leftover]:
    return [one for one in leftovers if one not in gone]


def _as_json(run: RunRecord) -> dict[str, object]:
    return {
        "run": str(run.folder.absolute()),
        "stages": {stage: str(folder.absolute()) for stage, folder in run.stages.items()},
        "seconds": round(run.seconds, 2),
        "results": run.results,
        "report": str(run.report.absolute()) if run.report else None,
    }


def _headline(run: RunRecord) -> tuple[str, str]:
    """Strict accuracy of base and trained, and their difference; dashes where the run was not evaluated."""
    from raiden_core.text.formatting import DASH, percent, points

    results = run.results or {}
    try:
        base, trained = (results[model]["all"]["strict"] for model in ("base", "trained"))
        return f"{percent(base)} to {percent(trained)}", points(results["paired"]["delta"])
    except (KeyError, TypeError):
        return DASH, DASH


def _size(count: float) -> str:
    for unit in ("bytes", "KB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"
