"""What a Prefect server needs beside deployments: work pool, GPU slot, automations; made once, left alone afterwards.

``raiden up`` calls it. By hand: ``prefect work-pool create raiden --type process``, ``prefect gcl create gpu --limit 1``
and ``prefect automation create --from-file configs/prefect/zombie-runs.yaml``.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click
import yaml

from raiden_core.errors import ConfigError

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.events.schemas.automations import AutomationCore

POOL = "raiden"
GPU_LIMIT = "gpu"
AUTOMATIONS = ("configs/prefect/zombie-runs.yaml",)
"""Created with the services; the failure notice is not among them, since it needs a block of its user's."""


async def set_up(client: PrefectClient, checkout: Path) -> list[str]:
    """Create what is missing; its names. What exists, also changed by hand, is left as it is.

    Raises:
        ConfigError: an automation's file is broken.
    """
    from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate, WorkPoolCreate
    from prefect.exceptions import ObjectNotFound
    from prefect.workers.process import ProcessWorker

    made: list[str] = []
    try:
        await client.read_work_pool(POOL)
    except ObjectNotFound:
        template = ProcessWorker.get_default_base_job_template()
        await client.create_work_pool(WorkPoolCreate(name=POOL, type=ProcessWorker.type, base_job_template=template))
        made.append(f"work pool {POOL}")
    try:
        await client.read_global_concurrency_limit_by_name(GPU_LIMIT)
    except ObjectNotFound:
        await client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=GPU_LIMIT, limit=1))
        made.append(f"concurrency limit {GPU_LIMIT}")
    for file in AUTOMATIONS:
        automation = read_automation(checkout / file)
        if not await client.read_automations_by_name(automation.name):
            await client.create_automation(automation)
            made.append(f"automation {automation.name}")
    return made


def read_automation(file: Path) -> AutomationCore:
    """An automation's YAML, as Prefect's own model.

    Raises:
        ConfigError: the file is missing or no automation.
    """
    from prefect.events.schemas.automations import AutomationCore
    from pydantic import ValidationError

    try:
        return AutomationCore.model_validate(yaml.safe_load(file.read_text("utf-8")))
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from None
    except (yaml.YAMLError, ValidationError) as error:
        raise ConfigError(f"{file}: no automation of Prefect's: {' '.join(str(error).split())[:200]}") from None


async def main() -> None:
    """Set up the server that the environment names, from the checkout that this is called in."""
    from prefect.client.orchestration import get_client

    async with get_client() as client:
        for made in await set_up(client, Path.cwd()):
            click.echo(made)


if __name__ == "__main__":
    asyncio.run(main())
