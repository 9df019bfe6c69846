"""Every accepted reply, on disk before anybody uses it; and what a model could not do (refusals.py).

One SQLite file in write-ahead mode. A writer thread commits all replies that have come in since its last commit at
once, so that a commit costs the same for one reply as for a hundred; `put` returns when its reply is committed. A
committed reply survives kill -9 of every process that has the store open, at any moment; a power cut can take the last
commits, never the file. Several processes of one machine may share a store: of two replies to one request the first
stands, and both processes get it. SQLite's write-ahead mode needs a local disk: machines do not share a store.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from raiden_core.errors import DataError, StageError
from raiden_core.models.served.acceptance import Answer

FILE = "replies.sqlite"
VERSION = 1
"""Of the table; a file of another version is refused."""
LARGEST_BATCH = 500
"""Replies in one commit at most."""
LOCK_SECONDS = 60.0
"""How long another process's commit is waited for."""

_TABLE = """
CREATE TABLE IF NOT EXISTS replies (
    key BLOB PRIMARY KEY,
    model TEXT NOT NULL,
    purpose TEXT NOT NULL,
    finish_reason TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    text TEXT NOT NULL
)
"""
_COLUMNS = "key, model, purpose, finish_reason, prompt_tokens, completion_tokens, text"
_ROW = "(?, ?, ?, ?, ?, ?, ?)"
_FIND = "SELECT text, finish_reason, prompt_tokens, completion_tokens FROM replies WHERE key = ?"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stored:
    """One row."""

    key: str
    """64 hex digits."""
    model: str
    purpose: str
    answer: Answer

    def row(self) -> tuple[bytes, str, str, str, int, int, str]:
        """Its columns."""
        answer = self.answer
        return (
            bytes.fromhex(self.key),
            self.model,
            self.purpose,
            answer.finish_reason,
            answer.prompt_tokens,
            answer.completion_tokens,
            answer.text,
        )


class _Put:
    """One reply on its way to the writer, and who waits for it."""

    __slots__ = ("future", "loop", "stored")

    def __init__(self, stored: Stored) -> None:
        self.stored = stored
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Answer] = self.loop.create_future()


class Store:
    """The replies in one folder. Reads happen in the caller's thread, writes in a thread of the store's own."""

    def __init__(self, folder: Path) -> None:
        """Open the folder's file, or make both.

        Raises:
            DataError: there is a file, but it is no store of ours or damaged.
            StageError: it cannot be made, opened or written.
        """
        self.path = folder / FILE
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StageError(f"{folder}: cannot be made ({error.strerror}); give another folder") from None
        self._queue: queue.SimpleQueue[_Put | None] = queue.SimpleQueue()
        self._broken: DataError | StageError | None = None
        self._reading = self._connect()
        self._writing = self._connect()
        self._thread = threading.Thread(target=self._write_all, name="replies", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Commit what has been put, and let go of the file."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
        self._writing.close()
        self._reading.close()

    def get(self, key: str) -> Answer | None:
        """The stored answer to a request, or None.

        Raises:
            DataError: the file is damaged.
            StageError: it cannot be read.
        """
        self._raise_if_broken()
        try:
            row = self._reading.execute(_FIND, (bytes.fromhex(key),)).fetchone()
        except sqlite3.Error as error:
            raise self._explained(error) from None
        return Answer(*row) if row else None

    async def put(self, stored: Stored) -> Answer:
        """Keep an answer; returns the one that is kept, as soon as it is safe: another's, if that was first.

        Raises:
            DataError: the file is damaged.
            StageError: it cannot be written; what was stored before is safe.
        """
        self._raise_if_broken()
        put = _Put(stored)
        self._queue.put(put)
        return await put.future

    def forget(self, key: str) -> None:
        """Drop an answer that does not count any more, because the rules have become stricter since.

        Raises:
            DataError: the file is damaged.
            StageError: it cannot be written.
        """
        try:
            self._reading.execute("DELETE FROM replies WHERE key = ?", (bytes.fromhex(key),))
        except sqlite3.Error as error:
            raise self._explained(error) from None

    def keys(self) -> set[str]:
        """The keys of all replies; for small stores."""
        return {key.hex() for (key,) in self._reading.execute("SELECT key FROM replies")}

    def __len__(self) -> int:
        number: int = self._reading.execute("SELECT count(*) FROM replies").fetchone()[0]
        return number

    def _connect(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                self.path, timeout=LOCK_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=16
            )
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA cache_size = -8000")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version not in (0, VERSION):
                raise DataError(f"{self.path}: a store of version {version}, this raiden reads {VERSION}; move it away")
            connection.execute(_TABLE)
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute(_FIND, (b"",))
        except sqlite3.Error as error:
            raise self._explained(error) from None
        return connection

    def _write_all(self) -> None:
        ended = False
        while not ended:
            puts, ended = self._next_batch()
            if not puts:
                continue
            answers: list[Answer] | DataError | StageError
            try:
                self._raise_if_broken()
                answers = self._commit([put.stored for put in puts])
            except sqlite3.Error as error:
                answers = self._broken = self._explained(error)
                _log.error("%s", answers)
            except (DataError, StageError) as error:
                answers = error
            _hand_back(puts, answers)

    def _next_batch(self) -> tuple[list[_Put], bool]:
        """What has been put, at least one unless the end was asked for; and whether it was."""
        batch: list[_Put] = []
        put = self._queue.get()
        while put is not None:
            batch.append(put)
            if len(batch) == LARGEST_BATCH:
                return batch, False
            try:
                put = self._queue.get_nowait()
            except queue.Empty:
                return batch, False
        return batch, True

    def _commit(self, batch: Sequence[Stored]) -> list[Answer]:
        # One statement, and with it one transaction, for the whole batch: each call gives up the interpreter's lock,
        # and while the event loop is busy, getting it back takes milliseconds.
        rows = [value for stored in batch for value in stored.row()]
        marks = ", ".join([_ROW] * len(batch))
        sql = f"INSERT INTO replies ({_COLUMNS}) VALUES {marks} ON CONFLICT (key) DO NOTHING"
        written = self._writing.execute(sql, rows).rowcount
        if written == len(batch):
            return [stored.answer for stored in batch]
        kept = (self._writing.execute(_FIND, (bytes.fromhex(stored.key),)).fetchone() for stored in batch)
        return [Answer(*row) if row else stored.answer for row, stored in zip(kept, batch, strict=True)]

    def _raise_if_broken(self) -> None:
        if self._broken is not None:
            raise self._broken

    def _explained(self, error: sqlite3.Error) -> DataError | StageError:
        if isinstance(error, sqlite3.OperationalError):
            return StageError(
                f"{self.path}: {error}; make room or give another folder, and run again: stored replies are safe"
            )
        return DataError(
            f"{self.path}: no store of replies, or a damaged one ({error}); move it away to begin with an empty one"
        )


def _hand_back(puts: Sequence[_Put], answers: Sequence[Answer] | DataError | StageError) -> None:
    """Wake everybody who waits for a batch, with one call for each event loop."""
    for loop in {put.loop for put in puts}:
        mine = [(put, place) for place, put in enumerate(puts) if put.loop is loop]
        with contextlib.suppress(RuntimeError):  # The event loop has ended: nobody waits any more.
            loop.call_soon_threadsafe(_settle, mine, answers)


def _settle(puts: Sequence[tuple[_Put, int]], answers: Sequence[Answer] | DataError | StageError) -> None:
    for put, place in puts:
        if put.future.done():
            continue
        if isinstance(answers, Exception):
            put.future.set_exception(answers)
        else:
            put.future.set_result(answers[place])
