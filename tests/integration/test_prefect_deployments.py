"""The README's commands, executed: a real server, a work pool, all deployments, a worker, and runs of them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
HEADING = "## With a Prefect server"


def readme_block() -> str:
    text = (ROOT / "README.md").read_text("utf-8")
    block = re.search(r"```bash\n(.*?)```", text[text.index(HEADING) :], re.DOTALL)
    assert block, "the README has no commands under its heading"
    return block.group(1)


def test_the_readmes_commands_run_every_stage(tmp_path: Path, unused_port: int) -> None:
    commands = readme_block()
    for word in ("server start", "work-pool create", "deploy --all", "worker start", "raiden/full-pipeline"):
        assert word in commands
    output_dir = tmp_path / "runs"
    config = tmp_path / "tiny.yaml"
    tiny = (ROOT / "tests" / "integration" / "tiny.yaml").read_text("utf-8")
    config.write_text(f"{tiny}\noutput_dir: {output_dir}\n", "utf-8")
    script = commands.replace("4200", str(unused_port)).replace("configs/quickstart.yaml", str(config))
    script = script.replace("prefect server start >", f"prefect server start --port {unused_port} >")
    script = script.replace("prefect-server.log", str(tmp_path / "server.log"))
    script = re.sub(r"(prefect deployment run \S+)([^\n]*)", rf"\1 -p config={config} --watch", script)
    script = f"set -e\ntrap 'kill $(jobs -p) 2>/dev/null' EXIT\n{script}"
    environment = {
        **os.environ,
        "PREFECT_HOME": str(tmp_path / "home"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_WORKER_QUERY_SECONDS": "2",
        "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    environment.pop("PREFECT_API_URL", None)
    log = tmp_path / "commands.log"
    # A file, not a pipe: reading a pipe would wait for a worker that is still going down.
    with log.open("wb") as sink:
        shell = subprocess.Popen(
            ["bash", "-c", script],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = shell.wait(480)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGTERM)
    said = log.read_text("utf-8", errors="replace")
    assert code == 0, said[-5000:]
    assert "Completed" in said
    assert list(output_dir.glob("report-*/report.html"))
    records = sorted((output_dir / "runs").glob("*/run.json"))
    assert len(records) == len(re.findall("prefect deployment run", script))
    last = json.loads(records[-1].read_text("utf-8"))
    if len(records) > 1:
        assert [stage for stage, row in last["stages"].items() if not row["cached"]] == [list(last["stages"])[-1]]
