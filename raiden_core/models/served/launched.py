"""Starts the teacher's server for the time of generation, and stops it with all its children.

    with launched(config.teacher.launch, config.teacher.endpoints["teacher"], out / "server.log", progress):
        …  # the endpoint answers

A model of hundreds of gigabytes and the student do not fit on the same GPUs, so the server must be gone when training
begins, however generation ended: it runs under raiden_core.processes.supervisor, which takes every descendant down with it, also
when this process is killed. What the server prints goes to ``log``. Without ``teacher.launch`` nothing is started,
and the endpoint is somebody else's server.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.config.sections.teacher import ServerConfig
from raiden_core.errors import ConfigError, StageError
from raiden_core.stages.progress import Progress

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
POLL_SECONDS = 0.5
ANSWER_SECONDS = 20.0
"""How long one look at the server may take: `/health_generate` generates a token."""
END_SECONDS = 2.0
"""How long after the server's end the supervisor may take to end as well."""
STOP_SECONDS = 30.0
"""How long the supervisor may take; it needs ten for children that ignore TERM."""
TAIL_BYTES, TAIL_LINES, TAIL_LETTERS = 1 << 16, 6, 240
"""What of the log an error quotes."""

_TERMINAL_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
_ERROR_LINE = re.compile(r"error|exception|failed|killed|out of memory|no such", re.IGNORECASE)
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@contextmanager
def launched(
    server: ServerConfig | None,
    endpoint: EndpointConfig,
    log: Path,
    progress: Progress,
    *,
    environment: Mapping[str, str] = os.environ,
) -> Iterator[None]:
    """Run the server while the body runs.

    Args:
        server: what to start; None: nothing, the endpoint is served already.
        endpoint: where it will be reached, and the name of its model.
        log: file that takes what the server prints; it is appended to.
        progress: told the seconds waited and the most that will be.
        environment: the server's environment, where the endpoint's key is looked up as well.

    Raises:
        ConfigError: the command cannot be started, or serves another model or another port than the endpoint names.
        StageError: the port is taken, or the server died or was not ready in time; the message quotes its log.
    """
    if server is None:
        yield
        return
    host, port = _address(server, endpoint)
    _check_free(host, port)
    program = shutil.which(server.command[0], path=environment.get("PATH"))
    if program is None:
        raise ConfigError(f"teacher.launch.command: {server.command[0]}: no such program, or it may not be executed")
    key = environment.get(endpoint.api_key_env, "") if endpoint.api_key_env else ""
    log.parent.mkdir(parents=True, exist_ok=True)
    # Servers print their arguments, and so a key that was given to them: nobody else may read this file.
    with open(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "raiden_core.processes.supervisor", "--", program, *server.command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=dict(environment),
        )
    try:
        _wait_until_ready(process, server, f"http://{_bracketed(host)}:{port}", log, key, progress)
        _check_model(endpoint, key)
        try:
            yield
        except StageError as error:
            if not _ended(process):
                raise
            raise StageError(
                f"the teacher's server ended with exit code {process.returncode} during generation; run again, "
                f"what it had answered is kept; the end of {log}: {_tail(log, key)}"
            ) from error
    finally:
        _stop(process)


def _address(server: ServerConfig, endpoint: EndpointConfig) -> tuple[str, int]:
    """Host and port of the endpoint, checked against the command line."""
    parts = urlsplit(endpoint.url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise ConfigError(f"teacher.endpoints: {endpoint.url}: the port is not a number") from None
    host = parts.hostname or ""
    if host not in LOOPBACK:
        raise ConfigError(
            f"teacher.endpoints: {endpoint.url}: teacher.launch starts a server on this machine; "
            "write http://127.0.0.1:PORT/v1, or set teacher.launch to null to use the server at that URL"
        )
    told = _option(server.command, "--port")
    if told is not None and told != str(port):
        raise ConfigError(
            f"teacher.launch.command: --port {told}, but the endpoint's URL is {endpoint.url}; make them equal"
        )
    return host, port


def _option(command: Sequence[str], name: str) -> str | None:
    for place, word in enumerate(command):
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
        if word == name and place + 1 < len(command):
            return command[place + 1]
    return None


def _check_free(host: str, port: int) -> None:
    try:
        socket.create_connection((host, port), timeout=ANSWER_SECONDS).close()
    except OSError:
        return  # nobody listens
    raise StageError(
        f"port {port} is taken already{_holder(port)}; stop that server, or set teacher.launch to null to use it, "
        "or choose another port in teacher.launch.command and in the endpoint's URL"
    )


def _holder(port: int) -> str:
    """Who listens on a port, as far as the system tells."""
    import psutil

    try:
        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN:
                if connection.pid is None:
                    return ""
                return f" by process {connection.pid} ({psutil.Process(connection.pid).name()})"
    except psutil.Error:
        return ""
    return ""


def _wait_until_ready(
    process: subprocess.Popen[bytes], server: ServerConfig, base: str, log: Path, key: str, progress: Progress
) -> None:
    started = time.monotonic()
    while True:
        waited = time.monotonic() - started
        if process.poll() is not None:
            raise StageError(
                f"the teacher's server ended with exit code {process.returncode} after {waited:.0f} s, while loading; "
                f"the end of {log}: {_tail(log, key)}"
            )
        if waited > server.ready_seconds:
            raise StageError(
                f"the teacher's server was not ready after {waited:.0f} s ({base}{server.ready_path}); raise "
                f"teacher.launch.ready_seconds if it only needs longer; the end of {log}: {_tail(log, key)}"
            )
        progress(int(waited), int(server.ready_seconds), f"s (at most) until the teacher's server is ready; log: {log}")
        if _status(base + server.ready_path, key, min(ANSWER_SECONDS, server.ready_seconds)) == 200:
            return
        time.sleep(POLL_SECONDS)


def _check_model(endpoint: EndpointConfig, key: str) -> None:
    url = f"{endpoint.url.rstrip('/')}/models"
    try:
        with _opener.open(_request(url, key), timeout=ANSWER_SECONDS) as reply:
            listed = [str(model["id"]) for model in json.load(reply)["data"]]
    except urllib.error.HTTPError as error:
        hint = "; put the key's variable into api_key_env" if error.code in (401, 403) else ""
        raise ConfigError(f"{url}: the teacher's server answered {error.code}{hint}") from None
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
        raise StageError(f"{url}: no list of models ({type(error).__name__}); is this an OpenAI server?") from None
    if endpoint.model not in listed:
        raise ConfigError(
            f"{url}: the teacher's server has {', '.join(listed) or 'no model'}, not {endpoint.model}; correct the "
            f"endpoint's model, or add --served-model-name {endpoint.model} to teacher.launch.command"
        )


def _status(url: str, key: str, timeout: float) -> int:
    try:
        with _opener.open(_request(url, key), timeout=timeout) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, http.client.HTTPException):
        return 0  # not listening yet, or cut off while it starts


def _request(url: str, key: str) -> urllib.request.Request:
    return urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"} if key else {})


def _ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether the server is gone; the supervisor needs a moment to clear up after it."""
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _tail(log: Path, key: str) -> str:
    """The end of a log in one line: from the last line that names an error, where one does."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL_BYTES))
        text = file.read().decode("utf-8", "replace")
    text = _TERMINAL_CODES.sub("", text.replace(key, "•••") if key else text)
    lines = [line.strip()[:TAIL_LETTERS] for line in text.splitlines() if line.strip()]
    told = [line for line in lines if _ERROR_LINE.search(line)][-2:]
    last = lines[-TAIL_LINES:]
    return " | ".join([line for line in told if line not in last] + last) or "nothing was printed"
