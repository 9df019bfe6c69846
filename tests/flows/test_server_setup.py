"""What `raiden up` makes on a server: once, and never over what somebody changed."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from prefect.exceptions import ObjectNotFound

from flows.server_setup import read_automation, set_up
from raiden_core.errors import ConfigError

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "configs" / "prefect").glob("*.yaml"))


class Server:
    """The part of Prefect's client that is called."""

    def __init__(self) -> None:
        self.limits: dict[str, Any] = {}
        self.automations: list[Any] = []
        self.pools: dict[str, Any] = {}

    async def read_work_pool(self, name: str) -> Any:
        if name not in self.pools:
            raise ObjectNotFound(httpx.HTTPError("404"))
        return self.pools[name]

    async def create_work_pool(self, work_pool: Any) -> None:
        self.pools[work_pool.name] = work_pool

    async def read_global_concurrency_limit_by_name(self, name: str) -> Any:
        if name not in self.limits:
            raise ObjectNotFound(httpx.HTTPError("404"))
        return self.limits[name]

    async def create_global_concurrency_limit(self, concurrency_limit: Any) -> None:
        self.limits[concurrency_limit.name] = concurrency_limit

    async def read_automations_by_name(self, name: str) -> list[Any]:
        return [one for one in self.automations if one.name == name]

    async def create_automation(self, automation: Any) -> None:
        self.automations.append(automation)


def test_what_is_missing_is_made_once() -> None:
    server: Any = Server()
    made = ["work pool raiden", "concurrency limit gpu", "automation raiden-zombie-runs"]
    assert asyncio.run(set_up(server, ROOT)) == made
    assert server.pools["raiden"].type == "process"
    template = server.pools["raiden"].base_job_template
    template["variables"]["properties"]["env"]["default"] = {"KEY": "{{ prefect.blocks.secret.key }}"}  # by hand
    server.limits["gpu"] = SimpleNamespace(limit=4)  # somebody has four GPUs
    assert asyncio.run(set_up(server, ROOT)) == []
    assert server.limits["gpu"].limit == 4
    assert server.pools["raiden"].base_job_template is template
    assert len(server.automations) == 1


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_automation_is_one_that_prefect_reads(file: Path) -> None:
    automation = read_automation(file)
    assert automation.name.startswith("raiden-")
    assert automation.trigger and automation.actions


def test_a_zombie_is_a_run_of_ours_without_a_heartbeat() -> None:
    trigger: Any = read_automation(ROOT / "configs" / "prefect" / "zombie-runs.yaml").trigger
    assert trigger.posture.value == "Proactive"
    assert trigger.within.total_seconds() >= 3 * 30, "three heartbeats of 30 s"
    assert "prefect.flow-run.heartbeat" in trigger.after and "prefect.flow-run.heartbeat" in trigger.expect
    ends = {"Completed", "Failed", "Cancelled", "Crashed"}
    assert {f"prefect.flow-run.{end}" for end in ends} <= trigger.expect, "a run that ended is no zombie"


@pytest.mark.parametrize("content", ["name: x", "- 1", "a: [", None])
def test_a_broken_automation_is_named(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "one.yaml"
    if content is not None:
        file.write_text(content, "utf-8")
    with pytest.raises(ConfigError, match=r"one\.yaml"):
        read_automation(file)
