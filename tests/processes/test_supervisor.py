"""The supervisor: exit codes pass through, and nothing outlives it, however it ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what it promises in full, it promises on Linux")

SUPERVISED = [sys.executable, "-m", "raiden_core.processes.supervisor", "--"]
FAMILY = """
import os, subprocess, sys, time
code = "import os, signal, time; signal.signal(signal.SIGTERM, signal.{act}); " \\
       "open({file!r}, 'a').write(str(os.getpid()) + chr(10)); time.sleep(120)"
subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
open({file!r}, "a").write(str(os.getpid()) + chr(10))
{then}
"""
"""A child that starts a grandchild in a session of its own; both leave their ids in a file."""


def family(pids: Path, act: str = "SIG_DFL", then: str = "time.sleep(120)") -> list[str]:
    code = FAMILY.replace("{act}", act).replace("{file!r}", repr(str(pids))).replace("{then}", then)
    return [sys.executable, "-c", code]


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("waited in vain")


def read_pids(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().splitlines()] if path.exists() else []


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def pids(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "pids"
    yield path
    for pid in read_pids(path):
        if is_alive(pid):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize(
    ("code", "expected"),
    [("", 0), ("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 9)", 137), ("1/0", 1)],
)
def test_the_exit_code_of_the_child_passes_through(code: str, expected: int) -> None:
    done = subprocess.run([*SUPERVISED, sys.executable, "-c", code], stderr=subprocess.DEVNULL, timeout=60)
    assert done.returncode == expected


def test_arguments_and_output_pass_through() -> None:
    command = [*SUPERVISED, sys.executable, "-c", "import sys; print(sys.argv[1:])", "--", "-x"]
    assert subprocess.run(command, capture_output=True, text=True, timeout=60).stdout == "['--', '-x']\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_told_to_stop_it_ends_children_and_grandchildren(pids: Path, number: int, code: int) -> None:
    process = subprocess.Popen([*SUPERVISED, *family(pids)])
    try:
        wait_until(lambda: len(read_pids(pids)) == 2)
        process.send_signal(number)
        assert process.wait(30) == code
        assert not any(map(is_alive, read_pids(pids)))
    finally:
        process.kill()


def test_who_ignores_the_request_is_killed(pids: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = "import sys; from raiden_core.processes import supervisor; supervisor.GRACE_SECONDS = 0.2; "
    quick += "sys.exit(supervisor.main(sys.argv))"
    process = subprocess.Popen([sys.executable, "-c", quick, "--", *family(pids, act="SIG_IGN")])
    try:
        wait_until(lambda: len(read_pids(pids)) == 2)
        process.terminate()
        assert process.wait(30) == 143
        assert not any(map(is_alive, read_pids(pids)))
    finally:
        process.kill()


def test_what_a_finished_child_leaves_behind_is_ended(pids: Path) -> None:
    then = f"while open({str(pids)!r}).read().count(chr(10)) < 2: time.sleep(0.02)"
    done = subprocess.run([*SUPERVISED, *family(pids, then=then)], timeout=60)
    assert done.returncode == 0
    assert len(read_pids(pids)) == 2 and not any(map(is_alive, read_pids(pids)))


def test_when_its_parent_is_killed_everything_goes(pids: Path) -> None:
    parent = "import subprocess, sys; subprocess.Popen(sys.argv[1:]).wait()"
    process = subprocess.Popen([sys.executable, "-c", parent, *SUPERVISED, *family(pids)])
    try:
        wait_until(lambda: len(read_pids(pids)) == 2)
        supervisor = psutil.Process(process.pid).children()[0].pid
        process.kill()
        process.wait(30)
        wait_until(lambda: not any(map(is_alive, [supervisor, *read_pids(pids)])))
    finally:
        process.kill()
