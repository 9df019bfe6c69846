"""How busy the machine is, in every log of a trainer: GPU use and memory, or the process's own where there is no GPU.

The figures join the trainer's own before any other callback sees them, so that they reach TensorBoard and the like.
"""

from __future__ import annotations

import importlib
from statistics import fmean
from typing import Any

import psutil
import torch
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

GIB = 2**30


class Resources(TrainerCallback):
    """Adds ``gpu_memory_gib`` (peak since the last log) and ``gpu_use_percent``, or ``memory_gib`` and ``cpu_percent``."""

    def __init__(self) -> None:
        self.process = psutil.Process()
        self.process.cpu_percent()  # the first call only starts the clock
        self.used: list[float] = []
        self.can_tell_use = True

    @classmethod
    def attach(cls, trainer: Trainer) -> None:
        """Hang it onto a trainer, before all other callbacks."""
        trainer.callback_handler.callbacks.insert(0, cls())

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Sample the GPU's use."""
        if args.device.type == "cuda" and self.can_tell_use:
            use = gpu_use()
            self.can_tell_use = use is not None
            if use is not None:
                self.used.append(use)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Add the figures of this process."""
        if not logs:
            return
        if args.device.type != "cuda":
            logs["memory_gib"] = round(self.process.memory_info().rss / GIB, 3)
            logs["cpu_percent"] = self.process.cpu_percent()
            return
        logs["gpu_memory_gib"] = round(torch.cuda.max_memory_allocated() / GIB, 3)
        torch.cuda.reset_peak_memory_stats()
        if self.used:
            logs["gpu_use_percent"] = round(fmean(self.used), 1)
            self.used.clear()


def gpu_use() -> float | None:
    """Percent of the last moments in which the current GPU computed; None where NVIDIA's library is not there or mute."""
    try:
        nvml = importlib.import_module("pynvml")
    except ModuleNotFoundError:
        return None
    try:
        return float(torch.cuda.utilization())
    except (nvml.NVMLError, RuntimeError):  # a slice of a GPU has no figure of its own
        return None
