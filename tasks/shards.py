"""Shards of generation and evaluation on a task runner of Prefect's: processes of this machine, or a Ray cluster.

``ask_in_shards`` goes before a stage and only gathers replies (raiden_core.models.shards), so the stage itself, its key and what
it makes are the same with and without it. One Prefect task a shard: Ray runs a task again whose machine was lost, Prefect
one that failed for a reason that may heal, and a later run the shards that are missing.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from prefect import flow, task
from prefect.futures import PrefectFuture
from prefect.logging import get_run_logger
from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner

from raiden_core.config import Config
from raiden_core.errors import ConfigError, RaidenError, StageError
from raiden_core.models.shards import Shards
from raiden_core.stages.folder import KEY_DIGITS, unfinished_folder
from raiden_core.stages.layout import EVALUATE, GENERATE
from raiden_core.stages.remote import Remote
from raiden_core.stages.run import find_or_fetch, stage_lock
from tasks import evaluate, generate
from tasks.call import StageCall
from tasks.progress import say, task_progress
from tasks.stage import RETRIES, RETRY_DELAY_SECONDS, may_heal

FOLDER = ".shards"
"""Below the output folder: replies of finished shards, until the stage's store has them."""

CONNECT_SECONDS = 10.0
"""How long Ray's address may take to accept a connection."""

Submit = Callable[[Shards, int], PrefectFuture[int]]
"""Hands a shard to the task runner."""


@task(
    name="generate-shard",
    retries=RETRIES,
    retry_delay_seconds=RETRY_DELAY_SECONDS,
    retry_condition_fn=may_heal,
    persist_result=False,
    task_run_name="generate-shard-{number}",
)
def generate_shard(config: Config, shards: Shards, number: int) -> int:
    """Ask what one shard of generation needs; its number comes back."""
    from raiden_core.generation.settings import GenerateSettings
    from raiden_core.generation.shards import mine_shard

    mine_shard(GenerateSettings.of(config), shards, number)
    return number


@task(
    name="evaluate-shard",
    retries=RETRIES,
    retry_delay_seconds=RETRY_DELAY_SECONDS,
    retry_condition_fn=may_heal,
    persist_result=False,
    task_run_name="evaluate-shard-{number}",
)
def evaluate_shard(config: Config, questions: evaluate.Questions, shards: Shards, number: int) -> int:
    """Let all models answer one shard's questions; its number comes back."""
    from raiden_core.evaluation.settings import EvaluateSettings
    from raiden_core.evaluation.shards import answer_shard

    answer_shard(EvaluateSettings.of(config), questions.models, questions.validation, questions.extra, shards, number)
    return number


def ask_in_shards(config: Config, stage: str, upstream: Mapping[str, Any] | None = None, refresh: bool = False) -> None:
    """Gather the replies that a stage will want, shard by shard, if the configuration says so.

    Args:
        config: names the runner and what it runs.
        stage: the stage that comes next; those that ask nobody have no shards.
        upstream: the results that it builds on, by name.
        refresh: ask although the stage's result is there.

    Raises:
        ConfigError: the configuration cannot be dealt into shards, or Ray is not installed.
        StageError: a shard was lost every time; the others' replies are kept.
    """
    if config.runner.kind == "none" or stage not in config.runner.stages:
        return
    config = config.model_copy(update={"output_dir": config.output_dir.absolute()})
    if stage == GENERATE and config.teacher.kind == "llm":
        from raiden_core.generation.shards import FILES, check_shardable

        check_shardable(config)

        def submit_generation(shards: Shards, number: int) -> PrefectFuture[int]:
            return generate_shard.submit(config, shards, number)

        _gather(config, generate.describe(config), config.output_dir, FILES, submit_generation, refresh)
    elif stage == EVALUATE and upstream is not None:
        from raiden_core.evaluation.shards import FILES as ANSWERS

        questions = evaluate.questions(config, **upstream)
        call = evaluate.describe(config, **upstream)
        home = unfinished_folder(config.output_dir, call.stage, call.key)

        def submit_evaluation(shards: Shards, number: int) -> PrefectFuture[int]:
            with _gpus(config, questions.models):
                return evaluate_shard.submit(config, questions, shards, number)

        _gather(config, call, home, ANSWERS, submit_evaluation, refresh)


