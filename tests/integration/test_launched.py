"""The teacher's server is there while the body runs, and all of it is gone afterwards, however that ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.config.sections.teacher import ServerConfig
from raiden_core.errors import ConfigError, StageError
from raiden_core.models.served.launched import _filled, launched
from raiden_core.stages.progress import silent

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform != "linux", reason="what it promises in full, it promises on Linux"),
]

SCRIPT = Path(__file__).parents[1] / "support" / "fake_server.py"


class Fake:
    """A configuration whose command is the fake server, and what became of its processes."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self.pids = folder / "pids"
        self.log = folder / "logs" / "server.log"
        self.environment = {**os.environ, "PIDS": str(self.pids)}

    def server(self, *habits: str, ready_seconds: float = 60) -> ServerConfig:
        command = (sys.executable, str(SCRIPT), str(self.port), *habits)
        return ServerConfig(command=command, ready_seconds=ready_seconds)

    def endpoint(self, **fields: str) -> EndpointConfig:
        return EndpointConfig.model_validate({"url": f"http://127.0.0.1:{self.port}/v1", **fields})

    def read_pids(self) -> list[int]:
        return [int(line) for line in self.pids.read_text().split()] if self.pids.exists() else []

    def alive(self) -> list[int]:
        return [pid for pid in self.read_pids() if is_alive(pid)]


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(2000):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("waited in vain")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("raiden_core.models.served.launched.POLL_SECONDS", 0.05)


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[Fake]:
    fake = Fake(tmp_path)
    yield fake
    for pid in fake.alive():
        os.kill(pid, signal.SIGKILL)


def test_the_server_runs_while_the_body_runs(fake: Fake) -> None:
    told: list[tuple[int, int, str]] = []
    with launched(
        fake.server("stubborn"),
        fake.endpoint(),
        fake.log,
        lambda *step: told.append(step),
        environment=fake.environment,
    ):
        assert len(fake.alive()) == 2
        with urllib.request.urlopen(f"http://127.0.0.1:{fake.port}/health_generate", timeout=10) as reply:
            assert reply.status == 200  # it answered 503 at first: not ready until it says so
    assert fake.alive() == []
    assert len(told) > 1
    assert all(total == 60 and str(fake.log) in note for _, total, note in told)
    assert fake.log.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("word", ["$FAKE_HABIT", "${FAKE_HABIT}"])
def test_a_reference_in_the_command_is_filled_from_the_environment(fake: Fake, word: str) -> None:
    environment = {**fake.environment, "FAKE_HABIT": "die"}
    with (
        pytest.raises(StageError, match="exit code 7"),
        launched(fake.server(word), fake.endpoint(), fake.log, silent, environment=environment),
    ):
        raise AssertionError("never ready")


def test_a_reference_after_an_equals_sign_is_filled_too(fake: Fake) -> None:
    assert _filled("--api-key=$KEY", {"KEY": "sesame"}) == "--api-key=sesame"
    assert _filled("--price=3$", {}) == "--price=3$"


def test_a_reference_to_nothing_is_named_before_anything_starts(fake: Fake) -> None:
    with (
        pytest.raises(
            ConfigError, match=r"teacher\.launch\.command: the environment has no variable NO_SUCH_KEY; set it"
        ),
        launched(fake.server("$NO_SUCH_KEY"), fake.endpoint(), fake.log, silent, environment=fake.environment),
    ):
        raise AssertionError("never ready")
    assert fake.read_pids() == []


def test_a_failing_body_stops_the_server_and_keeps_its_error(fake: Fake) -> None:
    with (
        pytest.raises(StageError, match=r"^no store$"),
        launched(fake.server(), fake.endpoint(), fake.log, silent, environment=fake.environment),
    ):
        raise StageError("no store")
    assert fake.alive() == []


