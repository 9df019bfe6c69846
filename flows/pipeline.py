"""The flow `raiden`: characters to report, each stage a cached, retryable task.

One flow serves every deployment: ``raiden/full-pipeline`` runs it to the end, ``raiden/train`` has ``until=train`` and
``refresh=[train]``, so that it does that stage anew and takes what is upstream from the cache.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import httpx
from prefect import Task, flow
from prefect.client.schemas.objects import State
from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from flows.chain import stages_until, upstream_of
from flows.record import record_folder, stage_row, write_record
from raiden_core.config import Config
from raiden_core.config.loading import START, config_of, load_config
from raiden_core.errors import StageError
from raiden_core.evaluation.results import parse_results
from raiden_core.report.tracking import send_results, trackers_of
from raiden_core.rewards.listed.chosen import chosen_rewards
from raiden_core.stages.folder import StageResult
from raiden_core.stages.layout import EVALUATE, GENERATE, REPORT, RESULTS_FILE, WITHOUT_STUDENT, Stage
from raiden_core.training.stage import check_student
from tasks.artifacts import announce, publish_results, publish_samples, publish_trend
from tasks.assets import asset_of
from tasks.logs import leave_out_tracebacks
from tasks.progress import say
from tasks.shards import ask_in_shards, check_runner
from tasks.stage import RESULT_FOLDER
from tasks.stages import TASKS


def run_name() -> str:
    """A run's name on Prefect's pages: configuration, last stage, stages done anew, and when it began (UTC)."""
    given = flow_run.parameters
    config = given.get("config", START)
    named = config.get("name", "inline") if isinstance(config, dict) else Path(config).stem
    until, refresh = given.get("until", REPORT), given.get("refresh") or []
    what = until if not refresh or refresh == [until] else f"{until} with {', '.join(refresh)} anew"
    return f"{named}: {what}, {datetime.now(UTC):%m-%d %H:%M:%S}"


@flow(name="raiden", flow_run_name=run_name, description=__doc__, validate_parameters=True)
def raiden(
    config: str | dict[str, Any] = START,
    overrides: list[str] | None = None,
    until: Stage = REPORT,
    refresh: list[Stage] | None = None,
) -> dict[str, Any]:
    """Run the pipeline.

    Args:
        config: Path of the YAML configuration on the worker's machine, relative to the checkout; or the configuration
            itself, as an object with the same keys.
        overrides: Settings that go before those of the configuration, such as `grpo.max_steps=100`.
        until: The last stage to run.
        refresh: Stages to run anew although nothing changed. What is upstream of them comes from the cache.

    Returns:
        The run's record: ``{"run", "stages": {stage: {"folder", "cached", "seconds"}}, "results", "report"}``.
    """
    leave_out_tracebacks()
    if isinstance(config, dict):
        settings = config_of(config, overrides or [], where="config")
    else:
        settings = load_config(Path(config), overrides or [])
    run = Run(settings, until, refresh or [])
    return run.finish(run.chain())


class Run:
    """One run: which stages it does, and what came of each."""

    def __init__(self, config: Config, until: Stage, refresh: list[Stage]) -> None:
        self.config = config
        self.until = until
        self.refresh = refresh
        self.rows: dict[Stage, dict[str, Any]] = {}
        check_runner(config)
        chosen_rewards(config)  # now, and not when all the data has been written; so is the student
        if until not in WITHOUT_STUDENT:
            check_student(config.student)
        output_dir = config.output_dir.absolute()
        try:
            output_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StageError(f"output_dir: {output_dir}: {error.strerror}; choose another with output_dir=…") from None
        self.storage = output_dir / RESULT_FOLDER
        self.folder = record_folder(config)

    def chain(self) -> dict[Stage, StageResult]:
        """Do the stages in their order, up to the last one wanted."""
        done: dict[Stage, StageResult] = {}
        for stage in stages_until(self.config, self.until):
            done[stage] = self.stage(TASKS[stage], **upstream_of(stage, done))
        return done

    def stage(self, task: Task[..., StageResult], **upstream: StageResult | None) -> StageResult:
        """Run one stage's task, or take its result from the cache."""
        anew = task.name in self.refresh
        started = time.monotonic()
        ask_in_shards(self.config, task.name, upstream, anew)
        options: dict[str, Any] = {"refresh_cache": anew, "result_storage": self.storage}
        if asset := asset_of(task.name, self.config.name):
            options["assets"] = [asset]
        ready = task.with_options(**options)
        # Prefect's types do not say that return_state changes what a task's call returns.
        state = cast("State[StageResult]", ready(self.config, upstream, refresh=anew, return_state=True))
        result = state.result()
        if state.name == "Cached":  # its task did nothing, so it said nothing either
            get_run_logger().info("%s: %s, from the cache", task.name, result.folder)
        cached = state.name == "Cached" or result.found
        self.rows[cast("Stage", task.name)] = stage_row(result, cached, time.monotonic() - started)
        return result

    def finish(self, done: dict[Stage, StageResult]) -> dict[str, Any]:
        """Write the run's record beside its resolved configuration, and publish the results."""
        record = write_record(self.config, self.folder, self.rows, done)
        self._publish(record, done[GENERATE])
        self._track(record)
        get_run_logger().info("run: %s", self.folder)
        return record

    def _publish(self, record: dict[str, Any], generated: StageResult) -> None:
        """Show the run on its page; what is on disk is the result, so a server that is away ends no run."""
        try:
            publish_results(record)
            publish_samples(generated)
            publish_trend(self.config.output_dir, self.config.name)
        except httpx.HTTPError as error:
            get_run_logger().warning("the run's page lacks its tables: %s", type(error).__name__)
        announce(record, self.config.name)

    def _track(self, record: dict[str, Any]) -> None:
        """Send the results to where training reported, once: when they are new."""
        if record["results"] and not self.rows[EVALUATE]["cached"] and trackers_of(self.config):
            facts = {"run": record["run"], "report": str(record["report"]), "config": self.config.name}
            for problem in send_results(self.config, parse_results(record["results"], RESULTS_FILE), facts):
                say(problem)
