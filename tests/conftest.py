"""What all tests share: several processes of them may compute at once, on few cores."""

from __future__ import annotations

import gc
import sys

import pytest

from raiden_core.processes.threads import share_cores

share_cores()  # before any test imports torch
# torch, transformers and Prefect leave some millions of objects. A full collection that walks them takes half a second,
# and trainers ask for one after every run.
gc.set_threshold(50_000, 20, 50)

pytest_plugins = ["tests.support.tiny_models"]

HEAVY = ("training", "wiring", "models", "planning", "export", "tasks", "flows")
"""Rooms whose tests load torch or Prefect."""
NEW_MODULES = 200
"""So many modules imported since the last time are worth a freeze."""
_frozen = 0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Heavy rooms first: where pytest-xdist deals the first half to one process, the other loads no torch."""
    items.sort(key=lambda item: not any(part in HEAVY for part in item.path.parts))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Take what large libraries have left at their import out of the collector's sight."""
    global _frozen
    if len(sys.modules) > _frozen + NEW_MODULES:
        gc.collect()
        gc.freeze()
        _frozen = len(sys.modules)
