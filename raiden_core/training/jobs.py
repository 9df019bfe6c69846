"""The two training stages: from the configuration's sections to one flat job file and a finished folder.

The job file is what ``python -m raiden_core.training.grpo`` reads, so that a stage can be rerun by hand from it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raiden_core.config import Config
from raiden_core.config_sections.training import StudentConfig
from raiden_core.errors import ConfigError
from raiden_core.progress import Progress
from raiden_core.training.launch import run_script
from raiden_core.training.script import SUMMARY_FILE

if TYPE_CHECKING:
    from raiden_core.stages import StageResult

NANO = "nano"


def student_input(student: StudentConfig) -> Path | str:
    """The student as a stage's input: its folder, or its name where it is no folder here.

    Raises:
        ConfigError: a path that does not exist.
    """
    path = Path(student.model).expanduser()
    if path.is_dir():
        return path.absolute()
    if student.model != NANO and (path.is_absolute() or student.model.startswith((".", "~")) or not _hub_id(path)):
        raise ConfigError(f"student.model: {student.model}: no such folder; give a folder, a Hub id, or nano")
    return student.model


def base_model(student: StudentConfig, cold: StageResult | None) -> Path | str:
    """The policy that GRPO starts from: the cold start's model, else the student itself."""
    return cold.folder / "model" if cold is not None else student_input(student)


def cold_start_stage(config: Config, train: Path, out: Path, progress: Progress) -> Mapping[str, Any]:
    """Fine-tune the student on ``train`` and leave ``model/``, logs and metrics in ``out``."""
    section = config.cold_start
    job: dict[str, Any] = {
        **_common(config, section.trainer_fields()),
        "train_data_path": str(train),
        "questions_per_sequence": section.questions_per_sequence,
        "shortest_first": section.shortest_first,
        "probe_stop_at": section.probe.stop_at,
        "probe_ceiling": section.probe.ceiling,
        "probe_questions": section.probe.questions,
        "probe_first": section.probe.first,
        "probe_every": section.probe.every,
    }
    if config.student.model == NANO:
        job["nano"] = json.dumps(config.student.nano.model_dump())
    else:
        job["model_name_or_path"] = str(student_input(config.student))
    run_script("raiden_core.training.cold_start", job, section.launch, out, progress)
    return _finish(out)


def train_stage(
    config: Config, base: Path | str, train: Path, validation: Path, out: Path, progress: Progress
) -> Mapping[str, Any]:
    """Train ``base`` with GRPO on ``train`` and leave ``model/``, logs and metrics in ``out``."""
    section = config.grpo
    job: dict[str, Any] = {
        **_common(config, section.trainer_fields()),
        "model_name_or_path": str(base),
        "train_data_path": str(train),
        "eval_data_path": str(validation),
        "accuracy_weight": config.accuracy.weight,
        "format_weight": config.format.weight,
        "partial_credit": config.accuracy.partial_credit,
        "permute_rewards": section.permute_rewards,
        "longest_first": section.longest_first,
        "patience": section.patience,
        "max_prompt_length": section.max_prompt_length,
    }
    if section.lora_r is not None:
        job |= {
            "use_peft": True,
            "lora_r": section.lora_r,
            "lora_alpha": section.lora_alpha,
            "lora_target_modules": list(section.lora_target_modules),
        }
    run_script("raiden_core.training.grpo", job, section.launch, out, progress)
    return _finish(out)


def _common(config: Config, trainer_fields: Mapping[str, Any]) -> dict[str, Any]:
    """What both jobs say: TRL's fields as the configuration has them, and prompt and reward settings."""
    return {
        "report_to": "none",
        "save_strategy": "no",
        "logging_steps": 10,
        "disable_tqdm": True,
        **trainer_fields,
        "seed": config.seed,
        "system_prompt": config.system_prompt,
        "prefilled_think": config.prefilled_think,
        "min_length_bound": config.accuracy.min_length_bound,
        "length_ratio": config.accuracy.length_ratio,
    }


def _finish(out: Path) -> Mapping[str, Any]:
    """Statistics of a finished script; checkpoints go, so that ``model/`` holds the folder's only config.json."""
    for checkpoint in out.glob("checkpoint-*"):
        shutil.rmtree(checkpoint)
    summary = out / SUMMARY_FILE
    stats: dict[str, Any] = json.loads(summary.read_text("utf-8"))
    summary.unlink()
    return stats


def _hub_id(path: Path) -> bool:
    return len(path.parts) == 2
