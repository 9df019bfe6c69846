"""The processes behind ``raiden up``: a Prefect server with pool and deployments, a server of reports, a worker, on loopback.

Each process runs in a session of its own and outlives the command that started it. Their pids stand in
``<folder>/up.json`` together with the moments when they began, so that `stop` ends exactly those processes, and never
another one that got the same pid later. Their logs lie beside that file.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flows.server_setup import POOL, set_up
from flows.temporary_server import healthy
from raiden_core.errors import StageError, UsageError
from raiden_core.processes.children import end, free_port, is_alive, last_lines, wait_ready
from raiden_core.processes.children import start as start_child
from tasks.links import REPORTS_VARIABLE

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

HOST = "127.0.0.1"
STATE_FILE = "up.json"
REPORTS_FILE = "reports.url"
POLL_SECONDS = 0.5
START_SECONDS = 240
"""How long the server or the worker may take: the first start migrates a database."""
STOP_SECONDS = 15
"""How long a process may take to end after TERM before it is killed."""
CANCEL_SECONDS = 30
"""How long the worker gets to take down the runs that `stop` cancels."""
LOG_LINES = 5

Say = Callable[[str], None]


@dataclass(frozen=True)
class Process:
    """A process that was started here."""

    role: str
    """``server``, ``reports`` or ``worker``."""
    pid: int
    began: float
    """When it began, in seconds since the machine started: with the pid it names one process, whatever the clock does."""

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return is_alive(self.pid, self.began)


@dataclass(frozen=True)
class Services:
    """What is up."""

    port: int
    processes: tuple[Process, ...]

    @property
    def api(self) -> str:
        """Address of the API."""
        return f"http://{HOST}:{self.port}/api"

    @property
    def ui(self) -> str:
        """Address of the pages."""
        return f"http://{HOST}:{self.port}"


def running(folder: Path) -> Services | None:
    """What an earlier start left running, or None.

    Raises:
        UsageError: the state file cannot be read.
    """
    file = folder / STATE_FILE
    if not file.is_file():
        return None
    try:
        state = json.loads(file.read_text("utf-8"))
        processes = tuple(Process(**one) for one in state["processes"])
        services = Services(int(state["port"]), processes)
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{file}: is no record of started processes; end them yourself and delete the file") from None
    return services if any(process.alive for process in processes) else None


def start(folder: Path, port: int, checkout: Path, say: Say) -> Services:
    """Start server, pool, deployments and worker, and wait until all are healthy.

    Args:
        folder: where state and logs go.
        port: the server's.
        checkout: the folder of ``prefect.yaml``.
        say: told what is being done.

    Raises:
        UsageError: the port is taken.
        StageError: something did not start; what was started is stopped again.
    """
    if port_taken(port):
        raise UsageError(f"port {port} of {HOST} is taken by another program; choose another with --port")
    folder.mkdir(parents=True, exist_ok=True)
    started: list[Process] = []
    services = Services(port, ())
    environment = {**os.environ, **environment_for(services), REPORTS_VARIABLE: reports_address(folder)}
    try:
        say(f"server on {services.ui} …")
        # The server can be reached by its own address only, whatever a profile says of hosts.
        server = ["prefect", "server", "start", "--host", HOST, "--port", str(port)]
        started.append(_spawn("server", server, folder, environment))
        services = _record(folder, port, started)
        _wait("server", lambda: healthy(services.api), started[-1], folder)
        say(f"work pool {POOL}, deployments …")
        asyncio.run(_set_up(services.api, checkout))
        _prefect(["deploy", "--all", "--prefect-file", "prefect.yaml"], checkout, environment)
        say("worker, reports …")
        started.append(_spawn("reports", ["flows.report_server"], folder, environment, cwd=checkout))
        worker = ["prefect", "worker", "start", "--pool", POOL, "--name", f"raiden-up-{port}"]
        started.append(_spawn("worker", worker, folder, environment, cwd=checkout))
        services = _record(folder, port, started)
        _wait("worker", lambda: _worker_online(services.api), started[-1], folder)
    except BaseException:
        stop(folder, services, lambda _: None)
        raise
    return services


def stop(folder: Path, services: Services, say: Say) -> None:
    """Cancel what runs, then end the worker and the server with all their children, and forget them."""
    by_role = {process.role: process for process in services.processes}
    worker = by_role.get("worker")
    if worker and worker.alive and healthy(services.api):
        cancelled = asyncio.run(_cancel_runs(services.api))
        if cancelled:
            say(f"cancelled: {', '.join(cancelled)} (a new run continues from the last finished stage)")
    for role in ("worker", "reports", "server"):
        if (process := by_role.get(role)) and process.alive:
            say(f"{role} …")
            end(process.pid, process.began, STOP_SECONDS)
    (folder / STATE_FILE).unlink(missing_ok=True)


def environment_for(services: Services) -> dict[str, str]:
    """What a command needs to talk to these services."""
    return {
        "PREFECT_API_URL": services.api,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_CLI_PROMPT": "false",
        # In memory, the slots that runs hold would be lost, and taken for ever, when the server restarts.
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
    }


def port_taken(port: int) -> bool:
    """Whether somebody listens on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def reports_address(folder: Path) -> str:
    """Where reports are served: as the last time, so that links on the pages of earlier runs still open, if it is free."""
    file = folder / REPORTS_FILE
    if file.is_file() and (port := urlsplit(file.read_text("utf-8")).port) and not port_taken(port):
        return file.read_text("utf-8")
    address = f"http://{HOST}:{free_port()}/{secrets.token_urlsafe(16)}"
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as written:
        written.write(address)  # with the word in it, which is nobody else's business
    return address


