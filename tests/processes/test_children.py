"""Children: their logs, how they are waited for, and that they and theirs end."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from raiden_core.processes import children
from raiden_core.processes.children import Child, end, is_alive, last_lines, start, wait_ready

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
FAMILY = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {STUBBORN!r}]); time.sleep(60)"
FEW_SECONDS = 20


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def until(condition: object) -> None:
    deadline = time.monotonic() + FEW_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_log_is_kept_or_begun_and_private_where_it_must_be(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "child.log"
    for append, expected in ((True, ["one"]), (True, ["one", "one"]), (False, ["one"])):
        child = start(python("print('one')"), log, os.environ, append=append)
        assert child.ended_within(FEW_SECONDS) and child.code == 0
        assert last_lines(log) == expected
    secret = tmp_path / "secret.log"
    assert start(python("raise SystemExit(3)"), secret, os.environ, private=True).ended_within(FEW_SECONDS)
    assert secret.stat().st_mode & 0o077 == 0


def test_the_end_of_a_log_is_read_without_codes_and_blanks(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert last_lines(log) == []
    log.write_bytes(b"x" * children.TAIL_BYTES + b"\n\x1b[31mred\x1b[0m\n\n 10%\r 20%\n\xff end \n")
    assert last_lines(log)[1:] == ["red", "10%", "20%", "\ufffd end"]


def family_of(child: Child, log: Path) -> list[int]:
    until(lambda: "up" in last_lines(log))
    return [child.pid, *(one.pid for one in psutil.Process(child.pid).children(recursive=True))]


def test_ending_by_pid_ends_a_child_and_all_its_descendants(tmp_path: Path) -> None:
    """Its child is told by nobody, so that the pid's family is ended as another command would."""
    child = start(python(FAMILY), tmp_path / "log", os.environ)
    family = family_of(child, tmp_path / "log")
    assert len(family) >= 2
    end(child.pid, child.began, 0.2)
    until(lambda: not any(psutil.pid_exists(pid) and is_running(pid) for pid in family))


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_child_that_ignores_term_is_killed(tmp_path: Path) -> None:
    child = start(python(STUBBORN), tmp_path / "log", os.environ)
    until(lambda: "up" in last_lines(tmp_path / "log"))
    child.stop(0.2)
    assert child.has_ended() and child.code == -9
    child.stop()


def test_a_process_is_known_by_its_beginning_too(tmp_path: Path) -> None:
    child = start(python("import time; time.sleep(60)"), tmp_path / "log", os.environ, detached=True)
    try:
        assert is_alive(child.pid, child.began) and not is_alive(child.pid, child.began - 1000)
        assert os.getsid(child.pid) == child.pid
        end(child.pid, child.began - 1000, 1)
        assert not child.has_ended(), "another process with this pid is left alone"
    finally:
        child.stop()
    assert not is_alive(child.pid, child.began)


@pytest.mark.parametrize(
    ("ready_after", "ends_after", "seconds", "expected"),
    [(0.1, 60, 60, "ready"), (60, 0.1, 60, "ended"), (60, 60, 0.1, "late")],
)
def test_waiting_ends_when_it_is_ready_over_or_too_late(
    ready_after: float, ends_after: float, seconds: float, expected: str
) -> None:
    began = time.monotonic()

    def since() -> float:
        return time.monotonic() - began

    told: list[float] = []
    came = wait_ready(lambda: since() > ready_after, lambda: since() > ends_after, seconds, told.append, poll=0.02)
    assert came == expected and told == sorted(told) and told


def test_a_look_that_takes_long_hides_no_end() -> None:
    release = threading.Event()
    began = time.monotonic()
    try:
        came = wait_ready(lambda: release.wait(30), lambda: time.monotonic() - began > 0.1, 60, poll=0.02)
    finally:
        release.set()
    assert came == "ended" and time.monotonic() - began < 10


def test_a_descendant_that_ends_while_it_is_looked_at_gets_no_signal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(process: psutil.Process) -> str:
        raise psutil.NoSuchProcess(process.pid)

    child = start(python("import time; time.sleep(60)"), tmp_path / "log", os.environ)
    try:
        with monkeypatch.context() as patched:
            patched.setattr(psutil.Process, "status", gone)
            assert not child.signal_descendant(child.pid, 0)
        assert child.signal_descendant(child.pid, 0)
    finally:
        child.stop()
