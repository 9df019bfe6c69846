"""`Job`: what a training stage does in one step, as far as memory and time depend on it.

    job = grpo_job(config, shape_of(config.student.model), sharding, Lengths(prompt=900))

Defaults that a section leaves out are those of the installed TRL 1.16: bf16 and gradient checkpointing are on, rollouts
are made by transformers, one generation batch lasts for all accumulated steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

from raiden_core.config import Config
from raiden_core.errors import ConfigError
from raiden_core.planning.shapes import ModelShape
from raiden_core.planning.sharding import Sharding
from raiden_core.training.row_size import completions_per_row

Rollouts = Literal["none", "transformers", "colocate", "server"]
DTYPE_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2, "auto": 2, "torch.float32": 4, "torch.bfloat16": 2}
ASSUMED_PROMPT = 1024
"""Tokens of a prompt where neither data nor max_prompt_length say more."""
VLLM_SHARE = 0.3
"""Share of a GPU that TRL gives a colocated vLLM by default."""


@dataclass(frozen=True)
class Lengths:
    """How long prompts are, in tokens."""

    longest: int
    """Memory is planned for these."""
    mean: int
    """Time is planned for these."""
    source: str
    """Where the numbers are from, for people."""
    completion: int | None = None
    """Tokens of a reference with its reasoning, on average; None where nothing is known of them."""


@dataclass(frozen=True)
class Job:
    """One training stage on one device."""

    stage: Literal["grpo", "cold start"]
    shape: ModelShape
    sharding: Sharding
    micro_batch: int
    """Sequences that pass through the model at once on a device."""
    accumulation: int
    prompt: int
    """Tokens of the longest prompt."""
    completion: int
    """Tokens of the longest completion; the others of the sequence bear no loss."""
    group: int = 1
    generation_batch: int = 0
    """Completions that a device samples at once."""
    weight_bytes: int = 4
    """Of one weight as the model is loaded."""
    stored_bits: int | None = None
    """Of a frozen weight in a linear layer, where they are quantized (QLoRA)."""
    mixed: bool = False
    """Whether bf16 or fp16 is computed in by autocast."""
    checkpointing: bool = True
    lora: int = 0
    """Parameters of adapters; 0 trains all weights."""
    adapted: frozenset[str] = frozenset()
    """Linear modules that have an adapter."""
    reference: bool = False
    """Whether a copy of the model stands beside it for the KL term."""
    scored_again: bool = False
    """Whether completions are scored a second time for the KL term: by the reference, or without the adapter."""
    rollouts: Rollouts = "none"
    vllm_share: float = 0.0
    vllm_sleeps: bool = False
    vllm_parallel: int = 1
    optimizer_bytes: float = 2.0
    """Optimizer state, in multiples of a trained weight's own bytes; ``optimizer_absolute`` goes before it."""
    optimizer_absolute: float | None = None
    full_logits: bool = False
    """Whether the loss needs all logits at once (label smoothing; trainers older than TRL 1.16)."""
    on_cpu: bool = False
    shared_prefix: bool = False
    """Whether a group's prompt is computed once (raiden_core.training.shared_prefix)."""

    def passes(self, prompt: float, completion: float) -> tuple[float, float]:
        """What passes through the model at once for a micro-batch of sequences of that length.

        Returns:
            Tokens of all rows, and of one row: a sequence, or a prompt with the completions that share it.
        """
        if not self.shared_prefix:
            return self.micro_batch * (prompt + completion), prompt + completion
        group = min(self.group, self.micro_batch)
        size = completions_per_row(math.ceil(prompt), completion, group, self.shape.hidden)
        row = prompt + size * completion
        return math.ceil(self.micro_batch / group) * math.ceil(group / size) * row, row

    @property
    def tokens(self) -> int:
        """Tokens of the longest sequence."""
        return self.prompt + self.completion

    @property
    def trained(self) -> int:
        """Parameters that get gradients."""
        return self.lora or self.shape.parameters

    @property
    def effective_batch(self) -> int:
        """Sequences of all devices to one optimizer step."""
        return self.micro_batch * self.accumulation * self.sharding.processes

    def with_micro_batch(self, micro_batch: int, accumulation: int) -> Job:
        """The same job in other portions; the generation batch stays what one optimizer step needs."""
        batches = self.generation_batch / (self.micro_batch * self.accumulation)
        return replace(
            self,
            micro_batch=micro_batch,
            accumulation=accumulation,
            generation_batch=math.ceil(batches * micro_batch * accumulation),
        )


