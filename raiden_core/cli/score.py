"""``raiden score FILE.jsonl``: VRAR of completions, one JSON object a line.

Each line holds a sample (only ``keywords`` or ``validator`` is needed) and its ``completion``. Lines are read, scored
and printed one by one, so a file may be larger than memory. A line that cannot be scored (broken, not UTF-8, nothing to
check an answer by, no ``completion``) gets zeros and its reason, and makes the exit code 1. A ``completion`` that is null
or no text is a bad answer to a good sample: it is scored, with 0.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from raiden_core.cli.options import ascii_option, json_line
from raiden_core.config import defaults
from raiden_core.errors import DataError

if TYPE_CHECKING:
    from raiden_core.rewards import Score, Scorer


@dataclass
class _Tally:
    """What ``--summary`` shows."""

    lines: int = 0
    unscorable: int = 0
    bad_references: int = 0
    accuracy: float = 0.0
    format: float = 0.0
    total: float = 0.0
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, score: Score) -> None:
        self.accuracy += score.accuracy
        self.format += score.format
        self.total += score.total
        self.reasons[score.why.partition(":")[0].partition(" than ")[0]] += 1


@click.command("score")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True))
@click.option("--accuracy-weight", type=click.FloatRange(min=0), default=defaults.ACCURACY_WEIGHT, show_default=True)
@click.option("--format-weight", type=click.FloatRange(min=0), default=defaults.FORMAT_WEIGHT, show_default=True)
@click.option(
    "--min-length-bound",
    type=click.IntRange(min=0),
    default=defaults.MIN_LENGTH_BOUND,
    show_default=True,
    help="Never too long.",
)
@click.option(
    "--length-ratio",
    type=click.FloatRange(min=0),
    default=defaults.LENGTH_RATIO,
    show_default=True,
    help="Times the reference.",
)
@click.option("--prefilled-think", is_flag=True, help="The chat template opens <think> itself.")
@click.option("--partial-credit", is_flag=True, help="The share of groups that are met, instead of all or nothing.")
@click.option("--summary", is_flag=True, help="Print a table instead of a line for each completion.")
@ascii_option
def score(
    file: Path,
    accuracy_weight: float,
    format_weight: float,
    min_length_bound: int,
    length_ratio: float,
    prefilled_think: bool,
    partial_credit: bool,
    summary: bool,
    ascii_only: bool,
) -> None:
    """Score the completions in FILE (JSON Lines; - is the standard input) by VRAR.

    Prints {"id", "accuracy", "format", "total", "matched", "why"} for each line that is not blank, in order.
    """
    from raiden_core.rewards import Scorer

    scorer = Scorer(
        accuracy_weight=accuracy_weight,
        format_weight=format_weight,
        min_length_bound=min_length_bound,
        length_ratio=length_ratio,
        prefilled_think=prefilled_think,
        partial_credit=partial_credit,
    )
    tally = _Tally()
    with click.open_file(str(file), "rb") as lines:
        for number, line in _numbered(lines):
            result = _score_line(scorer, line, f"{file}: line {number}", tally)
            if not summary:
                click.echo(json_line(result, ascii_only))
    if summary:
        _print(tally)
    if tally.unscorable:
        click.echo(f"{file}: {tally.unscorable} of {tally.lines} lines could not be scored", err=True)
        click.get_current_context().exit(1)


def _numbered(lines: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(lines, 1):
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if line.strip():
            yield number, line


def _score_line(scorer: Scorer, line: bytes, where: str, tally: _Tally) -> dict[str, Any]:
    from raiden_core.rewards import Score

    tally.lines += 1
    row: dict[str, Any] = {}
    try:
        row = _parse(line)
        _check(line, row)
        scored = scorer.score(row, row["completion"])
    except DataError as error:
        tally.unscorable += 1
        scored = Score(0.0, 0.0, 0.0, (), str(error), "")
        click.echo(f"{where}: {error}", err=True)
    else:
        problem = scorer.check(row) if row.get("answer") is not None else None
        if problem:
            tally.bad_references += 1
            click.echo(f"{where}: {problem}", err=True)
    tally.add(scored)
    return {
        "id": row.get("id"),
        "accuracy": scored.accuracy,
        "format": scored.format,
        "total": scored.total,
        "matched": list(scored.matched),
        "why": scored.why,
    }


def _parse(line: bytes) -> dict[str, Any]:
    """The row of a line; a byte that is no UTF-8 is replaced, so that the row keeps its id."""
    try:
        row = json.loads(line.decode(errors="replace"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        _check_encoding(line)
        raise DataError(f"broken JSON: {error}") from None
    if not isinstance(row, dict):
        raise DataError("not a JSON object")
    return row


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _check(line: bytes, row: dict[str, Any]) -> None:
    _check_encoding(line)
    if "completion" not in row:
        raise DataError("completion is missing: there is nothing to score")


def _check_encoding(line: bytes) -> None:
    try:
        line.decode()
    except UnicodeDecodeError as error:
        raise DataError(f"not UTF-8 at byte {error.start}; save the file as UTF-8") from None


def _print(tally: _Tally) -> None:
    from rich.console import Console
    from rich.table import Table

    count = max(tally.lines, 1)
    table = Table("measure", "value")
    table.add_row("completions", str(tally.lines))
    for name in ("accuracy", "format", "total"):
        table.add_row(f"mean {name}", f"{getattr(tally, name) / count:.4f}")
    table.add_row("not scorable", str(tally.unscorable))
    table.add_row("references that fail", str(tally.bad_references))
    for reason, times in tally.reasons.most_common(8):
        table.add_row(f"why: {reason}", str(times))
    Console().print(table)
