"""Split: samples in, train.json and validation.json out, no character on both sides."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from raiden_core.config import Config
from raiden_core.stages.folder import STATS, StageResult
from raiden_core.stages.progress import Progress
from tasks.stage import StageCall, stage_task


def describe(config: Config, generated: StageResult) -> StageCall:
    """The call: the generated samples."""
    from raiden_core.dataset.split import split_file

    samples, stats = generated.folder / "samples.jsonl", generated.folder / STATS

    def work(out: Path, progress: Progress) -> Mapping[str, Any]:
        return split_file(samples, config.split, config.seed, out)

    return StageCall(
        stage="split",
        modules=("raiden_core.dataset.split",),
        inputs={"samples": samples, "statistics": stats},
        section=config.model_dump(mode="json", include={"split", "seed"}),
        work=work,
    )


split = stage_task("split", describe)
