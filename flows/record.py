"""The record of a run: which stages it did, where they lie, what came of it; written beside its resolved configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from raiden_core.config import Config
from raiden_core.config.loading import dump_config
from raiden_core.stages.folder import StageResult
from raiden_core.stages.layout import EVALUATE, REPORT, REPORT_FILE, RESULTS_FILE, RUNS, Stage
from raiden_core.stages.run import writing_to
from raiden_core.stages.runs import write_run


def record_folder(config: Config) -> Path:
    """Where the record of a run that begins now will lie."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")[:-3]
    return config.output_dir.absolute() / RUNS / f"{stamp}-{config.name}"


def stage_row(result: StageResult, cached: bool, seconds: float) -> dict[str, Any]:
    """One stage in the record."""
    return {"folder": str(result.folder), "cached": cached, "seconds": round(seconds, 2)}


def write_record(
    config: Config, folder: Path, rows: Mapping[Stage, Mapping[str, Any]], done: Mapping[Stage, StageResult]
) -> dict[str, Any]:
    """Write a run's record into its folder, which must be new; the record comes back.

    Returns:
        ``{"run", "stages": {stage: {"folder", "cached", "seconds"}}, "results", "report"}``.
    """
    output_dir = config.output_dir.absolute()
    with writing_to(output_dir, "make room and run again, finished stages are kept", "choose another output_dir"):
        results: dict[str, Any] | None = None
        if evaluated := done.get(EVALUATE):
            results = json.loads((evaluated.folder / RESULTS_FILE).read_text("utf-8"))
        page = done[REPORT].folder / REPORT_FILE if REPORT in done else None
        record = {
            "run": str(folder),
            "stages": dict(rows),
            "results": results,
            "report": str(page) if page else None,
        }
        write_run(folder, record, dump_config(config))
    return record