def grpo_job(config: Config, shape: ModelShape, sharding: Sharding, lengths: Lengths) -> Job:
    """What the GRPO stage does.

    Raises:
        ConfigError: batch and group sizes do not fit each other, or a setting cannot be planned.
    """
    section = config.grpo
    extra: dict[str, Any] = section.model_extra or {}
    where = "grpo"
    micro, accumulation = section.per_device_train_batch_size, section.gradient_accumulation_steps
    batch = extra.get("generation_batch_size")
    per_generation = extra.get("steps_per_generation") or accumulation
    generation_batch = math.ceil(batch / sharding.processes) if batch else micro * per_generation
    total = batch or generation_batch * sharding.processes
    if total % section.num_generations:
        raise ConfigError(
            f"grpo: a generation batch of {total} completions (per_device_train_batch_size {micro} x "
            f"{per_generation} steps x {sharding.processes} processes) does not divide into groups of "
            f"num_generations {section.num_generations}; change one of them"
        )
    lora, adapted = lora_parameters(section, shape, where)
    rollouts: Rollouts = "transformers"
    if extra.get("use_vllm"):
        rollouts = "server" if extra.get("vllm_mode") == "server" else "colocate"
    return Job(
        stage="grpo",
        micro_batch=micro,
        accumulation=accumulation,
        prompt=lengths.longest,
        completion=section.max_completion_length,
        group=section.num_generations,
        generation_batch=generation_batch,
        lora=lora,
        adapted=adapted,
        reference=section.beta > 0 and not lora,
        scored_again=section.beta > 0,
        rollouts=rollouts,
        vllm_share=float(extra.get("vllm_gpu_memory_utilization", VLLM_SHARE)) if rollouts == "colocate" else 0.0,
        vllm_sleeps=bool(extra.get("vllm_enable_sleep_mode", False)),
        vllm_parallel=int(extra.get("vllm_tensor_parallel_size", 1)),
        shared_prefix=section.shared_prefix == "auto" and not shape.windowed and _takes_masks(extra),
        **_common(section, extra, shape, sharding, where),
    )


def _takes_masks(extra: dict[str, Any]) -> bool:
    """Whether the attention kernel takes a mask of blocks, without which no prompt is shared."""
    kernel = extra.get("attn_implementation") or (extra.get("model_init_kwargs") or {}).get("attn_implementation")
    return kernel in (None, "sdpa", "eager")


def cold_start_job(config: Config, shape: ModelShape, sharding: Sharding, lengths: Lengths) -> Job:
    """What the cold start does: sequences of at most ``max_length`` tokens, all of them taken to bear loss.

    Raises:
        ConfigError: a setting cannot be planned.
    """
    section = config.cold_start
    extra: dict[str, Any] = section.model_extra or {}
    where = "cold_start"
    length = min(section.max_length, shape.context)
    if section.questions_per_sequence == 1 or lengths.completion is not None:
        # The prompt, and for each question room for a reference and its reasoning.
        length = min(length, lengths.longest + section.questions_per_sequence * config.grpo.max_completion_length)
    lora, adapted = lora_parameters(section, shape, where)
    return Job(
        stage="cold start",
        micro_batch=section.per_device_train_batch_size,
        accumulation=int(extra.get("gradient_accumulation_steps", 1)),
        prompt=0,
        completion=length,
        lora=lora,
        adapted=adapted,
        full_logits=float(extra.get("label_smoothing_factor", 0)) > 0,
        **_common(section, extra, shape, sharding, where),
    )


