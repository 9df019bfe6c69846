"""What `raiden run` looks at before it starts a temporary server."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from flows.run_command import HOME_BYTES, check_home
from raiden_core.errors import ConfigError, StageError


def test_a_home_that_can_be_written_is_made(tmp_path: Path) -> None:
    check_home(tmp_path / "a" / "home")
    assert (tmp_path / "a" / "home").is_dir() and not list((tmp_path / "a" / "home").iterdir())


def test_a_home_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"file/home: Prefect's folder cannot be written .*PREFECT_HOME"):
        check_home(tmp_path / "file" / "home")


def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=HOME_BYTES - 1))
    with pytest.raises(StageError, match=r"the disk is full; .*PREFECT_HOME"):
        check_home(tmp_path)
