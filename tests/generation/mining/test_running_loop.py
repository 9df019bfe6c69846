"""Mining from a notebook, where an event loop runs already, and from a script."""

from __future__ import annotations

import asyncio
import threading

import pytest

from raiden_core.errors import StageError
from raiden_core.generation.mining.session import _run


async def work() -> str:
    await asyncio.sleep(0)
    return threading.current_thread().name


async def fail() -> str:
    raise StageError("no server")


def test_a_coroutine_runs_here_or_beside_a_loop_that_runs_already() -> None:
    async def notebook() -> str:
        return _run(work)

    assert _run(work) == threading.current_thread().name
    assert asyncio.run(notebook()) == "teacher"


@pytest.mark.parametrize("inside", [False, True], ids=["script", "notebook"])
def test_its_error_is_the_callers(inside: bool) -> None:
    async def notebook() -> str:
        return _run(fail)

    with pytest.raises(StageError, match="no server"):
        asyncio.run(notebook()) if inside else _run(fail)
