"""The import contract of pyproject.toml: kept by the house as it is, broken by each kind of wrong import."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python files of the packages, and the contract."""
    folder = tmp_path_factory.mktemp("copy")
    for package in ("flows", "tasks", "raiden_core"):
        for source in (ROOT / package).rglob("*.py"):
            target = folder / source.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_the_house_keeps_the_contract(copy: Path) -> None:
    done = lint(copy)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "planted", "names"),
    [
        ("raiden_core/rewards/gold.py", "import prefect", "raiden_core is not allowed to import prefect"),
        ("raiden_core/cli/split.py", "def late():\n    import prefect.flows", "raiden_core is not allowed to import prefect"),
        ("raiden_core/cli/plan.py", "import tests.support.scripted", "raiden_core is not allowed to import tests"),
        ("raiden_core/report/stage.py", "from tasks import stage", "raiden_core is not allowed to import tasks"),
        ("tasks/split.py", "def late():\n    from flows import pipeline", "tasks is not allowed to import flows"),
        ("raiden_core/samples.py", "from raiden_core.config import Config", "samples is not allowed to import raiden_core"),
        (
            "raiden_core/training/arguments.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from raiden_core.report import build",
            "training is not allowed to import raiden_core.report",
        ),
        (
            "raiden_core/rewards/folding.py",
            "def late():\n    from raiden_core.rewards.scorer import Scorer",
            "No cycles are allowed in raiden_core.rewards",
        ),
        ("raiden_core/generation/made.py", "import raiden_core.generation.stage", "No cycles are allowed in raiden_core.gen"),
        ("flows/display.py", "import flows.run_command", "No cycles are allowed in flows"),
    ],
)  # fmt: skip
def test_a_wrong_import_breaks_it(copy: Path, file: str, planted: str, names: str) -> None:
    path = copy / file
    before = path.read_text("utf-8")
    path.write_text(f"{before}\n\n{planted}\n", "utf-8")
    try:
        done = lint(copy)
    finally:
        path.write_text(before, "utf-8")
    assert done.returncode == 1
    assert names in " ".join(done.stdout.split()), done.stdout


def test_a_room_that_the_contract_does_not_name_breaks_it(copy: Path) -> None:
    room = copy / "raiden_core" / "attic"
    room.mkdir()
    try:
        (room / "__init__.py").write_text("", "utf-8")
        done = lint(copy)
    finally:
        shutil.rmtree(room)
    assert done.returncode == 1
    assert "attic" in done.stdout
