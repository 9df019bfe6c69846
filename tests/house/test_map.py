"""What documents say about the tree is so: rooms on the map and in the picture, paths and names of modules."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import yaml

from tests.support.tables import table

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "raiden_core"
ROOMS = sorted(path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists())
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "AGENTS.md", "findings/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
FOLDERS = ("flows", "tasks", "raiden_core", "tests", "configs", "docs", "benchmarks", "docker", "findings")
PATH = re.compile(rf"(?<![\w./-])(?:{'|'.join(FOLDERS)})/[\w./-]*\w/?")
MADE_LATER = re.compile(r"\b[A-Z]{3,}\b|\.env$")
"""Places for a name, and what a user writes."""
NAME = re.compile(r"\b(?:flows|tasks|raiden_core)(?:\.\w+)+")


def layers() -> list[str]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    return next(one["layers"] for one in contracts if one.get("containers") == ["raiden_core"])


def test_contract_map_and_picture_name_every_room() -> None:
    rooms = [name for name in layers() if (PACKAGE / name).is_dir()]
    assert sorted(rooms) == ROOMS
    sketch = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("```text")[2].partition("```")[0]
    assert [room for room in ROOMS if not re.search(rf"^  .*\b{room}/", sketch, re.MULTILINE)] == []
    picture = ElementTree.parse(ROOT / "docs" / "house.svg")
    words = [node.text for node in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert words[words.index("cli") : words.index("cli") + len(layers())] == layers()


@table("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_paths_and_modules_that_a_document_names_exist(document: Path) -> None:
    text = document.read_text("utf-8")
    named = [path for path in PATH.findall(text) if path.isascii() and not MADE_LATER.search(path)]
    assert [path for path in named if not (ROOT / path).exists()] == []
    assert [name for name in NAME.findall(text) if not is_known(name)] == []


def is_known(name: str) -> bool:
    """Whether a dotted name is a module, or something that its module holds."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        path = ROOT.joinpath(*parts[:length])
        if path.is_dir() and length == len(parts):
            return True
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.exists():
                rest = parts[length:]
                return not rest or re.search(rf"\b{rest[0]}\b", file.read_text("utf-8")) is not None
    return False


def test_hooks_before_a_commit_run_what_make_lint_runs() -> None:
    repositories = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    assert [one["repo"] for one in repositories] == ["local"], "no network"
    hooks = {hook["entry"].split()[0].rpartition("/")[2] for hook in repositories[0]["hooks"]}
    recipe = (ROOT / "Makefile").read_text("utf-8").partition("\nlint:")[2].partition("\n\n")[0]
    assert hooks == set(re.findall(r"\$\(BIN\)/([\w-]+)", recipe))
