"""Folders of stages: whole or not there, found again by key, never overwritten."""

import errno
import json
import multiprocessing
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from raiden_core.errors import StageError
from raiden_core.stages.folder import StageResult, damage, find_result
from raiden_core.stages.run import run_stage, stage_key

KEY = "0123456789abcdef" * 4
NAME = f"split-{KEY[:12]}"


def write(folder: Path) -> Mapping[str, Any]:
    (folder / "inner").mkdir(exist_ok=True)
    (folder / "data.txt").write_text("hello")
    (folder / "inner" / "manifest.json").write_text("{}")
    return {"rows": 3}


def stage(out: Path, work: Callable[[Path], Mapping[str, Any]] = write, key: str = KEY, **how: Any) -> StageResult:
    return run_stage("split", key, output_dir=out, inputs={"a": "1"}, section={"b": 2}, work=work, **how)


def never(_folder: Path) -> Mapping[str, Any]:
    raise AssertionError("the work was done again")


def test_a_folder_with_its_final_name_is_whole_and_says_what_it_is(tmp_path: Path) -> None:
    result = stage(tmp_path)
    assert result.folder == tmp_path / NAME and not result.found
    assert result.stats == {"rows": 3}
    manifest = result.manifest
    assert set(manifest["outputs"]) == {"data.txt", "inner/manifest.json", "stats.json"}
    assert (manifest["inputs"], manifest["config"], manifest["key"]) == ({"a": "1"}, {"b": 2}, KEY)
    assert "python" in manifest["versions"]
    assert damage(result.folder) is None
    assert not list(tmp_path.glob("*.partial")) and not list(tmp_path.glob(".*.partial"))


def test_the_same_key_is_found_without_work(tmp_path: Path) -> None:
    first = stage(tmp_path)
    again = stage(tmp_path, never)
    assert again.found and again.folder == first.folder and again.manifest_sha256 == first.manifest_sha256
    assert find_result(tmp_path, "split", "f" * 64) is None
    assert find_result(tmp_path, "train", KEY) is None


def test_a_key_that_only_begins_alike_is_another(tmp_path: Path) -> None:
    stage(tmp_path)
    other = stage(tmp_path, key=KEY[:12] + "f" * 52)
    assert not other.found and other.folder.name == f"{NAME}-2"
    assert stage(tmp_path, never).folder.name == NAME


def edit(folder: Path) -> None:
    (folder / "data.txt").write_text("hullo")


def delete(folder: Path) -> None:
    (folder / "inner" / "manifest.json").unlink()


def lose_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def break_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_bytes(b"\xff{")


def empty_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_text('{"outputs": {}}')


