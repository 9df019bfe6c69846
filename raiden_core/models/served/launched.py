"""Starts the teacher's server for the time of generation, and stops it with all its children.

    with launched(config.teacher.launch, config.teacher.endpoints["teacher"], out / "server.log", progress) as server:
        …  # the endpoint answers; ``server.has_ended()`` tells whether it still can

A model of hundreds of gigabytes and the student do not fit on the same GPUs, so the server must be gone when training
begins, however generation ended: it runs under raiden_core.processes.supervisor, which takes every descendant down with it, also
when this process is killed. What the server prints goes to ``log``. Without ``teacher.launch`` nothing is started,
and the endpoint is somebody else's server.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from raiden_core.config.secrets import REFERENCE
from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.config.sections.teacher import ServerConfig
from raiden_core.errors import ConfigError, StageError
from raiden_core.models.served.listing import fetch_models, get
from raiden_core.processes.children import Child, last_lines, start, supervised, wait_ready
from raiden_core.stages.progress import Progress

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
POLL_SECONDS = 0.5
ANSWER_SECONDS = 20.0
"""How long one look at the server may take: `/health_generate` generates a token."""
END_SECONDS = 2.0
"""How long after the server's end the supervisor may take to end as well."""
TAIL_LINES, TAIL_LETTERS = 6, 240
"""What of the log an error quotes."""

_ERROR_LINE = re.compile(r"error|exception|failed|killed|out of memory|no such", re.IGNORECASE)


@contextmanager
def launched(
    server: ServerConfig | None,
    endpoint: EndpointConfig,
    log: Path,
    progress: Progress,
    *,
    environment: Mapping[str, str] = os.environ,
) -> Iterator[Child | None]:
    """Run the server while the body runs; None where nothing is started.

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
        yield None
        return
    host, port = _address(server, endpoint)
    _check_free(host, port)
    program = shutil.which(server.command[0], path=environment.get("PATH"))
    if program is None:
        raise ConfigError(f"teacher.launch.command: {server.command[0]}: no such program, or it may not be executed")
    key = environment.get(endpoint.api_key_env, "") if endpoint.api_key_env else ""
    arguments = [_filled(word, environment) for word in server.command[1:]]
    child = start(supervised([program, *arguments]), log, environment, private=True)
    try:
        _wait_until_ready(child, server, f"http://{_bracketed(host)}:{port}", key, progress)
        _check_model(endpoint, key)
        try:
            yield child
        except StageError as error:
            # The supervisor needs a moment to clear up after the server.
            if not child.ended_within(END_SECONDS):
                raise
            raise StageError(
                f"the teacher's server ended with exit code {child.code} during generation; run again, "
                f"what it had answered is kept; the end of {log}: {_tail(log, key)}"
            ) from error
    finally:
        child.stop()


def _filled(word: str, environment: Mapping[str, str]) -> str:
    """An argument whose ``$NAME``, or the one after its ``=``, is replaced: a key stands in the environment only."""
    option, equals, value = word.rpartition("=")
    if not REFERENCE.fullmatch(value):
        return word
    name = value.strip("${}")
    if name not in environment:
        raise ConfigError(f"teacher.launch.command: the environment has no variable {name}; set it")
    return f"{option}{equals}{environment[name]}"


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


def _wait_until_ready(child: Child, server: ServerConfig, base: str, key: str, progress: Progress) -> None:
    began = time.monotonic()
    url, most = base + server.ready_path, server.ready_seconds

    def tell(waited: float) -> None:
        progress(int(waited), int(most), f"s (at most) until the teacher's server is ready; log: {child.log}")

    def ready() -> bool:
        return get(url, key, min(ANSWER_SECONDS, most)).status == 200

    came = wait_ready(ready, child.has_ended, most, tell, poll=POLL_SECONDS)
    waited = time.monotonic() - began
    if came == "ended":
        raise StageError(
            f"the teacher's server ended with exit code {child.code} after {waited:.0f} s, while loading; "
            f"the end of {child.log}: {_tail(child.log, key)}"
        )
    if came == "late":
        raise StageError(
            f"the teacher's server was not ready after {waited:.0f} s ({url}); raise "
            f"teacher.launch.ready_seconds if it only needs longer; the end of {child.log}: {_tail(child.log, key)}"
        )


def _check_model(endpoint: EndpointConfig, key: str) -> None:
    url = f"{endpoint.url.rstrip('/')}/models"
    listing = fetch_models(endpoint.url, key, ANSWER_SECONDS)
    if listing.trouble == "key":
        raise ConfigError(
            f"{url}: the teacher's server answered {listing.said}; put the key's variable into api_key_env"
        )
    if listing.trouble in ("status", "missing"):
        raise ConfigError(f"{url}: the teacher's server answered {listing.said}")
    if listing.trouble is not None:
        raise StageError(f"{url}: no list of models ({listing.said}); is this an OpenAI server?")
    if endpoint.model not in listing.names:
        raise ConfigError(
            f"{url}: the teacher's server has {listing.shown() or 'no model'}, not {endpoint.model}; correct the "
            f"endpoint's model, or add --served-model-name {endpoint.model} to teacher.launch.command"
        )


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _tail(log: Path, key: str) -> str:
    """The end of a log in one line: from the last line that names an error, where one does."""
    lines = [(line.replace(key, "•••") if key else line)[:TAIL_LETTERS] for line in last_lines(log)]
    told = [line for line in lines if _ERROR_LINE.search(line)][-2:]
    last = lines[-TAIL_LINES:]
    return " | ".join([line for line in told if line not in last] + last) or "nothing was printed"
