"""Waiting threads let other processes have the core."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from raiden_core.processes.threads import SPINS, share_cores


@pytest.mark.parametrize(
    ("said", "spins"),
    [
        ({}, SPINS),
        ({"GOMP_SPINCOUNT": "7"}, "7"),
        ({"OMP_WAIT_POLICY": "active"}, None),
    ],
)
def test_what_the_user_has_said_stands(said: dict[str, str], spins: str | None) -> None:
    environment = dict(said)
    share_cores(environment)
    assert environment.get("GOMP_SPINCOUNT") == spins


def plain() -> dict[str, str]:
    """The environment of somebody who has said nothing about threads."""
    return {name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}


@pytest.mark.parametrize("script", ["grpo", "cold_start"])
def test_a_training_script_says_it_before_it_loads_torch(script: str) -> None:
    program = (
        f"import sys; from raiden_core.training import {script}\n"
        "from raiden_core.training.launch.script import as_script\n"
        "def main(argv): import os; print('torch' in sys.modules, os.environ['GOMP_SPINCOUNT'])\n"
        "with as_script(): main([])"
    )
    done = subprocess.run([sys.executable, "-c", program], env=plain(), capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["False", SPINS], done.stderr


def test_an_evaluation_says_it_before_it_loads_torch(tmp_path: Path) -> None:
    # What transformers would find when it is imported, and torch with it; itself it would take seconds.
    (tmp_path / "transformers.py").write_text(
        "import os, sys; print('torch' in sys.modules, os.environ['GOMP_SPINCOUNT']); AutoTokenizer = None"
    )
    program = (
        "import os, sys; from pathlib import Path; from raiden_core.models import local_model\n"
        "from raiden_core.models.folder import load_tokenizer\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "try: load_tokenizer(Path(sys.argv[1]) / 'none')\n"
        "except Exception as error: print('torch' in sys.modules, os.environ['GOMP_SPINCOUNT'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], env=plain(), capture_output=True, text=True, timeout=120
    )
    assert done.stdout.split() == ["False", SPINS] * 2, done.stderr
