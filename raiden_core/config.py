"""The configuration: one tree of pydantic models, read from YAML. The only place that knows defaults.

Every field says under it what it means. Unknown keys are refused with the nearest right name. Under ``grpo`` any
field of the installed TRL's ``GRPOConfig`` may stand as well, and under ``cold_start`` any of ``SFTConfig``
(raiden_core/config_fields.py reads their names without importing TRL).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from raiden_core.config_fields import check_trainer_fields


class Section(BaseModel):
    """A part of the configuration: frozen, and closed to keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ComposedConfig(Section):
    """Characters drawn from word lists."""

    count: int = Field(default=0, ge=0)
    """How many; 0 for none."""
    language: str = "zh"
    """Language of the word lists; so far only zh has them."""
    facts: tuple[int, int] = (3, 8)
    """Fewest and most facts of a character."""


class CharactersConfig(Section):
    """Who the model learns to be, and who it is tested on."""

    paths: tuple[str, ...] = ()
    """Files, folders or globs of characters to train and validate on; `shipped` or `shipped:zh` names raiden's own."""
    composed: ComposedConfig = ComposedConfig()
    """Characters to draw from word lists beside them."""
    evaluation_only: dict[str, tuple[str, ...]] = {}
    """Further characters that are never trained on: name of the result's row -> paths."""


class TeacherConfig(Section):
    """Who writes questions and answers."""

    kind: Literal["offline"] = "offline"
    """`offline`: rules and templates, no server. It only knows facts written as `key: value`."""


class GenerationConfig(Section):
    """How many questions of which kind."""

    samples_per_character: int | None = Field(default=8, ge=1)
    """At most so many samples a character; None for all that its facts give."""
    include_cm: bool = True
    """Whether to write conversation-memory (CM) samples beside script-based knowledge (SBK)."""
    cm_share: float = Field(default=0.25, ge=0, le=1)
    """Share of CM among a character's samples."""


class SplitConfig(Section):
    """The split by character. Give one of the two."""

    validation_share: float | None = Field(default=0.1, gt=0, lt=1)
    """Share of the characters that is held out for validation."""
    validation_characters: int | None = Field(default=None, ge=1)
    """Number of characters that is held out; goes before the share."""


class NanoConfig(Section):
    """Shape of the nano student."""

    vocab_size: int = Field(default=1600, ge=600)
    """Tokens of its tokenizer, 256 of them bytes."""
    hidden_size: int = Field(default=128, ge=16)
    """Width."""
    layers: int = Field(default=2, ge=1)
    """Transformer blocks."""
    heads: int = Field(default=4, ge=1)
    """Attention heads; they divide the width."""
    context: int = Field(default=2048, ge=256)
    """Longest sequence in tokens."""

    @model_validator(mode="after")
    def _heads_divide_width(self) -> Self:
        if self.hidden_size % (2 * self.heads):
            raise ValueError(f"hidden_size {self.hidden_size} must be a multiple of 2 x heads ({2 * self.heads})")
        return self


class StudentConfig(Section):
    """The model to train."""

    model: str = "nano"
    """`nano` (made inside the run), a local folder, or a Hub id such as Qwen/Qwen2.5-7B-Instruct."""
    nano: NanoConfig = NanoConfig()
    """Shape of the nano student; other models ignore it."""


class AccuracyConfig(Section):
    """The accuracy part of the reward (docs/vrar.md)."""

    weight: float = Field(default=0.7, ge=0)
    """Its weight in the total."""
    min_length_bound: int = Field(default=150, ge=1)
    """Answers up to so many units (CJK characters, other words) are never too long."""
    length_ratio: float = Field(default=8.0, gt=0)
    """Longer ones score 0 when over so many times the reference's length."""
    partial_credit: bool = False
    """Whether multi-term samples earn the share of groups matched instead of all or nothing."""


class FormatConfig(Section):
    """The format part of the reward."""

    weight: float = Field(default=0.3, ge=0)
    """Its weight in the total."""


class LaunchConfig(Section):
    """How `accelerate launch` starts a training script."""

    accelerate: Path | None = None
    """An accelerate config file, such as configs/accelerate/ddp8.yaml; None: one process."""
    num_processes: int | None = Field(default=None, ge=1)
    """Processes; None leaves it to the accelerate config (one without it)."""


class ProbeConfig(Section):
    """When a cold start has done enough: GRPO needs something left to do, and something that sampling can find."""

    stop_at: float | None = Field(default=None, gt=0, lt=1)
    """Stop when this accuracy is reached on questions about held-back training characters; None: run to the end."""
    ceiling: float = Field(default=0.45, gt=0, le=1)
    """Accuracy that must not be passed: a step that jumps over it is taken back and repeated with a quarter of the rate."""
    questions: int = Field(default=128, ge=16)
    """Questions asked at each probe."""
    first: int = Field(default=0, ge=0)
    """Optimizer step before which nothing is probed."""
    every: int = Field(default=20, ge=1)
    """Optimizer steps between probes."""

    @model_validator(mode="after")
    def _ceiling_is_above(self) -> Self:
        if self.stop_at is not None and self.stop_at >= self.ceiling:
            raise ValueError(f"stop_at {self.stop_at} must lie below ceiling {self.ceiling}")
        return self


class TrainerSection(BaseModel):
    """A section in which fields of a TRL config may stand beside ours."""

    model_config = ConfigDict(frozen=True, extra="allow", use_attribute_docstrings=True)

    def trainer_fields(self) -> dict[str, Any]:
        """What goes to TRL's own config class as it is: all but our own fields."""
        return {key: value for key, value in self.model_dump(mode="json").items() if key not in self._ours()}

    @classmethod
    def _ours(cls) -> frozenset[str]:
        raise NotImplementedError


