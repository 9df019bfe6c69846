"""What a user waits for, in this checkout and in another: medians of CPU and wall time, and their ratios.

    git worktree add ../before SOME_COMMIT
    python -m benchmarks.against --other ../before                      # every row that needs no GPU and takes no minutes
    python -m benchmarks.against --other ../before --only data --samples 100000 --rounds 3
    python -m benchmarks.against --other ../before --only tests         # named, because it takes minutes

Each row is a command, run in a process of its own with the checkout's code (``PYTHONPATH``) and this interpreter, once
without the clock and then in turn, first the one checkout and then the other. CPU seconds are those of the process and of
all its children, so they say little about what else the machine does; wall seconds say much. What both read is
composed once, by this checkout. A row whose command the other checkout does not have says so.
Writes benchmarks/results/against.json with the hardware; a row that is measured alone replaces its own figures only.
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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results" / "against.json"
ROOT = Path(__file__).resolve().parents[1]
CLI = [sys.executable, "-c", "from flows.cli import main; main()"]
SIDES = ("this", "other")


@dataclass(frozen=True)
class Place:
    """Where a row works."""

    shared: Path
    """What both checkouts read."""
    own: Path
    """The working directory, of one checkout's alone."""
    root: Path
    """The checkout."""
    size: int
    run: int
    """Which run it is; 0 is the one without the clock."""


def nothing(folder: Path, size: int) -> None:
    """A row that reads nothing composed."""


@dataclass(frozen=True)
class Row:
    """One thing to wait for."""

    what: str
    size: int
    """Of how many; ``--samples`` sets another number."""
    command: Callable[[Place], list[str]]
    compose: Callable[[Path, int], None] = nothing
    """Writes what both checkouts read."""
    parts: str = ""
    """Where the command's JSON (``out.json``) has the laps that count; empty: the whole process counts."""
    codes: tuple[int, ...] = (0,)
    """Exit codes of a command that did its work."""
    slow: bool = False
    """It takes minutes, so it is measured only where it is named."""


@dataclass(frozen=True)
class Took:
    """Seconds of one run."""

    wall: float
    cpu: float


