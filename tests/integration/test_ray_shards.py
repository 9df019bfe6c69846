"""Stages in shards give what they give in one process, ask for nothing twice, and survive the loss of a machine."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from raiden_core.config import Config
from raiden_core.config.sections.runner import RunnerConfig
from raiden_core.errors import StageError
from raiden_core.stages.folder import unfinished_folder
from raiden_core.stages.progress import silent
from raiden_core.stages.run import run_stage
from tests.support.fault_server import FaultServer
from tests.support.llm_generation import configure, generate
from tests.support.serving import scripted_server, serving
from tests.support.sharded_evaluation import files, reply
from tests.support.tiny_models import tiny_model, tiny_tokenizer

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
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


def gather(config: Config, stage: str = "generate", upstream: Mapping[str, Any] | None = None) -> None:
    """What the pipeline's flow does before a stage."""
    from prefect import flow

    from tasks.shards import ask_in_shards

    flow(name="pipeline", validate_parameters=False)(lambda: ask_in_shards(config, stage, upstream))()


def upstream_of_evaluation(folder: Path) -> tuple[Config, dict[str, Any]]:
    """What stages before evaluation would have left: a split, further characters, and a small model."""
    config = Config.model_validate(
        {
            "output_dir": folder / "runs",
            "evaluation": {"max_new_tokens": 8, "served": {"thinking": "default", "timeout_seconds": 60}},
        }
    )
    data, extra = files(folder / "sets")

    def stage(name: str, work: Callable[[Path], None]) -> Any:
        def without_statistics(out: Path) -> dict[str, Any]:
            work(out)
            return {}

        return run_stage(name, "0" * 64, output_dir=config.output_dir, inputs={}, section={}, work=without_statistics)

    def generated(out: Path) -> None:
        (out / "evaluation_only").mkdir()
        shutil.copy(extra["other"], out / "evaluation_only")

    def split(out: Path) -> None:
        shutil.copy(data, out / "validation.json")
        shutil.copy(data, out / "train.json")

    def trained(out: Path) -> None:
        tokenizer = tiny_tokenizer()
        tiny_model(len(tokenizer), 2048).save_pretrained(out / "model")
        tokenizer.save_pretrained(out / "model")

    upstream = {"generated": stage("generate", generated), "split": stage("split", split), "cold": None}
    return config, upstream | {"trained": stage("train", trained)}


def evaluate(config: Config, upstream: Mapping[str, Any]) -> tuple[str, str]:
    """The evaluate stage's results and predictions."""
    from tasks.evaluate import describe

    call = describe(config, **upstream)
    home = unfinished_folder(config.output_dir, call.stage, call.key)
    home.mkdir(exist_ok=True)
    call.work(call.settings, call.inputs, home, silent, print)
    return (home / "results.json").read_text("utf-8"), (home / "predictions.jsonl").read_text("utf-8")


