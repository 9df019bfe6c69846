"""A budget: no request goes out when it is spent, what is under way is kept, and no reply is paid for twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.config.sections.teacher import BudgetConfig, TeacherConfig
from raiden_core.errors import ConfigError, DataError, RaidenError
from raiden_core.models.answering import Reply, Request
from raiden_core.models.served.budget import LEDGER, Budget, BudgetSpent
from raiden_core.models.served.client import Client
from tests.support.fault_server import FaultServer
from tests.support.makes import Make

AT_ONCE = 4
PROMPT, COMPLETION = 9, 7
"""What the make bills for each reply."""
PRICES = {"prompt_price": 100_000, "completion_price": 1_000_000}
COST = (PROMPT * 100_000 + COMPLETION * 1_000_000) / 1_000_000


def question(number: int) -> Request:
    return Request("teacher", ({"role": "user", "content": f"What is {number}?"},), "test/1")


def mine(
    folder: Path, budget: dict[str, Any], questions: int = 40, *, latency: float = 0.0, make: Make | None = None
) -> tuple[list[Reply], list[BaseException], FaultServer]:
    """Ask so many questions at once: the replies, what was raised instead, and the server with its bill."""

    async def run() -> tuple[list[Reply], list[BaseException], FaultServer]:
        async with FaultServer(model="m", make=make or Make(), latency=latency) as server:
            config = EndpointConfig.model_validate(
                {"url": server.url, "model": "m", "max_concurrency": AT_ONCE, "attempts": 2} | PRICES
            )
            limits = BudgetConfig.model_validate(budget)
            async with Client({"teacher": config}, folder, budget=limits, first_limit=AT_ONCE) as client:
                asked = [client.ask(question(number)) for number in range(questions)]
                came = await asyncio.gather(*asked, return_exceptions=True)
            replies = [one for one in came if isinstance(one, Reply)]
            return replies, [one for one in came if isinstance(one, BaseException)], server

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("budget", "least", "more"),
    [({"tokens": 160}, 10, {"tokens": 320}), ({"cost": 10 * COST}, 10, {"cost": 20 * COST})],
)
def test_when_it_is_spent_nothing_is_asked_and_nothing_is_lost(
    tmp_path: Path, budget: dict[str, Any], least: int, more: dict[str, Any]
) -> None:
    replies, errors, server = mine(tmp_path, budget, latency=0.02)
    billed = server.counters.requests
    assert least <= billed < least + AT_ONCE, "no more than was under way when it was used up"
    assert len(replies) == billed and len(errors) == 40 - billed
    assert {type(error) for error in errors} == {BudgetSpent}
    (message,) = {str(error) for error in errors}
    assert "\n" not in message and "raise the budget and run again" in message
    number = f"{billed * 16:,} of 160 tokens" if "tokens" in budget else f"{billed * COST:.4g} of {10 * COST:.4g}"
    assert number in message and str(tmp_path) in message
    # The same budget again: what is stored is there, and not one request goes out.
    replies, errors, server = mine(tmp_path, budget)
    assert (len(replies), server.counters.requests) == (billed, 0)
    # A higher one goes on where it stopped.
    replies, errors, server = mine(tmp_path, more)
    assert 2 * least <= billed + server.counters.requests < 2 * least + AT_ONCE
    assert len(replies) == billed + server.counters.requests
    replies, errors, server = mine(tmp_path, {})
    assert len(replies) == 40 and not errors


def test_refused_replies_are_paid_for_as_well(tmp_path: Path) -> None:
    class Tagged(Make):
        """Bills for replies that nobody can use."""

        def respond(self, chat: Mapping[str, Any]) -> tuple[int, bytes, str]:
            status, body, kind = super().respond(chat)
            return status, body.replace(b"Good day", b"<think>"), kind

    replies, errors, server = mine(tmp_path, {"tokens": 160}, make=Tagged())
    assert not replies and any(isinstance(error, BudgetSpent) for error in errors)
    assert 10 <= server.counters.requests < 10 + AT_ONCE
    lines = (tmp_path / LEDGER).read_text().splitlines()
    assert [json.loads(line) for line in lines] == [{"endpoint": "teacher", "tokens": 16, "cost": COST}] * len(lines)


def test_a_server_that_bills_in_the_dark_is_refused(tmp_path: Path) -> None:
    _, errors, server = mine(tmp_path, {"tokens": 160}, 1, make=Make(usage=False))
    assert isinstance(errors[0], ConfigError) and "endpoint teacher reports no tokens" in str(errors[0])
    assert server.counters.requests == 1
    replies, errors, _ = mine(tmp_path, {}, 1, make=Make(usage=False))
    assert replies and not errors


def test_processes_that_share_a_store_share_the_budget(tmp_path: Path) -> None:
    prices = {"teacher": (0.0, 0.0)}
    first, second = (Budget(BudgetConfig(tokens=10), tmp_path, prices) for _ in range(2))

    async def work() -> None:
        await first.enter("a")
        await second.enter("b")
        first.pay("teacher", 6, 0)
        first.leave("a")
        await second.enter("c")
        second.pay("teacher", 5, 0)
        second.leave("b")
        second.leave("c")
        with pytest.raises(BudgetSpent, match="11 of 10 tokens"):
            await first.enter("d")

    asyncio.run(work())


def test_money_needs_prices() -> None:
    with pytest.raises(ValidationError, match=r"budget\.cost: endpoints\.teacher has no price; set its prompt_price"):
        TeacherConfig.model_validate({"budget": {"cost": 3}})
    priced = {"teacher": {"completion_price": 2}}
    assert TeacherConfig.model_validate({"budget": {"cost": 3}, "endpoints": priced}).budget.cost == 3
    assert issubclass(BudgetSpent, RaidenError)


@pytest.mark.parametrize("broken", ['{"endpoint": "a", "tok{"endpoint": "a", "tokens": 1, "cost": 0}', "", "7", "{}"])
def test_a_broken_line_of_what_was_paid_is_named_with_its_remedy(tmp_path: Path, broken: str) -> None:
    budget = Budget(BudgetConfig(tokens=10), tmp_path, {"teacher": (0.0, 0.0)})
    budget.pay("teacher", 1, 0)
    with (tmp_path / LEDGER).open("a") as file:
        file.write(f"{broken}\n")
    with pytest.raises(DataError, match=r"spent\.jsonl: line 2 is broken.*; remove the line and run again"):
        asyncio.run(budget.enter("a"))
