"""The whole matrix: ``make chaos``, or a part of it: ``python -m benchmarks.chaos --victims flow --stages train``.

Every victim is killed at a random moment of every stage, then come cancel, time-outs, a full disk and an absent
teacher. It prints a row of a Markdown table for each case and ends with 1 if one failed. What came of each case is kept in
``benchmarks/results/chaos.json`` with hardware, load and seed; a part that is run again replaces its own cases there.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.chaos import cases
from benchmarks.chaos.cases import TRAINING, VICTIMS, Outcome
from benchmarks.chaos.house import House
from raiden_core.report.hardware import describe_hardware
from raiden_core.stages.layout import STAGES

RESULTS = Path(__file__).parents[1] / "results" / "chaos.json"
TRAINERS_LOG = "; the end of "
"""So begins, in what the page said, the end of a trainer's log; it is not kept."""
OTHERS = ("cancel", "time-out", "training time-out", "teacher", "zombie", "disk")
HEAD = "| what happens | during | what the run's page says | ended | seen | seconds |\n|---|---|---|---|---|--:|"


def main() -> int:
    """Run the cases that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--victims", nargs="*", choices=VICTIMS, default=VICTIMS)
    parser.add_argument("--stages", nargs="*", choices=STAGES, default=STAGES)
    parser.add_argument("--others", nargs="*", choices=OTHERS, default=OTHERS)
    parser.add_argument("--teacher-seconds", type=float, default=120.0, help="how long the teacher is away")
    parser.add_argument("--seed", type=int, default=random.randrange(1000), help="of the moments")
    given = parser.parse_args()
    say(f"moments drawn with --seed {given.seed}\n\n{HEAD}")
    failed = 0
    with tempfile.TemporaryDirectory(prefix="raiden-chaos-") as name, House(Path(name) / "house") as house:
        folder = Path(name)
        whole = house.start_run("full-pipeline", config=str(cases.write_config(folder / "whole")))
        house.wait(whole, "COMPLETED")
        for label, case in matrix(house, folder, given):
            try:
                outcome = case()
                outcome.said = outcome.said.partition(TRAINERS_LOG)[0].replace(str(folder), "…")
                say(outcome.row())
                keep(label, given.seed, {"passed": True, **asdict(outcome), "seconds": round(outcome.seconds)})
            except (AssertionError, RuntimeError) as error:
                failed += 1
                say(f"| {label} | **failed** | | | | |")
                traceback.print_exc()
                keep(label, given.seed, {"passed": False, "error": str(error)})
    return 1 if failed else 0


def matrix(house: House, folder: Path, given: argparse.Namespace) -> Iterator[tuple[str, Callable[[], Outcome]]]:
    """The cases by name. Each gets a folder in which what is upstream of its stage is finished."""
    moments = random.Random(given.seed)

    def prepared(label: str, stage: str) -> Path:
        here = folder / label.replace(" ", "-")
        cases.copy_stages(folder / "whole" / "runs", here / "runs", STAGES[: STAGES.index(stage)])
        return here

    for stage in given.stages:
        for victim in given.victims:
            if victim == "trainer" and stage not in TRAINING:
                continue
            label = f"{victim} {stage}"
            here = prepared(label, stage)
            yield label, partial(cases.kill_case, house, here, victim, stage, moments)
    table: dict[str, Callable[[], Outcome]] = {
        "cancel": lambda: cases.cancel_case(house, prepared("cancel", "train")),
        "time-out": lambda: cases.timeout_case(house, folder / "time-out"),
        "training time-out": lambda: cases.train_timeout_case(house, prepared("training", "train")),
        "zombie": lambda: cases.zombie_case(house, folder / "zombie"),
        "teacher": lambda: cases.absent_teacher_case(house, folder / "teacher", given.teacher_seconds),
    }
    for label in given.others:
        if label in table:
            yield label, table[label]
    if "disk" in given.others:
        with small_disk(folder / "disk") as disk:
            yield "disk", lambda: cases.full_disk_case(house, folder / "disk-full", disk)


@contextmanager
def small_disk(disk: Path) -> Iterator[Path]:
    """A disk of 64 KiB; mounting it needs root."""
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def keep(label: str, seed: int, result: dict[str, Any]) -> None:
    """Put a case's result into the file of results, in place of an earlier one of the same case."""
    known = json.loads(RESULTS.read_text("utf-8")) if RESULTS.is_file() else {}
    made = {"date": datetime.now(UTC).isoformat(timespec="seconds"), "seed": seed, "load": round(os.getloadavg()[0], 1)}
    known[label] = {**result, **made, "hardware": describe_hardware()}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(known, ensure_ascii=False, indent=1) + "\n", "utf-8")


def say(text: str) -> None:
    """A line of the table."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
