"""What a stage leaves behind: a folder that is whole, named by its key, with a manifest that can be checked.

A stage's **key** is a digest of its inputs (by content), its part of the configuration and the code of its modules.
Its folder is ``<output_dir>/<stage>-<key>``; it is written under a temporary name and renamed when complete, so a
folder with its final name is whole. Nothing is overwritten: a folder whose files were changed, and a stage that is
run anew, make way for ``<stage>-<key>-2``. Two processes that want the same key wait for each other (flock, which
the kernel releases however a process ends).
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raiden_core.errors import StageError
from raiden_core.stages.digests import digest_file
from raiden_core.stages.folder import MANIFEST, STATS, StageResult, _result, find_result, folder_name, unfinished_folder
from raiden_core.stages.versions import installed_versions

if TYPE_CHECKING:
    from raiden_core.stages.remote import Remote


Work = Callable[[Path], Mapping[str, Any]]
"""A stage's work: writes its files into the folder that it is given and returns its statistics."""


def run_stage(
    stage: str,
    key: str,
    *,
    output_dir: Path,
    inputs: Mapping[str, str],
    section: Mapping[str, Any],
    work: Work,
    refresh: bool = False,
    resumable: bool = False,
    waiting: Callable[[], None] = lambda: None,
    remote: Remote | None = None,
) -> StageResult:
    """Do a stage's work, or take the whole folder that is already there.

    Args:
        stage: its name.
        key: the digest that its result is stored under.
        output_dir: where stages' folders lie.
        inputs: name -> digest of everything the work reads, for the manifest.
        section: the configuration that the work depends on, for the manifest.
        work: writes files into a folder and returns statistics.
        refresh: do the work even where a whole folder is there; the new one stands beside it.
        resumable: keep an unfinished folder of an earlier try, for work that knows how to go on.
        waiting: called once when another process is at work on the same key.
        remote: shared storage: a whole folder that is there is taken from it, and a finished one is copied to it.

    Returns:
        The result; `StageResult.found` says whether it was there already.

    Raises:
        StageError: the output folder cannot be written, the disk is full, or the shared storage refuses.
        ConnectionError: the shared storage cannot be reached; the folder itself is kept.
    """
    output_dir = output_dir.absolute()
    full = "make room and run again, finished stages are kept"
    with writing_to(output_dir, full, "choose another output_dir"), stage_lock(output_dir, stage, key, waiting):
        if not refresh and (found := find_or_fetch(output_dir, stage, key, remote)):
            return found
        partial = unfinished_folder(output_dir, stage, key)
        if partial.exists() and not resumable:
            shutil.rmtree(partial)
        partial.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        stats = work(partial)
        seconds = round(time.monotonic() - started, 2)
        _write_json(partial / STATS, stats)
        manifest = {
            "stage": stage,
            "key": key,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": seconds,
            "inputs": dict(inputs),
            "config": dict(section),
            "versions": installed_versions(),
            "outputs": dict(sorted(_outputs(partial))),
        }
        _write_json(partial / MANIFEST, manifest)
        folder = _free_name(output_dir / folder_name(stage, key))
        partial.rename(folder)
        if remote:
            remote.keep(folder)
        return _result(stage, key, folder, seconds)


@contextmanager
def writing_to(folder: Path, full: str, refused: str, partial: Path | None = None) -> Iterator[None]:
    """Say of a full disk, of a folder that cannot be written or loses its files, what to do, in one line with its path.

    An error of a full disk names no file by itself.

    Args:
        folder: where the work in the context writes.
        full: what to do beside making room.
        refused: what to do where the folder may not be written.
        partial: the name that the folder has until it is complete, where that does not lie in it.

    Raises:
        StageError: in place of the system's error. Errors about other places pass.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StageError(f"{folder}: the disk is full; {full}") from None
        if not any(_concerns(error, place.absolute()) for place in (folder, partial) if place is not None):
            raise
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOTDIR):
            raise StageError(f"{folder}: cannot be written ({error.strerror}); {refused}") from None
        if error.errno == errno.ENOENT and error.filename:
            raise StageError(f"{error.filename}: was removed while it was in use; run again") from None
        raise


def find_or_fetch(output_dir: Path, stage: str, key: str, remote: Remote | None) -> StageResult | None:
    """The whole folder for a key, from here or from the shared storage; afterwards it is in both places."""
    found = find_result(output_dir, stage, key)
    if remote is None:
        return found
    if found is not None:
        remote.keep(found.folder)  # copying it may have failed when it was made
        return found
    return find_result(output_dir, stage, key) if remote.fetch(stage, key, output_dir) else None


@contextmanager
def stage_lock(output_dir: Path, stage: str, key: str, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold a stage's key against other processes; ``waiting`` is called once when another one holds it."""
    locks = output_dir / ".locks"
    locks.mkdir(parents=True, exist_ok=True)
    with (locks / f"{folder_name(stage, key)}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _free_name(folder: Path) -> Path:
    candidate, number = folder, 1
    while candidate.exists():
        number += 1
        candidate = folder.with_name(f"{folder.name}-{number}")
    return candidate


def _concerns(error: OSError, output_dir: Path) -> bool:
    """Whether an error is about the output folder, something in it, or a folder that it would be made in."""
    if not isinstance(error.filename, str):
        return True
    path = Path(error.filename).absolute()
    return path.is_relative_to(output_dir) or output_dir.is_relative_to(path)


def _outputs(folder: Path) -> Iterator[tuple[str, str]]:
    for path in folder.rglob("*"):
        # A manifest that is there already was left by a try that ended while writing it.
        if path.is_file() and path != folder / MANIFEST:
            yield str(path.relative_to(folder)), digest_file(path)


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n", "utf-8")


def stage_key(stage: str, code: str, inputs: Mapping[str, str], section: Mapping[str, Any]) -> str:
    """The key of a stage: a digest of its name, the digest of its code, its inputs' digests and its configuration."""
    text = json.dumps([stage, code, dict(inputs), section], sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