def _spawn(
    role: str, arguments: list[str], folder: Path, environment: Mapping[str, str], cwd: Path | None = None
) -> Process:
    command = [sys.executable, "-m", *arguments]
    child = start_child(command, folder / f"{role}.log", environment, cwd=cwd, detached=True, append=False)
    return Process(role, child.pid, child.began)


def _record(folder: Path, port: int, started: list[Process]) -> Services:
    services = Services(port, tuple(started))
    state = {"port": port, "processes": [asdict(process) for process in started]}
    (folder / STATE_FILE).write_text(json.dumps(state, indent=2) + "\n", "utf-8")
    return services


def _prefect(arguments: list[str], checkout: Path, environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", *arguments],
        cwd=checkout,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    if done.returncode:
        words = " | ".join((done.stderr or done.stdout).strip().splitlines()[-LOG_LINES:])
        raise StageError(f"prefect {' '.join(arguments[:2])} failed: {words}")


def _wait(role: str, ready: Callable[[], bool], process: Process, folder: Path) -> None:
    log = folder / f"{role}.log"
    came = wait_ready(ready, lambda: not process.alive, START_SECONDS, poll=POLL_SECONDS)
    if came == "ended":
        raise StageError(f"the {role} ended by itself; the end of {log}: {' | '.join(last_lines(log)[-LOG_LINES:])}")
    if came == "late":
        raise StageError(f"the {role} was not ready within {START_SECONDS} s; its log: {log}")


def _worker_online(api: str) -> bool:
    return asyncio.run(_count_workers(api)) > 0


async def _set_up(api: str, checkout: Path) -> None:
    async with _client(api) as client:
        await set_up(client, checkout)


async def _count_workers(api: str) -> int:
    async with _client(api) as client:
        workers = await client.read_workers_for_work_pool(POOL)
    return sum(worker.status is not None and worker.status.value == "ONLINE" for worker in workers)


async def _cancel_runs(api: str) -> list[str]:
    """Cancel what runs or waits, and wait for the worker to take the processes down; the names of the runs."""
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
    from prefect.client.schemas.objects import StateType
    from prefect.states import Cancelled, Cancelling

    def in_state(*types: StateType) -> FlowRunFilter:
        return FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(types))))

    async with _client(api) as client:
        waiting = await client.read_flow_runs(flow_run_filter=in_state(StateType.SCHEDULED, StateType.PENDING))
        active = await client.read_flow_runs(flow_run_filter=in_state(StateType.RUNNING))
        for run in waiting:
            await client.set_flow_run_state(run.id, Cancelled(message="raiden down"), force=True)
        for run in active:
            await client.set_flow_run_state(run.id, Cancelling(message="raiden down"))
        deadline = time.monotonic() + CANCEL_SECONDS
        while time.monotonic() < deadline:
            left = await client.read_flow_runs(flow_run_filter=in_state(StateType.RUNNING, StateType.CANCELLING))
            if not left:
                break
            await asyncio.sleep(POLL_SECONDS)
    return [run.name for run in (*waiting, *active)]


def _client(api: str) -> PrefectClient:
    from prefect.client.orchestration import PrefectClient
    from prefect.settings import get_current_settings

    # Of its own accord a client for a given address knows no password.
    password = get_current_settings().api.auth_string
    return PrefectClient(api, auth_string=password.get_secret_value() if password else None)
