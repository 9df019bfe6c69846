"""A session with the teacher: what keeps it waiting is told, and a server that it started and lost is not waited for."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from raiden_core.characters import Character
from raiden_core.config.loading import parse_config
from raiden_core.errors import StageError
from raiden_core.generation.mining import session
from raiden_core.generation.mining.session import Group, mine_groups
from raiden_core.generation.settings import GenerateSettings
from raiden_core.processes.children import Child, start
from raiden_core.stages.progress import silent
from tests.support.fault_server import FaultServer
from tests.support.serving import serving

LIN = Character("林晚", "zh", {"姓名": "林晚", "家乡": "长沙"}, {}, "姓名: 林晚\n家乡: 长沙", "people.txt")


def settings(url: str, folder: Path, **endpoint: Any) -> GenerateSettings:
    fields = {"url": url, "model": "m", "patience_seconds": 60, **endpoint}
    one = ", ".join(f"{name}: {value}" for name, value in fields.items())
    text = f"output_dir: {folder}\nteacher: {{kind: llm, endpoints: {{teacher: {{{one}}}}}}}"
    return GenerateSettings.of(parse_config(text))


def test_a_started_server_that_has_died_ends_the_session_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"

    @contextmanager
    def dead(*_: object) -> Iterator[Child]:
        child = start([sys.executable, "-c", "pass"], tmp_path / "log", os.environ)
        assert child.ended_within(20)
        yield child

    monkeypatch.setattr(session, "launched", dead)
    began = time.monotonic()
    with pytest.raises(StageError, match="the server that was started for it has ended"):
        mine_groups(settings(url, tmp_path), [Group([LIN], 1)], silent)
    assert time.monotonic() - began < 20


def test_progress_goes_on_while_the_first_reply_is_waited_for(tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    with serving(FaultServer(model="m", way="context 400", latency=2)) as server:
        [made] = mine_groups(
            settings(server.url, tmp_path),
            [Group([LIN], 1)],
            lambda done, total, note="": told.append((done, total, note)),
        )
    assert len(told) >= 4 and told[0] == (0, 1, told[0][2])
    assert "req/s" in told[0][2]
    assert "no reply (facts): rejected: 400: This model's maximum context length" in made.skipped[0].reason
    assert made.dropped == {"no reply (facts): rejected": 1}, "counted by its short name"
