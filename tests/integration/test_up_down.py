"""`raiden up` and `raiden down` with real processes: healthy at the end of the one, gone at the end of the other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]


def test_up_starts_everything_once_and_down_stops_it_all(tmp_path: Path, unused_port: int) -> None:
    # A checkout of links: the state must not lie in this one, where somebody may have his own services up.
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for name in ("prefect.yaml", "flows", "tasks", "raiden_core", "configs"):
        (checkout / name).symlink_to(ROOT / name)
    environment = {**os.environ, "PREFECT_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)}
    environment.pop("PREFECT_API_URL", None)

    def raiden(*arguments: str) -> str:
        command = [sys.executable, "-m", "flows.cli", *arguments]
        done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, timeout=500)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    said = raiden("up", "--port", str(unused_port))
    try:
        assert f"http://127.0.0.1:{unused_port}" in said
        state = json.loads((checkout / ".raiden" / "up.json").read_text("utf-8"))
        family = [psutil.Process(process["pid"]) for process in state["processes"]]
        assert [process["role"] for process in state["processes"]] == ["server", "reports", "worker"]
        family += [child for process in family for child in process.children(recursive=True)]
        listed = subprocess.run(
            [sys.executable, "-m", "prefect", "deployment", "ls"],
            env={**environment, "PREFECT_API_URL": f"http://127.0.0.1:{unused_port}/api"},
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert "full-pipeline" in listed.stdout, listed.stdout + listed.stderr
        assert "already up" in raiden("up", "--port", str(unused_port))
        assert len(json.loads((checkout / ".raiden" / "up.json").read_text("utf-8"))["processes"]) == 3
    finally:
        raiden("down")
    assert not [process for process in family if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
    assert not (checkout / ".raiden" / "up.json").exists()
    assert "nothing" in raiden("down")
