"""Training scripts in processes that kill themselves at a chosen place: the kill is real, the imports are paid once.

The processes come from Python's fork server, which has imported the trainers and computed nothing. The test process
itself must not be forked: once torch's threads have worked in it, a child of it crashes as soon as it computes.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import pkgutil
import signal
from pathlib import Path
from typing import Any, NamedTuple

import yaml

SECONDS = 300
"""One training may take at most."""

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["torch", "trl", "raiden_core.training.hooks.resuming"])


class Kill(NamedTuple):
    """A process ends itself by SIGKILL when it calls this for the n-th time."""

    owner: str
    """What holds the function, as `pkgutil.resolve_name` reads it."""
    function: str
    call: int = 1


def start(module: str, job: dict[str, Any]) -> None:
    """Run ``raiden_core.training.<module>`` on a job, in this process."""
    path = Path(job["output_dir"]).with_suffix(".yaml")
    path.write_text(yaml.safe_dump(job), "utf-8")
    importlib.import_module(f"raiden_core.training.{module}").main([str(path)])


def run(module: str, job: dict[str, Any], *kills: Kill) -> int:
    """Run it in a process of its own; the signal that ended it, or 0 where it came to its end."""
    process = _SERVER.Process(target=_armed, args=(module, job, kills))
    process.start()
    process.join(SECONDS)
    assert process.exitcode is not None, f"{module} still runs after {SECONDS} s"
    assert process.exitcode <= 0, "the script failed; see its output"
    return -process.exitcode


def _armed(module: str, job: dict[str, Any], kills: tuple[Kill, ...]) -> None:
    for kill in kills:
        _arm(kill)
    start(module, job)


def _arm(kill: Kill) -> None:
    owner = pkgutil.resolve_name(kill.owner)
    usual, calls = getattr(owner, kill.function), iter(range(1, 1000))

    def killing(*arguments: Any, **named: Any) -> Any:
        if next(calls) == kill.call:
            os.kill(os.getpid(), signal.SIGKILL)
        return usual(*arguments, **named)

    setattr(owner, kill.function, killing)
