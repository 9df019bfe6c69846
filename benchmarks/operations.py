"""Prefect's share of a pipeline whose stages are all cached, against a running server.

    python -m benchmarks.operations            # about two minutes; most of it is the first run, that fills the cache
    python -m benchmarks.operations --runs 5

The tiny pipeline is run once, then ``raiden run`` again and again. Of each of these runs three times are taken, wall and
CPU: the whole command; what the same look-up costs without Prefect (a process that imports raiden_core, digests code and
inputs and checks every folder); and the difference, which is Prefect's share. Results go to
``benchmarks/results/operations.json`` with the hardware.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from benchmarks.chaos.cases import write_config
from benchmarks.chaos.house import ROOT, House
from raiden_core.hardware import describe_hardware

RESULTS = Path(__file__).parent / "results" / "operations.json"
BAR_SECONDS = 6.0
"""What Prefect may cost."""
WITHOUT = """
import sys
from pathlib import Path
from raiden_core.config_loading import load_config
from raiden_core.stages import damage
from raiden_core.digests import digest_code
config = load_config(Path(sys.argv[1]))
for module in ("generation.stage", "splitting", "training.cold_start", "training.grpo", "evaluation.stage", "report.stage"):
    digest_code(f"raiden_core.{module}")
for manifest in config.output_dir.glob("*/manifest.json"):
    assert damage(manifest.parent) is None
"""


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="raiden-operations-") as name, House(Path(name) / "house") as house:
        config = write_config(Path(name))
        command = [sys.executable, "-m", "flows.cli", "run", str(config), "--json"]
        first, _ = timed(command, house.environment)
        cached = [timed(command, house.environment) for _ in range(given.runs)]
        plain = [timed([sys.executable, "-c", WITHOUT, str(config)], house.environment) for _ in range(given.runs)]
        again = subprocess.run(command, env=house.environment, cwd=ROOT, capture_output=True, text=True, check=True)
        record = json.loads(again.stdout.splitlines()[-1])
    if not all(stage["cached"] for stage in record["stages"].values()):
        raise SystemExit("a stage was not cached: nothing was measured")
    whole, without = median(cached), median(plain)
    result: dict[str, Any] = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "hardware": describe_hardware(),
        "load": os.getloadavg()[0],
        "first_run_seconds": round(first, 2),
        "cached_command": {"wall": whole[0], "cpu": whole[1]},
        "without_prefect": {"wall": without[0], "cpu": without[1]},
        "prefects_share": {"wall": round(whole[0] - without[0], 2), "cpu": round(whole[1] - without[1], 2)},
        "bar_seconds": BAR_SECONDS,
        "runs": [{"wall": round(wall, 2), "cpu": round(cpu, 2)} for wall, cpu in cached],
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    sys.stdout.write(json.dumps(result, indent=2) + "\n")


def timed(command: Sequence[str], environment: dict[str, str]) -> tuple[float, float]:
    """Wall and CPU seconds of a command that must succeed."""
    started, before = time.perf_counter(), children_cpu()
    subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, check=True)
    return time.perf_counter() - started, children_cpu() - before


def children_cpu() -> float:
    """CPU seconds of all children that have ended."""
    times = psutil.Process().cpu_times()
    return float(times.children_user + times.children_system)


def median(runs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Median wall and CPU seconds."""
    return round(statistics.median(run[0] for run in runs), 2), round(statistics.median(run[1] for run in runs), 2)


if __name__ == "__main__":
    main()
