"""The store: what was put is there, whoever was killed, and what cannot be kept says so."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from raiden_core.errors import DataError, StageError
from raiden_core.models.served.acceptance import Answer
from raiden_core.models.served.store import FILE, LARGEST_BATCH, Store, Stored


def key(number: int) -> str:
    return f"{number:064x}"


def stored(number: int, text: str = "") -> Stored:
    return Stored(key(number), "glm", "facts/1", Answer(text or f"reply {number}", "stop", number, 2))


async def put_all(store: Store, numbers: range) -> list[Answer]:
    return list(await asyncio.gather(*(store.put(stored(number)) for number in numbers)))


def test_what_was_put_is_there_after_reopening(tmp_path: Path) -> None:
    numbers = range(LARGEST_BATCH + 7)
    with Store(tmp_path) as store:
        assert store.get(key(0)) is None
        answers = asyncio.run(put_all(store, numbers))
        assert answers == [stored(number).answer for number in numbers]
        assert store.get(key(3)) == Answer("reply 3", "stop", 3, 2)
    with Store(tmp_path) as store:
        assert store.keys() == {key(number) for number in numbers}
        assert len(store) == len(numbers)


@pytest.mark.parametrize("text", ["", "长沙😀", "a\0b", "'; DROP TABLE replies; --", "x" * 1_000_000])
def test_texts_come_back_as_they_were(tmp_path: Path, text: str) -> None:
    one = Stored(key(1), "glm", "facts/1", Answer(text, "stop"))
    with Store(tmp_path) as store:
        asyncio.run(store.put(one))
        assert store.get(key(1)) == one.answer


def test_put_returns_only_what_another_process_would_see(tmp_path: Path) -> None:
    async def put() -> int:
        await store.put(stored(1))
        with sqlite3.connect(tmp_path / FILE) as other:
            number: int = other.execute("SELECT count(*) FROM replies").fetchone()[0]
        return number

    with Store(tmp_path) as store:
        assert asyncio.run(put()) == 1


def test_the_first_of_two_replies_stands_for_both(tmp_path: Path) -> None:
    async def put_both() -> tuple[Answer, list[Answer]]:
        one = await first.put(stored(1, "the first"))
        others = await asyncio.gather(second.put(stored(1, "the second")), second.put(stored(2)))
        return one, list(others)

    with Store(tmp_path) as first, Store(tmp_path) as second:
        one, others = asyncio.run(put_both())
    assert one.text == "the first"
    assert [answer.text for answer in others] == ["the first", "reply 2"]


def test_what_is_forgotten_can_be_put_again(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        asyncio.run(store.put(stored(1, "old")))
        store.forget(key(1))
        assert store.get(key(1)) is None
        assert asyncio.run(store.put(stored(1, "new"))).text == "new"


def test_a_file_that_is_no_store_is_named_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database, but notes of mine\n" * 200)
    with pytest.raises(DataError, match=r"replies\.sqlite: no store of replies, or a damaged one"):
        Store(tmp_path)
    assert (tmp_path / FILE).read_bytes().startswith(b"not a database, but notes")


def test_a_damaged_store_is_no_empty_store(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        asyncio.run(put_all(store, range(2000)))
    content = bytearray((tmp_path / FILE).read_bytes())
    content[4096:] = b"\x5a" * (len(content) - 4096)
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(DataError, match="damaged"), Store(tmp_path) as store:
        store.get(key(1))


def test_a_store_of_another_version_is_refused(tmp_path: Path) -> None:
    Store(tmp_path).close()
    with sqlite3.connect(tmp_path / FILE) as other:
        other.execute("PRAGMA user_version = 99")
    with pytest.raises(DataError, match="version 99"):
        Store(tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StageError, match="file/replies: cannot be made"):
        Store(tmp_path / "file" / "replies")


def test_a_full_disk_stops_everybody_and_loses_nothing(tmp_path: Path) -> None:
    async def fill() -> tuple[int, str]:
        for number in range(1000):
            try:
                await store.put(stored(number, "x" * 4000))
            except StageError as error:
                with pytest.raises(StageError):
                    await store.put(stored(10_000))
                return number, str(error)
        raise AssertionError("the disk never filled up")

    with Store(tmp_path) as store:
        store._writing.execute("PRAGMA max_page_count = 100")
        number, message = asyncio.run(fill())
    assert "full" in message and "stored replies are safe" in message
    assert number > 10
    with Store(tmp_path) as store:
        assert store.keys() == {key(each) for each in range(number)}


WRITER = """
import asyncio, sys
from pathlib import Path
from raiden_core.models.served.store import Store
from raiden_core.models.served.store import Stored
from raiden_core.models.served.acceptance import Answer

async def put(store, number):
    await store.put(Stored(f"{number:064x}", "glm", "facts/1", Answer("x" * 500, "stop")))
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()

async def main(folder, first):
    store = Store(Path(folder))
    for number in range(first, first + 100_000, 20):
        await asyncio.gather(*(put(store, number + more) for more in range(20)))

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


def test_kill_loses_no_reply_that_was_handed_out(tmp_path: Path) -> None:
    """Two processes write into one store and are killed; all that they said was kept is there, and the file is whole."""
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(first)], stdout=subprocess.PIPE, text=True)
        for first in (0, 1_000_000)
    ]
    said: set[str] = set()
    try:
        for writer in writers:
            assert writer.stdout is not None
            said.add(key(int(writer.stdout.readline())))
        time.sleep(0.3)
    finally:
        for writer in writers:
            os.kill(writer.pid, signal.SIGKILL)
            out, _ = writer.communicate(timeout=30)
            said |= {key(int(line)) for line in out.split("\n")[:-1]}
    with Store(tmp_path) as store:
        assert said <= store.keys()
    with sqlite3.connect(tmp_path / FILE) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_many_processes_may_open_a_new_store_at_once(tmp_path: Path) -> None:
    code = "import sys, pathlib; from raiden_core.models.served.store import Store; Store(pathlib.Path(sys.argv[1])).close()"
    openers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(4)]
    assert [opener.wait(60) for opener in openers] == [0] * 4
