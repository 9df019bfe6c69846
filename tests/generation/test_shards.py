"""Shards of mining: together they gather exactly what one process would, whatever was lost or known before."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from raiden_core.config import Config
from raiden_core.config.sections.teacher import ServerConfig
from raiden_core.errors import ConfigError, StageError
from raiden_core.generation.settings import GenerateSettings
from raiden_core.generation.shards import FILES, check_shardable, mine_shard
from raiden_core.models.shards import Shards
from tests.support.llm_generation import configure, generate
from tests.support.serving import scripted_server, serving

SHARDS = 2


@pytest.fixture(autouse=True)
def own_temporary_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def mine_all(config: Config, folder: Path, asked: Callable[[], int]) -> list[int]:
    """Mine every shard and collect; the number of requests after each."""
    shards = Shards(folder, SHARDS, FILES)
    shards.share(config.output_dir)
    counts = []
    for number in range(SHARDS):
        mine_shard(GenerateSettings.of(config), shards, number)
        counts.append(asked())
    shards.collect(config.output_dir)
    return counts


def test_shards_ask_what_one_process_asks_and_give_its_samples(tmp_path: Path) -> None:
    with serving(scripted_server()) as server:
        clean, _ = generate(configure(tmp_path / "clean", server.url), tmp_path / "a")
        requests = server.counters.requests
    with serving(scripted_server()) as server:
        config = configure(tmp_path / "shards", server.url)
        folder = tmp_path / "shards" / "folder"
        counts = mine_all(config, folder, lambda: server.counters.requests)
        assert 0 < counts[0] < counts[1] == requests
        assert mine_all(config, folder, lambda: server.counters.requests) == [requests] * SHARDS
        text, stats = generate(config, tmp_path / "b")
        assert server.counters.requests == requests
        assert stats["usage"]["hits"] == stats["usage"]["requests"]
    assert text.replace("/shards/", "/clean/") == clean
    assert not list((tmp_path / f"raiden-{os.getuid()}" / "folder").iterdir())


def test_what_is_known_is_not_asked_by_any_shard(tmp_path: Path) -> None:
    with serving(scripted_server()) as server:
        config = configure(tmp_path / "known", server.url)
        generate(config, tmp_path / "a")
        requests = server.counters.requests
        assert mine_all(config, tmp_path / "folder", lambda: server.counters.requests) == [requests] * SHARDS


def test_a_shard_that_failed_is_not_done_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    shards = Shards(folder, SHARDS, FILES)
    with serving(scripted_server()) as server:
        config = configure(tmp_path / "x", server.url)
        shards.share(config.output_dir)
        # Something stands where the finished shard should go.
        (folder / ".0-of-2.partial").mkdir(parents=True)
        (folder / "0-of-2").write_text("in the way")
        with pytest.raises(OSError):
            mine_shard(GenerateSettings.of(config), shards, 0)
        assert shards.missing() == [0, 1]
        asked = server.counters.requests
        (folder / "0-of-2").unlink()
        mine_shard(GenerateSettings.of(config), shards, 0)
        assert shards.missing() == [1]
        assert server.counters.requests == asked > 0


def test_seeds_are_dealt_with_their_characters_and_those_that_only_seeds_know(tmp_path: Path) -> None:
    rows = [
        {"name": "林晚", "question": "林晚的家乡在哪里？", "reference": "我的家乡是长沙。"},
        {
            "name": "沈墨",
            "question": "你的家乡在哪里？",
            "reference": "我的家乡是成都。",
            "profile_text": "姓名：沈墨\n家乡：成都",
        },
        {
            "name": "许青",
            "question": "你的家乡在哪里？",
            "reference": "我的家乡是苏州。",
            "profile_text": "姓名：许青\n家乡：苏州",
        },
    ]

    def seeded(folder: Path, url: str) -> Config:
        config = configure(folder, url)
        seeds = folder / "seeds.jsonl"
        seeds.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
        return config.model_copy(update={"teacher": config.teacher.model_copy(update={"seeds": (str(seeds),)})})

    with serving(scripted_server()) as server:
        clean, _ = generate(seeded(tmp_path / "clean", server.url), tmp_path / "a")
        requests = server.counters.requests
    assert {json.loads(line)["character_name"] for line in clean.splitlines()} >= {"沈墨", "许青"}
    with serving(scripted_server()) as server:
        config = seeded(tmp_path / "shards", server.url)
        counts = mine_all(config, tmp_path / "shards" / "folder", lambda: server.counters.requests)
        assert 0 < counts[0] < counts[1] == requests
        text, stats = generate(config, tmp_path / "b")
        assert stats["usage"]["hits"] == stats["usage"]["requests"]
    assert text.replace("/shards/", "/clean/") == clean


def test_a_store_that_is_none_is_named(tmp_path: Path) -> None:
    config = configure(tmp_path / "x", "http://127.0.0.1:9/v1")
    store = config.output_dir / ".replies" / "replies.sqlite"
    store.parent.mkdir(parents=True)
    store.write_text("not a database, but long enough to be looked at" * 100)
    with pytest.raises(StageError, match="cannot be copied"):
        Shards(tmp_path / "folder", SHARDS, FILES).share(config.output_dir)


def test_a_server_that_is_started_for_one_process_is_not_shared(tmp_path: Path) -> None:
    config = configure(tmp_path / "x", "http://127.0.0.1:9/v1")
    check_shardable(config)
    launching = config.teacher.model_copy(update={"launch": ServerConfig(command=("sglang",))})
    with pytest.raises(ConfigError, match="start it yourself"):
        check_shardable(config.model_copy(update={"teacher": launching}))
