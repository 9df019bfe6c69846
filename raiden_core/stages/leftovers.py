"""What of an output folder no finished run needs any more: stages' folders that no record names, and unfinished work."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from raiden_core.errors import DataError
from raiden_core.stages.folder import KEY_DIGITS, MANIFEST
from raiden_core.stages.layout import STAGES
from raiden_core.stages.runs import list_runs

PARTIAL = ".partial"


@dataclass(frozen=True)
class Leftover:
    """A folder that may go."""

    folder: Path
    what: str
    """For people: what it holds."""
    unfinished: bool
    size: int
    """Bytes of its files."""
    changed: datetime
    """When the newest of its files was written (UTC)."""


def find_leftovers(output_dir: Path) -> Iterator[Leftover]:
    """Folders that no finished run names, by name.

    Raises:
        DataError: there is no such folder, or a run's record is broken, so that nobody can say what it needs.
    """
    needed: set[Path] = set()
    for run in list_runs(output_dir):
        if isinstance(run, DataError):
            raise run
        needed |= {folder.resolve() for folder in run.stages.values()}
    for folder in sorted(output_dir.iterdir()):
        stage = _stage_of(folder)
        if stage is None or folder.is_symlink() or not folder.is_dir() or folder.resolve() in needed:
            continue
        unfinished = folder.name.startswith(".")
        if unfinished:
            what = "unfinished"
        elif (folder / MANIFEST).is_file():
            what = "no run names it"
        else:
            what = "damaged"
        files = [path.stat() for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
        newest = max((file.st_mtime for file in files), default=folder.stat().st_mtime)
        yield Leftover(
            folder, what, unfinished, sum(file.st_size for file in files), datetime.fromtimestamp(newest, UTC)
        )


def remove(leftover: Leftover) -> bool:
    """Delete a folder, unless another process is at work on its stage; whether it was deleted."""
    name = leftover.folder.name.removeprefix(".").removesuffix(PARTIAL)
    stage = _stage_of(leftover.folder)
    key = name.removeprefix(f"{stage}-")[:KEY_DIGITS]
    locks = leftover.folder.parent / ".locks"
    locks.mkdir(exist_ok=True)
    with (locks / f"{stage}-{key}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        shutil.rmtree(leftover.folder)
    return True


def _stage_of(folder: Path) -> str | None:
    """The stage whose folder this is by its name (``train-0123456789ab``, ``.train-0123456789ab.partial``)."""
    name = folder.name
    if name.startswith("."):
        if not name.endswith(PARTIAL):
            return None
        name = name[1:].removesuffix(PARTIAL)
    for stage in STAGES:
        key = name.removeprefix(f"{stage}-")
        if key != name and len(key) >= KEY_DIGITS and all(letter in "0123456789abcdef" for letter in key[:KEY_DIGITS]):
            return stage
    return None
