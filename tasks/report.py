"""Report: everything that the stages left, on one page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from raiden_core.config import Config
from raiden_core.stages.folder import StageResult
from raiden_core.stages.progress import Progress
from tasks.stage import StageCall, stage_task


def describe(
    config: Config,
    generated: StageResult,
    split: StageResult,
    cold: StageResult | None,
    trained: StageResult,
    evaluated: StageResult,
) -> StageCall:
    """The call: what every stage left behind."""
    from raiden_core.report.stage import report_stage

    stages = {
        result.stage: result.folder for result in (generated, split, cold, trained, evaluated) if result is not None
    }

    def work(out: Path, progress: Progress) -> Mapping[str, Any]:
        return report_stage(config, stages, out)

    inputs: dict[str, Path | str] = {
        f"{name} {file}": folder / file for name, folder in stages.items() for file in ("manifest.json", "stats.json")
    }
    return StageCall(
        stage="report",
        modules=("raiden_core.report.stage",),
        inputs=inputs,
        section=config.model_dump(mode="json", exclude={"output_dir", "limits", "storage"}),
        work=work,
    )


report = stage_task("report", describe)
