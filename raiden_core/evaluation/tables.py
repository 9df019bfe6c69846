"""The result tables of a terminal: base against trained for SBK, CM and all, a table for each further set.

    rich.print(result_tables(json.loads((run / "evaluate/results.json").read_text())))

They fit into 80 columns, the width that a log or a pipe has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from raiden_core.evaluation.formatting import p_value, percent, percent_range, points, points_range

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

ROWS = ("SBK", "CM", "all")
MODEL_ORDER = ("original", "base", "trained")


def result_tables(results: Mapping[str, Any]) -> Group:
    """The content of results.json as tables: n, strict and lenient accuracy, interval, paired difference and p."""
    from rich.console import Group
    from rich.text import Text

    caption = "strict: right and in the required format. lenient: right. Intervals: 95%, clustered by character."
    # Names of sets come from the user: as Text they cannot pass for rich's markup.
    extra = [_table(part, Text(name)) for name, part in results.get("extra", {}).items()]
    title = Text("Accuracy in percent on the validation set")
    return Group(_table(results, title), *extra, Text(caption, style="dim"))


def _table(part: Mapping[str, Any], title: Text) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", padding=0, show_edge=False, pad_edge=False)
    for heading in ("", "model"):
        table.add_column(heading, no_wrap=True)
    for heading in ("n", "strict", "interval", "lenient", "change", "interval", "p"):
        table.add_column(heading, justify="right", no_wrap=True)
    models = [model for model in MODEL_ORDER if model in part]
    for name in ROWS:
        if not part[models[0]][name]["n"]:
            continue
        for model in models:
            row = part[model][name]
            change = _change(part, name) if model == "trained" else ["", "", ""]
            numbers = [str(row["n"]), percent(row["strict"]), percent_range(row["ci95"]), percent(row["lenient"])]
            label = name if model == models[0] else ""
            table.add_row(label, model, *numbers, *change, end_section=model == models[-1])
    return table


def _change(part: Mapping[str, Any], name: str) -> list[str]:
    """The cells of the paired difference between base and trained."""
    paired = part.get("paired")
    if paired is None:
        return ["", "", ""]
    numbers = paired if name == "all" else paired[name]
    return [points(numbers["delta"]), points_range(numbers["ci95"]), p_value(numbers["p"])]
