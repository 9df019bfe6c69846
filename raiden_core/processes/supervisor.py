"""Run a command so that nothing of it outlives its parent: ``python -m raiden_core.processes.supervisor -- COMMAND…``.

A Prefect flow that is cancelled, killed or interrupted must take its trainer and all the trainer's ranks with it.
Process groups do not give that: launchers put their workers into sessions of their own. So this small process stays
in its parent's group, asks the kernel to be told when the parent dies (PR_SET_PDEATHSIG), adopts orphans
(PR_SET_CHILD_SUBREAPER) and, when told to stop, ends every descendant: TERM, a grace, KILL. Linux only; elsewhere
it ends what it can see when it is told to.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from types import FrameType

import psutil

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
GRACE_SECONDS = 5.0
"""How long descendants may take to end after TERM before they are killed."""


class _Stop(Exception):
    """Raised by the signal handler, so that waiting ends at once."""


def main(argv: list[str]) -> int:
    """Run ``argv`` after ``--`` and return its exit code (128 + signal when told to stop)."""
    command = argv[argv.index("--") + 1 :]
    parent = os.getppid()
    if sys.platform == "linux":
        end_with_parent(signal.SIGTERM)
        _prctl(PR_SET_CHILD_SUBREAPER, 1)
        if os.getppid() != parent:  # the parent died before the kernel knew
            return 128 + signal.SIGTERM
    received = 0

    def stop(number: int, _frame: FrameType | None) -> None:
        nonlocal received
        if not received:
            received = number
            raise _Stop

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        code = subprocess.Popen(command, start_new_session=True).wait()
    except _Stop:
        code = 128 + received
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # nothing may keep what comes now from its end
    end_descendants()
    return code if code >= 0 else 128 - code


def end_with_parent(number: signal.Signals) -> None:
    """Have the kernel send this process a signal when its parent ends (Linux; elsewhere nothing happens)."""
    if sys.platform == "linux":
        _prctl(PR_SET_PDEATHSIG, number)


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def end_descendants() -> None:
    """End every descendant of this process: TERM, `GRACE_SECONDS`, KILL."""
    children = psutil.Process().children(recursive=True)
    for child in children:
        _signal(child, signal.SIGTERM)
    psutil.wait_procs(children, timeout=GRACE_SECONDS)
    left = psutil.Process().children(recursive=True)
    for child in left:
        _signal(child, signal.SIGKILL)
    psutil.wait_procs(left, timeout=GRACE_SECONDS)


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return  # it ended by itself in the meantime, which is what we want


if __name__ == "__main__":
    sys.exit(main(sys.argv))
