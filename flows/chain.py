"""The order of the stages, and what each builds on. Who does a stage, or only looks for its result, is the caller's business."""

from __future__ import annotations

from collections.abc import Mapping

from raiden_core.config import Config
from raiden_core.stages.folder import StageResult
from raiden_core.stages.layout import COLD_START, EVALUATE, GENERATE, REPORT, SPLIT, STAGES, TRAIN, Stage

MODELS_AND_DATA: Mapping[str, Stage] = {"generated": GENERATE, "split": SPLIT, "cold": COLD_START, "trained": TRAIN}
BUILDS_ON: Mapping[Stage, Mapping[str, Stage]] = {
    GENERATE: {},
    SPLIT: {"generated": GENERATE},
    COLD_START: {"split": SPLIT},
    TRAIN: {"split": SPLIT, "cold": COLD_START},
    EVALUATE: MODELS_AND_DATA,
    REPORT: {**MODELS_AND_DATA, "evaluated": EVALUATE},
}
"""Stage -> the results that its description takes: argument -> the stage whose result it is."""


def stages_until(config: Config, until: Stage) -> list[Stage]:
    """The stages of a configuration in their order, up to the last one wanted."""
    wanted = STAGES[: STAGES.index(until) + 1]
    return [stage for stage in wanted if stage != COLD_START or config.cold_start.enabled]


def upstream_of(stage: Stage, done: Mapping[Stage, StageResult]) -> dict[str, StageResult | None]:
    """What a stage builds on, of the results that are there; None for a cold start that the configuration does without."""
    return {argument: done.get(source) for argument, source in BUILDS_ON[stage].items()}
