"""Calls on all cores: in order, with their errors, and without anything left behind."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psutil
import pytest

from raiden_core.errors import DataError, StageError
from raiden_core.processes.workers import Workers


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Workers:
    """Two processes, however many cores there are."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    return Workers()


def test_results_come_in_the_order_of_the_calls_and_processes_stay_and_end(workers: Workers) -> None:
    with workers:
        assert workers.map(divmod, [(number, 7) for number in range(20)]) == [divmod(number, 7) for number in range(20)]
        first = set(workers.map(_pid, [()] * 6))
        assert os.getpid() not in first
        assert set(workers.map(_pid, [()] * 6)) <= first | {process.pid for process in workers._processes}
        assert len(workers._processes) == 2
        assert workers.map(_pid, [()]) == [os.getpid()], "a single call is made here"
        pids = [process.pid for process in workers._processes]
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_an_error_for_the_user_arrives_and_a_process_that_dies_is_told(workers: Workers) -> None:
    with workers, pytest.raises(DataError, match=r"no\.jsonl: no such file"):
        workers.map(_read, [("no.jsonl",), ("no.jsonl",)])
    with workers, pytest.raises(StageError, match="ended with code 3 and no answer"):
        workers.map(sys.exit, [(3,), (3,)])


def _pid() -> int:
    return os.getpid()


def _read(path: str) -> int:
    from raiden_core.samples import read_samples

    return len(read_samples(Path(path)))
