"""The report stage: what all stages left behind, on one page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from raiden_core.config import Config
from raiden_core.evaluation.predictions import PREDICTIONS
from raiden_core.evaluation.results import RESULTS, read_results
from raiden_core.report.build import build_report
from raiden_core.report.data import random_samples
from raiden_core.report.hardware import describe_hardware
from raiden_core.stages.folder import KEY_DIGITS, MANIFEST, STATS

REPORT_FILE = "report.html"
SAMPLES_FILE = "samples.jsonl"
"""What the generate stage calls its file."""
DIGEST_DIGITS = 64
NANO_NOTE = (
    "The student is nano: about half a million parameters, made inside the run. Its figures show that the pipeline "
    "works and that the reward teaches; they say nothing about what a real model would reach."
)
OFFLINE_NOTE = (
    "The offline teacher wrote questions and answers by rule from facts written as key: value. Nobody judged their style, "
    "and characters without such facts were skipped."
)


def report_stage(config: Config, stages: Mapping[str, Path], out: Path) -> Mapping[str, Any]:
    """Write ``report.html`` into ``out``.

    Args:
        config: the resolved configuration.
        stages: stage name -> its folder; generate, split, train and evaluate are there, cold-start may be.
        out: the folder to write into.
    """
    metrics = out / "metrics.jsonl"
    with metrics.open("w", encoding="utf-8") as file:
        for stage in ("cold-start", "train"):
            if stage in stages:
                file.write((stages[stage] / "metrics.jsonl").read_text("utf-8"))
    manifests = {name: _read(folder / MANIFEST) for name, folder in stages.items()}
    evaluated = stages["evaluate"]
    build_report(
        results=read_results(evaluated / RESULTS),
        predictions=evaluated / PREDICTIONS,
        dataset_stats=_read(stages["split"] / "dataset_stats.json"),
        metrics=metrics,
        generation_stats=_read(stages["generate"] / STATS),
        config=config.model_dump(mode="json"),
        run={
            "name": config.report.title,
            "notes": [*run_notes(config), *config.report.notes],
            "commands": ["raiden run config.yaml", "raiden run config.yaml --refresh train"],
            "seed": config.seed,
            "hardware": describe_hardware(),
            "versions": manifests["evaluate"]["versions"],
            "stages": [_stage_row(name, manifest) for name, manifest in manifests.items()],
        },
        out=out / REPORT_FILE,
        samples=random_samples(stages["generate"] / SAMPLES_FILE, seed=config.seed),
    )
    metrics.unlink()
    return {"report": REPORT_FILE}


def run_notes(config: Config) -> list[str]:
    """What a reader must know of a run because of how it was configured."""
    notes = []
    if config.student.model == "nano":
        notes.append(NANO_NOTE)
    if config.teacher.kind == "offline":
        notes.append(OFFLINE_NOTE)
    if config.grpo.permute_rewards:
        notes.append("Control: rewards were permuted within each batch, so nothing could be learned from them.")
    return notes


def _stage_row(name: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A stage's key and the digests of its inputs, as many digits as its folder's name has; a model's name stays whole."""
    return {
        "stage": name,
        "key": manifest["key"][:KEY_DIGITS],
        "seconds": manifest["seconds"],
        "inputs": {
            label: value[:KEY_DIGITS] if len(value) == DIGEST_DIGITS else value
            for label, value in manifest["inputs"].items()
        },
    }


def _read(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return value
