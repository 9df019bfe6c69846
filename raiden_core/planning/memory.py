"""The memory of one device, by part and by moment of a step.

    memory = estimate(job)
    memory.peak, memory.moment, memory.parts

A step has four moments at which memory can be at its highest: the *rollouts* (no gradients, but a KV cache), the
*scoring* of completions by the reference, the *loss* (all activations that were kept, and the output head), and the
*backward* pass (gradients, and one layer in full). Each part is counted at each moment; the device must hold the
highest sum. docs/planning.md derives the formulas and compares them with measurements.

What TRL 1.16 does, read in its source: the output head is fused with the loss and works in tiles of 4096 tokens x
32768 words, so logits are never held as a whole; with ``beta`` 0, and with LoRA (adapters switched off), no reference
model is loaded; a generation batch lasts for all accumulated steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from raiden_core.planning.gpus import GIB, Devices
from raiden_core.planning.job import Job
from raiden_core.training.row_size import LOGITS_BYTES

MOMENTS = ("rollouts", "scoring", "loss", "backward")
TILE_TOKENS, TILE_WORDS = 4096, 32768
"""The fused head's tile: TRL's ``TOKEN_CHUNK_SIZE`` and ``_CHUNKED_LOGPROB_CHUNK_SIZE``."""
CPU_TILES = 7
"""Float32 temporaries of a tile where there is no Triton: the head's backward pass in plain PyTorch."""
CONTEXT_BYTES = GIB
"""CUDA context, libraries and their workspaces on a GPU."""
NCCL_BYTES = GIB
"""Communication buffers of a process among several."""
CPU_OVERHEAD_BYTES = 24 << 20
"""Thread pools and workspaces of a process on a CPU, above what its imports take."""
FRAGMENTATION = 0.05
"""Share of what comes and goes that the caching allocator loses in gaps."""
BUCKET_PARAMETERS = 500_000_000
"""DeepSpeed's default ``reduce_bucket_size``."""


@dataclass(frozen=True)
class Part:
    """One part of a device's memory, in bytes at each of `MOMENTS`."""

    name: str
    bytes: tuple[int, ...]
    note: str = ""


@dataclass(frozen=True)
class Memory:
    """All parts of a device's memory."""

    parts: tuple[Part, ...]

    @property
    def totals(self) -> dict[str, int]:
        """Bytes at each moment."""
        return {name: sum(part.bytes[place] for part in self.parts) for place, name in enumerate(MOMENTS)}

    @property
    def moment(self) -> str:
        """When most is needed."""
        return max(self.totals, key=lambda name: self.totals[name])

    @property
    def peak(self) -> int:
        """The most bytes needed at once."""
        return max(self.totals.values())

    def of(self, name: str) -> int:
        """The most that one part takes at any moment; 0 for a part that there is not."""
        return max((max(part.bytes) for part in self.parts if part.name == name), default=0)


def estimate(job: Job, devices: Devices | None = None) -> Memory:
    """The memory of one device; ``devices`` is needed for a colocated vLLM, whose share is one of the device."""
    parts = [_weights(job), _gathered(job), _gradients(job), _optimizer(job), _reference(job)]
    parts += [_casts(job), _activations(job), _head(job), _rollouts(job)]
    if job.rollouts == "colocate":
        share = int(job.vllm_share * devices.memory) if devices else 0
        awake = 0 if job.vllm_sleeps else share
        note = f"{job.vllm_share:.0%} of the device, its own weights and KV cache"
        parts.append(Part("vLLM", (share, awake, awake, awake), note))
    parts.append(_overhead(job, parts))
    return Memory(tuple(part for part in parts if any(part.bytes)))


# What stays ---------------------------------------------------------------------------------------------------------


def resident_weight_bytes(job: Job) -> int:
    """Bytes of a weight as it is kept: DeepSpeed casts it down, FSDP casts trained ones up."""
    if job.sharding.deepspeed:
        return 2 if job.mixed else job.weight_bytes
    if job.sharding.fsdp and job.mixed and not job.lora:
        return 4
    return job.weight_bytes


