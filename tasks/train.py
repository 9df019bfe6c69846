"""Train: GRPO on the verifiable reward, from the cold start's model or the student itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raiden_core.config import Config
from raiden_core.stages.folder import StageResult
from raiden_core.stages.layout import TRAIN, TRAIN_FILE, VALIDATION_FILE
from raiden_core.stages.progress import Progress
from tasks.progress import say
from tasks.stage import Inputs, StageCall, stage_task

if TYPE_CHECKING:
    from raiden_core.training.settings import TrainSettings


def describe(config: Config, split: StageResult, cold: StageResult | None) -> StageCall[TrainSettings]:
    """The call: samples and the policy that GRPO starts from."""
    from raiden_core.training.settings import TrainSettings
    from raiden_core.training.stage import base_model

    return StageCall(
        stage=TRAIN,
        modules=("raiden_core.training.grpo", "raiden_core.training.stage"),
        settings=TrainSettings.of(config),
        inputs={
            "train": split.folder / TRAIN_FILE,
            "validation": split.folder / VALIDATION_FILE,
            "base": base_model(config.student, cold),
        },
        work=work,
        resumable=True,
        gpu=True,
    )


def work(settings: TrainSettings, inputs: Inputs, out: Path, progress: Progress) -> Mapping[str, Any]:
    """Train."""
    from raiden_core.training.stage import train_stage

    train, validation = Path(inputs["train"]), Path(inputs["validation"])
    return train_stage(settings, inputs["base"], train, validation, out, progress, lambda words: say(f"train: {words}"))


train = stage_task(TRAIN, describe)
