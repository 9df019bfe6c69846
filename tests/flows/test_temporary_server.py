"""A temporary server that does not come up says why, in one line."""

import os
import sys
from pathlib import Path

import pytest

from flows.temporary_server import TemporaryServer
from raiden_core.errors import StageError
from raiden_core.processes.children import free_port, start


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("print('starting'); print('database is locked'); raise SystemExit(3)", "ended at once: database is locked"),
        ("import time; time.sleep(60)", "did not answer within 0.2 s: it said nothing"),
    ],
    ids=["ended", "late"],
)
def test_a_server_that_does_not_come_up_is_one_line(
    code: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "did not" in words:
        monkeypatch.setattr("flows.temporary_server.START_SECONDS", 0.2)
    child = start([sys.executable, "-c", code], tmp_path / "log", os.environ)
    try:
        with pytest.raises(StageError, match=words) as caught:
            TemporaryServer(child, f"http://127.0.0.1:{free_port()}/api").wait()
        assert "\n" not in str(caught.value)
    finally:
        child.stop()
