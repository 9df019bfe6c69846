"""How each stage's call is described, by the stage's name. Nothing here imports Prefect."""

from __future__ import annotations

from collections.abc import Mapping

from raiden_core.stages.layout import COLD_START, EVALUATE, GENERATE, REPORT, SPLIT, TRAIN, Stage
from tasks import cold_start, evaluate, generate, report, split, train
from tasks.call import Describe

DESCRIBE: Mapping[Stage, Describe] = {
    GENERATE: generate.describe,
    SPLIT: split.describe,
    COLD_START: cold_start.describe,
    TRAIN: train.describe,
    EVALUATE: evaluate.describe,
    REPORT: report.describe,
}