def compute_bytes(job: Job) -> int:
    """Bytes of what is computed in."""
    return 2 if job.mixed else job.weight_bytes


def _adapter_bytes(job: Job) -> int:
    # PEFT keeps adapters in float32, and TRL asks it not to under ZeRO-3.
    return 2 if job.sharding.kind == "zero3" and job.mixed else 4


def trained_bytes(job: Job) -> int:
    """Bytes of a trained weight, which its gradient has too."""
    return _adapter_bytes(job) if job.lora else resident_weight_bytes(job)


def _weights(job: Job) -> Part:
    size = 0 if job.sharding.offload_weights else _stored_bytes(job)
    size = (size + job.lora * _adapter_bytes(job)) // job.sharding.weight_shards
    kept = f"{resident_weight_bytes(job)} bytes" if job.stored_bits is None else f"{job.stored_bits} bits"
    return Part("weights", (size,) * 4, f"{job.shape.parameters / 1e9:.3g}B at {kept}")


def _stored_bytes(job: Job) -> int:
    """Bytes of all weights: embeddings and head are never quantized, a scale belongs to each 64 numbers that are."""
    if job.stored_bits is None:
        return job.shape.parameters * resident_weight_bytes(job)
    outside = job.shape.embedding * (1 if job.shape.tied else 2)
    return int((job.shape.parameters - outside) * (job.stored_bits / 8 + 4 / 64)) + outside * resident_weight_bytes(job)


def _gathered(job: Job) -> Part:
    """Weights that sharding brings together for a moment."""
    if job.sharding.weight_shards == 1:
        return Part("gathered weights", (0,) * 4)
    whole = job.shape.parameters * compute_bytes(job)
    # The layer at work, and the next one, which is fetched ahead; the embeddings stay together.
    layers = (2 * job.shape.layer + job.shape.embedding) * compute_bytes(job)
    rollouts = whole if job.sharding.kind == "zero3" and job.rollouts == "transformers" else layers
    scoring = layers
    if job.reference and job.sharding.fsdp:
        scoring = whole  # TRL shards the reference as one group, which is gathered as a whole
    training = whole if job.sharding.kind == "fsdp-grad-op" else layers
    if job.sharding.fsdp:
        training += job.shape.embedding * resident_weight_bytes(job)  # the fused head gathers its own copy
    rollouts = rollouts if job.stage == "grpo" else 0
    scoring = scoring if job.stage == "grpo" else 0
    return Part("gathered weights", (rollouts, scoring, training, training), "brought together by sharding")


def _gradients(job: Job) -> Part:
    size = job.trained * trained_bytes(job) // job.sharding.gradient_shards
    buckets, note = 0, ""
    if job.sharding.kind == "ddp":
        # DDP copies gradients into flat buckets, as accelerate leaves gradient_as_bucket_view off.
        buckets, note = size, "half of it DDP's buckets"
    elif job.sharding.deepspeed:
        buckets = 2 * min(BUCKET_PARAMETERS, job.trained) * trained_bytes(job)
        note = "with DeepSpeed's buckets"
    kept = size if job.accumulation > 1 else 0
    if job.sharding.offload_optimizer:
        size = kept = 0
    return Part("gradients", (buckets, buckets, kept + buckets, size + buckets), note)


def _state_bytes(job: Job) -> float:
    """Bytes of optimizer state for each trained weight, as checkpoints hold it."""
    if job.sharding.deepspeed and job.mixed:
        return 12.0  # a float32 weight and Adam's moments
    return job.optimizer_bytes * trained_bytes(job) if job.optimizer_absolute is None else job.optimizer_absolute


def checkpoint_bytes(job: Job) -> int:
    """Bytes of one checkpoint: what is trained, with the optimizer's state."""
    return int(job.trained * (trained_bytes(job) + _state_bytes(job)))


def _optimizer(job: Job) -> Part:
    each, note = _state_bytes(job), ""
    if job.sharding.deepspeed and job.mixed:
        each, note = each + 4, "float32 weights, gradients and Adam's moments"
    size = 0 if job.sharding.offload_optimizer else int(job.trained * each) // job.sharding.optimizer_shards
    return Part("optimizer", (size,) * 4, note)


