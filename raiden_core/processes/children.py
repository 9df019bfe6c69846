"""Child processes of ours: started with a log, waited for, quoted when they fail, and ended with all their descendants.

    child = start(supervised(["sglang", …]), log, environment)
    try:
        came = wait_ready(lambda: answers(url), child.has_ended, seconds=600)
        ...
    finally:
        child.stop()

A child that must not outlive this process runs under raiden_core.processes.supervisor (`supervised`); one that shall
outlive it gets a session of its own (``detached``), and is found again by its pid and the moment when it began.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

POLL_SECONDS = 0.5
"""Whether a child is ready, or has ended, is looked at so often."""
STOP_SECONDS = 30.0
"""How long a child may take to end after TERM before it is killed: a supervisor needs ten for stubborn descendants."""
TAIL_BYTES = 1 << 16
"""So much of the end of a log is read."""

SAME_SECONDS = 1.5
"""Two moments so near are the same one: the machine's start is known in whole seconds, and may be read just as it changes."""
_TERMINAL_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class Child:
    """A process that was started here."""

    process: subprocess.Popen[bytes]
    log: Path
    began: float
    """When it began (`began`): with the pid it names one process until the machine starts again."""

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def has_ended(self) -> bool:
        """Whether it is over."""
        return self.process.poll() is not None

    def ended_within(self, seconds: float) -> bool:
        """Whether it ends in so many seconds."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs."""
        return self.process.poll()

    def resume(self) -> None:
        """Continue it and its descendants where something stopped them (SIGSTOP)."""
        for one in _family(self.pid):
            _send(one.resume)

    def signal_descendant(self, pid: int, number: int) -> bool:
        """Send a signal to one of its descendants; False when it has none with that pid."""
        for one in _family(self.pid):
            if one.pid == pid:
                try:
                    if one.status() != psutil.STATUS_ZOMBIE:
                        one.send_signal(number)
                        return True
                except psutil.NoSuchProcess:
                    pass  # it ended in between
        return False

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """End it, unless it has ended: TERM, ``seconds``, KILL for it and for what is left of its descendants."""
        if self.has_ended():
            return
        family = _family(self.pid)
        self.process.terminate()
        if not self.ended_within(seconds):
            _kill(family)
            self.process.wait()


def supervised(command: Sequence[str]) -> list[str]:
    """The command under a supervisor that ends all its descendants when this process ends, however that happens."""
    return [sys.executable, "-m", "raiden_core.processes.supervisor", "--", *command]


def start(
    command: Sequence[str],
    log: Path,
    environment: Mapping[str, str],
    *,
    cwd: Path | None = None,
    detached: bool = False,
    append: bool = True,
    private: bool = False,
) -> Child:
    """Start a command without input, its output going to a log.

    Args:
        command: the words of the command line.
        log: the file for standard output and standard error; its folder is made.
        environment: the whole environment of the command.
        cwd: where it runs; None: here.
        detached: it gets a session of its own, and outlives this process.
        append: keep what the log holds already.
        private: nobody else may read the log, since programs print their arguments, and so keys that were given to them.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    how = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if append else os.O_TRUNC)
    with open(os.open(log, how, 0o600 if private else 0o666), "ab" if append else "wb") as sink:
        process = subprocess.Popen(
            list(command),
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=detached,
        )
    return Child(process, log, began(process.pid))


def wait_ready(
    ready: Callable[[], bool],
    has_ended: Callable[[], bool],
    seconds: float,
    tell: Callable[[float], None] = lambda waited: None,
    *,
    poll: float = POLL_SECONDS,
) -> Literal["ready", "ended", "late"]:
    """Wait until a child is ready, has ended, or ``seconds`` are over.

    ``ready`` is called in a thread of its own: a look that takes long hides neither the child's end nor the time that
    passes, which ``tell`` is told in seconds.
    """
    entered = time.monotonic()
    pool = ThreadPoolExecutor(1)
    try:
        looking = pool.submit(ready)
        while True:
            waited = time.monotonic() - entered
            if looking.done():
                if looking.result():
                    return "ready"
                looking = pool.submit(ready)
            if has_ended():
                return "ended"
            if waited > seconds:
                return "late"
            tell(waited)
            time.sleep(poll)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now, for a server that cannot choose one itself."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def last_lines(log: Path) -> list[str]:
    """The lines at the end of a log that say something, without terminal codes; none where there is no log."""
    if not log.is_file():
        return []
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL_BYTES))
        text = file.read().decode("utf-8", "replace").replace("\r", "\n")
    lines = (line.strip() for line in _TERMINAL_CODES.sub("", text).splitlines())
    return [line for line in lines if line]


def began(pid: int) -> float:
    """When a process began, in seconds since the machine started.

    Not in seconds since 1970: when the clock is set, the moments of all processes that run move with it.

    Raises:
        psutil.NoSuchProcess: there is no such process.
    """
    return psutil.Process(pid).create_time() - psutil.boot_time()


def is_alive(pid: int, since: float) -> bool:
    """Whether the process that had this pid, and began then, still runs."""
    try:
        return abs(began(pid) - since) < SAME_SECONDS and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def end(pid: int, since: float, seconds: float) -> None:
    """End a process that an earlier command started, and its descendants: TERM, ``seconds``, KILL."""
    if not is_alive(pid, since):
        return
    family = _family(pid)
    for one in family[:1]:
        _send(one.terminate)  # it ends its children; those that are left are killed
    _, left = psutil.wait_procs(family, timeout=seconds)
    _kill(left)
    psutil.wait_procs(left, timeout=seconds)


def _family(pid: int) -> list[psutil.Process]:
    try:
        top = psutil.Process(pid)
        return [top, *top.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _kill(processes: Sequence[psutil.Process]) -> None:
    for one in processes:
        _send(one.kill)


def _send(signal: Callable[[], None]) -> None:
    try:
        signal()
    except psutil.NoSuchProcess:
        return  # it has ended by itself, which is what is wanted
