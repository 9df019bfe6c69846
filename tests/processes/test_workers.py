"""Calls on all cores: in order, with their errors, and without anything left behind."""

from __future__ import annotations

import errno
import io
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from raiden_core.errors import DataError, StageError
from raiden_core.processes.workers import Workers, _ask


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Workers:
    """Two processes, however many cores there are."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    return Workers()


def test_results_come_in_the_order_of_the_calls_and_processes_stay_and_end(workers: Workers) -> None:
    with workers:
        assert workers.map(divmod, [(number, 7) for number in range(20)]) == [divmod(number, 7) for number in range(20)]
        first = set(workers.map(_pid, [()] * 6))
        assert os.getpid() not in first
        assert set(workers.map(_pid, [()] * 6)) <= first | {process.pid for process in workers._processes}
        assert len(workers._processes) == 2
        assert workers.map(_pid, [()]) == [os.getpid()], "a single call is made here"
        pids = [process.pid for process in workers._processes]
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_an_error_for_the_user_arrives_and_a_process_that_dies_is_told(workers: Workers) -> None:
    with workers, pytest.raises(DataError, match=r"no\.jsonl: no such file"):
        workers.map(_read, [("no.jsonl",), ("no.jsonl",)])
    with workers, pytest.raises(StageError, match="ended with code 3 and no answer; standard error says why"):
        workers.map(sys.exit, [(3,), (3,)])


def test_the_first_error_is_told_and_no_other_call_begins(workers: Workers, tmp_path: Path) -> None:
    """The second call fails while the third has failed already; the others would do well."""
    with workers, pytest.raises(DataError, match=r"^call 1$"):
        workers.map(_fail_after, [(number, {1: 1.0, 2: 0.0}.get(number), tmp_path) for number in range(8)])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1", "2"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux's kernel ends a child with its parent")
def test_a_worker_in_a_call_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    files = [str(tmp_path / name) for name in ("one", "two")]
    code = (
        "import os, sys\nfrom raiden_core.processes.workers import Workers\n"
        "from tests.processes.test_workers import _sleep\n"
        "os.sched_getaffinity = lambda _: {0, 1}\n"
        "with Workers() as workers:\n    workers.map(_sleep, [(file,) for file in sys.argv[1:]])\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, *files])
    try:
        deadline = time.monotonic() + 60
        while not all(map(os.path.exists, files)) and time.monotonic() < deadline:
            time.sleep(0.05)
        family = psutil.Process(parent.pid).children()
    finally:
        parent.kill()
        parent.wait()
    _, left = psutil.wait_procs(family, timeout=10)
    assert len(family) == 2 and not left


def _sleep(begun: str) -> None:
    Path(begun).touch()
    time.sleep(60)


def test_an_error_of_the_system_arrives_as_it_is(workers: Workers) -> None:
    with workers, pytest.raises(OSError, match="No space left") as raised:
        workers.map(_disk_is_full, [(), ()])
    assert raised.value.errno == errno.ENOSPC


def test_a_process_that_ends_within_its_answer_is_told() -> None:
    answer = pickle.dumps((True, "a long text" * 100))
    killed: Any = SimpleNamespace(stdin=io.BytesIO(), stdout=io.BytesIO(answer[:500]), wait=lambda: -9)
    with pytest.raises(StageError, match="ended with code -9 and no answer; it may have been out of memory"):
        _ask(killed, len, ("",))


@pytest.fixture
def interruptible() -> Iterator[None]:
    """SIGINT raises KeyboardInterrupt here also where whoever started the tests ignores it, as a shell's ``&`` does."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_does_not_wait_for_the_calls(workers: Workers, capfd: pytest.CaptureFixture[str]) -> None:
    def interrupt() -> None:
        for process in workers._processes:
            process.send_signal(signal.SIGINT)  # as a terminal does
        os.kill(os.getpid(), signal.SIGINT)

    with workers:
        workers.map(_pid, [(), ()])
        began = time.monotonic()
        threading.Timer(0.5, interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            workers.map(time.sleep, [(20,)] * 4)
        assert time.monotonic() - began < 10
    assert "Traceback" not in capfd.readouterr().err


def _fail_after(number: int, seconds: float | None, folder: Path) -> None:
    (folder / str(number)).touch()
    if seconds is not None:
        time.sleep(seconds)
        raise DataError(f"call {number}")


def _disk_is_full() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _pid() -> int:
    return os.getpid()


def _read(path: str) -> int:
    from raiden_core.samples import read_samples

    return len(read_samples(Path(path)))
