"""Calls that share nothing, on all cores.

    with Workers() as workers:
        results = workers.map(work, [(part,), …])

Each worker is a fresh interpreter that takes one call after the other, so it needs neither a main module that can be
imported (as multiprocessing's spawned ones do) nor a process without threads (as forked ones do), and the kernel ends it
with its parent. A call and its result are pickled: ``work`` is a function of a module, and results are best kept small.
"""

from __future__ import annotations

import gc
import os
import pickle
import queue
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from raiden_core.errors import RaidenError, StageError
from raiden_core.processes.supervisor import end_with_parent
from raiden_core.processes.threads import usable_cores

Result = TypeVar("Result")


class Workers:
    """Processes that take calls; they start with the first calls that are several, and end with the block."""

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []
        self._count = usable_cores()

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
            process.communicate()
        self._processes = []

    def map(self, work: Callable[..., Result], calls: Sequence[tuple[Any, ...]]) -> list[Result]:
        """What ``work`` returns for each call, in their order; a single call is made here.

        Once a call has failed no other begins; of those that fail, the error of the first in their order is raised.

        Raises:
            RaidenError: a call raised it, or a process ended without an answer.
            OSError: a call raised it.
        """
        count = min(len(calls), self._count)
        if count < 2:
            return [work(*call) for call in calls]
        while len(self._processes) < count:
            # In this thread: the kernel ends a child with the thread that it was started in.
            self._processes.append(_started())
        todo: queue.SimpleQueue[int] = queue.SimpleQueue()
        for number in range(len(calls)):
            todo.put(number)
        results: dict[int, Result] = {}
        failed: dict[int, RaidenError | OSError] = {}

        def serve(process: subprocess.Popen[bytes]) -> None:
            while not failed:
                try:
                    number = todo.get_nowait()
                except queue.Empty:
                    return
                try:
                    results[number] = _ask(process, work, calls[number])
                except (RaidenError, OSError) as error:
                    failed[number] = error

        with ThreadPoolExecutor(count) as pool:
            try:
                for one in [pool.submit(serve, process) for process in self._processes[:count]]:
                    one.result()
            except BaseException:
                # Ctrl-C: the pool waits for its threads, and they wait for the processes.
                for process in self._processes:
                    process.kill()
                raise
        if failed:
            raise failed[min(failed)]
        return [results[number] for number in range(len(calls))]


def _started() -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-m", __name__]
    return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _ask(worker: subprocess.Popen[bytes], work: Callable[..., Result], call: tuple[Any, ...]) -> Result:
    assert worker.stdin is not None
    assert worker.stdout is not None
    try:
        pickle.dump((work, call), worker.stdin, pickle.HIGHEST_PROTOCOL)
        worker.stdin.flush()
        fine, result = pickle.load(worker.stdout)
    except (EOFError, BrokenPipeError, pickle.UnpicklingError):  # the last: it ended within its answer
        code = worker.wait()
        # Who is killed has no last words; anything else has written its traceback.
        why = "it may have been out of memory" if code < 0 else "standard error says why"
        raise StageError(
            f"a process for {work.__name__.strip('_').replace('_', ' ')} ended with code {code} and no answer; {why}"
        ) from None
    if not fine:
        raise result
    return result  # type: ignore[no-any-return]


def _answer() -> None:
    """Take calls from standard input until it ends."""
    end_with_parent(signal.SIGKILL)
    # A terminal sends Ctrl-C to this process too; the parent ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Nothing that a call prints may come between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    # Rows and what is made of them hold no cycles, and looking for some takes a third of the time.
    gc.disable()
    while True:
        try:
            work, call = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            answer = (True, work(*call))
        except (RaidenError, OSError) as error:
            answer = (False, error)
        pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()


if __name__ == "__main__":
    _answer()
