"""Torch's threads on a machine that has other work.

A thread that waits for the others of its team spins before it sleeps. GNU's OpenMP, which torch's wheels bring, spins
for seconds where there are as many threads as cores: alone that costs nothing, but beside one other busy process the
spinning threads keep the awaited one from its core. Measured with the nano student and two threads on two cores: a
training step took 0.29 s alone and 8 s beside other work; with a short spin 0.28 s and 2.5 s.
"""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping

SPINS = "1000"
"""Rounds of waiting before a thread sleeps: tens of microseconds, as long as the small steps between two kernels."""


def usable_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def share_cores(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let waiting threads sleep soon, unless the user has said how they shall wait.

    It counts only before torch is imported: the OpenMP library reads its environment once, when it is loaded.
    """
    if "OMP_WAIT_POLICY" not in environment:
        environment.setdefault("GOMP_SPINCOUNT", SPINS)
