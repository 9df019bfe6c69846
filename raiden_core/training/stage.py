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
from raiden_core.config.sections.training import NANO, GrpoConfig, StudentConfig, TrainingSection
from raiden_core.errors import ConfigError
from raiden_core.stages.progress import Progress
from raiden_core.training.launch.accelerate import Say, warn
from raiden_core.training.launch.restarts import MEMORY_FILE, Runner
from raiden_core.training.launch.script import SUMMARY_FILE

if TYPE_CHECKING:
    from raiden_core.stages.folder import StageResult

MODEL_CARD = "README.md"
"""What TRL writes beside each checkpoint about itself."""


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


def cold_start_stage(config: Config, train: Path, out: Path, progress: Progress, say: Say = warn) -> Mapping[str, Any]:
    """Fine-tune the student on ``train`` and leave ``model/``, logs and metrics in ``out``; goes on where it was killed."""
    section = config.cold_start
    job: dict[str, Any] = {
        **_common(config, section),
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
    runner = Runner("raiden_core.training.cold_start", section.launch, out, progress, say)
    return _finish(out, runner.run(job))


def train_stage(
    config: Config,
    base: Path | str,
    train: Path,
    validation: Path,
    out: Path,
    progress: Progress,
    say: Say = warn,
) -> Mapping[str, Any]:
    """Train ``base`` with GRPO on ``train`` and leave ``model/``, logs and metrics in ``out``; goes on where it was killed.

    Where ``grpo.eval_strategy`` asks for evaluations in between, the checkpoint with the best accuracy is the result.
    They are on training characters that are held back; on ``validation`` only when ``grpo.eval_on`` says so, because
    characters that had a say in the choice are no longer unseen.
    """
    section = config.grpo
    job: dict[str, Any] = {
        **(_best_kept(section) if section.trainer_fields().get("eval_strategy", "no") != "no" else {}),
        **_common(config, section),
        "model_name_or_path": str(base),
        "train_data_path": str(train),
        "eval_data_path": str(validation) if section.eval_on == "validation" else None,
        "eval_questions": section.eval_questions if section.eval_on == "held_back" else 0,
        "accuracy_weight": config.accuracy.weight,
        "format_weight": config.format.weight,
        "partial_credit": config.accuracy.partial_credit,
        "permute_rewards": section.permute_rewards,
        "longest_first": section.longest_first,
        "patience": section.patience,
        "max_prompt_length": section.max_prompt_length,
    }
    runner = Runner("raiden_core.training.grpo", section.launch, out, progress, say)
    return _finish(out, runner.run(job))


def _best_kept(section: GrpoConfig) -> dict[str, Any]:
    """Settings of an evaluation in between that its section may replace: with each checkpoint, the best one kept."""
    group = int((section.model_extra or {}).get("num_generations_eval") or section.num_generations)
    groups = max(1, section.per_device_train_batch_size // group)
    return {
        "eval_steps": section.save_steps,
        "load_best_model_at_end": True,
        "per_device_eval_batch_size": group * groups,  # TRL wants whole groups
    }


def _common(config: Config, section: TrainingSection) -> dict[str, Any]:
    """What both jobs say: TRL's fields as the configuration has them, the adapter, prompt and reward settings."""
    adapter: dict[str, Any] = {}
    if section.lora_r is not None:
        adapter = {
            "use_peft": True,
            "lora_r": section.lora_r,
            "lora_alpha": section.lora_alpha,
            "lora_target_modules": list(section.lora_target_modules),
        }
    return {
        "report_to": "none",
        "save_strategy": "steps",
        "logging_steps": 10,
        "disable_tqdm": True,
        **section.trainer_fields(),
        **adapter,
        "seed": config.seed,
        "system_prompt": config.system_prompt,
        "prefilled_think": config.prefilled_think,
        "min_length_bound": config.accuracy.min_length_bound,
        "length_ratio": config.accuracy.length_ratio,
    }


def _finish(out: Path, out_of_memory: list[dict[str, Any]]) -> Mapping[str, Any]:
    """Statistics of a finished script; checkpoints go, so that ``model/`` holds the folder's only config.json.

    The summary stays: whoever is killed from here on finds by it that the training is done.
    """
    stats: dict[str, Any] = json.loads((out / SUMMARY_FILE).read_text("utf-8"))
    for folder in (*out.glob("checkpoint-*"), *out.glob("student*")):
        shutil.rmtree(folder)
    for name in (MEMORY_FILE, MODEL_CARD):
        (out / name).unlink(missing_ok=True)
    return {**stats, "out_of_memory": out_of_memory}


def _hub_id(path: Path) -> bool:
    return len(path.parts) == 2
