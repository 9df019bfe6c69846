"""What a run does that dies for want of memory: the same batch in smaller pieces.

Half the micro-batch with twice the accumulation is the same optimizer step, made of the same prompts, with a smaller
peak of activations and logits. Rollouts are sampled for the whole generation batch at once, whatever the micro-batch
is; memory that runs out there is said so, and nothing is tried again.

The pieces: `explain` turns an exception in the script into one of two errors that reach whoever started it;
`KernelKills` tells whether the kernel killed something for memory while the script ran; `smaller_job` is the next try.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from raiden_core.errors import StageError

MICRO_BATCH, ACCUMULATION, PER_GENERATION = (
    "per_device_train_batch_size",
    "gradient_accumulation_steps",
    "steps_per_generation",
)
WORDS = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "std::bad_alloc",
)
"""How torch, CUDA and the C++ runtime say it when they do not raise torch.OutOfMemoryError or MemoryError."""
ROLLOUT_FUNCTIONS = frozenset({"_generate_single_turn", "greedy_replies"})
"""Functions below which memory goes to sampling completions, for which the micro-batch does not matter."""
COUNTERS = ("memory.events", "memory.events.local")
CGROUPS = Path("/sys/fs/cgroup")


class OutOfMemory(StageError):
    """Training itself ran out of memory: a smaller micro-batch may do."""


def explain(error: BaseException) -> StageError | None:
    """The error for whoever started the script, or None when ``error`` is not about memory."""
    # By name, because torch need not be imported to know an error of another kind.
    kinds = {kind.__name__ for kind in type(error).__mro__}
    said = str(error)
    if not kinds & {"OutOfMemoryError", "MemoryError"} and not any(word in said for word in WORDS):
        return None
    words = (" ".join(said.split()) or type(error).__name__)[:200]
    frames = {frame.name for frame in traceback.extract_tb(error.__traceback__)}
    if frames & ROLLOUT_FUNCTIONS:
        return StageError(
            f"memory ran out while completions were sampled ({words}); a smaller micro-batch would not help: lower "
            "max_completion_length, generation_batch_size or max_prompt_length, or sample with vLLM"
        )
    return OutOfMemory(words)


def smaller_job(job: Mapping[str, Any]) -> dict[str, Any] | None:
    """What to change in a job for the same batch in smaller pieces; None when a piece is one sequence already."""
    micro = int(job.get(MICRO_BATCH, 8))  # 8 is transformers' default
    factor = next((divisor for divisor in range(2, micro + 1) if micro % divisor == 0), None)
    if factor is None:
        return None
    less = {MICRO_BATCH: micro // factor, ACCUMULATION: int(job.get(ACCUMULATION, 1)) * factor}
    if job.get(PER_GENERATION) is not None:
        less[PER_GENERATION] = int(job[PER_GENERATION]) * factor
    return less


class KernelKills:
    """Whether the kernel's out-of-memory killer struck since this object was made.

    Counted for our own cgroup where the kernel shows one, else for the whole machine: a script that was killed while
    the killer struck somewhere is then taken for its victim, which costs one more try at worst.
    """

    def __init__(self) -> None:
        self.before = _kills()

    def struck(self) -> bool:
        """Whether the counter has moved."""
        return _kills() > self.before


def _kills() -> int:
    for path, key in (*((folder / name, "oom_kill") for folder in _cgroups() for name in COUNTERS),):
        if path.is_file():
            return _counter(path, key)
    path = Path("/proc/vmstat")
    return _counter(path, "oom_kill") if path.is_file() else 0


def _cgroups() -> list[Path]:
    """Our own cgroup's folder (version 2), then the root's, which is ours inside a container."""
    mine = Path("/proc/self/cgroup")
    lines = mine.read_text("utf-8").splitlines() if mine.is_file() else []
    return [*(CGROUPS / line[3:].lstrip("/") for line in lines if line.startswith("0::")), CGROUPS]


def _counter(path: Path, key: str) -> int:
    for line in path.read_text("utf-8").splitlines():
        name, _, value = line.partition(" ")
        if name == key:
            return int(value)
    return 0
