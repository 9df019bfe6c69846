"""Cold start: the student learns the format and the first lookups by SFT, before GRPO."""

from __future__ import annotations

from typing import TYPE_CHECKING

from raiden_core.config import Config
from raiden_core.stages.folder import StageResult
from raiden_core.stages.layout import COLD_START, TRAIN_FILE
from tasks.call import StageCall

if TYPE_CHECKING:
    from raiden_core.training.settings import ColdStartSettings


def describe(config: Config, split: StageResult) -> StageCall[ColdStartSettings]:
    """The call: training samples and the student."""
    from raiden_core.training.cold_start import cold_start_stage
    from raiden_core.training.settings import ColdStartSettings
    from raiden_core.training.stage import student_input

    return StageCall(
        stage=COLD_START,
        modules=("raiden_core.training.cold_start",),
        settings=ColdStartSettings.of(config),
        inputs={"train": split.folder / TRAIN_FILE, "student": student_input(config.student)},
        work=cold_start_stage,
        resumable=True,
        gpu=True,
    )
