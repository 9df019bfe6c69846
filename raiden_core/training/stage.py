"""The two training stages: from the configuration's sections to one flat job file and a finished folder.

The job file is what ``python -m raiden_core.training.grpo`` reads, so that a stage can be rerun by hand from it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raiden_core.config.sections.training import GrpoConfig, StudentConfig, TrainingSection
from raiden_core.errors import ConfigError
from raiden_core.stages.layout import MODEL, SUMMARY_FILE
from raiden_core.stages.progress import Progress
from raiden_core.training.arguments import ColdStartArguments, DataArguments, GrpoArguments, scorer_fields
from raiden_core.training.launch.accelerate import Say, warn
from raiden_core.training.launch.restarts import MEMORY_FILE, Runner
from raiden_core.training.settings import ColdStartSettings, TrainSettings

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
    if not student.is_nano and (path.is_absolute() or student.model.startswith((".", "~")) or not _hub_id(path)):
        raise ConfigError(f"student.model: {student.model}: no such folder; give a folder, a Hub id, or nano")
    return student.model


def base_model(student: StudentConfig, cold: StageResult | None) -> Path | str:
    """The policy that GRPO starts from: the cold start's model, else the student itself."""
    return cold.folder / MODEL if cold is not None else student_input(student)


def cold_start_stage(
    settings: ColdStartSettings, student: Path | str, train: Path, out: Path, progress: Progress, say: Say = warn
) -> Mapping[str, Any]:
    """Fine-tune a student on ``train`` and leave ``model/``, logs and metrics in ``out``; goes on where it was killed.

    Args:
        settings: of the stage; with a shape of the nano student that is the model, whatever ``student`` says.
        student: a folder or a Hub id, as `student_input` gives it.
        train: a file of samples.
        out: a folder that exists.
        progress: told optimizer steps.
        say: told each warning once.

    Raises:
        RaidenError: what the script reports, or the end of its log.
    """
    job = _job(settings, settings.cold_start, ColdStartArguments) | {"train_data_path": str(train)}
    if settings.nano is not None:
        job["nano"] = json.dumps(settings.nano.model_dump())
    else:
        job["model_name_or_path"] = str(student)
    return _run("raiden_core.training.cold_start", settings.cold_start, job, out, progress, say)


def train_stage(
    settings: TrainSettings,
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
    section = settings.grpo
    job = {
        **(_best_kept(section) if (section.model_extra or {}).get("eval_strategy", "no") != "no" else {}),
        **_job(settings, section, GrpoArguments),
        "model_name_or_path": str(base),
        "train_data_path": str(train),
        "eval_data_path": str(validation) if section.eval_on == "validation" else None,
    }
    return _run("raiden_core.training.grpo", section, job, out, progress, say)


def _best_kept(section: GrpoConfig) -> dict[str, Any]:
    """Settings of an evaluation in between that its section may replace: with each checkpoint, the best one kept."""
    group = int((section.model_extra or {}).get("num_generations_eval") or section.num_generations)
    groups = max(1, section.per_device_train_batch_size // group)
    return {
        "eval_steps": section.save_steps,
        "load_best_model_at_end": True,
        "per_device_eval_batch_size": group * groups,  # TRL wants whole groups
    }


def _job(
    settings: ColdStartSettings | TrainSettings, section: TrainingSection, arguments: type[DataArguments]
) -> dict[str, Any]:
    """What both jobs say: the section's fields as the configuration has them, prompt, seed and reward."""
    return {
        "report_to": "none",
        "save_strategy": "steps",
        "logging_steps": 10,
        "disable_tqdm": True,
        **section.job_fields(),
        **scorer_fields(settings.scorer, arguments),
        "seed": settings.seed,
        "system_prompt": settings.system_prompt,
    }


def _run(
    module: str, section: TrainingSection, job: Mapping[str, Any], out: Path, progress: Progress, say: Say
) -> Mapping[str, Any]:
    """Run a script to its end; its statistics. Checkpoints go, so that ``model/`` holds the folder's only config.json.

    The summary stays: whoever is killed from here on finds by it that the training is done.
    """
    out_of_memory = Runner(module, section.launch, out, progress, say).run(job)
    stats: dict[str, Any] = json.loads((out / SUMMARY_FILE).read_text("utf-8"))
    for folder in (*out.glob("checkpoint-*"), *out.glob("student*")):
        shutil.rmtree(folder)
    for name in (MEMORY_FILE, MODEL_CARD):
        (out / name).unlink(missing_ok=True)
    return {**stats, "out_of_memory": out_of_memory}


def _hub_id(path: Path) -> bool:
    return len(path.parts) == 2
