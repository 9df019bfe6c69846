"""The machine, in words, so that figures can name what they were measured on."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import psutil


def describe_hardware() -> str:
    """Cores, memory and GPUs of this machine, in one line; GPUs as NVIDIA's driver names them."""
    memory = psutil.virtual_memory().total / 2**30
    words = f"{os.cpu_count()} CPU cores ({platform.machine()}), {memory:.0f} GiB memory"
    gpus = _gpus()
    return f"{words}, {', '.join(gpus)}" if gpus else f"{words}, no GPU"


def _gpus() -> list[str]:
    files = sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))
    lines = [line for file in files for line in file.read_text("utf-8").splitlines()]
    return [line.split(":", 1)[1].strip() for line in lines if line.startswith("Model:")]