class ColdStartConfig(TrainerSection):
    """Supervised fine-tuning on reasoning + answer before GRPO; any field of TRL's SFTConfig may stand here."""

    enabled: bool = True
    """Whether there is a cold start; the nano student always needs one."""
    questions_per_sequence: int = Field(default=1, ge=1)
    """Questions about one character that one training sequence holds."""
    shortest_first: bool = False
    """Whether the first epoch goes from characters with few facts to those with many."""
    probe: ProbeConfig = ProbeConfig()
    """When to stop early."""
    launch: LaunchConfig = LaunchConfig()
    """Processes and sharding."""
    learning_rate: float = Field(default=1e-5, gt=0)
    """Peak learning rate."""
    num_train_epochs: float = Field(default=1, gt=0)
    """Passes over the characters."""
    per_device_train_batch_size: int = Field(default=4, ge=1)
    """Sequences a step and device."""
    max_length: int = Field(default=4096, ge=64)
    """Longest sequence in tokens; samples that are longer are dropped and counted."""

    @classmethod
    def _ours(cls) -> frozenset[str]:
        return frozenset({"enabled", "questions_per_sequence", "shortest_first", "probe", "launch"})

    @model_validator(mode="after")
    def _extra_fields_are_trls(self) -> Self:
        check_trainer_fields("SFTConfig", self.model_extra or {}, own=set(type(self).model_fields))
        return self


class GrpoConfig(TrainerSection):
    """GRPO on the verifiable reward; any field of TRL's GRPOConfig may stand here."""

    launch: LaunchConfig = LaunchConfig()
    """Processes and sharding."""
    permute_rewards: bool = False
    """Control: shuffle the rewards within each batch, so that nothing can be learned from them."""
    longest_first: bool = False
    """Whether the longest prompts come first, so that a run that does not fit its memory fails at once."""
    patience: int = Field(default=50, ge=1)
    """Stop after so many logged steps in a row in which no group's rewards differ: nothing to learn from."""
    max_prompt_length: int | None = Field(default=None, ge=16)
    """Samples with longer prompts (tokens) are dropped and counted; None: what the model's context leaves."""
    lora_r: int | None = Field(default=None, ge=1)
    """LoRA rank; None trains all weights."""
    lora_alpha: int = Field(default=32, ge=1)
    """LoRA scale."""
    lora_target_modules: tuple[str, ...] = ("all-linear",)
    """Modules that get an adapter."""
    learning_rate: float = Field(default=3e-6, gt=0)
    """Peak learning rate."""
    num_train_epochs: float = Field(default=1, gt=0)
    """Passes over the training questions."""
    per_device_train_batch_size: int = Field(default=4, ge=1)
    """Completions a step and device."""
    gradient_accumulation_steps: int = Field(default=2, ge=1)
    """Steps whose gradients are added up before the optimizer moves."""
    num_generations: int = Field(default=4, ge=2)
    """Group size: completions sampled for each prompt."""
    max_completion_length: int = Field(default=512, ge=8)
    """Longest completion in tokens."""
    beta: float = Field(default=0.1, ge=0)
    """Weight of the KL term against the policy that GRPO starts from."""
    temperature: float = Field(default=1.0, gt=0)
    """Of the rollouts; evaluation is greedy."""
    top_p: float = Field(default=1.0, gt=0, le=1)
    """Of the rollouts; below 1 the importance ratio is biased."""
    top_k: int = Field(default=0, ge=0)
    """Of the rollouts; 0 keeps every token."""

    @classmethod
    def _ours(cls) -> frozenset[str]:
        lora = {"lora_r", "lora_alpha", "lora_target_modules"}
        return frozenset({"launch", "permute_rewards", "longest_first", "patience", "max_prompt_length"} | lora)

    @model_validator(mode="after")
    def _extra_fields_are_trls(self) -> Self:
        check_trainer_fields("GRPOConfig", self.model_extra or {}, own=set(type(self).model_fields))
        return self


class EvaluationConfig(Section):
    """How models are compared."""

    max_new_tokens: int = Field(default=512, ge=8)
    """Longest answer in tokens."""
    batch_size: int = Field(default=32, ge=1)
    """Prompts at once."""
    drop_bad_gold: bool = False
    """Drop samples whose reference fails its own validator instead of refusing the file."""


class ReportConfig(Section):
    """The page."""

    title: str = "raiden"
    """Its heading."""
    notes: tuple[str, ...] = ()
    """Sentences that the reader must know; they stand under the headline."""


class Config(Section):
    """One run of the pipeline."""

    name: str = "raiden"
    """Name of the run, for people."""
    seed: int = 7
    """Seeds composing, generating, splitting, the student's weights, the samplers and the controls."""
    output_dir: Path = Path("runs")
    """Where stages leave their folders. Relative to the current folder."""
    system_prompt: str | None = None
    """Replaces the default instructions (not profile and format); `{name}` in it is the character's name."""
    prefilled_think: bool = False
    """Whether the chat template opens `<think>` itself, so that completions start inside the reasoning."""
    characters: CharactersConfig = CharactersConfig()
    teacher: TeacherConfig = TeacherConfig()
    generation: GenerationConfig = GenerationConfig()
    split: SplitConfig = SplitConfig()
    student: StudentConfig = StudentConfig()
    accuracy: AccuracyConfig = AccuracyConfig()
    format: FormatConfig = FormatConfig()
    cold_start: ColdStartConfig = ColdStartConfig()
    grpo: GrpoConfig = GrpoConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    report: ReportConfig = ReportConfig()

    @model_validator(mode="after")
    def _nano_needs_a_cold_start(self) -> Self:
        if self.student.model == "nano" and not self.cold_start.enabled:
            raise ValueError("cold_start.enabled is false, but the nano student starts from random weights: enable it")
        return self
