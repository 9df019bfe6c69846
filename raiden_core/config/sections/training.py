"""The student, the cold start and GRPO."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from raiden_core.config.sections.base import BY_CONTENT, NEUTRAL, OUTSIDE_JOB, Section, TrainerSection
from raiden_core.config.trl_fields import check_trainer_fields

NANO = "nano"
"""The student that is made inside the run."""


class NanoConfig(Section):
    """Shape of the nano student."""

    vocab_size: int = Field(default=1600, ge=600, le=1_000_000)
    """Tokens of its tokenizer, 256 of them bytes."""
    hidden_size: int = Field(default=128, ge=16, le=65_536)
    """Width."""
    layers: int = Field(default=2, ge=1, le=1_000)
    """Transformer blocks."""
    heads: int = Field(default=4, ge=1, le=1_000)
    """Attention heads; they divide the width."""
    context: int = Field(default=2048, ge=256, le=1_048_576)
    """Longest sequence in tokens."""

    @model_validator(mode="after")
    def _heads_divide_width(self) -> Self:
        if self.hidden_size % (2 * self.heads):
            raise ValueError(f"hidden_size {self.hidden_size} must be a multiple of 2 x heads ({2 * self.heads})")
        return self


class GgufConfig(Section):
    """How a student that is a `.gguf` file is unpacked."""

    sha256: Annotated[str | None, NEUTRAL] = Field(default=None, pattern=r"^[0-9A-Fa-f]{64}$")
    """What the file's sha256 must be; None: it is not checked."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    """Type of the dense weights; bfloat16 takes half the disk and rounds them."""


class StudentConfig(Section):
    """The model to train."""

    model: str = NANO
    """`nano` (made inside the run), a local folder, a Hub id such as Qwen/Qwen2.5-7B-Instruct, or a `.gguf` file."""
    gguf: GgufConfig = GgufConfig()
    """How a `.gguf` file is unpacked; other models ignore it."""
    nano: NanoConfig = NanoConfig()
    """Shape of the nano student; other models ignore it."""

    @property
    def is_nano(self) -> bool:
        """Whether the student is made inside the run."""
        return self.model == NANO


class LaunchConfig(Section):
    """How `accelerate launch` starts a training script."""

    accelerate: Annotated[Path | None, BY_CONTENT] = None
    """An accelerate config file, such as configs/accelerate/ddp8.yaml; None: one process."""
    num_processes: int | None = Field(default=None, ge=1)
    """Processes; None leaves it to the accelerate config (one without it)."""
    stall_seconds: Annotated[float | None, NEUTRAL] = Field(default=3600, gt=0)
    """A trainer without progress for so long (no pass of a model, no metrics, no file) is ended, its stacks are kept in
    `stacks.txt`, and training goes on from the last checkpoint. Take more than one generation batch of a vLLM server
    needs; until the first pass, and while the result is saved, half an hour is allowed at least. None: never."""


class ProbeConfig(Section):
    """When a cold start has done enough: GRPO needs something left to do, and something that sampling can find."""

    stop_at: float | None = Field(default=None, gt=0, lt=1)
    """Stop when this accuracy is reached on questions about held-back training characters; None: run to the end."""
    ceiling: float = Field(default=0.45, gt=0, le=1)
    """Accuracy that must not be passed: a step that jumps over it is taken back and repeated with a quarter of the rate.
    Where the first probe is above it already, there is nothing to go back to, and training stops there."""
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


class TrainingSection(TrainerSection):
    """What both kinds of training have: processes, an adapter or all weights, checkpoints."""

    launch: Annotated[LaunchConfig, OUTSIDE_JOB] = LaunchConfig()
    """Processes and sharding."""
    lora_r: int | None = Field(default=None, ge=1)
    """LoRA rank; None trains all weights. The adapter is merged into the model that the stage leaves, and kept beside it."""
    lora_alpha: int = Field(default=32, ge=1)
    """LoRA scale."""
    lora_target_modules: tuple[str, ...] = ("all-linear",)
    """Modules that get an adapter."""
    save_steps: int = Field(default=50, ge=1)
    """Optimizer steps between checkpoints, from which a run that was killed goes on; `save_strategy: "no"` makes none."""
    save_total_limit: int = Field(default=2, ge=2)
    """Checkpoints kept; with one, a run killed while it writes the next would have none."""

    def job_fields(self) -> dict[str, Any]:
        """As in the section; without a rank nothing is said of adapters."""
        job = super().job_fields()
        if self.lora_r is None:
            return {name: value for name, value in job.items() if not name.startswith("lora_")}
        return {"use_peft": True, **job}


