"""The report stage: what all stages left behind, on one page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from raiden_core.evaluation.results import read_results
from raiden_core.report.build import build_report
from raiden_core.report.data import random_samples
from raiden_core.report.hardware import describe_hardware
from raiden_core.report.settings import ReportSettings
from raiden_core.report.take_home import Place, beside, main_language
from raiden_core.stages.folder import KEY_DIGITS, MANIFEST, STATS
from raiden_core.stages.layout import (
    COLD_START,
    DATASET_STATS_FILE,
    EVALUATE,
    GENERATE,
    METRICS_FILE,
    MODEL,
    PREDICTIONS_FILE,
    REPORT_FILE,
    RESULTS_FILE,
    SAMPLES_FILE,
    SPLIT,
    TRAIN,
)
from raiden_core.text.formatting import percent

DIGEST_DIGITS = 64


def report_stage(settings: ReportSettings, stages: Mapping[str, Path], out: Path) -> Mapping[str, Any]:
    """Write ``report.html`` into ``out``.

    Args:
        settings: what the page says of the configuration.
        stages: stage name -> its folder; generate, split, train and evaluate are there, cold-start may be.
        out: the folder to write into.
    """
    metrics = out / METRICS_FILE
    with metrics.open("w", encoding="utf-8") as file:
        for stage in (COLD_START, TRAIN):
            if stage in stages:
                file.write((stages[stage] / METRICS_FILE).read_text("utf-8"))
    manifests = {name: _read(folder / MANIFEST) for name, folder in stages.items()}
    evaluated = stages[EVALUATE]
    build_report(
        results=read_results(evaluated / RESULTS_FILE),
        predictions=evaluated / PREDICTIONS_FILE,
        dataset_stats=_read(stages[SPLIT] / DATASET_STATS_FILE),
        metrics=metrics,
        generation_stats=_read(stages[GENERATE] / STATS),
        config=settings.shown,
        run={
            "name": settings.title,
            "notes": [*curriculum_notes(_read(stages[TRAIN] / STATS)), *settings.notes],
            "commands": ["raiden run config.yaml", "raiden run config.yaml --refresh train"],
            "seed": settings.seed,
            "hardware": describe_hardware(),
            "versions": manifests[EVALUATE]["versions"],
            "stages": [_stage_row(name, manifest) for name, manifest in manifests.items()],
        },
        out=out / REPORT_FILE,
        samples=random_samples(stages[GENERATE] / SAMPLES_FILE, seed=settings.seed),
        home=_place(settings, stages),
    )
    metrics.unlink()
    return {"report": REPORT_FILE}


def _place(settings: ReportSettings, stages: Mapping[str, Path]) -> Place:
    """The trained model, as commands name it.

    The page is older than its run's record, and several runs may share it; an evaluation's folder stands for the newest of them.
    """
    return Place(
        run=beside(stages[EVALUATE]),
        model=f"{beside(stages[TRAIN])}/{MODEL}",
        name=settings.name,
        nano=settings.nano,
        language=main_language(_read(stages[SPLIT] / STATS)),
    )


def curriculum_notes(trained: Mapping[str, Any]) -> list[str]:
    """What a reader must know of the prompts that training drew by pass rate; nothing where it took them as they were."""
    found = trained.get("curriculum")
    if not found:
        return []
    met = f"; training met {percent(found['zero_variance_met'])}%" if "zero_variance_met" in found else ""
    return [
        f"Curriculum: of the training prompts the student answered {found['never_right']:,} never, "
        f"{found['sometimes_right']:,} sometimes and {found['always_right']:,} always right in {found['answers']} tries. "
        f"Groups with nothing to learn from were expected to be {percent(found['zero_variance_before'])}% of all prompts, and "
        f"{percent(found['zero_variance_after'])}% of those that were drawn{met}."
    ]


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
