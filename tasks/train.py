"""Train: GRPO on the verifiable reward, from the cold start's model or the student itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from raiden_core.config import Config
from raiden_core.stages.folder import StageResult
from raiden_core.stages.layout import TRAIN, TRAIN_FILE, VALIDATION_FILE
from tasks.call import StageCall

if TYPE_CHECKING:
    from raiden_core.training.settings import TrainSettings


def describe(config: Config, split: StageResult, cold: StageResult | None) -> StageCall[TrainSettings]:
    """The call: samples and the policy that GRPO starts from."""
    from raiden_core.training.grpo import train_stage
    from raiden_core.training.settings import TrainSettings
    from raiden_core.training.stage import base_model

    return StageCall(
        stage=TRAIN,
        modules=("raiden_core.training.grpo",),
        settings=TrainSettings.of(config),
        inputs={
            "train": split.folder / TRAIN_FILE,
            "validation": split.folder / VALIDATION_FILE,
            "base": base_model(config.student, cold),
        },
        work=train_stage,
        resumable=True,
        gpu=True,
    )
