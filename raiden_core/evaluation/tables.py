"""The result tables of a terminal: base against trained for SBK, CM and all, a table for each further set.

    rich.print(result_tables(read_results(run / "evaluate/results.json")))

They fit into 80 columns, the width that a log or a pipe has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from raiden_core.evaluation.earned import RewardRow, weight_text
from raiden_core.evaluation.erring import Boundaries
from raiden_core.evaluation.judged import Judged
from raiden_core.evaluation.results import DIMENSIONS, Comparison, Controls, Results, SampledReplies
from raiden_core.stages.layout import MODELS
from raiden_core.text.formatting import (
    p_value,
    percent,
    percent_range,
    points,
    points_range,
    signed_value,
    value,
    value_range,
)

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

ROWS = (*DIMENSIONS, "all")


def result_tables(results: Results) -> Group:
    """Results as tables: n, strict and lenient accuracy, interval, paired difference and p."""
    from rich.console import Group
    from rich.text import Text

    caption = "strict: right and in the required format. lenient: right. Intervals: 95%, clustered by character."
    # Names of sets come from the user: as Text they cannot pass for rich's markup.
    extra = [_table(part, Text(name)) for name, part in results.extra.items()]
    main = [_table(results, Text("Accuracy in percent on the validation set"))] if _has_rows(results) else []
    judge = [_judge_table(results.judge)] if results.judge else []
    sampling = [_sampling_lines(results.sampling)] if results.sampling and main else []
    controls = [_controls(results.controls)] if main else []
    rewards = [_reward_table(results.rewards)] if results.rewards and main else []
    unsure = [_boundaries_line(results.boundaries)] if results.boundaries else []
    return Group(*main, *extra, Text(caption, style="dim"), *unsure, *rewards, *sampling, *controls, *judge)


def _has_rows(part: Comparison) -> bool:
    return any(cells.all.n for cells in part.models.values())


def _reward_table(rewards: Mapping[str, RewardRow]) -> Table:
    """What replies earn by each reward of a list."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    title = Text("What replies earn by each reward; a gate: the share that it lets pass")
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", padding=0, show_edge=False, pad_edge=False)
    models = list(next(iter(rewards.values())).models)
    for heading in ("", "weight"):
        table.add_column(heading, overflow="fold")
    for heading in (*models, "change", "interval"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, row in rewards.items():
        change = [signed_value(row.paired.delta), value_range(row.paired.ci95)] if row.paired else ["", ""]
        table.add_row(name, weight_text(name, row), *(value(row.models[model].mean) for model in models), *change)
    return table


def _boundaries_line(boundaries: Boundaries) -> Text:
    """Over-refusal and invention of each model."""
    from rich.text import Text

    lines = []
    for model, errors in boundaries.models.items():
        refused, invented = errors.over_refusal, errors.invention
        lines.append(
            f"{model}: over-refusal {percent(refused.share)} ({percent_range(refused.ci95)}, n {refused.n}), "
            f"invention {percent(invented.share)} ({percent_range(invented.ci95)}, n {invented.n})"
        )
    return Text("\n".join(lines))


def _sampling_lines(sampling: Mapping[str, SampledReplies]) -> Text:
    """pass@k for every k and the majority, a line a model."""
    from rich.text import Text

    lines = []
    for model in (name for name in MODELS if name in sampling):
        one = sampling[model]
        figures = {**{f"pass@{k}": part for k, part in one.pass_at.items()}, "majority": one.majority}
        shown = ", ".join(f"{name} {percent(part.mean)}" for name, part in figures.items())
        lines.append(f"{model}, {one.draws} sampled replies: {shown}")
    return Text("\n".join(lines))


def _controls(controls: Controls) -> Group:
    """What replies earn that play nobody, beside what they should."""
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    title = Text("What a cheater could reach: right in percent, whoever is asked for")
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", padding=0, show_edge=False, pad_edge=False)
    table.add_column("every reply is", no_wrap=True)
    table.add_column("earns", justify="right", no_wrap=True)
    table.add_column("  should be", no_wrap=True)
    alone = controls.other_character is None
    near = "there is nobody else" if alone else f"near {percent(controls.other_character_chance)}, which is chance"
    rows = [("the question's own reference", controls.gold, "100")]
    rows.append(("the reply to another character", controls.other_character, near))
    if controls.recital is not None:
        rows.append(("all short values of the profile", controls.recital, "near 0"))
    rows.append(("the whole profile", controls.profile_recited, "near 0"))
    rows.append(("the bare keywords", controls.keyword_list, "high: a list is no sentence"))
    if controls.always_refuses is not None:
        rows.append(('"I don\'t know"', controls.always_refuses, "what nobody can know"))
        rows.append(("agreement", controls.always_agrees, "near 0"))
    for name, share, wanted in rows:
        table.add_row(name, percent(share), f"  {wanted}")
    if not (leaks := controls.leaks):
        return Group(table)
    counts = f"{len(leaks.characters)} characters, {leaks.samples} questions, {leaks.conversations} conversations"
    return Group(table, Text(f"seen in training: {counts}", style="dim"))


def _judge_table(judge: Judged) -> Group:
    """The judge's verdicts by rubric, and the gap between keywords and judge."""
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    title = Text(f"Which reply the judge {judge.model} prefers, in percent")
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", padding=0, show_edge=False, pad_edge=False)
    table.add_column("", no_wrap=True)
    for heading in ("n", "trained", "interval", "equal", "base", "turned", "unreadable"):
        table.add_column(heading, justify="right", no_wrap=True)
    rows = {**(judge.by_rubric if len(judge.by_rubric) > 1 else {}), "all": judge.all}
    for name, row in rows.items():
        shares = [
            percent(row.win_rate),
            percent_range(row.ci95),
            percent(row.tie_rate),
            percent(row.loss_rate),
        ]
        table.add_row(name, str(row.n), *shares, str(row.inconsistent), str(row.unreadable))
    gap = judge.gap
    words = (
        f"Reward-hacking gap on {gap.n} questions: keywords {points(gap.accuracy_delta)}, judge "
        f"{points(gap.preference)}, gap {points(gap.gap)} ({points_range(gap.ci95)})"
        if gap.n
        else "turned: the verdict changed with the order of the replies; not counted, as unreadable ones."
    )
    return Group(table, Text(words, style="dim"))


def _table(part: Comparison, title: Text) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", padding=0, show_edge=False, pad_edge=False)
    for heading in ("", "model"):
        table.add_column(heading, no_wrap=True)
    for heading in ("n", "strict", "interval", "lenient", "change", "interval", "p"):
        table.add_column(heading, justify="right", no_wrap=True)
    models = list(part.models)
    for name in ROWS:
        if not part.models[models[0]].part(name).n:
            continue
        for model, cells in part.models.items():
            row = cells.part(name)
            change = _change(part, name) if model == "trained" else ["", "", ""]
            numbers = [str(row.n), percent(row.strict), percent_range(row.ci95), percent(row.lenient)]
            label = name if model == models[0] else ""
            table.add_row(label, model, *numbers, *change, end_section=model == models[-1])
    return table


def _change(part: Comparison, name: str) -> list[str]:
    """The cells of the paired difference between base and trained."""
    if part.paired is None:
        return ["", "", ""]
    numbers = part.paired.part(name)
    return [points(numbers.delta), points_range(numbers.ci95), p_value(numbers.p)]
