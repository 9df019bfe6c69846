"""Evaluate: base and trained model answer the same questions; the difference is the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raiden_core.config import Config
from raiden_core.stages.folder import StageResult
from raiden_core.stages.layout import BASE, EVALUATE, MODEL, MODELS, ORIGINAL, TRAIN_FILE, TRAINED, VALIDATION_FILE
from raiden_core.stages.progress import Progress
from tasks.call import Inputs, Say, StageCall

if TYPE_CHECKING:
    from raiden_core.evaluation.settings import EvaluateSettings

EXTRA = "extra "
"""So begins the name of an input with rows that are evaluated only; their own name follows."""


@dataclass(frozen=True)
class Questions:
    """Who is asked what."""

    models: Mapping[str, Path | str]
    train: Path
    """Searched for what it shares with the questions."""
    validation: Path
    extra: Mapping[str, Path]
    """Rows that are evaluated only."""

    @property
    def inputs(self) -> Inputs:
        """The same as inputs of the stage."""
        extra = {f"{EXTRA}{name}": path for name, path in self.extra.items()}
        return {"train": self.train, "validation": self.validation, **self.models, **extra}

    @classmethod
    def of(cls, inputs: Inputs) -> Questions:
        """The questions in a stage's inputs."""
        return cls(
            models={name: inputs[name] for name in inputs if name in MODELS},
            train=Path(inputs["train"]),
            validation=Path(inputs["validation"]),
            extra={name.removeprefix(EXTRA): Path(inputs[name]) for name in inputs if name.startswith(EXTRA)},
        )


def questions(
    config: Config, generated: StageResult, split: StageResult, cold: StageResult | None, trained: StageResult
) -> Questions:
    """Validation samples, the rows that are evaluated only, and two or three models."""
    from raiden_core.evaluation.stage import evaluation_only_files
    from raiden_core.training.stage import base_model

    models: dict[str, Path | str] = {
        BASE: base_model(config.student, cold),
        TRAINED: trained.folder / MODEL,
    }
    if cold is not None and not config.student.is_nano:
        models[ORIGINAL] = base_model(config.student, None)
    return Questions(
        models, split.folder / TRAIN_FILE, split.folder / VALIDATION_FILE, evaluation_only_files(generated.folder)
    )


def describe(
    config: Config, generated: StageResult, split: StageResult, cold: StageResult | None, trained: StageResult
) -> StageCall[EvaluateSettings]:
    """The call: the questions, the models, and what these were trained on."""
    from raiden_core.evaluation.settings import EvaluateSettings

    return StageCall(
        stage=EVALUATE,
        modules=("raiden_core.evaluation.stage",),
        settings=EvaluateSettings.of(config),
        inputs=questions(config, generated, split, cold, trained).inputs,
        work=work,
        resumable=True,
        gpu=True,
    )


def work(settings: EvaluateSettings, inputs: Inputs, out: Path, progress: Progress, say: Say) -> Mapping[str, Any]:
    """Ask all models, and score what they say."""
    from raiden_core.evaluation.stage import evaluate_stage

    asked = Questions.of(inputs)
    return evaluate_stage(settings, asked.models, asked.validation, asked.extra, asked.train, out, progress)
