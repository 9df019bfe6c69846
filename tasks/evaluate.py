"""Evaluate: base and trained model answer the same questions; the difference is the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raiden_core.config import Config
from raiden_core.stages.folder import StageResult
from raiden_core.stages.progress import Progress
from tasks.stage import StageCall, stage_task


@dataclass(frozen=True)
class Questions:
    """Who is asked what."""

    models: Mapping[str, Path | str]
    validation: Path
    extra: Mapping[str, Path]
    """Rows that are evaluated only."""


def questions(
    config: Config, generated: StageResult, split: StageResult, cold: StageResult | None, trained: StageResult
) -> Questions:
    """Validation samples, the rows that are evaluated only, and two or three models."""
    from raiden_core.evaluation.stage import evaluation_only_files
    from raiden_core.training.stage import base_model

    models: dict[str, Path | str] = {
        "base": base_model(config.student, cold),
        "trained": trained.folder / "model",
    }
    if cold is not None and config.student.model != "nano":
        models["original"] = base_model(config.student, None)
    return Questions(models, split.folder / "validation.json", evaluation_only_files(generated.folder))


def describe(
    config: Config, generated: StageResult, split: StageResult, cold: StageResult | None, trained: StageResult
) -> StageCall:
    """The call: the questions, the models, and what these were trained on."""
    from raiden_core.evaluation.stage import evaluate_stage

    train = split.folder / "train.json"
    asked = questions(config, generated, split, cold, trained)

    def work(out: Path, progress: Progress) -> Mapping[str, Any]:
        return evaluate_stage(config, asked.models, asked.validation, asked.extra, train, out, progress)

    return StageCall(
        stage="evaluate",
        modules=("raiden_core.evaluation.stage",),
        inputs={
            "train": train,
            "validation": asked.validation,
            **asked.models,
            **{f"extra {name}": path for name, path in asked.extra.items()},
        },
        section=config.model_dump(
            mode="json", include={"evaluation", "accuracy", "format", "system_prompt", "prefilled_think", "seed"}
        ),
        work=work,
        resumable=True,
        gpu=True,
    )


evaluate = stage_task("evaluate", describe)
