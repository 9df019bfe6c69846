"""Which damage do the fast tests miss? ``make mutations``, or ``python -m benchmarks.mutations --group wiring``.

Lines are broken one at a time in a copy of the tree, the fast tests of the rooms concerned run, and the table says how
many mutants were killed. A mutant that survives either shows a missing test or changes nothing that anybody could
notice; those of the second kind stand in equivalent.yaml with the reason. The exit code is 1 below the target.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

import yaml

from benchmarks.mutations.draw import Mutant, Siblings, drawn, mutants_of
from tests.support.touched import ROOT, House

EQUIVALENT = Path(__file__).with_name("equivalent.yaml")
WIRING = ROOT / "tests" / "wiring"
"""Tests that look at the whole way of a setting, through all rooms."""
RESULTS = ROOT / "benchmarks" / "results" / "mutations.json"
TARGET = 0.95
MOST_UNSTEADY = 3
"""So many tests may fail on a busy machine although nothing is broken; they are left out, and named."""
TEST_SECONDS = 120
"""A single test that takes longer has failed: some mutants never end."""
NO_END = "no end"
PASSED, NO_TESTS = 0, 5
"""Exit codes of pytest."""


@dataclass(frozen=True)
class Group:
    """Modules whose lines are broken, as patterns from the root, and how many."""

    modules: tuple[str, ...]
    count: int


GROUPS: Mapping[str, Group] = {
    "wiring": Group(
        (
            "flows/pipeline.py",
            "tasks/*.py",
            "raiden_core/cli/evaluate.py",
            "raiden_core/cli/generate.py",
            "raiden_core/cli/options.py",
            "raiden_core/config/loading.py",
            "raiden_core/evaluation/stage.py",
            "raiden_core/export/writers.py",
            "raiden_core/generation/stage.py",
            "raiden_core/generation/teacher.py",
            "raiden_core/generation/mining/session.py",
            "raiden_core/models/served_model.py",
            "raiden_core/report/stage.py",
            "raiden_core/rewards/configured.py",
            "raiden_core/rewards/functions.py",
            "raiden_core/training/arguments.py",
            "raiden_core/training/cold_start.py",
            "raiden_core/training/grpo.py",
            "raiden_core/training/stage.py",
            "raiden_core/training/hooks/controls.py",
            "raiden_core/training/launch/script.py",
        ),
        45,
    ),
    "algorithms": Group(
        (
            "raiden_core/dataset/split.py",
            "raiden_core/evaluation/controls.py",
            "raiden_core/evaluation/statistics.py",
            "raiden_core/evaluation/summary.py",
            "raiden_core/generation/quality/*.py",
            "raiden_core/models/served/limiter.py",
            "raiden_core/rewards/completion.py",
            "raiden_core/rewards/folding.py",
            "raiden_core/rewards/matching.py",
            "raiden_core/rewards/scorer.py",
            "raiden_core/rewards/numbers/*.py",
            "raiden_core/stages/digests.py",
            "raiden_core/stages/run.py",
            "raiden_core/training/sequences.py",
        ),
        35,
    ),
}


@dataclass(frozen=True)
class Fate:
    """What became of a mutant."""

    group: str
    mutant: Mutant
    killed_by: str | None
    """The test that failed, or how else it was noticed; None for a survivor."""
    undecided: bool
    """Whether the tests came to no end: on a busy machine that says nothing, so it counts as survived."""
    diff: str
    seconds: float


class Copies:
    """Copies of the tree, one for each process that breaks lines."""

    def __init__(self, folder: Path, number: int) -> None:
        self.free: queue.SimpleQueue[Path] = queue.SimpleQueue()
        self._written = time.time()
        for copy in range(number):
            self.free.put(self._copy(folder / str(copy)))

    @staticmethod
    def _copy(target: Path) -> Path:
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
        for name in filter(None, names):
            if (ROOT / name).is_file():
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, target / name)
        return target

    def write(self, path: Path, source: bytes) -> None:
        """Write a file with a time of change of its own: bytecode of another version with the same size is not taken."""
        path.write_bytes(source)
        self._written += 2
        os.utime(path, (self._written, self._written))


def fast_tests(house: House, path: str) -> tuple[list[str], ...]:
    """The fast tests of a module, those first that are likeliest to notice.

    Those of its room that name it; the others of its room, those elsewhere that name it, and those of the wiring that it
    touches; all others that it touches.
    """
    module = path.removesuffix(".py").replace("/", ".")
    parts = Path(path).parts
    room = ROOT / "tests" / parts[1 if parts[0] == "raiden_core" else 0]
    tests: tuple[list[str], ...] = ([], [], [])
    touched = set(house.touched([path]))
    for test in house.tests:
        if "integration" in test.parts:
            continue
        is_near = test.is_relative_to(room) or (test.is_relative_to(WIRING) and test in touched)
        is_named = any(one == module or one.startswith(f"{module}.") for one in house.named_by(test))
        if is_near or is_named or test in touched:
            tests[0 if is_near and is_named else 1 if is_near or is_named else 2].append(str(test.relative_to(ROOT)))
    return tests


def pytest(copy: Path, tests: Sequence[str], seconds: float, *more: str) -> tuple[list[str], str]:
    """Run tests in a copy of the tree.

    Returns:
        The tests that failed, and what else went wrong, in words.
    """
    if not tests:
        return [], ""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--timeout={TEST_SECONDS}"]
    command += ["-m", "not integration", *more, *tests]
    environment = {**os.environ, "PYTHONPATH": str(copy), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        command, cwd=copy, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        out, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return [], NO_END
    said = [line.partition(" - ")[0] for line in out.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    if said or process.returncode in (PASSED, NO_TESTS):
        return [line.partition(" ")[2] for line in said], ""
    return [], f"pytest ended with {process.returncode}: {out.strip()[-200:]}"


def offers() -> Iterator[tuple[str, Mapping[str, list[Mutant]]]]:
    """For each group, every mutant of every module of it."""
    siblings = Siblings(sorted((ROOT / "raiden_core/config").rglob("*.py")))
    for name, group in GROUPS.items():
        files: list[str] = []
        for pattern in group.modules:
            found = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(pattern) if path.name != "__init__.py")
            if not found:
                raise SystemExit(f"benchmarks/mutations: no module {pattern}; correct the list of the group {name}")
            files += found
        yield name, {path: mutants_of(ROOT, path, siblings) for path in files}


def try_one(
    group: str,
    mutant: Mutant,
    copies: Copies,
    tests: Sequence[Sequence[str]],
    seconds: float,
    unsteady: Sequence[str],
) -> Fate:
    """Break one line in a copy, run the tests until one fails, mend the line."""
    copy = copies.free.get()
    file = copy / mutant.path
    whole = file.read_bytes()
    broken = mutant.apply(whole)
    started = time.monotonic()
    try:
        copies.write(file, broken)
        for some in tests:
            failed, otherwise = pytest(copy, some, seconds, "-x", *(f"--deselect={test}" for test in unsteady))
            if failed or otherwise:
                break
    finally:
        copies.write(file, whole)
        copies.free.put(copy)
    lines = unified_diff(whole.decode().splitlines(), broken.decode().splitlines(), mutant.path, mutant.path, "", "", 0)
    diff = "\n".join(line for line in lines if not line.startswith(("---", "+++")))
    undecided = otherwise == NO_END
    killed = None if undecided else next(iter(failed), otherwise or None)
    return Fate(group, mutant, killed, undecided, diff, time.monotonic() - started)


def told(fates: Sequence[Fate], reasons: Mapping[str, str]) -> tuple[str, bool]:
    """The table and the survivors, and whether every group reaches the target."""
    lines, good = [f"{'group':12}{'broken':>8}{'killed':>8}{'meaningless':>13}{'survived':>10}{'share':>8}"], True
    for group in dict.fromkeys(fate.group for fate in fates):
        own = [fate for fate in fates if fate.group == group]
        survivors = [fate for fate in own if fate.killed_by is None]
        excused = sum(fate.mutant.key in reasons for fate in survivors)
        killed, meant = len(own) - len(survivors), len(own) - excused
        share = killed / meant if meant else 1.0
        good &= share >= TARGET
        lines.append(f"{group:12}{len(own):8}{killed:8}{excused:13}{len(survivors) - excused:10}{share:8.1%}")
    for fate in fates:
        if fate.killed_by is None:
            reason = reasons.get(fate.mutant.key, "the tests came to no end" if fate.undecided else "no test sees it")
            lines += ["", f"{fate.mutant.key}  ({fate.mutant.kind}): {reason}", fate.diff]
        elif fate.mutant.key in reasons:
            lines += ["", f"{fate.mutant.key} stands in {EQUIVALENT.name}, but {fate.killed_by} sees it"]
    return "\n".join(lines), good


def recorded(fates: Sequence[Fate], seed: int, near: bool, before: Path) -> dict[str, object]:
    """What is kept of a run; of a group that was not run, what ``before`` says."""
    groups = {fate.group for fate in fates}
    others = json.loads(before.read_text("utf-8"))["mutants"] if before.is_file() else []
    tests = "near" if near else "all"
    return {
        "command": "make mutations",
        "seed": seed,
        "mutants": [one for one in others if one["group"] not in groups]
        + [
            {
                "group": fate.group,
                "mutant": fate.mutant.key,
                "kind": fate.mutant.kind,
                "tests": tests,
                "killed_by": fate.killed_by,
            }
            for fate in fates
        ],
    }


def main() -> int:
    """Draw, break, run, tell."""
    parser = argparse.ArgumentParser(description="Break single lines and see whether the fast tests notice.")
    parser.add_argument("--group", choices=tuple(GROUPS), help="only this group")
    parser.add_argument("--count", type=int, help="mutants in each group")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="only mutants whose key begins like this, of all that there are")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=900, help="longest run of the tests for one mutant")
    parser.add_argument(
        "--near", action="store_true", help="only tests that name the module or are of its room: others could kill more"
    )
    parser.add_argument("--skip-check", action="store_true", help="do not run the tests first with nothing broken")
    parser.add_argument("--list", action="store_true", help="show what would be broken, and break nothing")
    given = parser.parse_args()
    jobs: list[tuple[str, Mutant]] = []
    for name, offered in offers():
        if given.only:
            jobs += [(name, one) for mutants in offered.values() for one in mutants if one.key.startswith(given.only)]
        elif given.group in (None, name):
            jobs += [(name, one) for one in drawn(offered, given.count or GROUPS[name].count, given.seed)]
    if given.list:
        for name, one in jobs:
            sys.stdout.write(f"{name:11} {one.key} line {one.line}, {one.kind}: {one.before!r} -> {one.after!r}\n")
        return 0
    house = House(ROOT)
    tests = {path: fast_tests(house, path)[: 2 if given.near else 3] for path in {mutant.path for _, mutant in jobs}}
    with tempfile.TemporaryDirectory(prefix="raiden-mutations-") as folder:
        copies = Copies(Path(folder), given.processes)
        everything = sorted({name for groups in tests.values() for some in groups for name in some})
        whole = copies.free.get()
        unsteady, otherwise = (
            ([], "") if given.skip_check else pytest(whole, everything, 10 * given.seconds, "-n", str(given.processes))
        )
        copies.free.put(whole)
        if otherwise or len(unsteady) > MOST_UNSTEADY:
            sys.stderr.write(f"although nothing is broken: {otherwise or ', '.join(unsteady)}\n")
            return 1
        for test in unsteady:
            sys.stdout.write(f"left out, because it fails although nothing is broken: {test}\n")
        fates: list[Fate] = []
        with ThreadPoolExecutor(given.processes) as pool:
            runs = [
                pool.submit(try_one, name, one, copies, tests[one.path], given.seconds, unsteady) for name, one in jobs
            ]
            for number, run in enumerate(as_completed(runs), 1):
                fate = run.result()
                fates.append(fate)
                sys.stdout.write(
                    f"{number}/{len(jobs)} {fate.mutant.key} {fate.seconds:.0f} s: {fate.killed_by or 'SURVIVED'}\n"
                )
                sys.stdout.flush()
    reasons = yaml.safe_load(EQUIVALENT.read_text("utf-8")) or {}
    table, good = told(fates, reasons)
    sys.stdout.write(f"\n{table}\n")
    if not given.only:
        RESULTS.write_text(json.dumps(recorded(fates, given.seed, given.near, RESULTS), indent=1) + "\n", "utf-8")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