def _gather(
    config: Config, call: StageCall[Any], home: Path, files: tuple[str, ...], submit: Submit, refresh: bool
) -> None:
    remote = Remote(config.storage.url) if config.storage.url else None

    def waiting() -> None:
        say(f"{call.stage}: another run is at work on the same; waiting for it")

    with stage_lock(config.output_dir, call.stage, call.key, waiting):
        if not refresh and find_or_fetch(config.output_dir, call.stage, call.key, remote):
            return
        runner = task_runner(config)
        shards = Shards(config.output_dir / FOLDER / call.key[:KEY_DIGITS], config.runner.shards, files)
        shards.share(home)
        try:
            lost = _run(runner, call.stage, shards, submit)
        finally:
            shards.collect(home)
        if lost:
            numbers = ", ".join(str(number) for number in sorted(lost))
            raise StageError(
                f"{call.stage}: shards {numbers} of {shards.of} were lost ({lost[min(lost)]}); run again, only they "
                "are left"
            )
        shutil.rmtree(shards.folder)


def _run(runner: TaskRunner[Any], stage: str, shards: Shards, submit: Submit) -> dict[int, str]:
    """Run the missing shards; which were lost, and why."""

    @flow(name=f"{stage}-shards", task_runner=runner, persist_result=False)
    def run_shards() -> dict[int, str]:
        with task_progress(stage) as progress:
            futures = {number: submit(shards, number) for number in shards.missing()}
            lost: dict[int, str] = {}
            for done, (number, future) in enumerate(futures.items(), 1):
                future.wait()
                if not future.state.is_completed():
                    lost[number] = _why(future.state)
                    say(f"{stage}: shard {number} of {shards.of} was lost: {lost[number]}")
                progress(done, len(futures), "shards")
            get_run_logger().info("%s: %d of %d shards done", stage, len(futures) - len(lost), len(futures))
        return lost

    return run_shards()


def check_runner(config: Config) -> None:
    """Say at a run's beginning what would else be found out when models are trained.

    Raises:
        ConfigError: Ray is not installed.
        StageError: its cluster is not there.
    """
    if config.runner.kind != "none":
        task_runner(config)


def task_runner(config: Config) -> TaskRunner[Any]:
    """Prefect's task runner that the configuration names.

    Raises:
        ConfigError: Ray is not installed.
        StageError: nobody listens at the cluster's address; Ray itself tries for minutes and then ends the process.
    """
    if config.runner.kind == "processes":
        # A process takes seconds to start, and one alone keeps hundreds of requests under way.
        return ProcessPoolTaskRunner(max_workers=min(config.runner.shards, os.cpu_count() or 1))
    try:
        from prefect_ray import RayTaskRunner
    except ImportError as error:
        raise ConfigError(
            f"runner.kind: ray: {error.name or 'prefect_ray'} is missing; pip install -e '.[ray]' in raiden's checkout"
        ) from None
    address = config.runner.address
    place = urlsplit(address if "//" in address else f"//{address}") if address else None
    if place is not None and place.port:
        try:
            socket.create_connection((place.hostname, place.port), timeout=CONNECT_SECONDS).close()
        except OSError as error:
            raise StageError(
                f"runner.address: {address}: no Ray cluster answers there ({error.strerror or error}); start its head "
                "(ray start --head) or correct the address, and run again"
            ) from None
    runner: TaskRunner[Any] = RayTaskRunner(address=address)
    return runner


def _gpus(config: Config, models: Mapping[str, Path | str]) -> Any:
    """Lets Ray give a shard GPUs of its own, where models are loaded in it; without that it would see none."""
    from raiden_core.models.served_model import is_url

    served = all(isinstance(model, str) and is_url(model) for model in models.values())
    if config.runner.kind != "ray" or served or not config.runner.gpus:
        return nullcontext()
    from prefect_ray.context import remote_options

    return remote_options(num_gpus=config.runner.gpus)


def _why(state: Any) -> str:
    error = state.result(raise_on_failure=False)
    if isinstance(error, RaidenError):
        return str(error)
    return " ".join(str(state.message or error).split())[:300]
