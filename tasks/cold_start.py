"""Cold start: the student learns the format and the first lookups by SFT, before GRPO."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raiden_core.config import Config
from raiden_core.stages.folder import StageResult
from raiden_core.stages.layout import COLD_START, TRAIN_FILE
from raiden_core.stages.progress import Progress
from tasks.progress import say
from tasks.stage import Inputs, StageCall, stage_task

if TYPE_CHECKING:
    from raiden_core.training.settings import ColdStartSettings


def describe(config: Config, split: StageResult) -> StageCall[ColdStartSettings]:
    """The call: training samples and the student."""
    from raiden_core.training.settings import ColdStartSettings
    from raiden_core.training.stage import student_input

    return StageCall(
        stage=COLD_START,
        modules=("raiden_core.training.cold_start", "raiden_core.training.stage"),
        settings=ColdStartSettings.of(config),
        inputs={"train": split.folder / TRAIN_FILE, "student": student_input(config.student)},
        work=work,
        resumable=True,
        gpu=True,
    )


def work(settings: ColdStartSettings, inputs: Inputs, out: Path, progress: Progress) -> Mapping[str, Any]:
    """Fine-tune the student."""
    from raiden_core.training.stage import cold_start_stage

    train = Path(inputs["train"])
    return cold_start_stage(
        settings, inputs["student"], train, out, progress, lambda words: say(f"cold-start: {words}")
    )


cold_start = stage_task(COLD_START, describe)
