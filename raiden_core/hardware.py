"""The machine, in words, so that figures can name what they were measured on."""

from __future__ import annotations

import os
import platform

import psutil


def describe_hardware() -> str:
    """Cores, memory and GPUs of this machine, in one line; GPUs as NVIDIA's driver names them."""
    memory = psutil.virtual_memory().total / 2**30
    words = f"{os.cpu_count()} CPU cores ({platform.machine()}), {memory:.0f} GiB memory"
    gpus = _gpus()
    return f"{words}, {', '.join(gpus)}" if gpus else f"{words}, no GPU"


def _gpus() -> list[str]:
    folder = "/proc/driver/nvidia/gpus"
    if not os.path.isdir(folder):
        return []
    names = []
    for entry in sorted(os.listdir(folder)):
        with open(f"{folder}/{entry}/information", encoding="utf-8") as file:
            names += [line.split(":", 1)[1].strip() for line in file if line.startswith("Model:")]
    return names
