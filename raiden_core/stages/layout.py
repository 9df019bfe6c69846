"""Names that several rooms must agree on: stages, models, and the files that one stage leaves for another.

Each stands here once. This module counts in every stage's key (raiden_core.stages.digests): a file by another name is
another result.
"""

from __future__ import annotations

from typing import Literal, get_args

Stage = Literal["generate", "split", "cold-start", "train", "evaluate", "report"]
STAGES: tuple[Stage, ...] = get_args(Stage)
"""In their order."""
GENERATE, SPLIT, COLD_START, TRAIN, EVALUATE, REPORT = STAGES
WITHOUT_STUDENT: tuple[Stage, ...] = (GENERATE, SPLIT)
"""Those that can be done before there is a model."""

MODELS = ("original", "base", "trained")
"""What evaluated models are called: what the cold start began with, what GRPO started from, what it made."""
ORIGINAL, BASE, TRAINED = MODELS

SAMPLES_FILE = "samples.jsonl"
EVALUATION_ONLY = "evaluation_only"
"""Folder of the generate stage: a file for each row of characters that are only evaluated."""
SKIPPED_FILE = "skipped.jsonl"

TRAIN_FILE = "train.json"
VALIDATION_FILE = "validation.json"
DATASET_STATS_FILE = "dataset_stats.json"

MODEL = "model"
"""Folder of a training stage."""
SUMMARY_FILE = "training.json"
"""What was trained; it is written last, so where it stands the training is done."""
LOG_FILE = "training.log"
METRICS_FILE = "metrics.jsonl"

JUDGED = "judged"
"""Folder of the replies of a judge that is a reward, in the stages that compute rewards."""

RESULTS_FILE = "results.json"
PREDICTIONS_FILE = "predictions.jsonl"

REPORT_FILE = "report.html"

RUNS = "runs"
"""Folder of the records of runs, below the output folder."""
RUN_FILE = "run.json"
CONFIG_FILE = "config.yaml"
