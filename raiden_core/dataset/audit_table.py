"""The audit in a terminal, and in the words of a dataset card."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from raiden_core.dataset.audit import POLICIES, Audit
from raiden_core.text.formatting import DASH, percent
from raiden_core.text.plain import one_line

if TYPE_CHECKING:
    from rich.table import Table

BY_RULE = "by rule"
"""Stands for the bound of policies whose answers are right by the rules of the reward."""


def audit_table(audit: Audit) -> Table:
    """A row a policy: what it wins of all samples, of each dimension and language, and its bound."""
    from rich import box
    from rich.table import Table

    title = f"Share of {audit.samples:,} samples that a policy wins without playing the character, in percent"
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", padding=0, show_edge=False, pad_edge=False)
    columns, cells = audit_cells(audit.rows())
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right", no_wrap=number == 0)
    above = audit.above()
    for row in cells:
        table.add_row(*row, style="bold red" if row[0] in above else "")
    return table


def audit_cells(rows: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Headings and cells of the table, from what `Audit.rows` gives or a file of statistics holds."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    return columns, [[_cell(column, row.get(column)) for column in columns] for row in rows]


def proposal_lines(audit: Audit) -> Iterator[str]:
    """What would close the holes, a few samples of each kind."""
    for name, count in audit.holes.items():
        yield f"{name} ({POLICIES[name]}): {count:,} samples have nothing against it, such as"
        for proposal in (one for one in audit.proposals if one.policy == name):
            fields = json.dumps(proposal.add, ensure_ascii=False)
            yield one_line(f"  {proposal.id} {proposal.character}: {proposal.question} -> validator {fields}")


def _cell(column: str, value: Any) -> str:
    if column == "bound":
        return BY_RULE if value is None else percent(value)
    return str(value) if column == "policy" else percent(value) if value is not None else DASH