def _reference(job: Job) -> Part:
    if not job.reference:
        return Part("reference", (0,) * 4)
    bytes_each = 2 if job.sharding.deepspeed and job.mixed else job.weight_bytes
    size = job.shape.parameters * bytes_each // job.sharding.weight_shards
    return Part("reference", (size,) * 4, "a copy of the model for the KL term; beta 0 and LoRA need none")


# What comes and goes --------------------------------------------------------------------------------------------------


def _casts(job: Job) -> Part:
    """Copies of float32 weights that autocast makes and keeps."""
    if not (job.mixed and job.weight_bytes == 4) or job.sharding.deepspeed or job.sharding.fsdp:
        return Part("weight casts", (0,) * 4)
    whole = 2 * job.shape.layers * job.shape.layer
    one = 2 * job.shape.layer
    if job.lora:
        # Frozen weights are cast anew at each use; the graph keeps the casts unless layers are recomputed.
        return Part("weight casts", (one, one, one if job.checkpointing else whole, one), "bf16 copies by autocast")
    backward = one if job.checkpointing else whole
    return Part("weight casts", (whole, whole, whole, backward), "bf16 copies by autocast")


def residual_bytes(job: Job) -> int:
    """Bytes of an element of the residual stream: autocast leaves it in the weights' own precision."""
    return compute_bytes(job) if job.sharding.deepspeed or job.sharding.fsdp else job.weight_bytes


def layer_activations(job: Job) -> int:
    """Bytes that one layer keeps for its backward pass, for one token."""
    shape, compute, residual = job.shape, compute_bytes(job), residual_bytes(job)
    casts = job.mixed and residual == 4
    keeps_inputs = not job.lora
    # Two norms: the float32 input, the normalised values (for the norm's own weight), and the output.
    norms = 2 * shape.hidden * (4 + (residual if keeps_inputs else 0) + (0 if casts else compute))
    if casts:
        norms += 5 * shape.hidden * compute  # each of q, k, v, gate and up casts its input for itself
    # Queries, keys and values (these two repeated for each group of heads) and the result.
    attention = 4 * shape.attention_width * compute
    if shape.qk_norm:
        attention += (shape.attention_width + shape.kv_width) * (4 + (compute if keeps_inputs else 0))
    # The gate before and after its activation, the other branch, and their product.
    mlp = 4 * shape.mlp_width * compute
    if shape.experts:
        mlp += 2 * shape.hidden * shape.experts_per_token * compute
    adapters = 0
    if job.lora and compute == 2 and not job.mixed:  # PEFT casts each adapter's input, except under autocast
        adapters = 4 * sum(shape.linears[name][0] for name in job.adapted if name in shape.linears)
    return norms + attention + mlp + adapters


