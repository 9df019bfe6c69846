"""Cold start: the student learns the format and the first lookups by SFT, before GRPO."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from raiden_core.config import Config
from raiden_core.stages.folder import StageResult
from raiden_core.stages.progress import Progress
from tasks.progress import say
from tasks.stage import StageCall, stage_task


def describe(config: Config, split: StageResult) -> StageCall:
    """The call: training samples and the student."""
    from raiden_core.training.stage import cold_start_stage, student_input

    train = split.folder / "train.json"

    def work(out: Path, progress: Progress) -> Mapping[str, Any]:
        return cold_start_stage(config, train, out, progress, lambda words: say(f"cold-start: {words}"))

    return StageCall(
        stage="cold-start",
        modules=("raiden_core.training.cold_start", "raiden_core.training.stage"),
        inputs={"train": train, "student": student_input(config.student)},
        section=config.model_dump(
            mode="json",
            include={"cold_start", "student", "accuracy", "format", "system_prompt", "prefilled_think", "seed"},
        ),
        work=work,
        resumable=True,
        gpu=True,
    )


cold_start = stage_task("cold-start", describe)
