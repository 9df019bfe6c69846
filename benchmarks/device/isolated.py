"""A function in a process of its own: with memory of its own, a limit of time, and nothing lost when it crashes.

Imports of torch, transformers and TRL take ten seconds, so children are forked from a parent that has done them. A child
cannot use the GPU once its parent has, not even by asking how many there are; where a fork turns out to be unable to,
children are started from nothing.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

LAST_LINE = 300
"""Characters of a failure that are kept."""
STOP_SECONDS = 10


class Failed(RuntimeError):
    """The function raised, was stopped at its limit, or its process died; the message says which."""


def isolated(work: Callable[..., Any], arguments: tuple[Any, ...], *, log: Path, limit_s: float, start: str) -> Any:
    """What ``work(*arguments)`` returns, done in another process.

    Args:
        work: a function of a module; what it returns can be pickled.
        arguments: of the function.
        log: what the process prints goes there.
        limit_s: seconds after which the process is stopped.
        start: ``fork`` or ``spawn``.

    Raises:
        Failed: nothing came back.
    """
    context: Any = multiprocessing.get_context(start)
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(there, log, work, arguments))
    process.start()
    there.close()
    try:
        if not here.poll(limit_s):
            raise Failed(f"stopped after {limit_s:.0f} s")
        return here.recv()
    except EOFError:
        process.join(STOP_SECONDS)
        raise Failed(f"exit code {process.exitcode}: {_last_line(log)}") from None
    finally:
        _end(process)
        here.close()


def way_to_start(log: Path) -> str:
    """``fork`` where a forked child can use the GPU (or there is none), else ``spawn``."""
    try:
        isolated(_touch_device, (), log=log, limit_s=60, start="fork")
    except Failed:
        return "spawn"
    return "fork"


def _touch_device() -> bool:
    import torch

    found = torch.cuda.is_available()
    torch.ones(8, device="cuda" if found else "cpu").sum().item()
    return found


def _child(answer: Connection, log: Path, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    with log.open("ab") as file:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    answer.send(work(*arguments))
    answer.close()


def _end(process: Any) -> None:
    process.join(STOP_SECONDS)
    if process.is_alive():
        process.terminate()
        process.join(STOP_SECONDS)
    if process.is_alive():
        process.kill()
        process.join(STOP_SECONDS)


def _last_line(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").strip().splitlines() if log.is_file() else []
    return lines[-1][:LAST_LINE] if lines else "it said nothing"
