"""The launch recipes load, say the same in URL, port and model, and several servers behind a router live and end together."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from raiden_core.config.loading import load_config

RECIPES = Path(__file__).parents[3] / "configs" / "sglang"
NAMES = sorted(path.name for path in RECIPES.glob("*.yaml"))


def option(command: tuple[str, ...], name: str) -> str:
    return command[command.index(name) + 1]


def test_the_recipes_are_there() -> None:
    assert NAMES == [
        "glm46-8xh200.yaml",
        "glm46-fp8-2x4xh200.yaml",
        "glm46-fp8-4xh200.yaml",
        "glm46-fp8-8xh200.yaml",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_starts_what_its_endpoint_asks_for(name: str) -> None:
    teacher = load_config(RECIPES / name).teacher
    endpoint = teacher.endpoints[teacher.answerer]
    assert teacher.kind == "llm"
    assert teacher.launch is not None
    command = teacher.launch.command
    assert endpoint.url == f"http://127.0.0.1:{option(command, '--port')}/v1"
    assert endpoint.model == option(command, "--served-model-name")
    assert option(command, "--model-path") == ("zai-org/GLM-4.6-FP8" if "fp8" in name else "zai-org/GLM-4.6")
    assert (endpoint.thinking, endpoint.dialect) == ("off", "sglang")
    assert option(command, "--reasoning-parser") == option(command, "--tool-call-parser") == "glm45"
    # A question with its profile and conversation, and the longest reply that is asked for, fit.
    assert int(option(command, "--context-length")) >= 4 * teacher.max_tokens
    gpus = [text for place, text in enumerate(command) if command[place - 1] == "--gpus"]
    each = [len(group.split(",")) for group in gpus] or [8 if "8xh200" in name else 4]
    assert set(each) == {int(option(command, "--tp-size"))}
    if gpus:
        assert sorted(",".join(gpus).split(",")) == [str(number) for number in range(8)]


FAKE_PYTHON = """#!/usr/bin/env bash
# Stands in for a Python with SGLang: notes how it was called, then stays; the router opens its port when told to.
echo "$$ $CUDA_VISIBLE_DEVICES $*" >> "$CALLS"
if [ "$2" = sglang_router.launch_router ]; then
  exec python3 -c '
import os, socket, time
while not os.path.exists(os.environ["OPEN"]): time.sleep(0.02)
with socket.create_server(("127.0.0.1", int(os.environ["PORT"]))) as listening: time.sleep(120)'
fi
exec sleep 120
"""


class Replicas:
    """replicas.sh, running over fake servers."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        python = folder / "python"
        python.write_text(FAKE_PYTHON, "utf-8")
        python.chmod(python.stat().st_mode | stat.S_IXUSR)
        self.calls, self.open = folder / "calls", folder / "open"
        self.process = subprocess.Popen(
            ["bash", str(RECIPES / "replicas.sh"), "--python", str(python), "--port", str(self.port),
             "--gpus", "0,1", "--gpus", "2,3", "--", "--tp-size", "2"],
            env={**os.environ, "CALLS": str(self.calls), "OPEN": str(self.open), "PORT": str(self.port)},
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        wait_until(lambda: len(self.lines()) == 3)

    def lines(self) -> list[str]:
        return self.calls.read_text("utf-8").splitlines() if self.calls.exists() else []

    def pid(self, word: str) -> int:
        return next(int(line.split()[0]) for line in self.lines() if word in line)

    def alive(self) -> list[int]:
        return [pid for line in self.lines() if psutil.pid_exists(pid := int(line.split()[0]))]

    def listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(2000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("waited in vain")


@pytest.fixture
def replicas(tmp_path: Path) -> Iterator[Replicas]:
    replicas = Replicas(tmp_path)
    yield replicas
    replicas.process.kill()
    replicas.process.communicate()
    for pid in replicas.alive():
        os.kill(pid, signal.SIGKILL)


def test_each_replica_has_its_gpus_and_its_port(replicas: Replicas) -> None:
    port = replicas.port
    lines = sorted(line.partition(" ")[2] for line in replicas.lines())
    assert lines[1:] == [
        f"0,1 -m sglang.launch_server --tp-size 2 --host 127.0.0.1 --port {port + 1}",
        f"2,3 -m sglang.launch_server --tp-size 2 --host 127.0.0.1 --port {port + 2}",
    ]
    router = f"-m sglang_router.launch_router --host 127.0.0.1 --port {port}"
    assert (
        lines[0].strip().startswith(f"{router} --worker-urls http://127.0.0.1:{port + 1} http://127.0.0.1:{port + 2} ")
    )
    replicas.process.terminate()
    replicas.process.wait(20)
    assert replicas.alive() == []


def test_a_server_that_ends_while_loading_ends_all(replicas: Replicas) -> None:
    os.kill(replicas.pid("0,1"), signal.SIGKILL)
    _, said = replicas.process.communicate(timeout=20)
    assert replicas.process.returncode == 1
    assert "error: a server ended with exit code 137" in said
    assert replicas.alive() == []


def test_the_other_server_goes_on_until_it_ends_too(replicas: Replicas) -> None:
    replicas.open.touch()
    wait_until(replicas.listens)
    os.kill(replicas.pid("0,1"), signal.SIGKILL)
    assert replicas.process.stderr is not None
    assert "1 left" in replicas.process.stderr.readline().rstrip() or "1 left" in replicas.process.stderr.readline()
    assert replicas.process.poll() is None
    os.kill(replicas.pid("2,3"), signal.SIGKILL)
    replicas.process.wait(20)
    assert replicas.alive() == []
