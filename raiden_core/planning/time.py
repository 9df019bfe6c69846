"""Steps, tokens and a rough time, with every assumption said.

Training is bound by arithmetic: 2 operations a parameter and token forwards, 4 backwards, 2 more where layers are
recomputed, 2 for each pass that only scores; divided by a share of the device's peak (MFU). Rollouts are bound by
memory: each new token reads the weights and the KV cache once for the whole batch, and transformers adds the time that
Python takes to start a layer's kernels. Communication, evaluation, checkpoints and start-up are not counted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from raiden_core.planning.gpus import Devices
from raiden_core.planning.job import Job, Lengths
from raiden_core.planning.memory import compute_bytes, kv_bytes, resident_weight_bytes

MFU = 0.35
"""Share of the peak that training reaches."""
CPU_MFU = 0.6
FLOAT32_SLOWER = 15
"""How many times slower a GPU computes in float32 than in bf16."""
BANDWIDTH = 0.6
"""Share of the memory bandwidth that decoding reaches."""
LAYER_SECONDS = {"transformers": 0.0009, "colocate": 0.00005, "server": 0.00005}
"""Time a layer and decoding step for starting kernels; vLLM replays them as one graph."""
CPU_LAYER_SECONDS = 0.0003
QUESTION = 20
"""Tokens that a further question of a training sequence has, those of the chat template included."""
MEAN_COMPLETION = 0.6
"""Mean length of a completion as a share of the longest; a batch of transformers waits for its longest."""


@dataclass(frozen=True)
class Duration:
    """How long a stage takes."""

    samples: int
    steps: int
    completions: int
    """Completions sampled in all (GRPO), or sequences trained on."""
    tokens: int
    """Tokens trained on in all."""
    step_seconds: float
    rollout_seconds: float
    """Of a step's time, what sampling takes."""

    @property
    def seconds(self) -> float:
        """The whole stage."""
        return self.steps * self.step_seconds


def duration(job: Job, devices: Devices, samples: int, lengths: Lengths, section: Mapping[str, Any]) -> Duration:
    """Steps and time of a stage.

    Args:
        job: what a step does.
        devices: what it runs on.
        samples: prompts (GRPO) or sequences (cold start) of an epoch.
        lengths: of the prompts.
        section: ``num_train_epochs``, ``max_steps``, ``num_iterations``, ``questions_per_sequence`` and
            ``max_completion_length`` of the configuration.
    """
    iterations = int(section.get("num_iterations") or 1)
    questions = int(section.get("questions_per_sequence", 1))
    prompts = max(1.0, job.effective_batch / job.group)
    steps = max(1, math.ceil(samples * float(section.get("num_train_epochs", 1)) / prompts)) * iterations
    limit = section.get("max_steps")
    if isinstance(limit, int) and limit > 0:
        steps = limit
    per_device = job.micro_batch * job.accumulation
    known = lengths.completion
    completion = job.completion * MEAN_COMPLETION if known is None else min(job.completion, known)
    prompt = float(lengths.mean)
    if job.stage == "cold start":
        # A profile, and for each question about it as much as a rollout is taken to have.
        each = MEAN_COMPLETION * int(section["max_completion_length"]) if known is None else known
        completion = min(job.completion, prompt + questions * each + (questions - 1) * QUESTION)
        prompt = 0
    at_once, row = job.passes(prompt, completion)
    trained = at_once * job.accumulation
    train = trained * _operations(job, row) / _speed(job, devices)
    rollout = 0.0
    if job.stage == "grpo" and job.rollouts != "none":
        rollout = _rollout(job, devices, prompt) * per_device / max(1, job.generation_batch) / iterations
    tokens = int(steps * trained * job.sharding.processes)
    completions = steps * job.effective_batch // (iterations if job.stage == "grpo" else 1)
    return Duration(samples, steps, completions, tokens, train + rollout, rollout)


def _operations(job: Job, length: float) -> float:
    """Floating-point operations a token of training, scoring passes included."""
    forward = 2 * job.shape.active_parameters + 2 * job.shape.layers * job.shape.attention_width * length
    backward = (1 if job.lora else 2) * forward  # frozen weights get no gradient
    passes = forward + backward + (forward if job.checkpointing else 0)
    if job.stage == "grpo":
        passes += forward * job.scored_again
        passes += forward * (job.rollouts in ("colocate", "server"))  # TRL scores again what vLLM sampled
    return passes


def _speed(job: Job, devices: Devices) -> float:
    """Operations a second that a device is taken to do."""
    if devices.cpu:
        return devices.tflops * 1e12 * CPU_MFU
    return devices.tflops * 1e12 * MFU / (FLOAT32_SLOWER if compute_bytes(job) == 4 else 1)


def _rollout(job: Job, devices: Devices, prompt: float) -> float:
    """Seconds for one generation batch of a device."""
    waits = 1.0 if job.rollouts == "transformers" else MEAN_COMPLETION
    decoded = job.completion * waits
    batch = job.generation_batch
    weights = job.shape.active_parameters if batch == 1 else job.shape.parameters
    width = resident_weight_bytes(job) if job.rollouts == "transformers" else 2
    cache = batch * (prompt + decoded / 2) * kv_bytes(job)
    read = (weights * width / job.vllm_parallel + cache) / (devices.bandwidth * 1e9 * BANDWIDTH)
    arithmetic = 2 * job.shape.active_parameters * batch / _speed(job, devices)
    start = job.shape.layers * (CPU_LAYER_SECONDS if devices.cpu else LAYER_SECONDS[job.rollouts])
    read_prompts = batch / job.group if job.shared_prefix and job.rollouts == "transformers" else batch
    prefill = 2 * job.shape.active_parameters * read_prompts * prompt / _speed(job, devices)
    return prefill + decoded * (max(read, arithmetic) + start)


def assumptions(job: Job, devices: Devices, lengths: Lengths) -> list[str]:
    """What the time stands on, for people."""
    said = [f"prompts: {lengths.source}"]
    share = CPU_MFU if devices.cpu else MFU
    said.append(
        f"training at {share:.0%} of {devices.tflops:.3g} TFLOP/s a device, {compute_bytes(job)}-byte arithmetic"
    )
    if job.stage == "grpo":
        said.append(
            f"decoding at {BANDWIDTH:.0%} of {devices.bandwidth:,.0f} GB/s; mean completion {MEAN_COMPLETION:.0%} of the "
            f"longest"
        )
    if job.rollouts == "server":
        said.append("the vLLM server has a device of its own for each training device")
    said.append("communication, evaluation and checkpoints are not counted")
    return said
