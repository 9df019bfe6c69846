"""The checks in a terminal, and as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table
from rich.text import Text

from raiden_core.doctor.check import Check, Status

MARKS: dict[Status, tuple[str, str]] = {"ok": ("✓", "green"), "bad": ("✗", "bold red"), "none": ("–", "dim")}


def check_table(checks: Sequence[Check]) -> Table:
    """A row a check: its mark, what was found, and under it what to do."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for check in checks:
        mark, style = MARKS[check.status]
        found = Text(check.found, style="dim" if check.status == "none" else "")
        if check.advice:
            found.append(f"\n→ {check.advice}", style="yellow")
        table.add_row(Text(mark, style=style), Text(check.name), found)
    return table


def summary(checks: Sequence[Check]) -> str:
    """How many are well, in a line."""
    wrong = sum(check.status == "bad" for check in checks)
    fine = sum(check.status == "ok" for check in checks)
    skipped = len(checks) - wrong - fine
    return f"{fine} in order, {wrong} to correct, {skipped} not applicable"


def as_object(checks: Sequence[Check]) -> dict[str, Any]:
    """The checks for JSON."""
    return {"ok": all(check.status != "bad" for check in checks), "checks": [asdict(check) for check in checks]}
