"""What a teacher may cost: no request goes out when the budget is spent, and what is under way is waited for and kept.

    budget = Budget(config.budget, replies, prices)
    await budget.enter(key)             # raises BudgetSpent where it is spent, once nothing is under way any more
    budget.pay("teacher", prompt_tokens, completion_tokens)
    budget.leave(key)                   # the reply is stored, or there is none

What was paid is written into ``spent.jsonl`` beside the stored replies, a line an answer, refused ones among them: so a run
that goes on knows what those before it have paid, and processes that share the store share the budget. It is overrun by
at most the requests that are under way when it is used up: ``max_concurrency`` of each endpoint in each process.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

from raiden_core.config.sections.teacher import BudgetConfig
from raiden_core.errors import ConfigError, DataError, StageError
from raiden_core.models.served.accounting import MILLION

LEDGER = "spent.jsonl"
POLL_SECONDS = 0.05


class BudgetSpent(StageError):
    """The budget is used up; what was answered is stored."""


class Budget:
    """The budget of all endpoints that share a store of replies."""

    def __init__(self, config: BudgetConfig, replies: Path, prices: Mapping[str, tuple[float, float]]) -> None:
        """``prices``: for each endpoint, the cost of a million prompt tokens and of a million completion tokens."""
        self._config = config
        self._file = replies / LEDGER
        self._prices = dict(prices)
        self._read_to = self._lines = 0
        self._tokens, self._cost = 0, 0.0
        self._under_way: set[str] = set()

    async def enter(self, key: str) -> None:
        """Just before a request goes out, also before another attempt at it.

        Raises:
            BudgetSpent: nothing may be asked any more; all that was under way has come in.
            DataError: a line of the file of what was paid is broken.
        """
        if not self._config.is_set:
            return
        if not self._spent():
            self._under_way.add(key)
            return
        while self._under_way:  # each has a time-out
            await asyncio.sleep(POLL_SECONDS)
        raise BudgetSpent(
            f"teacher.budget: spent, {self._said()}, by all runs that share {self._file.parent}; what was answered is kept: "
            "raise the budget and run again, and no reply is paid for twice"
        )

    def leave(self, key: str) -> None:
        """An attempt brought nothing that counts, or its reply is stored."""
        self._under_way.discard(key)

    def pay(self, endpoint: str, prompt: int, completion: int) -> None:
        """An answer came, whether it counts or not.

        Raises:
            ConfigError: the server does not say how many tokens it took.
        """
        if not self._config.is_set:
            return
        if not prompt and not completion:
            raise ConfigError(
                f"teacher.budget: endpoint {endpoint} reports no tokens (usage), so that nothing can be counted; remove "
                "the budget, or ask a server that reports them"
            )
        for_prompt, for_completion = self._prices[endpoint]
        cost = (prompt * for_prompt + completion * for_completion) / MILLION
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"endpoint": endpoint, "tokens": prompt + completion, "cost": cost}) + "\n")

    def _spent(self) -> bool:
        self._read()
        tokens, cost = self._config.tokens, self._config.cost
        return (tokens is not None and self._tokens >= tokens) or (cost is not None and self._cost >= cost)

    def _read(self) -> None:
        """Add what was paid since the last look, by whichever process."""
        if not self._file.is_file():
            return
        with self._file.open("rb") as file:
            file.seek(self._read_to)
            lines = file.read().split(b"\n")[:-1]  # a line that is being written comes next time
        for line in lines:
            try:
                paid = json.loads(line)
                tokens, cost = int(paid["tokens"]), float(paid["cost"])
            except (ValueError, TypeError, KeyError):  # where a disk was full, half a line is followed by the next one
                raise DataError(
                    f"{self._file}: line {self._lines + 1} is broken, so that what was paid cannot be counted; remove "
                    "the line and run again"
                ) from None
            self._tokens += tokens
            self._cost += cost
            self._read_to += len(line) + 1
            self._lines += 1

    def _said(self) -> str:
        words = [f"{self._tokens:,} of {self._config.tokens:,} tokens"] if self._config.tokens is not None else []
        words += [f"{self._cost:.4g} of {self._config.cost:.4g} in money"] if self._config.cost is not None else []
        return " and ".join(words)


NO_LIMITS = BudgetConfig()
NO_BUDGET = Budget(NO_LIMITS, Path(), {})
"""Anything may be spent, and nothing is written down."""
