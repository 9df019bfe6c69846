"""What all stages' tasks share: the cache key, the retries, and the way from a `StageCall` to a `StageResult`.

A stage's file describes its call (tasks/call.py); `stage_task` makes a Prefect task of it. The work is a
plain function that is handed the settings and inputs which make the key, so it can read nothing else. The cache key is
the stage's own key (raiden_core.stages.run), so Prefect's cache and the folder's name say the same: a file counts by its
content, code by its syntax, and nothing else counts. The cached value is a `StageResult`, which checks its folder when
Prefect loads it; one whose files were edited or deleted is a miss.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect import Task
from prefect.cache_policies import CachePolicy
from prefect.context import TaskRunContext
from prefect.logging import get_run_logger
from prefect.tasks import MaterializingTask
from prefect.utilities.timeout import timeout

from raiden_core.config import Config
from raiden_core.config.sections.limits import LimitsConfig
from raiden_core.errors import RaidenError, StageError
from raiden_core.stages.folder import StageResult
from raiden_core.stages.progress import Progress
from raiden_core.stages.remote import Remote
from raiden_core.stages.run import run_stage
from tasks.assets import asset_of, describe_asset
from tasks.call import Describe, StageCall
from tasks.progress import say, task_progress
from tasks.slots import gpu_slot

RESULT_FOLDER = ".results"
"""Where Prefect keeps its records of finished stages, below the output folder: all ways of starting share it."""
RETRIES = 3
RETRY_DELAY_SECONDS = [5.0, 20.0, 60.0]
NETWORK_ERRORS = frozenset({"NetworkError", "TimeoutException", "RemoteProtocolError"})
"""Kinds of httpx (and of its successors) that may heal; the clients of OpenAI and of the Hub raise from them."""


@dataclass
class StageKey(CachePolicy):
    """Prefect's cache key of a stage: the key of its folder, and the output folder in which that lies."""

    describe: Describe | None = None

    def compute_key(
        self,
        task_ctx: TaskRunContext,
        inputs: dict[str, Any],
        flow_parameters: dict[str, Any],
        **kwargs: Any,
    ) -> str | None:
        """The key, or None where the task has no description."""
        if self.describe is None:
            return None
        try:
            call = self.describe(config=inputs["config"], **inputs["upstream"])
        except RaidenError:
            return None  # the task describes itself again and fails with this error, where the user sees it
        # A copy of an output folder has Prefect's records in it, which name the original's folders: there they are misses,
        # and the stage finds its own folder by its key.
        place = hashlib.sha256(str(inputs["config"].output_dir.absolute()).encode()).hexdigest()
        return f"{call.stage}-{call.key}-{place[:12]}"


def stage_task(stage: str, describe: Describe) -> Task[..., StageResult]:
    """A Prefect task that takes ``config``, upstream results by name, and ``refresh``, and returns a `StageResult`."""

    def run(config: Config, upstream: dict[str, StageResult | None], refresh: bool = False) -> StageResult:
        logger = get_run_logger()
        call = describe(config=config, **upstream)
        with task_progress(stage) as progress:
            result = run_stage(
                call.stage,
                call.key,
                output_dir=config.output_dir,
                inputs=call.input_digests,
                section=call.section,
                work=lambda folder: _bounded(call, config.limits, folder, progress),
                refresh=refresh,
                resumable=call.resumable,
                waiting=lambda: say(f"{stage}: another run is at work on the same; waiting for it"),
                remote=Remote(config.storage.url) if config.storage.url else None,
            )
        logger.info("%s: %s", stage, result.folder)
        if TaskRunContext.get() is not None:
            describe_asset(result, config.name)
        return result

    options: dict[str, Any] = {
        "name": stage,
        "description": f"The {stage} stage.",
        "cache_policy": StageKey(describe=describe),
        "persist_result": True,
        "result_serializer": "json",
        "retries": RETRIES,
        "retry_delay_seconds": RETRY_DELAY_SECONDS,
        "retry_condition_fn": may_heal,
    }
    # Which configuration's asset it is shows when the task is called: flows/pipeline.py names that.
    asset = asset_of(stage, "unnamed")
    return Task(run, **options) if asset is None else MaterializingTask(run, assets=[asset], **options)


def _bounded(call: StageCall[Any], limits: LimitsConfig, folder: Path, progress: Progress) -> Mapping[str, Any]:
    """Do a stage's work with the GPU slot in hand and within its time.

    The slot is taken after the stage's own lock and never by a stage that is found, so that two runs cannot wait for
    each other and a run from the cache waits for nobody.
    """
    with gpu_slot(limits.gpu_slot if call.gpu else None, call.stage):
        try:
            with timeout(limits.stage_seconds, StageTimeout):
                return call.work(
                    call.settings, call.inputs, folder, progress, lambda words: say(f"{call.stage}: {words}")
                )
        except StageTimeout:
            raise StageError(
                f"{call.stage}: not done within {limits.stage_seconds:g} s (limits.stage_seconds); "
                "run again to go on from what is done, or give it more time"
            ) from None


class StageTimeout(TimeoutError):
    """A stage's time is over."""


def may_heal(_task: Any, _run: Any, state: Any) -> bool:
    """Whether trying again can help: lost connections and busy servers may heal; config, data and code never do."""
    error: BaseException | None = state.result(raise_on_failure=False)
    while error is not None:
        if isinstance(error, RaidenError):
            return False
        if isinstance(error, (ConnectionError, TimeoutError)) or _is_network_error(error):
            return True
        if _status(error) in (408, 409, 429, 500, 502, 503, 504):
            return True
        error = error.__cause__
    return False


def _is_network_error(error: BaseException) -> bool:
    """Whether an error is httpx's word for a lost connection or a time-out; they are no built-in kinds."""
    kinds = {kind.__name__ for kind in type(error).__mro__ if kind.__module__.startswith(("httpx", "httpcore"))}
    return bool(kinds & NETWORK_ERRORS)


def _status(error: BaseException) -> int | None:
    """The HTTP status that an error of a client library carries, if any."""
    status = getattr(error, "status_code", None) or getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None