def _activations(job: Job) -> Part:
    tokens, row = (math.ceil(number) for number in job.passes(job.prompt, job.completion))
    width, compute = job.shape.hidden, compute_bytes(job)
    one = tokens * layer_activations(job)
    # Gradients of what the MLP holds, while its layer is gone through backwards.
    flowing = tokens * (3 * job.shape.mlp_width * compute + 2 * width * residual_bytes(job))
    stream = tokens * width * residual_bytes(job)
    kept = job.shape.layers * (stream if job.checkpointing else one) + 2 * stream
    # Without accumulation gradients grow as activations go: at the end of the pass one layer is left.
    through = one + flowing + (kept if job.accumulation > 1 and job.checkpointing else 0)
    if job.accumulation > 1 and not job.checkpointing:
        through = kept + flowing
    scoring = (one if not job.lora else one // 2) if job.stage == "grpo" and job.reference else 0
    mask = tokens * row * compute if job.shared_prefix else 0
    through, kept, scoring = through + mask, kept + mask, scoring + (mask if scoring else 0)
    note = f"{job.micro_batch} x {job.tokens:,} tokens, {'layers recomputed' if job.checkpointing else 'all kept'}"
    note += f", prompts shared: {tokens:,} computed" if job.shared_prefix else ""
    return Part("activations", (0, scoring, kept, through), note)


def _head(job: Job) -> Part:
    """The output head with the loss; on a GPU only completion tokens pass through it, on a CPU all do."""
    shape, compute = job.shape, compute_bytes(job)
    scored = job.micro_batch * job.completion
    tokens = math.ceil(job.passes(job.prompt, job.completion)[0]) if job.on_cpu else scored
    if job.shared_prefix and 4 * scored * shape.vocab <= LOGITS_BYTES["cpu" if job.on_cpu else "cuda"]:
        # The logits, their float32 copy, its logarithm and the gradient.
        size = scored * shape.vocab * (compute + 4 + 4 + 4)
        dense = 0 if job.lora else shape.embedding * trained_bytes(job)
        return Part("logits", (0, size // 2 if job.reference else 0, size, dense), f"{scored:,} tokens at once")
    if job.full_logits:
        # The logits, their float32 copy, the softmax and the gradient.
        size = tokens * shape.vocab * (compute + 4 + 4 + compute)
        return Part("logits", (0, size // 2 if job.reference else 0, size, 0), "all at once")
    tile = min(tokens, TILE_TOKENS) * min(shape.vocab, TILE_WORDS)
    inside = tile * (compute + (4 * CPU_TILES if job.on_cpu else 0))
    states = tokens * shape.hidden * (residual_bytes(job) + 4)
    trains = not job.lora
    weight = shape.embedding * (4 + (trained_bytes(job) if trained_bytes(job) != 4 else 0)) if trains else 0
    # The input embedding's gradient is dense too.
    dense = shape.embedding * trained_bytes(job) if trains and (shape.tied or job.accumulation > 1) else 0
    scoring = inside // 2 + states // 2 if job.stage == "grpo" and (job.reference or job.rollouts == "colocate") else 0
    note = f"tiles of {min(tokens, TILE_TOKENS):,} tokens x {min(shape.vocab, TILE_WORDS):,} words"
    return Part("logits", (0, scoring, inside + states + weight, dense), note)


def kv_bytes(job: Job) -> int:
    """Bytes of keys and values of one token."""
    # Under autocast the rotation leaves keys in float32 while values are bf16.
    each = compute_bytes(job) + (residual_bytes(job) if job.mixed else compute_bytes(job))
    return job.shape.layers * job.shape.kv_width * each


def _rollouts(job: Job) -> Part:
    """KV cache of the rollouts that transformers makes, with what reading the prompts takes."""
    if job.stage != "grpo" or job.rollouts != "transformers":
        return Part("KV cache", (0,) * 4)
    shape, compute = job.shape, compute_bytes(job)
    cache = job.generation_batch * job.tokens * kv_bytes(job)
    prompts = math.ceil(job.generation_batch / job.group) if job.shared_prefix else job.generation_batch
    reading = prompts * job.prompt * (3 * shape.mlp_width * compute + 2 * shape.hidden * 4)
    words = job.generation_batch * shape.vocab * (compute + 3 * 4)
    note = f"{job.generation_batch} completions of a device's generation batch"
    if job.shared_prefix:
        # Prompts are read once; their cache is repeated into one that has room for the completions.
        known = prompts * job.prompt * kv_bytes(job)
        return Part("KV cache", (known + max(reading, cache + words), 0, 0, 0), note)
    cache += cache // shape.layers  # a grown cache is a copy: one layer's stands there twice
    return Part("KV cache", (cache + max(reading, words), 0, 0, 0), note)


def _overhead(job: Job, parts: list[Part]) -> Part:
    if job.on_cpu:
        return Part("overhead", (CPU_OVERHEAD_BYTES,) * 4)
    fixed = CONTEXT_BYTES + (NCCL_BYTES if job.sharding.processes > 1 else 0)
    moving = {"activations", "logits", "KV cache", "weight casts", "gathered weights"}
    lost = [
        int(FRAGMENTATION * sum(part.bytes[place] for part in parts if part.name in moving))
        for place in range(len(MOMENTS))
    ]
    note = "CUDA context, communication, gaps"
    return Part("overhead", tuple(fixed + one for one in lost), note)
