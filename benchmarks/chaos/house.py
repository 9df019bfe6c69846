"""A house to break things in: Prefect's server and a worker on loopback, each of which can be killed and started again.

    with House(folder) as house:
        run = house.start_run("full-pipeline", config=…)
        os.kill(house.trainer(run).pid, signal.SIGKILL)
        house.wait(run, "FAILED")
        house.retry(run)

It talks to the server as the UI does, by HTTP, and looks at processes as `ps` does; nothing of it is Prefect's code.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import psutil

ROOT = Path(__file__).parents[2]
POLL_SECONDS = 0.2
PATIENCE = 600.0
"""Seconds after which something that does not happen is a failure; a busy machine is slow."""
BUSY_SECONDS = 60.0
TRAINERS = ("raiden_core.training.cold_start", "raiden_core.training.grpo")
OVER = frozenset({"COMPLETED", "FAILED", "CANCELLED", "CRASHED"})


class House:
    """Server, deployments and worker; a context manager that leaves no process behind."""

    def __init__(
        self, folder: Path, checkout: Path = ROOT, auth: str | None = None, secrets: Mapping[str, str] | None = None
    ) -> None:
        """Describe the house.

        Args:
            folder: database, logs and configurations go here.
            checkout: the code that the worker runs, with its `prefect.yaml`.
            auth: `user:password` that the server asks for.
            secrets: further environment variables of server and worker.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.checkout = folder, checkout
        self.auth = (auth.partition(":")[0], auth.partition(":")[2]) if auth else None
        self.port = free_port()
        self.api = f"http://127.0.0.1:{self.port}/api"
        self.environment = {
            **os.environ,
            "PREFECT_HOME": str(folder / "home"),
            "PREFECT_API_URL": self.api,
            "PREFECT_CLI_PROMPT": "false",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
            "PREFECT_WORKER_QUERY_SECONDS": "2",
            "PYTHONPATH": str(checkout),
            **(secrets or {}),
        }
        if auth:
            self.environment |= {"PREFECT_SERVER_API_AUTH_STRING": auth, "PREFECT_API_AUTH_STRING": auth}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.started: list[psutil.Process] = []
        self.http = httpx.Client(base_url=self.api, timeout=60, trust_env=False, auth=self.auth)

    def __enter__(self) -> Self:
        try:
            self.start_server()
            self.prefect("work-pool", "create", "raiden", "--type", "process", "--overwrite")
            self.prefect("deploy", "--all", "--prefect-file", "prefect.yaml")
            self.post("/v2/concurrency_limits/", {"name": "gpu", "limit": 1})
            self.start_worker()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End what is left of the processes that were started here, and of what they started."""
        family = list(self.started)
        for process in self.started:
            family += children_of(process)
        for one in family:
            end(one)
        psutil.wait_procs(family, timeout=10)
        self.http.close()

    def start_server(self) -> None:
        """Start the server, or start it again on the same port, and wait until it is healthy."""
        self._spawn("server", "server", "start", "--host", "127.0.0.1", "--port", str(self.port))
        wait_until(self._healthy, "the server is not healthy")

    def start_worker(self) -> None:
        """Start the worker, or another one after it."""
        self._spawn("worker", "worker", "start", "--pool", "raiden")

    def kill(self, role: str) -> None:
        """kill -9 of the server with its children, or of the worker alone: flows that it started are on their own."""
        top = psutil.Process(self.processes[role].pid)
        victims = [top, *top.children(recursive=True)] if role == "server" else [top]
        self.started += top.children(recursive=True)
        for victim in victims:
            end(victim)
        self.processes[role].wait(30)

    def prefect(self, *arguments: str) -> str:
        """A command of Prefect's, with this house's server; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "prefect", "--no-prompt", *arguments],
            cwd=self.checkout,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"prefect {' '.join(arguments)}: {done.stdout[-1500:]}{done.stderr[-1500:]}")
        return done.stdout

    def get(self, path: str) -> Any:
        """The answer to a GET of the API."""
        return self._ask("GET", path)

    def post(self, path: str, body: Any) -> Any:
        """The answer to a POST of the API."""
        return self._ask("POST", path, json=body)

    def _ask(self, method: str, path: str, **how: Any) -> Any:
        """One question; asked again while SQLite is busy, which the server says with a 503."""
        answer = self.http.request(method, path, **how)
        deadline = time.monotonic() + BUSY_SECONDS
        while answer.status_code == 503 and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            answer = self.http.request(method, path, **how)
        return answer.raise_for_status().json()

    def start_run(self, deployment: str, **parameters: Any) -> str:
        """Ask for a run of a deployment, as the UI's button does; its id."""
        found = self.get(f"/deployments/name/raiden/{deployment}")
        run: str = self.post(f"/deployments/{found['id']}/create_flow_run", {"parameters": parameters})["id"]
        return run

    def state(self, run: str) -> dict[str, Any]:
        """A run's state: `type`, `name`, `message`."""
        state: dict[str, Any] = self.get(f"/flow_runs/{run}")["state"]
        return state

    def wait(self, run: str, expected: str) -> dict[str, Any]:
        """Wait until a run is over; its state.

        Raises:
            RuntimeError: it ended otherwise, or not at all.
        """
        last: dict[str, Any] = {}

        def over() -> bool:
            nonlocal last
            try:
                last = self.state(run)
            except httpx.TransportError:
                return False  # the server is being started again
            return last["type"] in OVER

        wait_until(over, f"run {run} did not end")
        if last["type"] != expected:
            raise RuntimeError(f"run {run} is {last['type']}, not {expected}: {last['message']}")
        return last

    def cancel(self, run: str) -> None:
        """Cancel a run, as the UI's button does."""
        self.post(f"/flow_runs/{run}/set_state", {"state": {"type": "CANCELLING", "name": "Cancelling"}})

    def retry(self, run: str) -> None:
        """Run a run that is over again, as `prefect flow-run retry` and the UI's button do."""
        body = {"state": {"type": "SCHEDULED", "name": "AwaitingRetry"}, "force": True}
        self.post(f"/flow_runs/{run}/set_state", body)

    def settle(self, run: str, seconds: float = 20.0) -> None:
        """Wait until a crash has been reported twice, by the flow's runner and by its worker.

        The second report comes seconds after the first; a retry in between would be marked as crashed by it. Of a run
        that is crashed already the report changes nothing, but the worker announces that it is through with the run.
        """
        through = {
            "filter": {
                "event": {"name": ["prefect.worker.executed-flow-run"]},
                "any_resource": {"id": [f"prefect.flow-run.{run}"]},
            }
        }
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.post("/events/filter", through)["total"]:
            time.sleep(POLL_SECONDS)

    def slots_taken(self) -> int:
        """Slots of the GPU limit that somebody holds."""
        return int(self.get("/v2/concurrency_limits/gpu")["active_slots"])

    def flow_process(self, run: str) -> psutil.Process | None:
        """The process that executes a run, if there is one."""
        for process in psutil.process_iter(["pid"]):
            try:
                line = process.cmdline()
                if "prefect" in " ".join(line) and run in process.environ().values():
                    ours = [parent for parent in process.parents() if run in _environment(parent).values()]
                    top = ours[-1] if ours else process
                    if top not in self.started:
                        self.started.append(top)
                    return top
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return None

    def trainer(self, run: str) -> psutil.Process | None:
        """The process that trains for a run, if one does."""
        flow = self.flow_process(run)
        for child in children_of(flow) if flow else []:
            try:
                line = child.cmdline()
            except psutil.NoSuchProcess:
                continue
            if any(module in line for module in TRAINERS) and "accelerate.commands.launch" not in line:
                return child
        return None

    def _healthy(self) -> bool:
        try:
            return self.http.get("/health").status_code == 200
        except httpx.TransportError:
            return False

    def _spawn(self, role: str, *arguments: str) -> None:
        with (self.folder / f"{role}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "prefect", *arguments],
                cwd=self.checkout,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes[role] = process
        self.started.append(psutil.Process(process.pid))


def free_port() -> int:
    """A port of loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def children_of(process: psutil.Process) -> list[psutil.Process]:
    """All descendants of a process; none where it is gone."""
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def end(process: psutil.Process) -> None:
    """kill -9, if it is still there."""
    try:
        process.send_signal(signal.SIGKILL)
    except psutil.NoSuchProcess:
        return


def wait_until(met: Callable[[], Any], otherwise: str, seconds: float = PATIENCE, poll: float = POLL_SECONDS) -> None:
    """Poll until something is so.

    Raises:
        RuntimeError: it never was.
    """
    deadline = time.monotonic() + seconds
    while not met():
        if time.monotonic() > deadline:
            raise RuntimeError(otherwise)
        time.sleep(poll)


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return {}