def lora_parameters(section: object, shape: ModelShape, where: str) -> tuple[int, frozenset[str]]:
    """Parameters of the adapters that a section asks for, and the modules that get one; 0 and none without LoRA.

    Raises:
        ConfigError: a target module that the model does not have.
    """
    rank = getattr(section, "lora_r", None)
    if not rank:
        return 0, frozenset()
    targets = tuple(getattr(section, "lora_target_modules", ("all-linear",)))
    linears = shape.linears
    if "all-linear" in targets:
        targets = tuple(linears)
    outside = {"lm_head": (shape.hidden, shape.vocab), "embed_tokens": (shape.vocab, shape.hidden)}
    count = 0
    for target in targets:
        name = target.rpartition(".")[2]
        if name in linears:
            count += shape.layers * rank * sum(linears[name])
        elif name in outside:
            count += rank * sum(outside[name])
        else:
            raise ConfigError(
                f"{where}.lora_target_modules: {shape.name} has no module {target!r}; use all-linear or some of "
                f"{', '.join(linears)}"
            )
    return count, frozenset(target.rpartition(".")[2] for target in targets)


def _common(
    section: object, extra: dict[str, Any], shape: ModelShape, sharding: Sharding, where: str
) -> dict[str, Any]:
    """What both stages read from their section in the same way."""

    def setting(name: str, default: Any) -> Any:
        value = extra.get(name, getattr(section, name, None))
        return default if value is None else value

    on_cpu = bool(setting("use_cpu", False))
    fp16 = bool(setting("fp16", False))
    bf16 = bool(setting("bf16", not fp16)) or sharding.mixed_precision in ("bf16", "fp16")
    dtype = str((setting("model_init_kwargs", None) or {}).get("dtype") or setting("dtype", "float32"))
    if dtype not in DTYPE_BYTES:
        raise ConfigError(f"{where}.model_init_kwargs.dtype: {dtype!r} is none of float32, bfloat16, float16, auto")
    relative, absolute = optimizer_state(str(setting("optim", "adamw_torch_fused")), where)
    return {
        "shape": shape,
        "sharding": sharding,
        "weight_bytes": DTYPE_BYTES[dtype],
        "stored_bits": 4 if setting("load_in_4bit", False) else 8 if setting("load_in_8bit", False) else None,
        "mixed": bf16 or fp16,
        # transformers 5.23 calls it activation_checkpointing and still reads the old name.
        "checkpointing": bool(setting("activation_checkpointing", setting("gradient_checkpointing", True)))
        or sharding.activation_checkpointing,
        "optimizer_bytes": relative,
        "optimizer_absolute": absolute,
        "on_cpu": on_cpu,
    }


def optimizer_state(name: str, where: str) -> tuple[float, float | None]:
    """What an optimizer of transformers keeps for each trained weight.

    Returns:
        Multiples of the weight's own bytes, or bytes whatever the weight has (None where it is the former).

    Raises:
        ConfigError: an optimizer whose state is not known here.
    """
    if name.startswith("paged_"):
        return 0.0, 0.0  # kept in unified memory, which gives way to what does not fit
    if "8bit" in name:
        return 0.0, 2.0
    if "4bit" in name:
        return 0.0, 1.0
    if name.startswith("adamw"):
        return 2.0, None
    if name.startswith(("lion", "rmsprop", "adagrad")) or name == "sgd_momentum":
        return 1.0, None
    if name.startswith(("adafactor", "sgd", "galore", "apollo", "lomo", "adalomo")):
        return 0.05, None
    raise ConfigError(f"{where}.optim: {name}: its memory is not known to the plan; adamw_torch_fused is the default")
