"""Whether a job fits a device, and the largest micro-batch that does."""

from __future__ import annotations

from dataclasses import dataclass, replace

from raiden_core.planning.gpus import Devices
from raiden_core.planning.job import Job
from raiden_core.planning.memory import Memory, estimate, kv_bytes

MOST = 4096
"""Sequences beyond which no larger micro-batch is looked for."""
EASILY = 0.95
"""Share of a GPU's memory up to which a plan, which was measured on none, is taken for a promise."""
LEAST_CACHED = 1
"""Completions whose keys and values a colocated vLLM must at least hold beside its weights."""


@dataclass(frozen=True)
class Fit:
    """A job against a device."""

    memory: Memory
    available: int
    """Bytes of the device."""
    problem: str | None
    """Why it does not fit; None where it does."""
    largest: int | None
    """The largest micro-batch that fits with the accumulation as it is; None where not even 1 does."""
    same_batch: tuple[int, int] | None
    """The largest micro-batch that fits, with the accumulation that keeps the effective batch."""


def fit(job: Job, devices: Devices) -> Fit:
    """Compare a job's memory with what one of the devices has."""
    memory = estimate(job, devices)
    # How much one device holds does not depend on how many of them there are.
    enough = replace(devices, count=max(devices.count, 1 if devices.cpu else job.sharding.processes))
    return Fit(
        memory=memory,
        available=devices.memory,
        problem=problem_of(job, devices, memory),
        largest=largest_micro_batch(job, enough),
        same_batch=_same_batch(job, enough),
    )


def problem_of(job: Job, devices: Devices, memory: Memory) -> str | None:
    """Why a job does not fit; None where it does."""
    needed = job.sharding.processes
    if devices.cpu:
        total = memory.peak * needed
        return None if total <= devices.memory else f"{_gib(total - devices.memory)} more than the machine has"
    if needed > devices.count:
        return f"{needed} processes, but only {devices.count} x {devices.name}: it needs {needed} GPUs"
    if job.rollouts == "colocate":
        share = int(job.vllm_share * devices.memory)
        weights = 2 * job.shape.parameters // job.vllm_parallel
        least = weights + LEAST_CACHED * job.tokens * kv_bytes(job) // job.vllm_parallel
        if share < least:
            return f"vLLM's share of {_gib(share)} does not hold its own weights ({_gib(weights)}) and a KV cache"
    if memory.peak > devices.memory:
        return f"{_gib(memory.peak - devices.memory)} more than one {devices.name} has"
    return None


def fits(job: Job, devices: Devices) -> bool:
    """Whether a job fits."""
    return problem_of(job, devices, estimate(job, devices)) is None


def largest_micro_batch(job: Job, devices: Devices) -> int | None:
    """The largest micro-batch that fits, other settings as they are: found by halving, as memory grows with it."""
    if not fits(job.with_micro_batch(1, job.accumulation), devices):
        return None
    low, high = 1, MOST
    while low < high:
        middle = (low + high + 1) // 2
        if fits(job.with_micro_batch(middle, job.accumulation), devices):
            low = middle
        else:
            high = middle - 1
    return low


def _same_batch(job: Job, devices: Devices) -> tuple[int, int] | None:
    sequences = job.micro_batch * job.accumulation
    for accumulation in range(1, sequences + 1):
        micro = sequences // accumulation
        if sequences % accumulation == 0 and fits(job.with_micro_batch(micro, accumulation), devices):
            return micro, accumulation
    return None


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"
