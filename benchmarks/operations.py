"""Prefect's share of the work, against a running server: of a pipeline that is all cached, and of shards.

    python -m benchmarks.operations            # about four minutes; much of it is the first run, that fills the cache
    python -m benchmarks.operations --only cached --runs 5

**cached**: the tiny pipeline is run once, then ``raiden run`` again and again. Of each of these runs three times are
taken, wall and CPU: the whole command; what the same look-up costs without Prefect (a process that imports raiden_core,
digests code and inputs and checks every folder); and the difference, which is Prefect's share.

**shards**: what Prefect adds to 10,000 characters in shards is the flow of shards, its tasks and their processes. It is
timed with shards that are all done, so that nothing else is in it. What it is a share of is the mining of 10,000
characters, counted from some that are mined by one process, with a teacher that answers at once: a real one is slower,
and Prefect's share smaller.

Results go to ``benchmarks/results/operations.json`` with the hardware.
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

from benchmarks.chaos.cases import scripted_teacher, teacher_settings, write_config
from benchmarks.chaos.house import ROOT, House, free_port
from raiden_core.report.hardware import describe_hardware

RESULTS = Path(__file__).parent / "results" / "operations.json"
PARTS = ("cached", "shards")
BAR_SECONDS = 6.0
"""What Prefect may cost when all is cached."""
BAR_SHARE = 0.02
"""What Prefect may cost of 10,000 characters in shards."""
WITHOUT = """
import sys
from pathlib import Path
from raiden_core.config.loading import load_config
from raiden_core.stages.folder import damage
from raiden_core.stages.digests import digest_code
config = load_config(Path(sys.argv[1]))
for module in ("generation.stage", "dataset.split", "training.cold_start", "training.grpo", "evaluation.stage", "report.stage"):
    digest_code(f"raiden_core.{module}")
for manifest in config.output_dir.glob("*/manifest.json"):
    assert damage(manifest.parent) is None
"""
MINE = """
import json, sys, time
from pathlib import Path
from raiden_core.config.loading import load_config
from raiden_core.generation.settings import GenerateSettings
from raiden_core.generation.shards import FILES, mine_shard
from raiden_core.models.shards import Shards
config, folder = load_config(Path(sys.argv[1])), Path(sys.argv[2])
wall, cpu = time.perf_counter(), time.process_time()
mine_shard(GenerateSettings.of(config), Shards(folder, 1, FILES), 0)
print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu]))
"""
IMPORTS = "import flows.pipeline"
SHARDS = """
import sys
from pathlib import Path
from raiden_core.config.loading import load_config
from raiden_core.models.shards import Shards
from tasks import shards
config, folder = load_config(Path(sys.argv[1])), Path(sys.argv[2])
of = config.runner.shards
for number in range(of):
    (folder / f"{number}-of-{of}").mkdir(parents=True, exist_ok=True)
class Done(Shards):
    def missing(self):
        return list(range(self.of))
submit = lambda work, number: shards.generate_shard.submit(config, work, number)
lost = shards._run(shards.task_runner(config), "generate", Done(folder, of, ()), submit)
assert not lost, lost
"""


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--runs", type=int, default=3, help="of each command")
    parser.add_argument("--characters", type=int, default=200, help="mined to know what one takes")
    given = parser.parse_args()
    results: dict[str, Any] = json.loads(RESULTS.read_text("utf-8")) if RESULTS.is_file() else {}
    with tempfile.TemporaryDirectory(prefix="raiden-operations-") as name, House(Path(name) / "house") as house:
        for part in [given.only] if given.only else PARTS:
            load = os.getloadavg()[0]
            folder = Path(name) / part
            measured = cached(house, folder, given.runs) if part == "cached" else shards(house, folder, given)
            about = {"date": datetime.now(UTC).isoformat(timespec="seconds"), "hardware": describe_hardware()}
            results[part] = {**about, "load": round(load, 1), **measured}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", "utf-8")
    sys.stdout.write(json.dumps(results, indent=2) + "\n")


def cached(house: House, folder: Path, count: int) -> dict[str, Any]:
    """The whole command and the look-up alone, when every stage is cached."""
    config = write_config(folder)
    command = [sys.executable, "-m", "flows.cli", "run", str(config), "--json"]
    first, _ = timed(command, house.environment)
    runs = [timed(command, house.environment) for _ in range(count)]
    plain = [timed([sys.executable, "-c", WITHOUT, str(config)], house.environment) for _ in range(count)]
    again = subprocess.run(command, env=house.environment, cwd=ROOT, capture_output=True, text=True, check=True)
    record = json.loads(again.stdout.splitlines()[-1])
    if not all(stage["cached"] for stage in record["stages"].values()):
        raise SystemExit("a stage was not cached: nothing was measured")
    whole, without = median(runs), median(plain)
    return {
        "first_run_seconds": round(first, 2),
        "cached_command": {"wall": whole[0], "cpu": whole[1]},
        "without_prefect": {"wall": without[0], "cpu": without[1]},
        "prefects_share": {"wall": round(whole[0] - without[0], 2), "cpu": round(whole[1] - without[1], 2)},
        "bar_seconds": BAR_SECONDS,
        "runs": [{"wall": round(wall, 2), "cpu": round(cpu, 2)} for wall, cpu in runs],
    }


def shards(house: House, folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """The flow over shards that are done, and what one character takes to mine."""
    person = json.loads((ROOT / "benchmarks" / "chaos" / "person.jsonl").read_text("utf-8"))
    folder.mkdir()
    people = folder / "people.jsonl"
    rows = [{**person, "name": f"{person['name']}{number}"} for number in range(given.characters)]
    people.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    with scripted_teacher(free_port()) as url:
        settings = {**teacher_settings(url), "characters__paths": [str(people)], "runner__kind": "processes"}
        config = write_config(folder, **settings)
        mine = [sys.executable, "-c", MINE, str(config), str(folder / "mined")]
        mined = subprocess.run(mine, env=house.environment, cwd=ROOT, capture_output=True, text=True, check=True)
    wall, cpu = json.loads(mined.stdout.splitlines()[-1])
    flow = [sys.executable, "-c", SHARDS, str(config), str(folder / "done")]
    started = median([timed([sys.executable, "-c", IMPORTS], house.environment) for _ in range(given.runs)])
    runs = median([timed(flow, house.environment) for _ in range(given.runs)])
    each = wall / given.characters
    share = {"wall": round(runs[0] - started[0], 2), "cpu": round(runs[1] - started[1], 2)}
    return {
        "characters_mined": given.characters,
        "seconds_a_character": round(each, 4),
        "cpu_seconds_a_character": round(cpu / given.characters, 4),
        "shards": 8,
        "prefects_share": share,
        "share_of_10000_characters": {
            "wall": round(share["wall"] / (10_000 * each), 4),
            "cpu": round(share["cpu"] / (10_000 * cpu / given.characters), 4),
        },
        "bar": BAR_SHARE,
    }


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
