"""A training script on a full disk, started as a run starts it."""

import os
from pathlib import Path

import pytest

from raiden_core.config.sections.training import LaunchConfig
from raiden_core.errors import StageError
from raiden_core.stages.progress import silent
from raiden_core.training.launch.accelerate import run_script

pytestmark = pytest.mark.integration


def test_a_full_disk_is_named_even_where_the_script_could_not_write_its_error(tmp_path: Path) -> None:
    module = tmp_path / "full_disk.py"
    module.write_text("raise OSError(28, 'No space left on device')\n", "utf-8")
    (tmp_path / "out").mkdir()
    environment = os.environ.get("PYTHONPATH", "")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{environment}")
        with pytest.raises(StageError, match="the disk is full"):
            run_script("full_disk", {}, LaunchConfig(), tmp_path / "out", silent)
