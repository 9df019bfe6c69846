"""Evaluation in shards: the same results.json and predictions.jsonl, nothing asked twice, a lost shard alone is missing."""

import json
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from raiden_core.config import Config
from raiden_core.errors import DataError
from raiden_core.evaluation.settings import EvaluateSettings
from raiden_core.evaluation.shards import FILES, answer_shard
from raiden_core.evaluation.stage import evaluate_stage
from raiden_core.models.shards import Shards
from raiden_core.samples import Sample, write_samples
from raiden_core.stages.progress import silent
from tests.support.fault_server import FaultServer

serving = runpy.run_path(str(Path(__file__).parents[1] / "models" / "test_served_model.py"))["serving"]
HOMES = ["长沙", "大理", "厦门", "苏州", "成都"]
SHARDS = 2


def reply(chat: Mapping[str, Any]) -> str:
    """The first home that the profile names; a model of another name has never heard of 厦门."""
    known = [home for home in HOMES if chat["model"] == "m" or home != "厦门"]
    home = next((home for home in known if home in chat["messages"][0]["content"]), "北京")
    return f"<think>想想</think><answer>我的家乡是{home}。</answer>"


def samples(homes: list[str]) -> list[Sample]:
    return [
        Sample(
            character_name=f"人{home}",
            character_profile={"Name": f"人{home}", "家乡": home},
            question=question,
            answer=f"我的家乡是{home}。",
            keywords=[home],
            language="zh",
        )
        for home in homes
        for question in ("你的家乡在哪里？", "你是哪里人？")
    ]


def files(folder: Path) -> tuple[Path, dict[str, Path]]:
    folder.mkdir(exist_ok=True)
    write_samples(folder / "validation.json", samples(HOMES[:4]))
    write_samples(folder / "other.jsonl", samples(HOMES[3:]))
    return folder / "validation.json", {"other": folder / "other.jsonl"}


def configure(url: str, models: Mapping[str, Path] | None = None) -> tuple[Config, Mapping[str, Path | str]]:
    evaluation = {
        "max_new_tokens": 8 if models else 64,
        "samples": 0 if models else 2,
        "served": {"thinking": "default"},
    }
    config = Config.model_validate({"evaluation": evaluation})
    return config, models or {"base": f"{url}#m", "trained": f"{url}#m"}


def evaluated(config: Config, models: Mapping[str, Path | str], folder: Path, out: Path) -> tuple[str, str]:
    out.mkdir(exist_ok=True)
    validation, extra = files(folder)
    evaluate_stage(EvaluateSettings.of(config), models, validation, extra, validation, out, silent)
    return (out / "results.json").read_text("utf-8"), (out / "predictions.jsonl").read_text("utf-8")


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
