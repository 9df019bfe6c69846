"""Shards of mining: together they gather exactly what one process would, whatever was lost or known before."""

from __future__ import annotations

import os
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from raiden_core.config import Config
from raiden_core.config_sections.teacher import ServerConfig
from raiden_core.errors import ConfigError, StageError
from raiden_core.generation.shards import check_shardable, collect_replies, is_done, mine_shard, share_replies

LLM = runpy.run_path(str(Path(__file__).parents[1] / "integration" / "test_llm_generation.py"))
SHARDS = 2


@pytest.fixture(autouse=True)
def own_temporary_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def mine_all(config: Config, folder: Path, asked: Callable[[], int]) -> list[int]:
    """Mine every shard and collect; the number of requests after each."""
    share_replies(config, folder)
    counts = []
    for number in range(SHARDS):
        mine_shard(config, number, SHARDS, folder)
        counts.append(asked())
    collect_replies(config, folder)
    return counts


def test_shards_ask_what_one_process_asks_and_give_its_samples(tmp_path: Path) -> None:
    with LLM["serving"]() as server:
        clean, _ = LLM["generate"](LLM["configure"](tmp_path / "clean", server.url), tmp_path / "a")
        requests = server.counters.requests
    with LLM["serving"]() as server:
        config = LLM["configure"](tmp_path / "shards", server.url)
        folder = tmp_path / "shards" / "folder"
        counts = mine_all(config, folder, lambda: server.counters.requests)
        assert 0 < counts[0] < counts[1] == requests
        assert mine_all(config, folder, lambda: server.counters.requests) == [requests] * SHARDS
        text, stats = LLM["generate"](config, tmp_path / "b")
        assert server.counters.requests == requests
        assert stats["usage"]["hits"] == stats["usage"]["requests"]
    assert text.replace("/shards/", "/clean/") == clean
    assert not list((tmp_path / f"raiden-{os.getuid()}" / "folder").iterdir())


def test_what_is_known_is_not_asked_by_any_shard(tmp_path: Path) -> None:
    with LLM["serving"]() as server:
        config = LLM["configure"](tmp_path / "known", server.url)
        LLM["generate"](config, tmp_path / "a")
        requests = server.counters.requests
        assert mine_all(config, tmp_path / "folder", lambda: server.counters.requests) == [requests] * SHARDS


def test_a_shard_that_failed_is_not_done_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    with LLM["serving"]() as server:
        config = LLM["configure"](tmp_path / "x", server.url)
        share_replies(config, folder)
        # Something stands where the finished shard should go.
        (folder / ".0-of-2.partial").mkdir(parents=True)
        (folder / "0-of-2").write_text("in the way")
        with pytest.raises(OSError):
            mine_shard(config, 0, SHARDS, folder)
        assert not is_done(folder, 0, SHARDS)
        asked = server.counters.requests
        (folder / "0-of-2").unlink()
        mine_shard(config, 0, SHARDS, folder)
        assert is_done(folder, 0, SHARDS)
        assert server.counters.requests == asked > 0


def test_a_store_that_is_none_is_named(tmp_path: Path) -> None:
    config = LLM["configure"](tmp_path / "x", "http://127.0.0.1:9/v1")
    store = config.output_dir / ".replies" / "replies.sqlite"
    store.parent.mkdir(parents=True)
    store.write_text("not a database, but long enough to be looked at" * 100)
    with pytest.raises(StageError, match="cannot be copied"):
        share_replies(config, tmp_path / "folder")


@pytest.mark.parametrize(
    ("teacher", "says"),
    [
        ({"launch": ServerConfig(command=("sglang",))}, "start it yourself"),
        ({"seeds": ("gold.jsonl",)}, "teacher.seeds"),
    ],
)
def test_what_cannot_be_dealt_is_refused(tmp_path: Path, teacher: dict[str, Any], says: str) -> None:
    config = LLM["configure"](tmp_path / "x", "http://127.0.0.1:9/v1")
    check_shardable(config)
    with pytest.raises(ConfigError, match=says):
        check_shardable(config.model_copy(update={"teacher": config.teacher.model_copy(update=teacher)}))
