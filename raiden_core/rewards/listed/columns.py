"""A list of rewards as functions that TRL calls, with the weights that make its sum the total.

TRL adds up what separate functions say; it knows no gates, and it waits for all others before it begins with
asynchronous ones. So the functions handed over are columns of one computation: whichever is asked first has the whole
list computed (`RewardRun`), and the others read their values off it. Without a gate the weights are the list's own.
With gates a sum cannot say what they do: then every function has the weight 0, so that TRL logs what it said, and a
last one, ``total``, has the weight 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from raiden_core.rewards.listed.checks import Value
from raiden_core.rewards.listed.running import Outcome, RewardRun

TOTAL = "total"
"""Name of the function that gives the gated total."""

Column = Callable[..., list[Value]]


def trl_rewards(run: RewardRun) -> tuple[list[Column], list[float]]:
    """The functions for ``reward_funcs``, and their ``reward_weights``."""
    batch = _Batch(run)
    columns = [batch.column(one.name, one.logged) for one in run.chosen]
    if not any(one.gate for one in run.chosen):
        return columns, [one.weight for one in run.chosen]
    return [*columns, batch.column(None, TOTAL)], [*(0.0 for _ in columns), 1.0]


class _Batch:
    """The batch that was computed last, and which columns have been read off it."""

    def __init__(self, run: RewardRun) -> None:
        self._run = run
        self._completions: object = None
        self._outcome: Outcome | None = None
        self._read: set[str | None] = set()

    def column(self, name: str | None, logged: str) -> Column:
        """The function that gives the values of a reward; None: the totals."""

        def column(completions: list[Any], prompts: list[Any] | None = None, **columns: Any) -> list[Value]:
            outcome = self._outcome
            # TRL hands the same list to every function of a step. One that is asked again begins a step of its own.
            if outcome is None or completions is not self._completions or name in self._read:
                outcome = self._run(prompts, completions, columns)
                self._outcome, self._completions = outcome, completions
                self._read.clear()
            self._read.add(name)
            if name is None:
                return list(outcome.totals)
            # What nobody can score must be nobody's: TRL leaves out completions of which all functions say nothing.
            return [
                None if total is None else value
                for value, total in zip(outcome.values[name], outcome.totals, strict=True)
            ]

        column.__name__ = column.__qualname__ = logged
        return column
