"""Does the reward teach a pretrained model? raiden's own stages on one model, in minutes, without Prefect.

Composed English characters, split by character; a short cold start for the format; GRPO for a given time, with the
rewards as they are and, at the same moment in a second process, with rewards permuted; then the questions about unseen
characters go to the model as it was (original), after the cold start (base) and after GRPO (trained).
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CONTROLS = ("rewards", "permuted")


@dataclass(frozen=True)
class Learning:
    """How much is learned from how much."""

    model: Path
    """The folder of the model that is trained."""
    grpo_s: float = 180.0
    """Seconds that GRPO may take, its start included."""
    start_s: float = 20.0
    """Seconds that a training process needs before its first step and after its last."""
    step_s: float = 3.0
    """Seconds of a GRPO step, as measured."""
    characters: int = 400
    validation_characters: int = 64
    cold_steps: int = 36
    """Of the cold start at most; it stops where the model can answer, but not yet well."""
    questions: int = 16
    """Prompts of a GRPO step, each answered by a group of 8."""
    max_completion: int = 80
    learning_rate: float = 2e-5
    on_cpu: bool = False
    overrides: tuple[str, ...] = field(default=())

    @property
    def grpo_steps(self) -> int:
        """How many fit into the time."""
        return max(2, int((self.grpo_s - self.start_s) / self.step_s))

    def tree(self) -> dict[str, Any]:
        """The configuration."""
        trainer = {
            "bf16": not self.on_cpu,
            "use_cpu": self.on_cpu,
            "gradient_checkpointing": False,
            "save_strategy": "no",
        }
        return {
            "seed": 7,
            "characters": {"composed": {"count": self.characters, "language": "en", "facts": [4, 8]}},
            "generation": {"samples_per_character": 8, "include_cm": True, "cm_share": 0.15},
            "split": {"validation_characters": self.validation_characters},
            "student": {"model": str(self.model)},
            "cold_start": {
                **trainer,
                "max_steps": self.cold_steps,
                "probe": {"stop_at": 0.35, "ceiling": 0.55, "questions": 96, "first": 3, "every": 3},
                "questions_per_sequence": 2,
                "per_device_train_batch_size": 8,
                "max_length": 1024,
                "learning_rate": 5e-5,
                "lr_scheduler_type": "constant_with_warmup",
                "warmup_steps": 3,
            },
            "grpo": {
                **trainer,
                "max_steps": self.grpo_steps,
                "num_generations": 8,
                "per_device_train_batch_size": 8 * self.questions,
                "gradient_accumulation_steps": 1,
                "max_completion_length": self.max_completion,
                "max_prompt_length": 1000,
                "learning_rate": self.learning_rate,
                "lr_scheduler_type": "constant_with_warmup",
                "warmup_steps": 5,
                "beta": 0.0,
                "logging_steps": 5,
            },
            "evaluation": {"max_new_tokens": 128, "batch_size": 256},
        }


def measure(case: Learning, scratch: Path) -> dict[str, Any]:
    """Generate, split, train twice and evaluate; what came out, and how long each stage took.

    Raises:
        RaidenError: a stage failed.
    """
    from raiden_core.config.loading import config_of
    from raiden_core.dataset.split import split_file
    from raiden_core.generation.settings import GenerateSettings
    from raiden_core.generation.stage import generate_stage
    from raiden_core.stages.progress import silent
    from raiden_core.training.cold_start import cold_start_stage
    from raiden_core.training.settings import ColdStartSettings

    config = config_of(case.tree(), case.overrides)
    seconds: dict[str, float] = {}
    record: dict[str, Any] = {"seconds_by_stage": seconds, "grpo_steps": case.grpo_steps, "characters": case.characters}
    data, cold = (_folder(scratch / name) for name in ("data", "cold-start"))
    with _timed(seconds, "generate"):
        generate_stage(GenerateSettings.of(config), data, silent)
        split_file(data / "samples.jsonl", config.split, config.seed, data)
    with _timed(seconds, "cold start"):
        inputs: dict[str, Path | str] = {"student": case.model, "train": data / "train.json"}
        summary = cold_start_stage(ColdStartSettings.of(config), inputs, cold, silent)
        record["cold_start"] = {
            name: summary[name] for name in ("samples", "sequences", "steps", "probe", "probe_history")
        }
    models = {"original": case.model, "base": cold / "model"}
    with ThreadPoolExecutor() as pool:
        running = {
            control: pool.submit(_grpo, case, control, models["base"], data, scratch, seconds) for control in CONTROLS
        }
        trained = {control: one.result() for control, one in running.items()}
    for control in CONTROLS:
        with _timed(seconds, f"evaluate {control}"):
            asked = {**(models if control == "rewards" else {"base": models["base"]}), "trained": trained[control]}
            record[control] = _evaluated(case, asked, data, _folder(scratch / f"evaluate-{control}"))
        record[control]["curve"] = _curve(trained[control].parent / "metrics.jsonl")
    return record


def _grpo(case: Learning, control: str, base: Path, data: Path, scratch: Path, seconds: dict[str, float]) -> Path:
    """Train with GRPO; the model's folder."""
    from raiden_core.config.loading import config_of
    from raiden_core.stages.progress import silent
    from raiden_core.training.grpo import train_stage
    from raiden_core.training.settings import TrainSettings

    config = config_of(case.tree(), (*case.overrides, f"grpo.permute_rewards={str(control == 'permuted').lower()}"))
    out = _folder(scratch / f"grpo-{control}")
    inputs: dict[str, Path | str] = {
        "base": base,
        "train": data / "train.json",
        "validation": data / "validation.json",
    }
    with _timed(seconds, f"grpo {control}"):
        train_stage(TrainSettings.of(config), inputs, out, silent)
    return out / "model"


def _evaluated(case: Learning, models: Mapping[str, Path | str], data: Path, out: Path) -> dict[str, Any]:
    """Accuracy of each model on unseen characters, and the paired difference of trained and base."""
    from raiden_core.config.loading import config_of
    from raiden_core.evaluation.settings import EvaluateSettings
    from raiden_core.evaluation.stage import evaluate_files
    from raiden_core.stages.progress import silent

    settings = EvaluateSettings.of(config_of(case.tree(), case.overrides))
    results = evaluate_files(settings, models, data / "validation.json", {}, out, silent)
    return {
        "models": {name: cells.all.as_json() for name, cells in results.models.items()},
        "paired": results.paired.as_json() if results.paired else None,
    }


def _curve(path: Path) -> list[dict[str, float]]:
    """Step, reward and seconds since the start of what the trainer logged."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    wanted = ("step", "reward", "frac_reward_zero_std", "completions/mean_length", "step_time", "entropy")
    return [{name: row[name] for name in wanted if name in row} for row in rows if "reward" in row]


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


class _timed:
    """Seconds of a block under a name."""

    def __init__(self, record: dict[str, float], name: str) -> None:
        self.record, self.name = record, name

    def __enter__(self) -> None:
        self.began = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.record[self.name] = round(time.perf_counter() - self.began, 2)
