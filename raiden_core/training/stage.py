"""What the two training stages share: which model they start from, and what their flat jobs say.

The job file is what ``python -m raiden_core.training.grpo`` reads, so that a stage can be rerun from it alone. The stages
themselves stand with their scripts, in grpo.py and cold_start.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from raiden_core.config.sections.training import StudentConfig, TrainingSection
from raiden_core.errors import ConfigError
from raiden_core.models.folder import check_model_folder
from raiden_core.models.gguf import is_gguf
from raiden_core.models.gguf.unpack import dense_folder
from raiden_core.stages.layout import MODEL
from raiden_core.training.arguments import DataArguments, scorer_fields
from raiden_core.training.settings import ColdStartSettings, TrainSettings

if TYPE_CHECKING:
    from raiden_core.stages.folder import StageResult


def student_input(student: StudentConfig) -> Path | str:
    """The student as a stage's input: its folder, or its name where it is no folder here; a GGUF file is unpacked first.

    Raises:
        ConfigError: a path that does not exist.
        RaidenError: a GGUF file that cannot be unpacked.
    """
    path = Path(student.model).expanduser()
    if path.is_dir():
        return path.absolute()
    if is_gguf(student.model):
        return dense_folder(path, student.gguf)
    if not student.is_nano and (path.is_absolute() or student.model.startswith((".", "~")) or not _hub_id(path)):
        raise ConfigError(f"student.model: {student.model}: no such folder; give a folder, a Hub id, or nano")
    return student.model


def check_student(student: StudentConfig) -> None:
    """Refuse a student that is no model, before there is any data to train it on.

    Raises:
        RaidenError: its folder or its GGUF file cannot be used.
    """
    if is_gguf(student.model):
        check_model_folder(str(student_input(student)))
    elif not student.is_nano:
        check_model_folder(student.model)


def base_model(student: StudentConfig, cold: StageResult | None) -> Path | str:
    """The policy that GRPO starts from: the cold start's model, else the student itself."""
    return cold.folder / MODEL if cold is not None else student_input(student)


def job_of(
    settings: ColdStartSettings | TrainSettings, section: TrainingSection, arguments: type[DataArguments]
) -> dict[str, Any]:
    """What the flat jobs of both scripts say: the section's fields as the configuration has them, prompt, seed and reward."""
    return {
        "report_to": "none",
        "save_strategy": "steps",
        "logging_steps": 10,
        "disable_tqdm": True,
        **section.job_fields(),
        **scorer_fields(settings.scorer, arguments),
        "seed": settings.seed,
        "system_prompt": settings.system_prompt,
        "prompt_layout": settings.layout,
    }


def _hub_id(path: Path) -> bool:
    return len(path.parts) == 2
