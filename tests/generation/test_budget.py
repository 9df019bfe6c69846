"""Generation with a budget: it ends with one line when that is spent, and a higher one goes on from there."""

from __future__ import annotations

from pathlib import Path

import pytest

from raiden_core.config.sections.teacher import BudgetConfig
from raiden_core.models.served.budget import BudgetSpent
from tests.support.llm_generation import configure, generate
from tests.support.serving import scripted_server, serving


def test_a_higher_budget_gives_what_no_budget_gives_and_asks_nothing_twice(tmp_path: Path) -> None:
    with serving(scripted_server()) as server:
        whole, stats = generate(configure(tmp_path / "whole", server.url), tmp_path / "whole" / "out")
    spent = stats["usage"]["prompt_tokens"] + stats["usage"]["completion_tokens"]
    with serving(scripted_server(latency=0.05)) as server:  # some are under way when it is used up
        config = configure(tmp_path / "poor", server.url)
        poor, rich = (
            config.model_copy(
                update={"teacher": config.teacher.model_copy(update={"budget": BudgetConfig(tokens=tokens)})}
            )
            for tokens in (spent // 2, 2 * spent)
        )
        for place in ("first", "second"):
            with pytest.raises(BudgetSpent, match=rf"of {spent // 2:,} tokens"):
                generate(poor, tmp_path / "poor" / place)
            assert not any((tmp_path / "poor" / place).iterdir()), "no file says that it is done"
        paid = server.counters.requests
        assert paid < stats["usage"]["attempts"]
        samples, after = generate(rich, tmp_path / "poor" / "third")
        asked = server.counters.asked
    assert samples.replace("/poor/", "/whole/") == whole, "but for the place of the profiles"
    assert server.counters.requests == stats["usage"]["attempts"] and set(asked.values()) == {1}
    assert after["usage"]["hits"] >= paid
