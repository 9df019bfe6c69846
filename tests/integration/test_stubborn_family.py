"""A supervised child whose own child ignores TERM: stopping it takes the supervisor's five seconds of grace."""

import os
from pathlib import Path

import psutil
import pytest

from raiden_core.processes.children import start, supervised
from tests.processes.test_children import FAMILY, family_of, is_running, python, until

pytestmark = pytest.mark.integration


def test_stopping_ends_a_child_and_all_its_descendants(tmp_path: Path) -> None:
    child = start(supervised(python(FAMILY)), tmp_path / "log", os.environ)
    family = family_of(child, tmp_path / "log")
    assert len(family) >= 2
    child.stop()
    until(lambda: not any(psutil.pid_exists(pid) and is_running(pid) for pid in family))
