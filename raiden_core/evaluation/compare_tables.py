"""A comparison of runs as tables of a terminal, 80 columns wide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from raiden_core.evaluation.compared import ComparedRun, RunComparison
from raiden_core.evaluation.earned import weight_text
from raiden_core.evaluation.results import PARTS, Pair, Pairs
from raiden_core.text.formatting import (
    DASH,
    p_value,
    percent,
    percent_range,
    points,
    points_range,
    signed_value,
    value,
    value_range,
)
from raiden_core.text.plain import one_line

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text


REWARDS_CAPTION = "What the tested models' replies earn by each reward; a gate: the share that it lets pass."


def comparison_tables(comparison: RunComparison) -> Group:
    """Which run has which number, the accuracies, and the settings that differ."""
    from rich.console import Group
    from rich.text import Text

    runs = comparison.runs
    # Labels and places come from the user: as Text they cannot pass for rich's markup.
    names = [Text(f"{number}  {one_line(run.label)}", overflow="fold") for number, run in enumerate(runs, 1)]
    caption = (
        "Strict accuracy in percent. change: trained less base of the same run. vs 1: less the first run's, on common "
        "questions. Intervals: 95%, clustered by character."
    )
    tables: list[Table | Text] = [_accuracy(runs), Text(caption, style="dim")]
    if any(run.recital is not None for run in runs):
        tables.append(Text(f"Controls, in percent of right answers: {_controls(runs)}.", style="dim"))
    if comparison.reward_names:
        tables += [Text(REWARDS_CAPTION, style="dim"), _rewards(comparison)]
    if any(run.judge for run in runs):
        tables.append(_judges(runs))
    if comparison.settings:
        tables.append(_settings(comparison))
    return Group(*names, Text(), *tables)


def _table() -> Table:
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, padding=0, show_edge=False, pad_edge=False)


def _accuracy(runs: Sequence[ComparedRun]) -> Table:
    table = _table()
    for heading in ("", "run"):
        table.add_column(heading, no_wrap=True)
    for heading in ("n", "base", "trained", "interval", "change", "vs 1", "interval", "p"):
        table.add_column(heading, justify="right", no_wrap=True)
    for part in PARTS:
        shown = [(number, run) for number, run in enumerate(runs, 1) if run.models[run.tested].part(part).n]
        for place, (number, run) in enumerate(shown):
            tested = run.models[run.tested].part(part)
            base = run.models["base"].part(part) if "base" in run.models and run.tested != "base" else None
            own, versus = _part(run.paired, part), _part(run.versus, part)
            table.add_row(
                part if place == 0 else "",
                str(number),
                str(tested.n),
                percent(base.strict) if base else DASH,
                percent(tested.strict),
                percent_range(tested.ci95),
                points(own.delta) if own else "",
                points(versus.delta) if versus else "",
                points_range(versus.ci95) if versus else "",
                p_value(versus.p) if versus else "",
                end_section=place == len(shown) - 1,
            )
    return table


def _controls(runs: Sequence[ComparedRun]) -> str:
    """What another character's replies and the recited profile earn, run by run."""
    return "; ".join(
        f"{number}: another character's reply {percent(run.other_character)}, profile recited {percent(run.recital)}"
        for number, run in enumerate(runs, 1)
    )


def _rewards(comparison: RunComparison) -> Table:
    """What the tested models' replies earn by each reward of their lists."""
    table = _table()
    table.add_column("reward", overflow="fold")
    table.add_column("run", no_wrap=True)
    for heading in ("weight", "trained", "interval", "vs 1", "interval", "p"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name in comparison.reward_names:
        shown = [(number, run, run.earned[name]) for number, run in enumerate(comparison.runs, 1) if name in run.earned]
        for place, (number, run, row) in enumerate(shown):
            cell, versus = row.models[run.tested], run.rewards_versus.get(name)
            table.add_row(
                name if place == 0 else "",
                str(number),
                weight_text(name, row),
                value(cell.mean),
                value_range(cell.ci95),
                signed_value(versus.delta) if versus else "",
                value_range(versus.ci95) if versus else "",
                p_value(versus.p) if versus else "",
                end_section=place == len(shown) - 1,
            )
    return table


def _judges(runs: Sequence[ComparedRun]) -> Table:
    from rich.text import Text

    table = _table()
    for heading in ("run", "judge"):
        table.add_column(heading, overflow="fold")
    for heading in ("n", "trained preferred", "interval", "gap", "interval"):
        table.add_column(heading, justify="right", no_wrap=True)
    for number, run in enumerate(runs, 1):
        if judge := run.judge:
            cell, gap = judge.all, judge.gap
            numbers = (str(cell.n), percent(cell.win_rate), percent_range(cell.ci95))
            table.add_row(str(number), Text(one_line(judge.model)), *numbers, points(gap.gap), points_range(gap.ci95))
    return table


def _settings(comparison: RunComparison) -> Table:
    from rich.text import Text

    table = _table()
    table.add_column("setting that differs", overflow="fold")
    for number, _ in enumerate(comparison.runs, 1):
        table.add_column(str(number), overflow="fold")
    for row in comparison.settings:
        table.add_row(
            Text(one_line(row.setting)),
            *(Text(DASH if value is None else one_line(str(value))) for value in row.values),
        )
    return table


def _part(pairs: Pairs | None, part: str) -> Pair | None:
    """The numbers of one part of a paired difference; None where there is none."""
    if pairs is None:
        return None
    numbers = pairs.part(part)
    return numbers if numbers.n else None
