"""The devices that a plan is checked against: named (``8xH200``), found on this machine, or its CPU."""

from __future__ import annotations

import functools
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import psutil
import yaml

from raiden_core.config.trl_fields import suggestion
from raiden_core.errors import UsageError
from raiden_core.processes.threads import usable_cores

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
    """The devices that ``8xH200``, ``RTX 4090`` or ``2 x NVIDIA A100-SXM4-40GB`` names.

    Raises:
        UsageError: no such GPU in the table, or not written like that.
    """
    found = re.fullmatch(r"\s*(?:(\d+)\s*[x×*]\s*)?(\S.*?)\s*", text, re.IGNORECASE)
    count = int(found.group(1) or 1) if found else 0
    if found is None or not 1 <= count <= 100_000:
        raise UsageError(f"--gpus {text}: write it as 8xH200, or one of {', '.join(gpu_table())}")
    written, known = found.group(2), list(gpu_table())
    turned = re.fullmatch(r"\s*(.+?)\s*[xX×*]\s*(\d+)\s*", text)
    if re.fullmatch(r"\s*\d{1,3}\s*", text) or (turned and known_as(turned.group(1)) and not known_as(written)):
        good = f"{turned.group(2)}x{turned.group(1)}" if turned else f"{text.strip()}xH200"
        raise UsageError(f"--gpus {text}: first how many, then which: {good}")
    name = known_as(written)
    if name is None:
        sizes = _sizes(written)
        why = (
            f"the {sizes}"
            if sizes
            else f"no {written} in the table ({', '.join(known)}){suggestion(written.upper(), known)}"
        )
        raise UsageError(f"--gpus {text}: {why}")
    return Devices(name, count, *gpu_table()[name])


def known_as(text: str) -> str | None:
    """The table's name of a GPU that a person, a vendor or a driver writes in a longer way; None where it has none.

    A size or a form (PCIe, NVL) that stands there must be one that the table has; words that say nothing about memory
    or speed are read over.
    """
    words, rows = _words(text)
    if not rows:
        return None
    form = next((row.form for row in rows if row.form in words), None)
    rest = [word for word in words if word != form]
    sizes = [int(found.group(1)) for word in rest if (found := SIZE.fullmatch(word))]
    if any(not SIZE.fullmatch(word) and not SILENT.fullmatch(word) for word in rest):
        return None
    fitting = [row for row in rows if all(size in row.sizes for size in sizes)]
    # Where nothing is said of the form it is that of servers, which stands first.
    return next((row.name for row in fitting if row.form == form), None) or next(
        (row.name for row in fitting if sizes and form is None), None
    )


SIZE = re.compile(r"(\d{2,3})(?:GB?|GIB)?")
SILENT = re.compile(r"NVIDIA|AMD|INSTINCT|GEFORCE|RTX|TESLA|GPU|SXM\d?|PCIE|OAM|HBM\d?E?|TENSOR|CORE|GENERATION")
"""Words that tell one GPU from none of the others in the table."""


@dataclass(frozen=True)
class _Row:
    name: str
    sizes: tuple[int, ...]
    form: str | None


def _words(text: str) -> tuple[list[str], list[_Row]]:
    """The words of a name beside the model itself, and the rows of the table that have this model."""
    spaced = re.sub(r"\bRTX(?=\d)", "RTX ", text.upper())
    spaced = re.sub(r"\b(?:RTX )?6000 ADA\b", "RTX6000ADA", spaced)
    words = re.findall(r"[^\s\-_/,()]+", spaced)
    for place, word in enumerate(words):
        rows = [row for row in _rows() if row.name.partition("-")[0] == word]
        if rows:
            return words[:place] + words[place + 1 :], rows
    return words, []


def _sizes(text: str) -> str | None:
    """What sizes the model of a name has, where only its size is unknown."""
    words, rows = _words(text)
    if not rows or not any(SIZE.fullmatch(word) for word in words):
        return None
    sizes = dict.fromkeys(size for row in rows for size in row.sizes)
    return f"{rows[0].name} of the table has {' or '.join(map(str, sizes))} GB"


@functools.cache
def _rows() -> tuple[_Row, ...]:
    def sizes(written: int | list[int]) -> tuple[int, ...]:
        return tuple(written) if isinstance(written, list) else (written,)

    return tuple(_Row(str(name).upper(), sizes(row["gb"]), row.get("form")) for name, row in _table().items())


@functools.cache
def _table() -> dict[str, dict[str, Any]]:
    text = resources.files("raiden_core.planning").joinpath("gpus.yaml").read_text("utf-8")
    table: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return table


@functools.cache
def gpu_table() -> dict[str, tuple[int, float, float]]:
    """Name -> bytes of memory, TFLOP/s, GB/s."""
    return {
        str(name).upper(): (int(row["memory"] * GIB), float(row["tflops"]), float(row["bandwidth"]))
        for name, row in _table().items()
    }


def this_cpu() -> Devices:
    """This machine's CPU and its memory, as one device."""
    cores = usable_cores()
    memory = psutil.virtual_memory().total
    return Devices(f"CPU ({cores} cores)", 1, memory, cores * CORE_TFLOPS, CPU_BANDWIDTH, cpu=True)


def detect_gpus() -> Devices | None:
    """The GPUs of this machine as equal devices, with the memory of the smallest; None where there are none."""
    found = list_gpus()
    if not found:
        return None
    name, memory = found[0].name, min(gpu.memory for gpu in found)
    # A driver's own words may be more than the table knows ("Laptop GPU"); then the model alone says how fast it is.
    _, rows = _words(name)
    known = known_as(name) or (rows[0].name if rows else "A100")
    _, tflops, bandwidth = gpu_table()[known]
    return Devices(name, len(found), memory, tflops, bandwidth)


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
