"""Mining in shards: each asks everything that the samples of its characters need, and leaves the replies in one file.

A shard's own samples are thrown away. When all shards' replies are in the store, the generate stage runs as it always
does and finds every reply there, so sharded and unsharded runs give the same samples, statistics of requests aside.
Characters are independent of each other, which is what makes that so.

    known = share_replies(config, folder)            # once, where the store is
    mine_shard(config, 3, 8, folder)                 # anywhere that sees ``folder``; again after a loss
    collect_replies(config, folder)                  # once more where the store is

A shard works in a store on its machine's own disk, since SQLite's write-ahead mode needs one, and moves a finished file
into ``folder``; what is there is never done again.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from raiden_core.config import Config
from raiden_core.errors import ConfigError, StageError
from raiden_core.generation.stage import make_samples, read_groups
from raiden_core.mining.session import REPLIES, STUDENT_REPLIES
from raiden_core.progress import Progress, silent
from raiden_core.teacher.store import FILE, Store

STORES = (REPLIES, STUDENT_REPLIES)


def check_shardable(config: Config) -> None:
    """Refuse what cannot be dealt to several machines.

    Raises:
        ConfigError: the configuration starts a server of its own, or mines seeds.
    """
    if config.teacher.launch is not None:
        raise ConfigError(
            f"runner.kind: {config.runner.kind}: shards cannot share a server that teacher.launch starts for one "
            "process; start it yourself and set teacher.launch to null"
        )
    if config.teacher.seeds:
        raise ConfigError(
            f"runner.kind: {config.runner.kind}: teacher.seeds belong to all characters at once and cannot be dealt "
            "into shards; set runner.kind to none"
        )


def share_replies(config: Config, folder: Path) -> None:
    """Put what is known already into ``folder``, so that no shard asks for it again."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in STORES:
        if (config.output_dir / name / FILE).is_file():
            _copy(config.output_dir / name / FILE, folder / f"known{name}.sqlite")


def is_done(folder: Path, number: int, of: int) -> bool:
    """Whether a shard's replies are all in ``folder``."""
    return _finished(folder, number, of).is_dir()


def mine_shard(config: Config, number: int, of: int, folder: Path, progress: Progress = silent) -> None:
    """Ask what the samples of every ``of``-th character need, beginning with the one at ``number``.

    Raises:
        RaidenError: as the generate stage; what was answered stays on this machine for the next try.
    """
    if is_done(folder, number, of):
        return
    local = Path(tempfile.gettempdir()) / f"raiden-{os.getuid()}" / folder.name / f"{number}-of-{of}"
    local.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in STORES:
        known, store = folder / f"known{name}.sqlite", local / name / FILE
        if known.is_file() and not store.is_file():
            store.parent.mkdir(exist_ok=True)
            _copy(known, store)
    groups, _ = read_groups(config)
    dealt = [replace(group, characters=group.characters[number::of]) for group in groups]
    if any(group.characters for group in dealt):
        make_samples(config.model_copy(update={"output_dir": local}), dealt, progress)
    partial = folder / f".{number}-of-{of}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for name in STORES:
        if (local / name / FILE).is_file():
            _copy(local / name / FILE, partial / f"{name}.sqlite")
    partial.rename(_finished(folder, number, of))
    shutil.rmtree(local, ignore_errors=True)


def collect_replies(config: Config, folder: Path) -> None:
    """Put the replies of all finished shards into the store. A shard's file goes when its replies are there."""
    for shard in sorted(folder.glob("*-of-*")):
        for name in STORES:
            file = shard / f"{name}.sqlite"
            if not file.is_file():
                continue
            with Store(config.output_dir / name):
                pass  # makes the table, or says what is wrong with the one that is there
            _merge(file, config.output_dir / name / FILE)
            file.unlink()


def _finished(folder: Path, number: int, of: int) -> Path:
    return folder / f"{number}-of-{of}"


def _copy(source: Path, target: Path) -> None:
    """A copy in one piece of a store that others may be writing to."""
    partial = target.with_name(target.name + ".partial")
    partial.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(source)) as connection:
            connection.execute("VACUUM INTO ?", (str(partial),))
    except sqlite3.Error as error:
        raise StageError(f"{target}: {source} cannot be copied ({error}); make room and run again") from None
    partial.replace(target)


def _merge(source: Path, target: Path) -> None:
    try:
        with closing(sqlite3.connect(target, timeout=60)) as connection:
            connection.execute("ATTACH ? AS shard", (str(source),))
            connection.execute("INSERT OR IGNORE INTO replies SELECT * FROM shard.replies")
            connection.commit()
    except sqlite3.Error as error:
        raise StageError(f"{target}: the replies of {source} cannot be added ({error}); make room, run again") from None
