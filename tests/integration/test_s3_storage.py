"""Stages shared through a real S3 server on loopback (moto's), by the library that users would have."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from raiden_core.errors import StageError
from raiden_core.stages.folder import StageResult
from raiden_core.stages.remote import Remote
from raiden_core.stages.run import run_stage

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        importlib.util.find_spec("s3fs") is None or importlib.util.find_spec("moto") is None,
        reason="s3fs and moto are not installed: shared storage is not tried against an S3 server",
    ),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of an S3 server on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    file = tmp_path_factory.mktemp("moto") / "moto.log"
    with file.open("wb") as log:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 120
        while not answers(address):
            assert process.poll() is None and time.monotonic() < deadline, file.read_text()
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def answers(address: str) -> bool:
    try:
        urllib.request.urlopen(address, timeout=2).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty bucket, and the variables by which it is reached."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    values = {"ENDPOINT_URL": server, "ACCESS_KEY_ID": "key", "SECRET_ACCESS_KEY": "secret"}
    for name, value in (values | {"DEFAULT_REGION": "us-east-1"}).items():
        monkeypatch.setenv(f"AWS_{name}", value)
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    name = f"stages-{uuid.uuid4()}"
    s3fs.S3FileSystem().mkdir(name)
    return f"s3://{name}/raiden"


def stage(output_dir: Path, url: str) -> StageResult:
    def work(folder: Path) -> dict[str, int]:
        (folder / "model").mkdir()
        (folder / "model" / "model.safetensors").write_bytes(bytes(range(256)) * 40_000)
        (folder / "你好.txt").write_text("名字")
        return {}

    return run_stage("train", "f" * 64, output_dir=output_dir, inputs={}, section={}, work=work, remote=Remote(url))


def test_a_stage_goes_to_the_bucket_and_comes_back_whole(bucket: str, tmp_path: Path) -> None:
    made = stage(tmp_path / "a", bucket)
    assert not made.found
    taken = stage(tmp_path / "b", bucket)
    assert taken.found
    for name in ("model/model.safetensors", "你好.txt", "manifest.json"):
        assert (taken.folder / name).read_bytes() == (made.folder / name).read_bytes()


def test_a_bucket_that_is_not_there_is_named(bucket: str, tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"s3://nowhere/raiden.*bucket"):
        stage(tmp_path, "s3://nowhere/raiden")


def test_a_server_that_is_gone_may_heal(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import s3fs

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(ConnectionError, match=r"storage\.url"):
        stage(tmp_path, bucket)
