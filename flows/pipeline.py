"""The flow `raiden`: characters to report, each stage a cached, retryable task.

One flow serves every deployment: ``raiden/full-pipeline`` runs it to the end, ``raiden/train`` has ``until=train`` and
``refresh=[train]``, so that it does that stage anew and takes what is upstream from the cache.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast

from prefect import Task, flow
from prefect.client.schemas.objects import State
from prefect.logging import get_run_logger

from raiden_core.config import Config
from raiden_core.config_loading import dump_config, load_config
from raiden_core.errors import StageError
from raiden_core.stages import StageResult
from tasks.artifacts import publish_results
from tasks.cold_start import cold_start
from tasks.evaluate import evaluate
from tasks.generate import generate
from tasks.report import report
from tasks.split import split
from tasks.stage import RESULT_FOLDER
from tasks.train import train

Stage = Literal["generate", "split", "cold-start", "train", "evaluate", "report"]
STAGES: tuple[Stage, ...] = ("generate", "split", "cold-start", "train", "evaluate", "report")


@flow(name="raiden", flow_run_name="{config}-{until}", description=__doc__, validate_parameters=True)
def raiden(
    config: str = "configs/quickstart.yaml",
    overrides: list[str] | None = None,
    until: Stage = "report",
    refresh: list[Stage] | None = None,
) -> dict[str, Any]:
    """Run the pipeline.

    Args:
        config: path of the YAML configuration.
        overrides: settings that go before the file's, such as `grpo.max_steps=100`.
        until: the last stage to run.
        refresh: stages to run anew although nothing changed.

    Returns:
        The run's record: ``{"run", "stages": {stage: {"folder", "cached", "seconds"}}, "results", "report"}``.
    """
    settings = load_config(Path(config), overrides or [])
    run = Run(settings, until, refresh or [])
    return run.finish(run.chain())


class Run:
    """One run: which stages it does, and what came of each."""

    def __init__(self, config: Config, until: Stage, refresh: list[Stage]) -> None:
        self.config = config
        self.until = until
        self.refresh = refresh
        self.record: dict[str, dict[str, Any]] = {}
        output_dir = config.output_dir.absolute()
        try:
            output_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StageError(f"output_dir: {output_dir}: {error.strerror}; choose another with output_dir=…") from None
        self.storage = output_dir / RESULT_FOLDER
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")[:-3]
        self.folder = output_dir / "runs" / f"{stamp}-{config.name}"

    def chain(self) -> dict[str, StageResult]:
        """Do the stages in their order, up to the last one wanted."""
        done: dict[str, StageResult] = {}
        generated = done["generate"] = self.stage(generate)
        if self.until == "generate":
            return done
        parts = done["split"] = self.stage(split, generated=generated)
        if self.until == "split":
            return done
        cold: StageResult | None = None
        if self.config.cold_start.enabled:
            cold = done["cold-start"] = self.stage(cold_start, split=parts)
        if self.until == "cold-start":
            return done
        trained = done["train"] = self.stage(train, split=parts, cold=cold)
        if self.until == "train":
            return done
        upstream = {"generated": generated, "split": parts, "cold": cold, "trained": trained}
        evaluated = done["evaluate"] = self.stage(evaluate, **upstream)
        if self.until == "evaluate":
            return done
        done["report"] = self.stage(report, **upstream, evaluated=evaluated)
        return done

    def stage(self, task: Task[..., StageResult], **upstream: StageResult | None) -> StageResult:
        """Run one stage's task, or take its result from the cache."""
        anew = task.name in self.refresh
        started = time.monotonic()
        ready = task.with_options(refresh_cache=anew, result_storage=self.storage)
        # Prefect's types do not say that return_state changes what a task's call returns.
        state = cast("State[StageResult]", ready(self.config, upstream, refresh=anew, return_state=True))
        result = state.result()
        self.record[task.name] = {
            "folder": str(result.folder),
            "cached": state.name == "Cached" or result.found,
            "seconds": round(time.monotonic() - started, 2),
        }
        return result

    def finish(self, done: dict[str, StageResult]) -> dict[str, Any]:
        """Write the run's record beside its resolved configuration, and publish the results."""
        results: dict[str, Any] | None = None
        if evaluated := done.get("evaluate"):
            results = json.loads((evaluated.folder / "results.json").read_text("utf-8"))
        page = done["report"].folder / "report.html" if "report" in done else None
        record = {
            "run": str(self.folder),
            "stages": self.record,
            "results": results,
            "report": str(page) if page else None,
        }
        self.folder.mkdir(parents=True)
        (self.folder / "config.yaml").write_text(dump_config(self.config), "utf-8")
        (self.folder / "run.json").write_text(json.dumps(record, ensure_ascii=False, indent=2) + "\n", "utf-8")
        publish_results(record)
        get_run_logger().info("run: %s", self.folder)
        return record
