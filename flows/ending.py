"""What a run leaves on the terminal: its stages, the result with what limits it, and what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raiden_core.evaluation.results import Results, parse_results
from raiden_core.evaluation.tables import result_tables
from raiden_core.stages.layout import MODEL, RESULTS_FILE, TRAIN, TRAINED
from raiden_core.text.formatting import percent

if TYPE_CHECKING:
    from rich.console import Console

    from raiden_core.config import Config

NEAR_ZERO = 0.05
"""Up to this share of right answers a set's row says nothing but that the model cannot do it."""
READ_BYTES = 1 << 20
"""Files of characters up to this size are read for the name of somebody to talk to."""


def show_ending(console: Console, config: Config, config_file: Path, record: Mapping[str, Any], seconds: float) -> None:
    """Print how a run ended.

    Args:
        console: where to.
        config: the run's configuration.
        config_file: where it came from, for the commands.
        record: the run's record (flows/record.py).
        seconds: how long the run took.
    """
    from rich.text import Text

    _show_stages(console, record, seconds)
    if record["results"]:
        results = parse_results(record["results"], RESULTS_FILE)
        console.print(result_tables(results))
        for line in reasons(config, results):
            console.print(Text(line, style="dim"))
    if record["report"]:
        console.print(f"report: {record['report']}", highlight=False, soft_wrap=True, markup=False)
        console.print("\nnext:")
        for what, command in next_commands(config, config_file, record):
            console.print(f"  {what:<26}{command}", highlight=False, soft_wrap=True, markup=False)


def reasons(config: Config, results: Results) -> list[str]:
    """Why the rows of characters that were evaluated only are as low as they are."""
    lines = []
    for name, part in results.extra.items():
        cells = part.models.get(TRAINED)
        if cells is None or cells.all.lenient is None:
            continue
        share = f"{name}: {percent(cells.all.lenient)}% right"
        if cells.all.lenient > NEAR_ZERO:
            lines.append(f"{share}; training saw neither these characters nor any of their kind.")
        elif config.student.is_nano:
            lines.append(
                f"{share}, as is to be expected: the nano student can only look up short values that it met in "
                "training, and these characters have others. This row is meant for a pretrained student.model."
            )
        else:
            lines.append(f"{share}: training saw no characters of this kind; add some to characters.paths.")
    return lines


def next_commands(config: Config, config_file: Path, record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What to do with a finished run: (what, command) to look at it, to talk to its model, to go on."""
    run = _shown(Path(record["run"]))
    model = _shown(Path(record["stages"][TRAIN]["folder"]) / MODEL)
    own = (
        ("take the model with you", f"raiden export DIR --to hub --run {run}")
        if config.characters.paths
        else ("use your own characters", f"raiden run {_shown(config_file)} --set characters.paths='[\"my.jsonl\"]'")
    )
    return [
        ("open the report", f"raiden open {run}"),
        ("talk to a character", f"raiden chat --model {model} --character {_somebody(config)}"),
        own,
    ]


def _somebody(config: Config) -> str:
    """Whom `raiden chat` can be asked for: somebody of the run's own files, else a shipped character of its language."""
    from raiden_core.characters import read_characters

    for path in config.characters.paths:
        file = Path(path)
        if not file.is_file() or file.stat().st_size > READ_BYTES:
            return shlex.quote(str(path))
        names = [one.name for one in read_characters([path]).characters if one.name]
        return shlex.quote(str(path)) + (f" --name {shlex.quote(names[0])}" if len(names) > 1 else "")
    shipped = read_characters([f"shipped:{config.characters.composed.language}"]).characters
    return shlex.quote(next(one.name for one in shipped if one.name))


def _shown(path: Path) -> str:
    """A path as one would type it here."""
    absolute = path.absolute()
    return shlex.quote(str(absolute.relative_to(Path.cwd()) if absolute.is_relative_to(Path.cwd()) else absolute))


def _show_stages(console: Console, record: Mapping[str, Any], seconds: float) -> None:
    from rich.table import Table

    table = Table("stage", "", "seconds", "folder", box=None, header_style="dim")
    for name, stage in record["stages"].items():
        took = f"{stage['seconds']:.1f}"
        table.add_row(name, "cached" if stage["cached"] else "done", took, Path(stage["folder"]).name)
    console.print(table)
    console.print(f"run: {record['run']}  ({seconds:.0f} s)", highlight=False, soft_wrap=True, markup=False)
