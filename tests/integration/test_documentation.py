"""The documentation as a site, and the tutorial's commands as its reader types them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
LOADED = re.compile(
    r'<(?:script|img)[^>]*\bsrc="(https?:[^"]+)"|<link[^>]*rel="stylesheet"[^>]*\bhref="(https?:[^"]+)"'
)
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text("utf-8")


def test_the_site_builds_without_a_broken_link_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    built = subprocess.run(
        [BIN / "mkdocs", "build", "--strict", "--site-dir", tmp_path / "site"],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert built.returncode == 0, built.stderr[-2000:]
    pages = sorted(path.stem for path in (tmp_path / "site").glob("*.html"))
    assert {"index", "tutorial", "cli", "api", "files", "configuration", "vrar"} <= set(pages)
    api = (tmp_path / "site" / "api.html").read_text("utf-8")
    assert "read_characters" in api and "build_prompt" in api and ":::" not in api
    for page in (tmp_path / "site").glob("*.html"):
        loaded = LOADED.findall(page.read_text("utf-8"))
        assert not loaded, (page.name, loaded)


def test_the_tutorials_characters_become_questions(tmp_path: Path) -> None:
    (characters,) = re.findall(r"```json\n(.*?)```", TUTORIAL, re.DOTALL)
    (tmp_path / "my.jsonl").write_text(characters, "utf-8")
    commands = [
        line for line in re.findall(r"^raiden .*$", TUTORIAL, re.MULTILINE) if "my.jsonl" in line or "audit" in line
    ]
    wanted = [line for line in commands if line.split()[1] in ("profiles", "generate", "audit")]
    assert len(wanted) == 3
    said = ""
    for line in wanted:
        done = subprocess.run(
            [BIN / "raiden", *line.split()[1:]], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, (line, done.stderr)
        said += done.stdout + done.stderr
    assert "阮青禾" in said and "陆沉" in said and "foreign" in said


def test_the_commands_of_the_tutorial_exist() -> None:
    from flows.cli import COMMANDS

    named = re.findall(r"^raiden (\S+)", TUTORIAL, re.MULTILINE)
    assert {"profiles", "generate", "audit", "run", "runs", "chat"} <= set(named) <= set(COMMANDS)
