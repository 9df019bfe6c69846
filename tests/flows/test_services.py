"""Which processes `raiden down` may end: the very ones that were started, never another with the same pid."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

from flows.services import STATE_FILE, Process, Services, port_taken, running, start, stop
from flows.up_command import down, up
from raiden_core.errors import UsageError
from raiden_core.processes.children import began


@pytest.fixture
def sleeper() -> Iterator[Process]:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield Process("worker", child.pid, began(child.pid))
    child.kill()
    child.wait()


def write_state(folder: Path, *processes: Process) -> None:
    rows = [{"role": one.role, "pid": one.pid, "began": one.began} for one in processes]
    (folder / STATE_FILE).write_text(json.dumps({"port": 1, "processes": rows}), "utf-8")


def test_a_recorded_process_is_found_and_ended(tmp_path: Path, sleeper: Process) -> None:
    write_state(tmp_path, sleeper)
    services = running(tmp_path)
    assert services == Services(1, (sleeper,))
    stop(tmp_path, services, lambda _: None)
    assert not sleeper.alive
    assert not (tmp_path / STATE_FILE).exists()


def test_a_clock_that_jumps_loses_no_process(sleeper: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    started, create_time = psutil.boot_time(), psutil.Process.create_time
    # The kernel tells a process's begin from the machine's start, whose date moves when the clock is set.
    monkeypatch.setattr(psutil, "boot_time", lambda: started + 3600)
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: create_time(self) + 3600)
    assert sleeper.alive


def test_another_process_with_the_same_pid_is_left_alone(tmp_path: Path, sleeper: Process) -> None:
    stale = Process("worker", sleeper.pid, sleeper.began - 1000)
    write_state(tmp_path, stale)
    assert running(tmp_path) is None
    stop(tmp_path, Services(1, (stale,)), lambda _: None)
    assert sleeper.alive


@pytest.mark.parametrize("content", ["", "[]", '{"port": 1}', '{"port": "x", "processes": []}'])
def test_a_broken_record_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / STATE_FILE).write_text(content, "utf-8")
    with pytest.raises(UsageError, match=STATE_FILE):
        running(tmp_path)


def test_a_taken_port_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert port_taken(port)
        with pytest.raises(UsageError, match=f"port {port}.*--port"):
            start(tmp_path / "state", port, tmp_path, lambda _: None)
    assert not (tmp_path / "state").exists()


def test_up_wants_a_checkout_and_down_wants_something_to_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    refused = CliRunner().invoke(up, [])
    assert isinstance(refused.exception, UsageError)
    assert "prefect.yaml" in str(refused.exception)
    nothing = CliRunner().invoke(down, [])
    assert nothing.exit_code == 0
    assert "nothing" in nothing.output
    assert not os.listdir(tmp_path)
