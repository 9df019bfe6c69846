"""What a run says at its beginning about a runner that cannot work: not when models are trained."""

import socket
import sys
from types import SimpleNamespace

import pytest

from raiden_core.config import Config
from raiden_core.errors import ConfigError, StageError
from tasks.shards import check_runner


def on_ray(address: str | None = None) -> Config:
    return Config.model_validate({"runner": {"kind": "ray", "address": address}})


def test_ray_that_is_not_installed_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prefect_ray", None)
    with pytest.raises(ConfigError, match=r"pip install -e '\.\[ray\]'"):
        check_runner(on_ray())
    check_runner(Config())


def test_an_address_where_nobody_listens_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prefect_ray", SimpleNamespace(RayTaskRunner=lambda address: address))
    with socket.create_server(("127.0.0.1", 0)) as cluster:
        port = cluster.getsockname()[1]
        for address in (f"127.0.0.1:{port}", f"ray://127.0.0.1:{port}", "auto", None):
            check_runner(on_ray(address))
    for address in (f"127.0.0.1:{port}", f"ray://127.0.0.1:{port}"):
        with pytest.raises(StageError, match=f"runner.address: {address}: no Ray cluster answers there"):
            check_runner(on_ray(address))
