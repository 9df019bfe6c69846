"""Train: GRPO on the verifiable reward, from the cold start's model or the student itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from raiden_core.config import Config
from raiden_core.stages.folder import StageResult
from raiden_core.stages.progress import Progress
from tasks.progress import say
from tasks.stage import StageCall, stage_task


def describe(config: Config, split: StageResult, cold: StageResult | None) -> StageCall:
    """The call: samples and the policy that GRPO starts from."""
    from raiden_core.training.stage import base_model, train_stage

    train, validation = split.folder / "train.json", split.folder / "validation.json"
    base = base_model(config.student, cold)

    def work(out: Path, progress: Progress) -> Mapping[str, Any]:
        return train_stage(config, base, train, validation, out, progress, lambda words: say(f"train: {words}"))

    return StageCall(
        stage="train",
        modules=("raiden_core.training.grpo", "raiden_core.training.stage"),
        inputs={"train": train, "validation": validation, "base": base},
        section=config.model_dump(
            mode="json", include={"grpo", "accuracy", "format", "system_prompt", "prefilled_think", "seed"}
        ),
        work=work,
        resumable=True,
        gpu=True,
    )


train = stage_task("train", describe)
