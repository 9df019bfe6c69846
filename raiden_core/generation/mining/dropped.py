"""What a run gave up, for whoever wonders why so little was kept: by stage of the chain, with examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from raiden_core.generation.mining.reasons import Drop, Stage

DROPPED_AT = "dropped_at"
"""The key of `by_stage` in a run's statistics."""
EXAMPLES = 3
"""Of each reason."""
LETTERS = 100
"""Of an example."""
REASONS_TOLD = 3
"""Of each stage, in a message of one line."""


def by_stage(drops: Sequence[Drop]) -> dict[str, dict[str, dict[str, Any]]]:
    """Stage -> reason -> ``count`` and ``examples``; stages in the order of the chain, the commonest reason first."""
    table: dict[str, dict[str, dict[str, Any]]] = {}
    for stage in get_args(Stage):
        here = [drop for drop in drops if drop.stage == stage]
        counts = {reason: sum(drop.reason == reason for drop in here) for reason in {drop.reason for drop in here}}
        rows: dict[str, dict[str, Any]] = {}
        for reason in sorted(counts, key=lambda name: (-counts[name], name)):
            examples = dict.fromkeys(_short(drop.example) for drop in here if drop.reason == reason and drop.example)
            rows[reason] = {"count": counts[reason], "examples": list(examples)[:EXAMPLES]}
        if rows:
            table[stage] = rows
    return table


def in_words(table: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """`by_stage` as one line: the commonest reasons of each stage, each with an example."""
    stages = []
    for stage, rows in table.items():
        told = [_told(reason, row) for reason, row in list(rows.items())[:REASONS_TOLD]]
        more = len(rows) - REASONS_TOLD
        stages.append(f"{stage}: {'; '.join(told)}{f'; and {more} more reasons' if more > 0 else ''}")
    return "dropped at " + " | ".join(stages) if stages else "nothing was drafted"


def lines_of(table: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[str]:
    """`by_stage` as lines: one a reason, with all its examples."""
    return [
        f"dropped at {stage}: {row['count']} x {reason}" + "".join(f"\n    {example}" for example in row["examples"])
        for stage, rows in table.items()
        for reason, row in rows.items()
    ]


def drops_in_words(drops: Sequence[Drop]) -> str:
    """The same from the drops themselves."""
    return in_words(by_stage(drops))


def _told(reason: str, row: Mapping[str, Any]) -> str:
    example = f" (such as {row['examples'][0]!r})" if row["examples"] else ""
    return f"{row['count']} x {reason}{example}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LETTERS else f"{line[: LETTERS - 1]}…"
