"""Evaluation in shards: the same results.json and predictions.jsonl, nothing asked twice, a lost shard alone is missing."""

import json
from pathlib import Path

import pytest

from raiden_core.errors import DataError
from raiden_core.evaluation.settings import EvaluateSettings
from raiden_core.evaluation.shards import FILES, answer_shard
from raiden_core.models.shards import Shards
from raiden_core.samples import write_samples
from tests.support.fault_server import FaultServer
from tests.support.serving import serving
from tests.support.sharded_evaluation import HOMES, configure, evaluated, files, reply, samples

SHARDS = 2


@pytest.fixture(autouse=True)
def own_temporary_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def test_a_served_model_is_asked_the_same_and_scored_the_same(tmp_path: Path) -> None:
    with serving(FaultServer(reply, model="m")) as server:
        clean = evaluated(*configure(server.url), tmp_path, tmp_path / "clean")
        requests = server.counters.requests
    with serving(FaultServer(reply, model="m")) as server:
        config, models = configure(server.url)
        shards, home = Shards(tmp_path / "key", SHARDS, FILES), tmp_path / "sharded"
        shards.share(home)
        answer_shard(EvaluateSettings.of(config), models, *files(tmp_path), shards, 0)
        assert 0 < server.counters.requests < requests
        # The second shard is lost and its machine with it; what the first has said is known to later tries.
        shards.collect(home)
        assert shards.missing() == [1]
        again = Shards(tmp_path / "other-key", SHARDS + 1, FILES)
        again.share(home)
        for number in again.missing():
            answer_shard(EvaluateSettings.of(config), models, *files(tmp_path), again, number)
        again.collect(home)
        assert server.counters.requests == requests
        assert evaluated(config, models, tmp_path, home) == clean
        assert server.counters.requests == requests
    assert json.loads(clean[0])["extra"]["other"]["base"]["all"]["n"] == 4


def test_a_local_model_is_loaded_by_shards_only(
    random_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, models = configure("", {"base": random_model})
    clean = evaluated(config, models, tmp_path, tmp_path / "clean")
    shards, home = Shards(tmp_path / "key", SHARDS, FILES), tmp_path / "sharded"
    shards.share(home)
    for number in range(SHARDS):
        answer_shard(EvaluateSettings.of(config), models, *files(tmp_path), shards, number)
    shards.collect(home)

    def loaded(folder: Path) -> None:
        raise AssertionError(f"{folder}: all replies should be there")

    monkeypatch.setattr("raiden_core.models.local_model.load_model", loaded)
    assert evaluated(config, models, tmp_path, home) == clean


def test_a_bad_reference_is_refused_before_anybody_is_asked(tmp_path: Path) -> None:
    with serving(FaultServer(reply, model="m")) as server:
        config, models = configure(server.url)
        wrong = [one.model_copy(update={"keywords": ("别处",)}) for one in samples(HOMES)]
        write_samples(tmp_path / "wrong.json", wrong)
        with pytest.raises(DataError, match="drop-bad-gold"):
            answer_shard(
                EvaluateSettings.of(config), models, tmp_path / "wrong.json", {}, Shards(tmp_path / "key", 2, FILES), 0
            )
        assert server.counters.requests == 0
