"""Shards of generation on a task runner of Prefect's: processes of this machine, or a Ray cluster.

``generate_in_shards`` goes before the generate stage and only gathers replies (raiden_core.generation.shards), so the
stage itself, its key and its samples are the same with and without it. One Prefect task a shard: Ray runs a task again
whose machine was lost, Prefect one that failed for a reason that may heal, and a later run the shards that are missing.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.logging import get_run_logger
from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner

from raiden_core.config import Config
from raiden_core.errors import ConfigError, RaidenError, StageError
from raiden_core.stages import KEY_DIGITS, find_result
from tasks.generate import describe
from tasks.progress import say, task_progress
from tasks.stage import RETRIES, RETRY_DELAY_SECONDS, may_heal

FOLDER = ".shards"
"""Below the output folder: replies of finished shards, until the store has them."""


@task(
    name="generate-shard",
    retries=RETRIES,
    retry_delay_seconds=RETRY_DELAY_SECONDS,
    retry_condition_fn=may_heal,
    persist_result=False,
    task_run_name="generate-shard-{number}-of-{of}",
)
def generate_shard(config: Config, number: int, of: int, folder: Path) -> int:
    """Ask what one shard needs; its number comes back."""
    from raiden_core.generation.shards import mine_shard

    mine_shard(config, number, of, folder)
    return number


def generate_in_shards(config: Config, refresh: bool = False) -> None:
    """Gather the replies that the generate stage will want, shard by shard, if the configuration says so.

    Raises:
        ConfigError: the configuration cannot be dealt into shards, or Ray is not installed.
        StageError: a shard was lost every time; the others' replies are kept.
    """
    if config.runner.kind == "none" or config.teacher.kind != "llm":
        return
    from raiden_core.generation.shards import check_shardable, collect_replies, is_done, share_replies

    check_shardable(config)
    config = config.model_copy(update={"output_dir": config.output_dir.absolute()})
    call = describe(config)
    if not refresh and find_result(config.output_dir, call.stage, call.key):
        return
    of = config.runner.shards
    folder = config.output_dir / FOLDER / call.key[:KEY_DIGITS]
    share_replies(config, folder)
    missing = [number for number in range(of) if not is_done(folder, number, of)]
    runner = task_runner(config)
    try:
        lost = _shards.with_options(task_runner=runner)(config, missing, of, folder)
    finally:
        collect_replies(config, folder)
    if lost:
        numbers = ", ".join(str(number) for number in sorted(lost))
        raise StageError(f"shards {numbers} of {of} were lost ({lost[min(lost)]}); run again, only they are left")
    shutil.rmtree(folder)


@flow(name="raiden-shards", validate_parameters=False, persist_result=False)
def _shards(config: Config, missing: list[int], of: int, folder: Path) -> dict[int, str]:
    """Run the missing shards; which were lost, and why."""
    with task_progress("generate") as progress:
        futures = {number: generate_shard.submit(config, number, of, folder) for number in missing}
        lost: dict[int, str] = {}
        for done, (number, future) in enumerate(futures.items(), 1):
            future.wait()
            if not future.state.is_completed():
                lost[number] = _why(future.state)
                say(f"generate: shard {number} of {of} was lost: {lost[number]}")
            progress(done, len(futures), "shards")
        get_run_logger().info("generate: %d of %d shards done", len(futures) - len(lost), len(futures))
    return lost


def task_runner(config: Config) -> TaskRunner[Any]:
    """Prefect's task runner that the configuration names.

    Raises:
        ConfigError: Ray is not installed.
    """
    if config.runner.kind == "processes":
        return ProcessPoolTaskRunner(max_workers=config.runner.shards)
    try:
        from prefect_ray import RayTaskRunner
    except ImportError as error:
        raise ConfigError(
            f"runner.kind: ray: {error.name or 'prefect_ray'} is missing; pip install raiden[ray]"
        ) from None
    runner: TaskRunner[Any] = RayTaskRunner(address=config.runner.address)
    return runner


def _why(state: Any) -> str:
    error = state.result(raise_on_failure=False)
    if isinstance(error, RaidenError):
        return str(error)
    return " ".join(str(state.message or error).split())[:300]
