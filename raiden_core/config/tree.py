"""The configuration: one tree of pydantic models, read from YAML. The only place that knows defaults.

The sections stand in raiden_core/config/sections, a file for each room of the house; this module joins them.
Every field says under it what it means. Unknown keys are refused with the nearest right name. Under ``grpo`` any
field of the installed TRL's ``GRPOConfig`` may stand as well, and under ``cold_start`` any of ``SFTConfig``
(raiden_core/config/trl_fields.py reads their names without importing TRL).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from raiden_core.config.defaults import PREFILLED_THINK
from raiden_core.config.sections.base import NEUTRAL, Section
from raiden_core.config.sections.data import CharactersConfig, GenerationConfig, SplitConfig
from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.config.sections.evaluation import EvaluationConfig
from raiden_core.config.sections.limits import LimitsConfig
from raiden_core.config.sections.prompt import PromptConfig
from raiden_core.config.sections.report import ReportConfig
from raiden_core.config.sections.reward import JUDGE, AccuracyConfig, FormatConfig, RewardConfig, check_list
from raiden_core.config.sections.runner import RunnerConfig
from raiden_core.config.sections.storage import StorageConfig
from raiden_core.config.sections.teacher import TeacherConfig
from raiden_core.config.sections.training import ColdStartConfig, GrpoConfig, StudentConfig


class Config(Section):
    """One run of the pipeline."""

    name: str = "raiden"
    """Name of the run, for people."""
    seed: int = Field(default=7, ge=0, le=2**32 - 1)
    """Seeds composing, generating, splitting, the student's weights, the samplers and the controls."""
    output_dir: Annotated[Path, NEUTRAL] = Path("runs")
    """Where stages leave their folders. Relative to the current folder."""
    system_prompt: str | None = None
    """Replaces the default instructions (not profile and format); `{name}` in it is the character's name."""
    prefilled_think: bool = PREFILLED_THINK
    """Whether the chat template opens `<think>` itself, so that completions start inside the reasoning."""
    prompt: PromptConfig = PromptConfig()
    characters: CharactersConfig = CharactersConfig()
    teacher: TeacherConfig = TeacherConfig()
    generation: GenerationConfig = GenerationConfig()
    split: SplitConfig = SplitConfig()
    student: StudentConfig = StudentConfig()
    accuracy: AccuracyConfig = AccuracyConfig()
    format: FormatConfig = FormatConfig()
    rewards: tuple[RewardConfig, ...] | None = None
    """Rewards and gates, in their order; None: accuracy and format, by `accuracy.weight` and `format.weight`."""
    cold_start: ColdStartConfig = ColdStartConfig()
    grpo: GrpoConfig = GrpoConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    report: ReportConfig = ReportConfig()
    storage: Annotated[StorageConfig, NEUTRAL] = StorageConfig()
    runner: Annotated[RunnerConfig, NEUTRAL] = RunnerConfig()
    limits: Annotated[LimitsConfig, NEUTRAL] = LimitsConfig()

    @property
    def named_endpoints(self) -> dict[str, EndpointConfig]:
        """The endpoints that a reward may name."""
        judge = {} if self.evaluation.judge is None else {JUDGE: self.evaluation.judge}
        return {**judge, **(self.teacher.endpoints if self.teacher.kind == "llm" else {})}

    @model_validator(mode="after")
    def _rewards_can_be(self) -> Self:
        if self.rewards is None:
            if not self.accuracy.weight and not self.format.weight:
                raise ValueError("accuracy.weight and format.weight are both 0, so there is nothing to learn")
            return self
        for name, section in (("accuracy", self.accuracy), ("format", self.format)):
            if "weight" in section.model_fields_set:
                raise ValueError(
                    f"{name}.weight: the short form of an entry of rewards; keep one of the two: with rewards, write "
                    f"{{use: {name}, weight: {section.weight:g}}} there"
                )
        check_list(self.rewards, self.named_endpoints)
        return self

    @property
    def student_revision(self) -> str | None:
        """The revision of the student's model that the run starts from; None means the newest."""
        section = self.cold_start if self.cold_start.enabled else self.grpo
        revision = (section.model_extra or {}).get("model_revision")
        return None if revision in (None, "main") else str(revision)

    @model_validator(mode="after")
    def _a_revision_is_the_students(self) -> Self:
        if self.cold_start.enabled and (self.grpo.model_extra or {}).get("model_revision") not in (None, "main"):
            raise ValueError(
                "grpo.model_revision: GRPO starts from the cold start's model; set cold_start.model_revision"
            )
        return self

    @model_validator(mode="after")
    def _nano_needs_a_cold_start(self) -> Self:
        if self.student.is_nano and not self.cold_start.enabled:
            raise ValueError("cold_start.enabled is false, but the nano student starts from random weights: enable it")
        return self