@pytest.mark.parametrize("harm", [edit, delete, lose_manifest, break_manifest, empty_manifest])
def test_a_folder_that_was_changed_is_made_anew_beside_it(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    first = stage(tmp_path)
    record = first.model_dump_json()
    assert StageResult.model_validate_json(record) == first
    harm(first.folder)
    with pytest.raises(ValueError, match=NAME):
        StageResult.model_validate_json(record)
    second = stage(tmp_path)
    assert not second.found and second.folder.name == f"{NAME}-2"
    assert first.folder.is_dir(), "what was there stays"
    assert stage(tmp_path, never).folder == second.folder


def test_refresh_works_again_and_the_newest_is_found(tmp_path: Path) -> None:
    names = [stage(tmp_path, refresh=True).folder.name for _ in range(11)]
    assert names == [NAME, *(f"{NAME}-{number}" for number in range(2, 12))]
    assert stage(tmp_path, never).folder.name == f"{NAME}-11"


@pytest.mark.parametrize("resumable", [False, True])
def test_work_that_fails_leaves_no_final_folder(tmp_path: Path, resumable: bool) -> None:
    def fail(folder: Path) -> Mapping[str, Any]:
        (folder / "checkpoint").write_text("1")
        raise RuntimeError("the work broke")

    with pytest.raises(RuntimeError, match="the work broke"):
        stage(tmp_path, fail, resumable=resumable)
    assert not (tmp_path / NAME).exists()
    seen: list[bool] = []

    def look(folder: Path) -> Mapping[str, Any]:
        seen.append((folder / "checkpoint").exists())
        return write(folder)

    result = stage(tmp_path, look, resumable=resumable)
    assert seen == [resumable], "an unfinished folder is kept for work that can go on, and cleared for the rest"
    assert damage(result.folder) is None


def test_a_manifest_of_an_unfinished_try_does_not_spoil_the_next(tmp_path: Path) -> None:
    partial = tmp_path / f".{NAME}.partial"
    partial.mkdir()
    (partial / "manifest.json").write_text('{"half": ')
    result = stage(tmp_path, resumable=True)
    assert damage(result.folder) is None
    assert stage(tmp_path, never).found


def killed(out: Path) -> None:
    def die(folder: Path) -> Mapping[str, Any]:
        write(folder)
        os._exit(9)

    stage(out, die)


def test_a_killed_process_leaves_no_final_folder_and_no_lock(tmp_path: Path) -> None:
    process = multiprocessing.get_context("fork").Process(target=killed, args=(tmp_path,))
    process.start()
    process.join(20)
    assert process.exitcode == 9
    assert not (tmp_path / NAME).exists()
    assert stage(tmp_path).folder.name == NAME


def slow(out: Path, at_work: Any, go_on: Any) -> None:
    def wait(folder: Path) -> Mapping[str, Any]:
        at_work.set()
        assert go_on.wait(20)
        return write(folder)

    stage(out, wait)


def test_of_two_processes_with_one_key_the_second_takes_the_result_of_the_first(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    at_work, go_on = context.Event(), context.Event()
    first = context.Process(target=slow, args=(tmp_path, at_work, go_on))
    first.start()
    try:
        assert at_work.wait(20)
        result = stage(tmp_path, never, waiting=go_on.set)  # told that it waits, it lets the first one finish
        assert result.found and result.folder.name == NAME
        first.join(20)
        assert first.exitcode == 0
    finally:
        first.kill()


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "the disk is full"), (errno.EDQUOT, "the disk is full"), (errno.EROFS, "cannot be written")],
)
def test_a_disk_that_takes_nothing_is_one_line(tmp_path: Path, number: int, words: str) -> None:
    def fail(folder: Path) -> Mapping[str, Any]:
        raise OSError(number, os.strerror(number), str(folder / "data.txt"))

    with pytest.raises(StageError, match=words) as caught:
        stage(tmp_path, fail)
    assert str(tmp_path) in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / NAME).exists()


def test_an_output_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StageError, match="cannot be written"):
        stage(tmp_path / "file" / "runs")


def test_an_input_that_cannot_be_read_is_not_blamed_on_the_output_folder(tmp_path: Path) -> None:
    def fail(_folder: Path) -> Mapping[str, Any]:
        raise PermissionError(errno.EACCES, "Permission denied", "/elsewhere/model/weights")

    with pytest.raises(PermissionError, match="/elsewhere/model/weights"):
        stage(tmp_path / "runs", fail)


def test_relative_output_folders_give_absolute_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert stage(Path("runs")).folder == tmp_path / "runs" / NAME


def test_a_key_depends_on_all_its_parts_and_not_on_their_order() -> None:
    parts: dict[str, Any] = {"stage": "a", "code": "b", "inputs": {"x": "1", "y": "2"}, "section": {"p": 1, "q": 2}}
    key = stage_key(**parts)
    assert key == stage_key(**parts | {"inputs": {"y": "2", "x": "1"}, "section": {"q": 2, "p": 1}})
    changes: list[dict[str, Any]] = [
        {"stage": "z"},
        {"code": "z"},
        {"inputs": {"x": "1"}},
        {"section": {"p": 1, "q": 3}},
    ]
    assert len({key, *(stage_key(**parts | change) for change in changes)}) == 5


def test_seconds_are_those_of_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 12.5])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    result = stage(tmp_path)
    assert result.seconds == 2.5 == json.loads((result.folder / "manifest.json").read_text())["seconds"]
