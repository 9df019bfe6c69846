"""The result table of a terminal: base against trained for SBK, CM and all, further sets below.

rich.print(result_table(json.loads((run / "evaluate/results.json").read_text())))
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from raiden_core.evaluation.formatting import p_value, percent, percent_range, points, points_range

if TYPE_CHECKING:
    from rich.table import Table

ROWS = ("SBK", "CM", "all")
MODEL_ORDER = ("original", "base", "trained")


def result_table(results: Mapping[str, Any]) -> Table:
    """The content of results.json as a table: n, strict and lenient accuracy, interval, paired difference and p."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title="Accuracy in percent on the validation set",
        caption="strict: right and in the required format. lenient: right. Intervals are 95%, clustered by character.",
        box=box.SIMPLE_HEAD,
        title_justify="left",
        caption_justify="left",
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for heading in ("", "model"):
        table.add_column(heading)
    for heading in ("n", "strict", "interval", "lenient", "change", "interval", "p"):
        table.add_column(heading, justify="right", no_wrap=True)
    parts = [("", results), *((f"{name} ", part) for name, part in results.get("extra", {}).items())]
    for prefix, part in parts:
        models = [model for model in MODEL_ORDER if model in part]
        for name in ROWS:
            if not part[models[0]][name]["n"]:
                continue
            for model in models:
                # Names of sets come from the user: as Text they cannot pass for rich's markup.
                label = Text(f"{prefix}{name}" if model == models[0] else "")
                row = part[model][name]
                change = _change(part, name) if model == "trained" else ["", "", ""]
                numbers = [str(row["n"]), percent(row["strict"]), percent_range(row["ci95"]), percent(row["lenient"])]
                table.add_row(label, model, *numbers, *change, end_section=model == models[-1])
    return table


def _change(part: Mapping[str, Any], name: str) -> list[str]:
    """The cells of the paired difference between base and trained."""
    paired = part.get("paired")
    if paired is None:
        return ["", "", ""]
    numbers = paired if name == "all" else paired[name]
    return [points(numbers["delta"]), points_range(numbers["ci95"]), p_value(numbers["p"])]
