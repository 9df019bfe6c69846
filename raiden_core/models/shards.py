"""Work dealt into shards: each asks what it needs and leaves the replies, in files, where the whole work looks for them.

A shard's own results are thrown away. When all shards' replies are collected, the stage runs as it always does and finds
every reply there, so it gives with shards what it gives without.

    shards = Shards(folder, of=8, files=("answers.jsonl", "served/replies.sqlite"))
    shards.share(home)                       # what is known already, for all shards
    with shards.work(3) as local:            # anywhere that sees ``folder``; again after a loss
        ...                                  # leaves its replies in files of those names below ``local``
    shards.collect(home)                     # where the stage will look

A shard works on its machine's own disk, since SQLite's write-ahead mode needs one, and moves finished files into
``folder``; what is there is never done again. Files are stores of replies: SQLite, or a JSON object a line with a ``key``.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from raiden_core.errors import StageError
from raiden_core.models.replies import append_replies, read_replies
from raiden_core.models.served.store import Store

DATABASE = ".sqlite"
"""Suffix of the files that are databases."""


@dataclass(frozen=True)
class Shards:
    """All shards of one piece of work."""

    folder: Path
    """On a disk that all machines see; its name is that work's key."""
    of: int
    """How many there are."""
    files: tuple[str, ...]
    """Stores of replies, as paths below the folder in which the work keeps them."""

    def share(self, home: Path) -> None:
        """Let all shards know what is stored below ``home``, so that none asks for it again."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _copy_all(self.files, home, self.folder / "known")

    def missing(self) -> list[int]:
        """The shards whose replies are not there yet."""
        return [number for number in range(self.of) if not self.is_done(number)]

    def is_done(self, number: int) -> bool:
        """Whether a shard has left its replies."""
        return self._finished(number).is_dir()

    @contextmanager
    def work(self, number: int) -> Iterator[Path]:
        """The folder in which a shard keeps its replies; they are handed over when the body ends well.

        What a failed body has left stays on this machine for the next try.
        """
        own = Path(tempfile.gettempdir()) / f"raiden-{os.getuid()}"
        local = own / self.folder.name / f"{number}-of-{self.of}"
        own.mkdir(exist_ok=True, mode=0o700)
        local.mkdir(parents=True, exist_ok=True)
        _copy_all([file for file in self.files if not (local / file).is_file()], self.folder / "known", local)
        yield local
        partial = self.folder / f".{number}-of-{self.of}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        _copy_all(self.files, local, partial)
        partial.rename(self._finished(number))
        shutil.rmtree(local, ignore_errors=True)

    def collect(self, home: Path) -> None:
        """Add the replies of all finished shards to the stores below ``home``; their files go when that is done."""
        for shard in sorted(self.folder.glob("*-of-*")):
            for name in self.files:
                if (shard / name).is_file():
                    _merge(shard / name, home / name)
                    (shard / name).unlink()

    def _finished(self, number: int) -> Path:
        return self.folder / f"{number}-of-{self.of}"


def _copy_all(files: Sequence[str], source: Path, target: Path) -> None:
    for file in files:
        if (source / file).is_file():
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            _copy(source / file, target / file)


def _copy(source: Path, target: Path) -> None:
    """A copy in one piece of a store that others may be writing to."""
    partial = target.with_name(target.name + ".partial")
    partial.unlink(missing_ok=True)
    if source.suffix != DATABASE:
        shutil.copyfile(source, partial)
        partial.replace(target)
        return
    try:
        with closing(sqlite3.connect(source)) as connection:
            connection.execute("VACUUM INTO ?", (str(partial),))
    except sqlite3.Error as error:
        raise StageError(f"{target}: {source} cannot be copied ({error}); make room and run again") from None
    partial.replace(target)


def _merge(source: Path, target: Path) -> None:
    if source.suffix != DATABASE:
        there = read_replies(target)
        append_replies(target, ((key, reply) for key, reply in read_replies(source).items() if key not in there))
        return
    with Store(target.parent):
        pass  # makes the table, or says what is wrong with the one that is there
    try:
        with closing(sqlite3.connect(target, timeout=60)) as connection:
            connection.execute("ATTACH ? AS shard", (str(source),))
            connection.execute("INSERT OR IGNORE INTO replies SELECT * FROM shard.replies")
            connection.commit()
    except sqlite3.Error as error:
        raise StageError(f"{target}: the replies of {source} cannot be added ({error}); make room, run again") from None
