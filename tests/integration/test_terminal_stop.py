"""Ctrl-C in a terminal goes to every process of the command; the run ends at once, in one line, and Prefect knows."""

import fcntl
import os
import pty
import re
import select
import signal
import sqlite3
import subprocess
import sys
import termios
import time
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
SECONDS = 300
"""Until the training begins; a busy machine takes most of it."""


def test_ctrl_c_ends_the_run_and_its_temporary_server_in_one_line(tmp_path: Path) -> None:
    home = tmp_path / "prefect"
    here, there = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    settings = [f"output_dir={tmp_path / 'runs'}", "cold_start.max_steps=100000"]
    command = [sys.executable, "-m", "flows.cli", "run", str(ROOT / "tests/integration/tiny.yaml")]
    process = subprocess.Popen(
        [*command, *(word for setting in settings for word in ("--set", setting))],
        cwd=ROOT,
        env={**environment, "PREFECT_HOME": str(home), "OMP_NUM_THREADS": "1"},
        stdin=there,
        stdout=there,
        stderr=there,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(there)
    try:
        _read(here, until=re.compile(r"cold-start.*[1-9]/100,?000"))
        family = psutil.Process(process.pid).children(recursive=True)
        assert any("uvicorn" in " ".join(one.cmdline()) for one in family), "the temporary server runs"
        os.write(here, b"\x03")
        said = _read(here)
        assert process.wait(60) == 130
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        os.close(here)
    _, left = psutil.wait_procs(family, timeout=20)
    assert not left
    assert "Traceback" not in said
    assert said.strip().splitlines()[-1].startswith("stopped; run the same command again")
    with sqlite3.connect(home / "prefect.db") as database:
        states = [state for (state,) in database.execute("select state_type from flow_run")]
    assert len(states) == 1 and states[0] in {"CRASHED", "CANCELLED", "FAILED"}, "no run is left that seems to go on"


def _read(terminal: int, until: re.Pattern[str] | None = None) -> str:
    """What the terminal shows, without its codes, until something stands there or the program has gone."""
    shown, end = "", time.monotonic() + SECONDS
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            came = os.read(terminal, 1 << 16)
        except OSError:  # the other side is closed
            return shown
        shown += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", came.decode("utf-8", "replace"))
        if until is not None and until.search(shown):
            return shown
    pytest.fail(f"nothing of the kind was shown in {SECONDS} s: {shown[-500:]}")
