"""A command's folder: complete or not there at all, and never written over."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from raiden_core.cli.options import write_folder
from raiden_core.errors import StageError, UsageError


def work(folder: Path) -> Mapping[str, Any]:
    (folder / "model").mkdir()
    (folder / "model" / "weights").write_text("done")
    return {"名": "长沙", "steps": 3}


def fail(folder: Path) -> Mapping[str, Any]:
    (folder / "checkpoint").write_text("half")
    raise StageError("the disk is full")


def fail_at_once(folder: Path) -> Mapping[str, Any]:
    raise StageError("no such model")


@pytest.mark.parametrize("empty", [False, True], ids=["absent", "empty"])
def test_a_finished_folder_has_its_files_and_its_statistics(tmp_path: Path, empty: bool) -> None:
    out = tmp_path / "deep" / "out"
    if empty:
        out.mkdir(parents=True)
    assert write_folder(out, work) == {"名": "长沙", "steps": 3}
    assert (out / "model" / "weights").read_text() == "done"
    assert (out / "stats.json").read_text("utf-8") == '{\n  "名": "长沙",\n  "steps": 3\n}\n'
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_for_others_there_are_no_statistics(tmp_path: Path) -> None:
    write_folder(tmp_path / "out", work, with_stats=False)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["model"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_is_there_is_not_written_over(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "out"
    if kind == "folder":
        out.mkdir()
    (out if kind == "file" else out / "mine").write_text("mine")
    with pytest.raises(UsageError, match=r"exists already; .*name another folder$"):
        write_folder(out, work)
    assert (out if kind == "file" else out / "mine").read_text() == "mine"


@pytest.mark.parametrize(
    ("resumable", "failing", "left"),
    [
        (False, fail, []),
        (False, fail_at_once, []),
        (True, fail, [".out.partial"]),
        (True, fail_at_once, []),
    ],
)
def test_of_failed_work_only_what_somebody_can_go_on_from_is_left(
    tmp_path: Path, resumable: bool, failing: Any, left: list[str]
) -> None:
    with pytest.raises(StageError):
        write_folder(tmp_path / "out", failing, resumable=resumable)
    assert [path.name for path in tmp_path.iterdir()] == left


@pytest.mark.parametrize("resumable", [False, True])
def test_only_resumable_work_sees_what_an_earlier_try_left(tmp_path: Path, resumable: bool) -> None:
    partial = tmp_path / ".out.partial"
    partial.mkdir()
    (partial / "checkpoint").write_text("half")
    seen: list[bool] = []

    def look(folder: Path) -> Mapping[str, Any]:
        seen.append((folder / "checkpoint").exists())
        return {}

    write_folder(tmp_path / "out", look, resumable=resumable)
    assert seen == [resumable]
    assert json.loads((tmp_path / "out" / "stats.json").read_text()) == {}


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "out: the disk is full; make room and run again"),
        (errno.EROFS, "out: cannot be written (Read-only file system); name another folder"),
        (errno.ENOENT, "weights: was removed while it was in use; run again"),
    ],
)
def test_a_disk_that_takes_nothing_is_named(number: int, words: str, tmp_path: Path) -> None:
    def full(folder: Path) -> Mapping[str, Any]:
        # A full disk is noticed when a file's content is written, and then no file is named.
        name = () if number == errno.ENOSPC else (str(folder / "weights"),)
        raise OSError(number, os.strerror(number), *name)

    out = tmp_path / "out"
    with pytest.raises(StageError) as caught:
        write_folder(out, full)
    assert words in str(caught.value) and str(tmp_path) in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_an_error_about_another_place_is_not_dressed_up(tmp_path: Path) -> None:
    def unreadable(_folder: Path) -> Mapping[str, Any]:
        raise PermissionError(errno.EACCES, "Permission denied", "/data/train.json")

    with pytest.raises(PermissionError, match=r"/data/train\.json"):
        write_folder(tmp_path / "out", unreadable)