def compose_samples(folder: Path, size: int) -> None:
    from benchmarks.data import compose

    with (folder / "samples.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in compose(size))


def compose_characters(folder: Path, size: int) -> None:
    """Characters as a program writes them, English and Chinese in turn: fields, and an introduction of some sentences."""
    import random

    from benchmarks.cards import WORDS
    from benchmarks.data import ZH

    rng = random.Random(0)

    def word(chinese: bool) -> str:
        return "".join(rng.choices(ZH, k=2)) if chinese else rng.choice(WORDS)

    with (folder / "characters.jsonl").open("w", encoding="utf-8") as file:
        for number in range(size):
            zh = bool(number % 2)
            told = "我在{}旁边卖{}，也喜欢{}。" if zh else "She keeps a {} near the {} and loves the {}."
            said = [told.format(word(zh), word(zh), word(zh)) for _ in range(6)]
            profile = {
                "职业" if zh else "occupation": word(zh),
                "年龄" if zh else "age": rng.randrange(18, 80),
                "家乡" if zh else "hometown": word(zh).capitalize(),
                "爱好" if zh else "likes": [word(zh), word(zh)],
                "简介" if zh else "introduction": ("" if zh else " ").join(said),
            }
            row = {"name": f"{'林晚' if zh else 'Ilse Brandt'} {number}", "profile": profile}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def compose_cards(folder: Path, size: int) -> None:
    from benchmarks.cards import write_cards

    write_cards(folder / "cards", size, pictures=False)


def compose_evaluation(folder: Path, size: int) -> None:
    """An untrained nano model and questions to it, eight a character."""
    from benchmarks.evaluation import make_samples
    from raiden_core.config.sections.training import NanoConfig
    from raiden_core.samples import write_samples
    from raiden_core.training.nano import build_nano

    samples = make_samples(size)
    write_samples(folder / "questions.jsonl", samples)
    build_nano(folder / "model", samples, NanoConfig(), seed=0)


def evaluate(place: Place) -> list[str]:
    command = ["evaluate", "--model", f"{place.shared}/model", "--data", f"{place.shared}/questions.jsonl"]
    return [*CLI, *command, "--out", f"out-{place.run}", "--set", "evaluation.max_new_tokens=40", "--drop-bad-gold"]


def cached_run(place: Place) -> list[str]:
    """A pipeline with no model in it; after the first time nothing is left to be done."""
    settings = ["characters.composed.count=12", "split.validation_characters=3", f"output_dir={place.own}/runs"]
    sets = [word for setting in settings for word in ("--set", setting)]
    return [*CLI, "run", f"{place.root}/configs/quickstart.yaml", "--stage", "split", *sets]


ROWS = {
    "data": Row(
        "near-duplicates of samples found, the rest written and split by character",
        50_000,
        lambda place: [sys.executable, "-m", "benchmarks.data", "--measure", str(place.shared)],
        compose_samples,
    ),
    "predictions": Row(
        "two models' replies to questions: score, statistics, tables, writing and reading predictions.jsonl",
        20_000,
        lambda place: [
            *[sys.executable, "-m", "benchmarks.evaluation", "--only", "scoring"],
            *["--questions", str(place.size), "--out", "out.json"],
        ],
        parts="scoring",
    ),
    "characters": Row(
        "characters of a JSONL file read and shown as JSON",
        10_000,
        lambda place: [*CLI, "profiles", f"{place.shared}/characters.jsonl", "--json"],
        compose_characters,
    ),
    "cards": Row(
        "cards of chat programs read and shown as JSON",
        1_000,
        lambda place: [*CLI, "profiles", f"{place.shared}/cards", "--json"],
        compose_cards,
    ),
    "evaluation": Row(
        "questions to a local model on the CPU, eight a character, answered and scored",
        256,
        evaluate,
        compose_evaluation,
    ),
    "doctor": Row(
        "raiden doctor on the quickstart's configuration",
        1,
        lambda place: [*CLI, "doctor", f"{place.root}/configs/quickstart.yaml"],
        codes=(0, 1),
    ),
    "cached": Row("raiden run up to the split where everything is cached, no server running", 1, cached_run),
    "tests": Row(
        "the fast tests, two processes",
        1,
        lambda place: [
            *[sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "worksteal", "-m", "not integration"],
            *["--rootdir", str(place.root), "--ignore", f"{place.root}/tests/integration", f"{place.root}/tests"],
        ],
        codes=(0, 1),
        slow=True,
    ),
    "quickstart": Row(
        "raiden run configs/quickstart.yaml from nothing",
        1,
        lambda place: [
            *[
                *CLI,
                "run",
                f"{place.root}/configs/quickstart.yaml",
                "--set",
                f"output_dir={place.own}/runs-{place.run}",
            ],
        ],
        slow=True,
    ),
}


class NotThere(Exception):
    """A command failed without the clock: the checkout has no such command, or it does not work."""


def run(row: Row, place: Place) -> Took:
    """Run the row's command once.

    Raises:
        NotThere: it ended with an exit code that is not one of success; the message is its last line.
    """
    # A home of its own for each checkout: versions of Prefect's database must not meet.
    own = {"PYTHONPATH": str(place.root), "PREFECT_HOME": str(place.own / "prefect"), "CUDA_VISIBLE_DEVICES": ""}
    with (place.own / "stdout").open("wb") as out, (place.own / "stderr").open("wb") as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            row.command(place), cwd=place.own, env={**os.environ, **own}, stdout=out, stderr=errors
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in row.codes:
        lines = [line for line in (place.own / "stderr").read_text("utf-8", "replace").splitlines() if line.strip()]
        raise NotThere(lines[-1].strip() if lines else f"exit code {process.returncode}")
    if row.parts:
        laps = json.loads((place.own / "out.json").read_text("utf-8"))[row.parts].values()
        timed = [lap for lap in laps if isinstance(lap, dict) and {"seconds", "cpu_seconds"} <= lap.keys()]
        return Took(sum(lap["seconds"] for lap in timed), sum(lap["cpu_seconds"] for lap in timed))
    return Took(wall, usage.ru_utime + usage.ru_stime)


def measure(row: Row, roots: Sequence[Path], size: int, rounds: int, folder: Path) -> dict[str, Any]:
    """Both checkouts in turn; medians, and this one's share of the other's."""
    shared = folder / "shared"
    shared.mkdir()
    row.compose(shared, size)
    took: dict[str, list[Took]] = {}
    absent: dict[str, str] = {}
    for side in SIDES:
        (folder / side).mkdir()
    for number in range(rounds + 1):
        for side, root in zip(SIDES, roots, strict=True):
            if side in absent:
                continue
            try:
                one = run(row, Place(shared, folder / side, root, size, number))
            except NotThere as error:
                absent[side] = str(error)
                continue
            if number:
                took.setdefault(side, []).append(one)
    result: dict[str, Any] = {"what": row.what, "of": size, "rounds": rounds}
    for side in SIDES:
        if side in absent:
            result[side] = {"not measured": absent[side]}
        else:
            result[side] = {
                "cpu_seconds": round(statistics.median(one.cpu for one in took[side]), 2),
                "wall_seconds": round(statistics.median(one.wall for one in took[side]), 2),
            }
    if not absent:
        result["ratio"] = {
            clock: round(result["this"][f"{clock}_seconds"] / result["other"][f"{clock}_seconds"], 2)
            for clock in ("cpu", "wall")
        }
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--other", type=Path, required=True, metavar="DIR", help="the checkout to compare with")
    parser.add_argument("--only", choices=list(ROWS), action="append", metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--samples", type=int, metavar="N", help="of how many, in every row that is measured")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is timed (default: 5)")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    if not (options.other / "raiden_core").is_dir():
        parser.error(f"--other {options.other}: no checkout of raiden; it has no folder raiden_core")
    from raiden_core.report.hardware import describe_hardware

    names = options.only or [name for name, row in ROWS.items() if not row.slow]
    record = json.loads(options.out.read_text("utf-8")) if options.out.is_file() else {}
    record |= {"benchmark": "against", "hardware": describe_hardware()}
    rows = record.setdefault("rows", {})
    for name in names:
        row = ROWS[name]
        size = (options.samples or row.size) if row.size > 1 else 1
        with tempfile.TemporaryDirectory() as folder:
            rows[name] = measure(row, (ROOT, options.other.resolve()), size, options.rounds, Path(folder))
        load = round(os.getloadavg()[0], 1)
        rows[name]["load"] = load
        sys.stdout.write(f"{name}: {json.dumps(rows[name], ensure_ascii=False)}\n")
        sys.stdout.flush()
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(record, ensure_ascii=False, indent=2) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
