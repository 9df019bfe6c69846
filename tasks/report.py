"""Report: everything that the stages left, on one page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raiden_core.config import Config
from raiden_core.stages.folder import MANIFEST, STATS, StageResult
from raiden_core.stages.layout import REPORT
from raiden_core.stages.progress import Progress
from tasks.call import Inputs, Say, StageCall

if TYPE_CHECKING:
    from raiden_core.report.settings import ReportSettings


def describe(
    config: Config,
    generated: StageResult,
    split: StageResult,
    cold: StageResult | None,
    trained: StageResult,
    evaluated: StageResult,
) -> StageCall[ReportSettings]:
    """The call: what every stage left behind, each by its manifest, which holds digests of all its files."""
    from raiden_core.report.settings import ReportSettings

    results = [result for result in (generated, split, cold, trained, evaluated) if result is not None]
    return StageCall(
        stage=REPORT,
        modules=("raiden_core.report.stage",),
        settings=ReportSettings.of(config),
        inputs={f"{result.stage} {file}": result.folder / file for result in results for file in (MANIFEST, STATS)},
        work=work,
    )


def work(settings: ReportSettings, inputs: Inputs, out: Path, progress: Progress, say: Say) -> Mapping[str, Any]:
    """Write the page from the folders in which the manifests lie."""
    from raiden_core.report.stage import report_stage

    manifests = {name.removesuffix(f" {MANIFEST}"): Path(inputs[name]) for name in inputs if name.endswith(MANIFEST)}
    return report_stage(settings, {stage: manifest.parent for stage, manifest in manifests.items()}, out)
