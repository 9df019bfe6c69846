"""What generation is given of the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from raiden_core.config import Config
from raiden_core.config.sections.base import NEUTRAL, StageSettings
from raiden_core.config.sections.data import CharactersConfig, GenerationConfig
from raiden_core.config.sections.teacher import TeacherConfig
from raiden_core.prompts import Layout
from raiden_core.rewards import Scorer
from raiden_core.rewards.configured import data_scorer


class GenerateSettings(StageSettings):
    """The generate stage: characters, the teacher, and what a sample must pass."""

    characters: CharactersConfig
    generation: GenerationConfig
    teacher: TeacherConfig
    """The offline teacher has no settings, so that none of an LLM's is looked at."""
    scorer: Scorer
    seed: int
    system_prompt: str | None
    """Of the student that the teacher asks, which sees the prompt of its training; None where there is no such student."""
    layout: Layout
    """Of that student's prompt."""
    output_dir: Annotated[Path, NEUTRAL]
    """Where the replies of models are kept."""

    @classmethod
    def of(cls, config: Config) -> GenerateSettings:
        """Its part of a configuration."""
        teacher = config.teacher if config.teacher.kind == "llm" else TeacherConfig()
        return cls(
            characters=config.characters,
            generation=config.generation,
            teacher=teacher,
            scorer=data_scorer(config),
            seed=config.seed,
            system_prompt=config.system_prompt if teacher.student is not None else None,
            layout=config.prompt.layout if teacher.student is not None else "raiden",
            output_dir=config.output_dir,
        )
