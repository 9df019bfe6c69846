"""A trainer that does nothing any more: how it is noticed, and how its stacks are kept.

A collective that waits for a dead peer, a file system that hangs or a process that somebody stopped does not end: it
only makes no progress. Whoever started the trainer looks at what it writes. While it trains, its pulse, metrics and
checkpoints count and its log does not, since libraries that wait print that they wait. Before the first pass of a model
(imports, loading, compiling) and after the last one, everything counts and the limit is at least `START_SECONDS`.

Each process of the trainer calls `answer_with_stacks` when it begins: Python's own `faulthandler` then writes the
stacks of all threads when a signal comes, even where the interpreter is held by a native call.
"""

from __future__ import annotations

import faulthandler
import os
import re
import shutil
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from raiden_core.errors import StageError
from raiden_core.processes.children import Child
from raiden_core.stages.layout import LOG_FILE
from raiden_core.training.launch.metrics import PULSE_FILE

STACKS_VARIABLE = "RAIDEN_STACKS_FOLDER"
"""Environment variable that names the folder for stacks, set by whoever starts the script."""
STACKS_FILE = "stacks.txt"
"""What all processes were doing each time that the trainer stalled."""
PARTS = "stacks.parts"
"""Folder of one file for each process, named after its rank and pid."""
SIGNAL = "SIGUSR1"
START_SECONDS = 1800.0
"""A trainer that has not begun to train, or saves its result, may be quiet for so long at least."""
LOOK_SECONDS = 10.0
"""No more is counted between two looks: whoever looks may have been stopped as well."""
BETWEEN_SECONDS = 5.0
"""The output folder is walked at most so often: it may lie on storage far away."""
ANSWER_SECONDS = 3.0
"""How long a process may take to write its stacks."""
SETTLED_SECONDS = 0.3


class Stalled(StageError):
    """A trainer made no progress for the time allowed, and was ended."""


@dataclass
class Stillness:
    """How long a trainer has made no progress; told what there is, it owns neither clock nor files."""

    limit: float | None
    """Seconds without progress that are allowed while it trains; None: any."""
    quiet: float = 0.0
    last: object = field(default=None, repr=False)
    at: float | None = None

    def is_due(self, now: float) -> bool:
        """Whether it is time to look again: after a tenth of the limit, or `BETWEEN_SECONDS`; never without a limit."""
        if self.limit is None:
            return False
        return self.at is None or now - self.at >= min(self.limit / 10, BETWEEN_SECONDS)

    def look(self, signs: object, training: bool, now: float) -> bool:
        """Whether it has been still for too long.

        Args:
            signs: what changes when there is progress.
            training: whether it is between its first and its last pass.
            now: seconds of a clock that never goes back.
        """
        if signs != self.last or self.at is None:
            self.quiet = 0.0
        else:
            self.quiet += min(now - self.at, LOOK_SECONDS)
        self.last, self.at = signs, now
        if self.limit is None:
            return False
        return self.quiet > (self.limit if training else max(self.limit, START_SECONDS))


def signs_of_life(out: Path) -> tuple[bool, frozenset[tuple[str, int, int]]]:
    """Whether a trainer trains, and its files in its output folder with size and time of change."""
    training = (out / PULSE_FILE).is_file()
    found = set()
    for folder, folders, names in os.walk(out):
        folders[:] = [name for name in folders if name != PARTS]
        for name in names:
            path = Path(folder) / name
            if training and path == out / LOG_FILE:
                continue
            try:
                status = path.stat()
            except FileNotFoundError:
                continue  # it went, or was renamed, in between: the next look sees what became of it
            found.add((str(path), status.st_size, status.st_mtime_ns))
    return training, frozenset(found)


def answer_with_stacks() -> None:
    """Have this process write the stacks of all its threads when it is asked to, if somebody may ask."""
    folder = os.environ.get(STACKS_VARIABLE)
    if folder is None or not hasattr(signal, SIGNAL):
        return
    path = Path(folder) / f"rank{os.environ.get('RANK', '0')}-pid{os.getpid()}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    # The file stays open until the process ends: faulthandler keeps no more than its number.
    faulthandler.register(getattr(signal, SIGNAL), path.open("w", encoding="utf-8"), all_threads=True)


def keep_stacks(child: Child, out: Path, quiet: float) -> Path:
    """Append to ``stacks.txt`` what all processes of a stalled trainer are doing; its path.

    A stopped process is continued first, because it cannot answer: whatever stopped it, it is ended right after.
    """
    child.resume()
    kept = out / STACKS_FILE
    with kept.open("a", encoding="utf-8") as file:
        file.write(f"==== {time.strftime('%Y-%m-%d %H:%M:%S')}: no progress for {quiet:.0f} s\n")
        for part in sorted((out / PARTS).glob("rank*-pid*.txt")):
            rank, pid = re.findall(r"\d+", part.name)
            said = _stacks(child, int(pid), part) or "it had ended, or did not answer\n"
            file.write(f"---- rank {rank}, pid {pid}\n{said}")
    return kept


def forget_parts(out: Path) -> None:
    """Remove the files of single processes."""
    shutil.rmtree(out / PARTS, ignore_errors=True)


def _stacks(child: Child, pid: int, part: Path) -> str:
    """What a process writes about itself; nothing where it does not answer in time."""
    if not child.signal_descendant(pid, getattr(signal, SIGNAL)):
        return ""
    deadline, size, since = time.monotonic() + ANSWER_SECONDS, 0, time.monotonic()
    while time.monotonic() < deadline:
        if (grown := part.stat().st_size) != size:
            size, since = grown, time.monotonic()
        elif size and time.monotonic() - since > SETTLED_SECONDS:
            break
        time.sleep(0.05)
    return part.read_text("utf-8", "replace")