@contextmanager
def base_served(**settings: Any) -> Iterator[FaultServer]:
    """The base model is one behind a server, which counts what it is asked."""
    with (
        serving(FaultServer(reply, model="m", **settings)) as server,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr("raiden_core.training.stage.base_model", lambda *_: f"{server.url}#m")
        yield server


def unsharded_evaluation(folder: Path) -> tuple[tuple[str, str], int]:
    """The results of an evaluation in one process, and how many requests it took."""
    with base_served() as server:
        folder.mkdir()
        return evaluate(*upstream_of_evaluation(folder)), server.counters.requests


def unsharded(folder: Path) -> tuple[str, int]:
    """The samples of a run in one process, and how many requests it took."""
    with serving(scripted_server()) as server:
        text, _ = generate(configure(folder, server.url), folder / "out")
        return text, server.counters.requests


def test_processes_give_the_same_samples_for_the_same_requests(tmp_path: Path) -> None:
    clean, requests = unsharded(tmp_path / "clean")
    with serving(scripted_server()) as server:
        config = sharded(configure(tmp_path / "sharded", server.url), kind="processes")
        gather(config)
        assert server.counters.requests == requests
        text, stats = generate(config, tmp_path / "out")
        assert server.counters.requests == requests and stats["usage"]["hits"] == stats["usage"]["requests"]
    assert text.replace("/sharded/", "/clean/") == clean
    assert list((config.output_dir / ".shards").iterdir()) == []


def test_a_lost_shard_is_named_and_run_again_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.shards.generate_shard.retries", 0)
    clean, requests = unsharded(tmp_path / "clean")
    with serving(scripted_server()) as server:
        config = sharded(configure(tmp_path / "lost", server.url), kind="processes")
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
        text, _ = generate(config, tmp_path / "out")
    assert text.replace("/lost/", "/clean/") == clean


def test_processes_evaluate_to_the_same_bytes_for_the_same_requests(tmp_path: Path) -> None:
    clean, requests = unsharded_evaluation(tmp_path / "clean")
    with base_served() as server:
        (tmp_path / "sharded").mkdir()
        config, upstream = upstream_of_evaluation(tmp_path / "sharded")
        gather(sharded(config, kind="processes"), "evaluate", upstream)
        assert server.counters.requests == requests > 0
        assert evaluate(config, upstream) == clean
        assert server.counters.requests == requests
    assert list((config.output_dir / ".shards").iterdir()) == []


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Two Ray nodes on this host, with room for one shard each, behind a token."""
    pytest.importorskip("ray", reason="raiden[ray] is not installed")
    short = tempfile.mkdtemp(prefix="ray", dir="/tmp")  # sockets lie there, and their paths must be short
    monkeypatch.setenv("RAY_TMPDIR", short)
    import ray
    from ray.cluster_utils import Cluster

    node = {
        "num_cpus": 1,
        "num_gpus": 1,
        "node_ip_address": "127.0.0.1",
        "include_dashboard": False,
        "object_store_memory": 80 << 20,
    }
    cluster = Cluster(initialize_head=True, head_node_args=node)
    cluster.second = cluster.add_node(num_cpus=1, num_gpus=1, node_ip_address="127.0.0.1", object_store_memory=80 << 20)
    yield cluster
    ray.shutdown()
    cluster.shutdown()
    shutil.rmtree(short, ignore_errors=True)


def losing(cluster: Any, server: FaultServer, folder: Path, begun: str) -> threading.Event:
    """Kill the second node when both nodes have begun to ask; set when that is done. The server is slow until then."""
    lost = threading.Event()

    def lose() -> None:
        deadline = time.monotonic() + 240
        while len(list((folder / f"raiden-{os.getuid()}").glob(f"*/*-of-3/{begun}"))) < 2:
            if time.monotonic() > deadline:
                return
            time.sleep(0.02)
        cluster.remove_node(cluster.second, allow_graceful=False)
        server.latency = 0.02
        lost.set()

    threading.Thread(target=lose, daemon=True).start()
    return lost


def test_a_cluster_of_two_nodes_gives_the_same_samples_although_one_is_lost(tmp_path: Path, cluster: Any) -> None:
    clean, requests = unsharded(tmp_path / "clean")
    with serving(scripted_server(latency=4.0)) as server:
        config = sharded(configure(tmp_path / "ray", server.url), kind="ray", address=cluster.address)
        lost = losing(cluster, server, tmp_path, ".replies/replies.sqlite")
        gather(config)
        assert lost.is_set()
        text, stats = generate(config, tmp_path / "out")
        assert stats["usage"]["hits"] == stats["usage"]["requests"]
        # Only what was under way on the lost node is asked twice.
        assert server.counters.requests < requests * 1.3
    assert text.replace("/ray/", "/clean/") == clean


def test_a_cluster_of_two_nodes_evaluates_to_the_same_bytes_although_one_is_lost(tmp_path: Path, cluster: Any) -> None:
    clean, requests = unsharded_evaluation(tmp_path / "clean")
    with base_served(latency=20.0) as server:
        (tmp_path / "ray").mkdir()
        config, upstream = upstream_of_evaluation(tmp_path / "ray")
        lost = losing(cluster, server, tmp_path, "served/replies.sqlite")
        gather(sharded(config, kind="ray", address=cluster.address, gpus=1), "evaluate", upstream)
        assert lost.is_set()
        asked = server.counters.requests
        # A shard of three was under way on the lost node.
        assert requests <= asked < requests * 1.5
        assert evaluate(config, upstream) == clean
        assert server.counters.requests == asked
