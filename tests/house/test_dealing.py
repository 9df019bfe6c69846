"""Integration tests that share a server are dealt to one process, and the longest groups first."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.dealing import LONG, ROOT, SERVERS, ByServer, group_of, rank

FILES = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests" / "integration").glob("test_*.py"))


def file(name: str) -> str:
    return f"tests/integration/test_{name}.py"


@pytest.mark.parametrize(
    ("group", "names"),
    [
        ("house", ["operations", "security_canaries", "ui_pages"]),
        ("prefect_server", ["pipeline", "other_trainers", "real_model"]),
        ("test_two_processes", ["two_processes"]),
    ],
)
def test_a_group_is_those_files_that_start_the_same_server(group: str, names: list[str]) -> None:
    assert {path for path in FILES if group_of(path) == group} == {file(name) for name in names}


def test_every_long_group_is_one_and_comes_before_the_others() -> None:
    assert set(LONG) <= {group_of(path) for path in FILES}
    ranks = [rank(file(name)) for name in ("real_model", "ui_pages", "memory_plan", "serve_command", "full_disk")]
    assert ranks == sorted(ranks) and ranks[-1] == ranks[-2] == len(LONG)


def test_no_file_needs_two_servers_and_each_fixture_is_there() -> None:
    fixtures = (ROOT / "tests" / "integration" / "conftest.py").read_text("utf-8")
    for fixture in SERVERS:
        assert re.search(rf"fixture\(scope=\"session\"\)\ndef {fixture}\(", fixtures), fixture
    for path in FILES:
        text = Path(ROOT / path).read_text("utf-8")
        used = {server for name, server in SERVERS.items() if re.search(rf"[(, ]{name}: ", text)}
        assert len(used) <= 1, path


def test_a_test_is_dealt_with_its_group() -> None:
    scheduler = object.__new__(ByServer)
    for nodeid in ("test_one", "test_two[a::b]", "test_three[x@y]"):
        assert scheduler._split_scope(f"{file('pipeline')}::{nodeid}") == "prefect_server"