class ColdStartConfig(TrainingSection):
    """Supervised fine-tuning on reasoning + answer before GRPO; any field of TRL's SFTConfig may stand here."""

    enabled: Annotated[bool, OUTSIDE_JOB] = True
    """Whether there is a cold start; the nano student always needs one."""
    questions_per_sequence: int = Field(default=1, ge=1)
    """Questions about one character that one training sequence holds."""
    shortest_first: bool = False
    """Whether the first epoch goes from characters with few facts to those with many."""
    probe: ProbeConfig = ProbeConfig()
    """When to stop early."""
    save_steps: int = Field(default=100, ge=1)
    """Optimizer steps between checkpoints, from which a run that was killed goes on; `save_strategy: "no"` makes none."""
    learning_rate: float = Field(default=1e-5, gt=0)
    """Peak learning rate."""
    num_train_epochs: float = Field(default=1, gt=0)
    """Passes over the characters."""
    per_device_train_batch_size: int = Field(default=4, ge=1)
    """Sequences a step and device."""
    max_length: int = Field(default=4096, ge=64)
    """Longest sequence in tokens; samples that are longer are dropped and counted."""

    @model_validator(mode="after")
    def _extra_fields_are_trls(self) -> Self:
        check_trainer_fields("SFTConfig", self)
        return self


class GrpoConfig(TrainingSection):
    """GRPO on the verifiable reward; any field of TRL's GRPOConfig may stand here."""

    permute_rewards: bool = False
    """Control: shuffle the rewards within each batch, so that nothing can be learned from them."""
    longest_first: bool | None = None
    """Whether the first batch holds the longest prompts, so that a run that does not fit its memory fails at once;
    None: on GPUs."""
    shared_prefix: Literal["auto", "off"] = "auto"
    """Whether a group's prompt is computed once instead of once for each completion: `auto` does so wherever a small batch
    gives the same log-probabilities both ways; `off` leaves it to TRL."""
    patience: int = Field(default=50, ge=1)
    """Stop after so many logged steps in a row in which no group's rewards differ: nothing to learn from."""
    curriculum: Literal["off", "pass_rate"] = "off"
    """`pass_rate`: before training the student answers each prompt a few times, and prompts that it answers right sometimes
    are drawn more often than those that it always or never does; `off`: every prompt once an epoch."""
    curriculum_answers: int = Field(default=4, ge=2)
    """Answers to each prompt by which the pass rate is measured."""
    max_prompt_length: int | None = Field(default=None, ge=16)
    """Samples with longer prompts (tokens) are dropped and counted; None: a prompt that the context cannot hold is an error."""
    eval_on: Annotated[Literal["held_back", "validation"], OUTSIDE_JOB] = "held_back"
    """What `eval_strategy: steps` scores, and the best checkpoint is chosen by: training characters that are held back, or
    the validation file. With `validation` the final evaluation is on characters that had a say in which weights it sees."""
    eval_questions: int = Field(default=128, ge=16)
    """Questions about held-back training characters."""
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

    def job_fields(self) -> dict[str, Any]:
        """As in the section; the script evaluates on held-back questions where it is told how many."""
        job = super().job_fields()
        return job if self.eval_on == "held_back" else {**job, "eval_questions": 0}

    @model_validator(mode="after")
    def _batch_holds_whole_groups(self) -> Self:
        extra = self.model_extra or {}
        processes = self.launch.num_processes or (1 if self.launch.accelerate is None else None)
        if processes is None:  # the accelerate file says how many: checked when the script starts
            return self
        steps = extra.get("steps_per_generation") or self.gradient_accumulation_steps
        batch = extra.get("generation_batch_size") or self.per_device_train_batch_size * processes * steps
        if batch % self.num_generations:
            raise ValueError(
                f"{batch} completions a step cannot be shared out in groups of num_generations {self.num_generations}; "
                "make per_device_train_batch_size x processes x gradient_accumulation_steps a multiple of it"
            )
        return self

    @model_validator(mode="after")
    def _extra_fields_are_trls(self) -> Self:
        check_trainer_fields("GRPOConfig", self)
        return self
