"""``raiden score FILE.jsonl``: VRAR of completions, one JSON object a line.

Each line holds a sample (only ``keywords`` or ``validator`` is needed) and its ``completion``. Lines are read, scored
and printed one by one, so a file may be larger than memory. A line that cannot be scored (broken, not UTF-8, nothing to
check an answer by, no ``completion``) gets zeros and its reason, and makes the exit code 1. A ``completion`` that is null
or no text is a bad answer to a good sample: it is scored, with 0.

With ``--rewards CONFIG`` each line also holds what every reward and gate of that configuration says, and ``total`` is the
list's; lines are then scored in batches, because asynchronous rewards take them together.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import IO, TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from raiden_core.cli.options import ascii_option, json_line, tell
from raiden_core.config import defaults
from raiden_core.errors import DataError, UsageError

if TYPE_CHECKING:
    from raiden_core.rewards import Score, Scorer
    from raiden_core.rewards.listed.running import RewardRun

BATCH = 256
"""Lines that a list of rewards takes at a time."""


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
    rewards: dict[str, list[float | None]] = field(default_factory=dict)
    """By name, of a list."""

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
    help="Answers up to this length are never too long.",
)
@click.option(
    "--length-ratio",
    type=click.FloatRange(min=0),
    default=defaults.LENGTH_RATIO,
    show_default=True,
    help="Longer ones score 0 above so many times the reference.",
)
@click.option("--prefilled-think", is_flag=True, help="The chat template opens <think> itself.")
@click.option("--partial-credit", is_flag=True, help="Give the share of groups that are met, not all or nothing.")
@click.option("--rewards", "config", type=click.Path(path_type=Path), help="YAML configuration with a list of rewards.")
@click.option(
    "--replies", type=click.Path(path_type=Path), help="With --rewards: folder in which a judge's replies are kept."
)
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
    config: Path | None,
    replies: Path | None,
    summary: bool,
    ascii_only: bool,
) -> None:
    """Score the completions in FILE (JSON Lines; - is the standard input) by VRAR.

    Prints {"id", "accuracy", "format", "total", "matched", "why"} for each line that is not blank, in order.
    """
    from raiden_core.rewards import Scorer

    tally = _Tally()
    if config is not None:
        _score_by_list(file, config, replies, summary, ascii_only, tally)
        _finish(file, summary, tally)
        return
    scorer = Scorer(
        accuracy_weight=accuracy_weight,
        format_weight=format_weight,
        min_length_bound=min_length_bound,
        length_ratio=length_ratio,
        prefilled_think=prefilled_think,
        partial_credit=partial_credit,
    )
    with click.open_file(str(file), "rb") as lines:
        for number, line in _numbered(lines):
            result = _score_line(scorer, line, f"{file}: line {number}", tally)
            if not summary:
                click.echo(json_line(result, ascii_only))
    _finish(file, summary, tally)


def _score_by_list(
    file: Path, config: Path, replies: Path | None, summary: bool, ascii_only: bool, tally: _Tally
) -> None:
    from raiden_core.config.loading import load_config
    from raiden_core.rewards.configured import training_scorer
    from raiden_core.rewards.listed.chosen import chosen_rewards
    from raiden_core.rewards.listed.running import RewardRun

    given = click.get_current_context()
    for name in (
        "accuracy_weight",
        "format_weight",
        "min_length_bound",
        "length_ratio",
        "prefilled_think",
        "partial_credit",
    ):
        if given.get_parameter_source(name) != ParameterSource.DEFAULT:
            raise UsageError(
                f"--{name.replace('_', '-')} and --rewards: the configuration says this; keep one of the two"
            )
    settings = load_config(config)
    chosen = chosen_rewards(settings)
    if replies is None and any(one.is_judge for one in chosen):
        raise UsageError("--rewards: a judge is in the list; name a folder for what it says with --replies")
    with RewardRun(chosen, replies) as run, click.open_file(str(file), "rb") as lines:
        for batch in _batched(_numbered(lines), BATCH):
            for result in _score_batch(run, training_scorer(settings), file, batch, tally):
                if not summary:
                    click.echo(json_line(result, ascii_only))


def _score_batch(
    run: RewardRun, scorer: Scorer, file: Path, batch: Sequence[tuple[int, bytes]], tally: _Tally
) -> list[dict[str, Any]]:
    """The results of some lines: those that can be scored have their rewards, the others None."""
    from raiden_core.rewards.listed.rows import reward_of_rows

    results, rows, places = [], [], []
    for number, line in batch:
        before = tally.unscorable
        results.append(_score_line(scorer, line, f"{file}: line {number}", tally) | {"rewards": None})
        if tally.unscorable == before:
            rows.append(_parse(line))
            places.append(len(results) - 1)
    outcome = reward_of_rows(run, rows, scorer)
    for row, place in enumerate(places):
        tally.total += (outcome.totals[row] or 0.0) - results[place]["total"]
        results[place]["total"] = outcome.totals[row]
        results[place]["rewards"] = {name: values[row] for name, values in outcome.values.items()}
        for name, values in outcome.values.items():
            tally.rewards.setdefault(name, []).append(values[row])
    return results


def _finish(file: Path, summary: bool, tally: _Tally) -> None:
    if summary:
        _print(tally)
    if tally.unscorable:
        tell(f"{file}: {tally.unscorable} of {tally.lines} lines could not be scored")
        click.get_current_context().exit(1)


def _batched(lines: Iterator[tuple[int, bytes]], size: int) -> Iterator[list[tuple[int, bytes]]]:
    """The lines in lists of ``size``."""
    while batch := list(islice(lines, size)):
        yield batch


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
        tell(f"{where}: {error}")
    else:
        problem = scorer.check(row) if row.get("answer") is not None else None
        if problem:
            tally.bad_references += 1
            tell(f"{where}: {problem}")
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
    from rich.text import Text

    count = max(tally.lines, 1)
    table = Table("measure", "value")
    table.add_row("completions", str(tally.lines))
    for name in ("accuracy", "format", "total"):
        table.add_row(f"mean {name}", f"{getattr(tally, name) / count:.4f}")
    for name, values in tally.rewards.items():
        said = [value for value in values if value is not None]
        table.add_row(Text(f"mean reward {name}"), f"{fmean(said):.4f}" if said else "it says nothing")
    table.add_row("not scorable", str(tally.unscorable))
    table.add_row("references that fail", str(tally.bad_references))
    for reason, times in tally.reasons.most_common(8):
        table.add_row(f"why: {reason}", str(times))
    Console().print(table)
