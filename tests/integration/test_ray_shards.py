"""Generation in shards gives what it gives in one process, asks for nothing twice, and survives the loss of a machine."""

from __future__ import annotations

import os
import runpy
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from raiden_core.config import Config
from raiden_core.config_sections.runner import RunnerConfig
from raiden_core.errors import StageError

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
LLM = runpy.run_path(str(Path(__file__).with_name("test_llm_generation.py")))
SHARDS = 3


@pytest.fixture(scope="module", autouse=True)
def prefect() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        # Ray reads these when it is imported.
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", "only-for-this-test-" + os.urandom(16).hex())
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_raylet_start_wait_time_s", "300")
        patch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")  # 127.0.0.1 stays that, on Linux too
        from prefect.testing.utilities import prefect_test_harness

        with prefect_test_harness(server_startup_timeout=400):
            yield


@pytest.fixture(autouse=True)
def workers_find_us(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)


def sharded(config: Config, **runner: Any) -> Config:
    return config.model_copy(update={"runner": RunnerConfig(shards=SHARDS, **runner)})


def gather(config: Config) -> None:
    """What the pipeline's flow does before the generate stage."""
    from prefect import flow

    from tasks.shards import generate_in_shards

    flow(name="pipeline", validate_parameters=False)(lambda: generate_in_shards(config))()


def unsharded(folder: Path) -> tuple[str, int]:
    """The samples of a run in one process, and how many requests it took."""
    with LLM["serving"]() as server:
        text, _ = LLM["generate"](LLM["configure"](folder, server.url), folder / "out")
        return text, server.counters.requests


def test_processes_give_the_same_samples_for_the_same_requests(tmp_path: Path) -> None:
    clean, requests = unsharded(tmp_path / "clean")
    with LLM["serving"]() as server:
        config = sharded(LLM["configure"](tmp_path / "sharded", server.url), kind="processes")
        gather(config)
        assert server.counters.requests == requests
        text, stats = LLM["generate"](config, tmp_path / "out")
        assert server.counters.requests == requests and stats["usage"]["hits"] == stats["usage"]["requests"]
    assert text.replace("/sharded/", "/clean/") == clean
    assert list((config.output_dir / ".shards").iterdir()) == []


def test_a_lost_shard_is_named_and_run_again_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.shards.generate_shard.retries", 0)
    clean, requests = unsharded(tmp_path / "clean")
    with LLM["serving"]() as server:
        config = sharded(LLM["configure"](tmp_path / "lost", server.url), kind="processes")
        # The second shard cannot make its folder.
        from tasks.generate import describe

        local = tmp_path / f"raiden-{os.getuid()}" / describe(config).key[:12] / "1-of-3"
        local.parent.mkdir(parents=True)
        local.write_text("in the way")
        with pytest.raises(StageError, match=r"shards 1 of 3 were lost .* run again, only they are left"):
            gather(config)
        before = server.counters.requests
        assert 0 < before < requests
        local.unlink()
        gather(config)
        assert server.counters.requests == requests
        text, _ = LLM["generate"](config, tmp_path / "out")
    assert text.replace("/lost/", "/clean/") == clean


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Two Ray nodes on this host, with room for one shard each, behind a token."""
    pytest.importorskip("ray", reason="raiden[ray] is not installed")
    short = tempfile.mkdtemp(prefix="ray", dir="/tmp")  # sockets lie there, and their paths must be short
    monkeypatch.setenv("RAY_TMPDIR", short)
    import ray
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "node_ip_address": "127.0.0.1", "include_dashboard": False, "object_store_memory": 80 << 20}
    cluster = Cluster(initialize_head=True, head_node_args=node)
    cluster.second = cluster.add_node(num_cpus=1, node_ip_address="127.0.0.1", object_store_memory=80 << 20)
    yield cluster
    ray.shutdown()
    cluster.shutdown()
    shutil.rmtree(short, ignore_errors=True)


def test_a_cluster_of_two_nodes_gives_the_same_samples_although_one_is_lost(tmp_path: Path, cluster: Any) -> None:
    clean, requests = unsharded(tmp_path / "clean")
    with LLM["serving"](latency=0.15) as server:
        config = sharded(LLM["configure"](tmp_path / "ray", server.url), kind="ray", address=cluster.address)
        lost = threading.Event()

        def lose_a_node() -> None:
            """Kill the second node when both have begun to ask."""
            places = tmp_path / f"raiden-{os.getuid()}"
            deadline = time.monotonic() + 240
            while len(list(places.glob("*/*-of-3/.replies/replies.sqlite"))) < 2:
                if time.monotonic() > deadline:
                    return
                time.sleep(0.02)
            cluster.remove_node(cluster.second, allow_graceful=False)
            lost.set()

        thread = threading.Thread(target=lose_a_node, daemon=True)
        thread.start()
        gather(config)
        assert lost.is_set()
        text, stats = LLM["generate"](config, tmp_path / "out")
        assert stats["usage"]["hits"] == stats["usage"]["requests"]
        # Only what was under way on the lost node is asked twice.
        assert server.counters.requests < requests * 1.3
    assert text.replace("/ray/", "/clean/") == clean
