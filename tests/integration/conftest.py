"""What integration tests share: one Prefect server on loopback, and the `raiden` command as a user calls it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.chaos.cases import write_config
from benchmarks.chaos.house import House
from tests.support.canaries import AUTH, CANARIES
from tests.support.dealing import ByServer, rank
from tests.training.conftest import composed_samples, nano_tokenizer

__all__ = ["composed_samples", "nano_tokenizer"]

ROOT = Path(__file__).parent.parent.parent
TINY = ROOT / "tests" / "integration" / "tiny.yaml"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each test here is marked as one of integration, and what takes longest comes first."""
    here = Path(__file__).parent
    for item in items:  # a conftest's hook is given the whole session's tests
        if item.path.is_relative_to(here) and item.get_closest_marker("integration") is None:
            raise pytest.UsageError(f"{item.nodeid}: mark it as an integration test, or `make test` never runs it")
    if all(item.path.is_relative_to(here) for item in items):
        items.sort(key=lambda item: rank(item.nodeid.split("::", 1)[0]))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByServer | None:
    """With ``--dist loadfile``: files that share a server stay together as well."""
    if config.getvalue("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False  # the number of tests says little about their time
    return ByServer(config, log)


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session", autouse=True)
def _children_heed_ctrl_c() -> None:
    """A shell that starts the tests in the background has them ignore Ctrl-C, and every child would inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def unused_port() -> int:
    """A port of loopback for a server that the test starts itself."""
    return free_port()


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Environment variables of a Prefect server that runs for the session, with a home of its own."""
    port = free_port()
    environment = {
        **os.environ,
        "PREFECT_HOME": str(tmp_path_factory.mktemp("prefect")),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_WORKER_QUERY_SECONDS": "2",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    log = tmp_path_factory.mktemp("server") / "server.log"
    with log.open("wb") as sink:
        server = subprocess.Popen(
            command, env=environment, stdout=sink, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            wait_until(lambda: healthy(f"http://127.0.0.1:{port}/api/health"), 180, f"no server; see {log}")
            yield environment
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(60)


def healthy(url: str) -> bool:
    """Whether a URL answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def wait_until(met: Callable[[], Any], seconds: float, otherwise: str) -> None:
    """Poll until a condition is met; fail with the words given after some seconds."""
    deadline = time.monotonic() + seconds
    while not met():
        if time.monotonic() > deadline:
            pytest.fail(otherwise)
        time.sleep(0.2)


class Raiden:
    """The command line in subprocesses."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """Start the command and do not wait for it."""
        return subprocess.Popen(
            [sys.executable, "-m", "flows.cli", *arguments],
            env=self.environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def call(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=300)
        return process.returncode, out, err

    wait_until = staticmethod(wait_until)

    def run(self, output_dir: Path, *arguments: str) -> dict[str, Any]:
        """``raiden run`` of the tiny configuration; its record."""
        code, out, err = self.call("run", str(TINY), "--json", "--set", f"output_dir={output_dir}", *arguments)
        assert code == 0, err[-3000:]
        record: dict[str, Any] = json.loads(out.splitlines()[-1])
        return record


@pytest.fixture(scope="session")
def raiden(prefect_server: dict[str, str]) -> Raiden:
    """The `raiden` command against the session's server."""
    return Raiden(prefect_server)


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server that asks for a password, all deployments and a worker, for the session, with secrets planted."""
    with House(tmp_path_factory.mktemp("house"), auth=AUTH, secrets=CANARIES) as built:
        yield built


@pytest.fixture(scope="session")
def finished_run(house: House) -> str:
    """The id of a run of the whole tiny pipeline."""
    run = house.start_run("full-pipeline", config=str(write_config(house.folder / "whole")))
    house.wait(run, "COMPLETED")
    return run
