"""Stages in shared storage: taken from it whole or not at all, copied to it once."""

import json
import uuid
from pathlib import Path

import fsspec
import pytest

from raiden_core.errors import ConfigError, StageError
from raiden_core.stages.folder import MANIFEST, StageResult
from raiden_core.stages.remote import Remote
from raiden_core.stages.run import run_stage


@pytest.fixture
def remote() -> Remote:
    return Remote(f"memory://shared-{uuid.uuid4().hex}/raiden")


def stage(output_dir: Path, remote: Remote | None, text: str = "data", refresh: bool = False) -> StageResult:
    def work(folder: Path) -> dict[str, int]:
        (folder / "model").mkdir()
        (folder / "model" / "weights.bin").write_text(text)
        return {"n": 1}

    key = "0123456789abcdef"
    return run_stage(
        "train", key, output_dir=output_dir, inputs={}, section={}, work=work, refresh=refresh, remote=remote
    )


def test_another_machine_takes_what_one_has_made(tmp_path: Path, remote: Remote) -> None:
    made = stage(tmp_path / "a", remote)
    taken = stage(tmp_path / "b", remote, text="never written: the work must not be done again")
    assert taken.found
    assert taken.folder == tmp_path / "b" / made.folder.name
    assert (taken.folder / "model" / "weights.bin").read_text() == "data"
    assert taken.manifest_sha256 == made.manifest_sha256


def test_the_newest_of_several_is_taken(tmp_path: Path, remote: Remote) -> None:
    stage(tmp_path / "a", remote, text="first")
    stage(tmp_path / "a", remote, text="second", refresh=True)
    assert (stage(tmp_path / "b", remote).folder / "model" / "weights.bin").read_text() == "second"


def test_a_folder_without_its_manifest_is_not_whole(tmp_path: Path, remote: Remote) -> None:
    made = stage(tmp_path / "a", remote)
    files, root = fsspec.url_to_fs(remote.url)
    files.rm(f"{root}/{made.folder.name}/{MANIFEST}")
    assert not stage(tmp_path / "b", remote).found
    assert files.exists(f"{root}/{made.folder.name}/{MANIFEST}"), "the new one was copied"


def test_changed_content_is_refused_and_leaves_nothing(tmp_path: Path, remote: Remote) -> None:
    made = stage(tmp_path / "a", remote)
    files, root = fsspec.url_to_fs(remote.url)
    files.pipe_file(f"{root}/{made.folder.name}/model/weights.bin", b"other")
    with pytest.raises(StageError, match=r"does not match its manifest.*weights\.bin"):
        stage(tmp_path / "b", remote)
    assert not [path for path in (tmp_path / "b").iterdir() if path.name != ".locks"]


def test_a_manifest_cannot_write_outside_its_folder(tmp_path: Path, remote: Remote) -> None:
    made = stage(tmp_path / "a", remote)
    files, root = fsspec.url_to_fs(remote.url)
    place = f"{root}/{made.folder.name}/{MANIFEST}"
    manifest = json.loads(files.cat_file(place))
    manifest["outputs"]["../../evil"] = "0"
    files.pipe_file(place, json.dumps(manifest).encode())
    with pytest.raises(StageError, match="outside its folder"):
        stage(tmp_path / "b", remote)
    assert not (tmp_path / "evil").exists()


def test_what_was_made_without_the_storage_gets_there_later(tmp_path: Path, remote: Remote) -> None:
    made = stage(tmp_path / "a", None)
    assert stage(tmp_path / "a", remote).found
    files, root = fsspec.url_to_fs(remote.url)
    assert files.cat_file(f"{root}/{made.folder.name}/{MANIFEST}") == (made.folder / MANIFEST).read_bytes()


def test_a_storage_that_cannot_be_reached_loses_nothing(tmp_path: Path) -> None:
    class Broken(Remote):
        def keep(self, folder: Path) -> None:
            raise ConnectionError("storage.url: gone")

    with pytest.raises(ConnectionError, match="gone"):
        stage(tmp_path, Broken("memory://gone"))
    assert stage(tmp_path, None).found


def test_a_url_of_an_unknown_kind_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"storage\.url: nowhere://x"):
        stage(tmp_path, Remote("nowhere://x"))
