"""The devices that a plan is checked against: named (``8xH200``), found on this machine, or its CPU."""

from __future__ import annotations

import functools
import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

import psutil
import yaml

from raiden_core.config.trl_fields import suggestion
from raiden_core.errors import UsageError

GIB = 2**30
CORE_TFLOPS = 0.08
"""What a CPU core is taken to do in float32."""
CPU_BANDWIDTH = 20.0
"""GB/s that a CPU is taken to read weights with."""
SMI_SECONDS = 20


@dataclass(frozen=True)
class Devices:
    """A number of equal devices."""

    name: str
    count: int
    memory: int
    """Bytes of one of them."""
    tflops: float
    """Peak of one, in the precision that training computes in."""
    bandwidth: float
    """GB/s of one's memory."""
    cpu: bool = False

    def __str__(self) -> str:
        return f"{self.name}, {self.memory / GIB:.0f} GiB" if self.cpu else f"{self.count} x {self.name}"


@dataclass(frozen=True)
class FoundGpu:
    """A GPU of this machine, as its driver describes it."""

    name: str
    memory: int
    free: int
    driver: str


def parse_gpus(text: str) -> Devices:
    """The devices that ``8xH200``, ``4090`` or ``2 x A100-40`` names.

    Raises:
        UsageError: no such GPU in the table, or not written like that.
    """
    found = re.fullmatch(r"\s*(?:(\d+)\s*[x×*]\s*)?(?:RTX|NVIDIA)?\s*([\w-]+)\s*", text, re.IGNORECASE)
    count = int(found.group(1) or 1) if found else 0
    if found is None or not 1 <= count <= 100_000:
        raise UsageError(f"--gpus {text}: write it as 8xH200, or one of {', '.join(gpu_table())}")
    name = found.group(2).upper()
    if name not in gpu_table():
        known = list(gpu_table())
        turned = re.fullmatch(r"(.+)[xX](\d+)", text.strip())
        if re.fullmatch(r"\s*\d{1,3}\s*", text) or (turned and turned.group(1).upper() in known):
            good = f"{turned.group(2)}x{turned.group(1)}" if turned else f"{text.strip()}xH200"
            raise UsageError(f"--gpus {text}: first how many, then which: {good}")
        raise UsageError(f"--gpus {text}: no {name} in the table ({', '.join(known)}){suggestion(name, known)}")
    memory, tflops, bandwidth = gpu_table()[name]
    return Devices(name, count, memory, tflops, bandwidth)


@functools.cache
def gpu_table() -> dict[str, tuple[int, float, float]]:
    """Name -> bytes of memory, TFLOP/s, GB/s."""
    text = resources.files("raiden_core.planning").joinpath("gpus.yaml").read_text("utf-8")
    return {
        str(name).upper(): (int(row["memory"] * GIB), float(row["tflops"]), float(row["bandwidth"]))
        for name, row in yaml.safe_load(text).items()
    }


def this_cpu() -> Devices:
    """This machine's CPU and its memory, as one device."""
    cores = len(os.sched_getaffinity(0))
    memory = psutil.virtual_memory().total
    return Devices(f"CPU ({cores} cores)", 1, memory, cores * CORE_TFLOPS, CPU_BANDWIDTH, cpu=True)


def detect_gpus() -> Devices | None:
    """The GPUs of this machine as equal devices, with the memory of the smallest; None where there are none."""
    found = list_gpus()
    if not found:
        return None
    name = found[0].name
    for known, (_, tflops, bandwidth) in gpu_table().items():
        # "A100-40" before "A100" is told by memory, which the driver gives.
        if re.search(rf"\b{re.escape(known)}\b", name, re.IGNORECASE):
            return Devices(name, len(found), min(gpu.memory for gpu in found), tflops, bandwidth)
    _, tflops, bandwidth = gpu_table()["A100"]
    return Devices(name, len(found), min(gpu.memory for gpu in found), tflops, bandwidth)


def list_gpus() -> Sequence[FoundGpu]:
    """What ``nvidia-smi`` lists; nothing where it is not installed or finds no device."""
    query = "--query-gpu=name,memory.total,memory.free,driver_version"
    try:
        done = subprocess.run(
            ["nvidia-smi", query, "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            timeout=SMI_SECONDS,
        )
    except (FileNotFoundError, PermissionError, subprocess.TimeoutExpired):
        return []
    if done.returncode:
        return []
    rows = [[cell.strip() for cell in line.split(",")] for line in done.stdout.splitlines()]
    return [
        FoundGpu(row[0], int(row[1]) << 20, int(row[2]) << 20, row[3])
        for row in rows
        if len(row) == 4 and row[1].isdigit() and row[2].isdigit()
    ]