def test_a_server_that_dies_during_generation_is_named(fake: Fake) -> None:
    with (
        pytest.raises(StageError, match=r"exit code 3 during generation.*CUDA error"),
        launched(fake.server(), fake.endpoint(), fake.log, silent, environment=fake.environment),
    ):
        with pytest.raises(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{fake.port}/die", timeout=10)
        wait_until(lambda: fake.alive() == [])
        raise StageError("the server is gone")


def test_a_server_that_dies_while_loading_is_quoted_without_its_key(fake: Fake) -> None:
    endpoint = fake.endpoint(api_key_env="TEACHER_KEY")
    environment = {**fake.environment, "TEACHER_KEY": "sesame"}
    with (
        pytest.raises(StageError, match=r"exit code 7 after .* while loading.*out of memory, key •••.*bye$") as caught,
        launched(fake.server("die"), endpoint, fake.log, silent, environment=environment),
    ):
        raise AssertionError("never ready")
    assert fake.alive() == []
    assert "\n" not in str(caught.value) and "\x1b" not in str(caught.value)


def test_a_server_that_is_never_ready_is_given_up(fake: Fake) -> None:
    with (
        pytest.raises(StageError, match=r"not ready after .* raise teacher.launch.ready_seconds"),
        launched(
            fake.server("never", ready_seconds=0.5), fake.endpoint(), fake.log, silent, environment=fake.environment
        ),
    ):
        raise AssertionError("never ready")
    assert fake.alive() == []


@pytest.mark.parametrize(
    ("habit", "fields", "error", "says"),
    [
        ("", {"model": "glm-5"}, ConfigError, "has glm-4.6, not glm-5; .*--served-model-name glm-5"),
        ("keyed", {}, ConfigError, "answered 401; .*api_key_env"),
        ("html", {}, StageError, "no list of models"),
    ],
)
def test_the_list_of_models_is_checked(
    fake: Fake, habit: str, fields: dict[str, str], error: type[Exception], says: str
) -> None:
    with (
        pytest.raises(error, match=says),
        launched(fake.server(habit), fake.endpoint(**fields), fake.log, silent, environment=fake.environment),
    ):
        raise AssertionError("wrong model")
    assert fake.alive() == []


def test_the_key_is_sent(fake: Fake) -> None:
    endpoint = fake.endpoint(api_key_env="TEACHER_KEY")
    with launched(
        fake.server("keyed"), endpoint, fake.log, silent, environment={**fake.environment, "TEACHER_KEY": "sesame"}
    ):
        assert len(fake.alive()) == 2


@pytest.mark.parametrize(
    ("command", "url", "says"),
    [
        (("/no/such/python", "-m", "sglang"), None, "/no/such/python: no such program"),
        ((sys.executable, "--port", "1"), None, "--port 1, but the endpoint's URL is"),
        ((sys.executable, "--port=1"), None, "--port 1, but the endpoint's URL is"),
        ((sys.executable,), "http://gpu7:30000/v1", "starts a server on this machine"),
        ((sys.executable,), "http://127.0.0.1:many/v1", "the port is not a number"),
    ],
)
def test_a_command_that_cannot_work_is_refused_before_it_starts(
    fake: Fake, command: tuple[str, ...], url: str | None, says: str
) -> None:
    endpoint = fake.endpoint(url=url) if url else fake.endpoint()
    with (
        pytest.raises(ConfigError, match=says),
        launched(ServerConfig(command=command), endpoint, fake.log, silent, environment=fake.environment),
    ):
        raise AssertionError("cannot work")
    assert not fake.log.exists()


def test_a_port_that_is_taken_is_refused(fake: Fake) -> None:
    with (
        socket.create_server(("127.0.0.1", fake.port)),
        pytest.raises(
            StageError, match=f"port {fake.port} is taken already by process {os.getpid()} .*to null to use it"
        ),
        launched(fake.server(), fake.endpoint(), fake.log, silent, environment=fake.environment),
    ):
        raise AssertionError("taken")
    assert fake.read_pids() == []


def test_without_a_command_nothing_is_started(fake: Fake) -> None:
    with launched(None, fake.endpoint(), fake.log, silent):
        assert not fake.log.exists()


PARENT = """
import sys, time
from pathlib import Path
from raiden_core.config.sections.teacher import ServerConfig
from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.stages.progress import silent
from raiden_core.models.served.launched import _filled, launched
script, port, log, ready = sys.argv[1:]
endpoint = EndpointConfig(url=f"http://127.0.0.1:{port}/v1")
with launched(ServerConfig(command=(sys.executable, script, port)), endpoint, Path(log), silent):
    Path(ready).touch()
    time.sleep(120)
"""


def test_kill_9_of_the_parent_takes_the_server_and_its_child(fake: Fake, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(SCRIPT), str(fake.port), str(fake.log), str(ready)],
        env={**fake.environment, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    wait_until(ready.exists)
    assert len(fake.alive()) == 2
    parent.kill()
    parent.wait()
    wait_until(lambda: fake.alive() == [])
