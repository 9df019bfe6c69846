"""A Prefect server for one command, where none is configured.

    server = TemporaryServer.begin()      # starts while Prefect is being imported
    with temporary_settings({PREFECT_API_URL: server.wait()}):
        …

Prefect would start one itself, in the process group of this command. A terminal sends Ctrl-C to the whole group, so the server
would be gone before Prefect can tell it that the run has ended, and the user would wait for its retries and read their
traceback. This one has a session of its own, under a supervisor that ends it with this process, however that ends.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from raiden_core.errors import StageError
from raiden_core.processes.children import Child, free_port, last_lines, start, supervised, wait_ready

HOST = "127.0.0.1"
START_SECONDS = 180
"""The first start migrates a database; on a busy machine that takes a while."""
POLL_SECONDS = 0.1
SETTINGS = {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}
"""What Prefect sets for temporary servers of its own: no pages, and only those services that record runs."""


@dataclass(frozen=True)
class TemporaryServer:
    """A server that was started, and may not answer yet."""

    child: Child
    api: str
    """Its address."""

    @classmethod
    def begin(cls) -> TemporaryServer:
        """Start it; it is ended when this process ends."""
        folder = Path(tempfile.mkdtemp(prefix="raiden-server-"))
        port = free_port()
        # What Prefect runs for temporary servers of its own; the command `prefect server start` has no such mode.
        command = ["-m", "uvicorn", "--factory", "prefect.server.api.server:create_app", "--lifespan", "on"]
        # From an empty folder, since uvicorn looks for modules there first.
        command += ["--app-dir", str(folder), "--host", HOST, "--port", str(port), "--log-level", "error"]
        child = start(
            supervised([sys.executable, "-P", *command]),
            folder / "server.log",
            {**os.environ, **SETTINGS},
            detached=True,
        )
        # Registered before Prefect is imported, so that what Prefect sends at its own end still arrives.
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        atexit.register(child.stop)
        return cls(child, f"http://{HOST}:{port}/api")

    def wait(self) -> str:
        """Wait until it answers, and give its address.

        Raises:
            StageError: it ended, or did not answer in `START_SECONDS`.
        """
        came = wait_ready(lambda: healthy(self.api), self.child.has_ended, START_SECONDS, poll=POLL_SECONDS)
        if came != "ready":
            said = (last_lines(self.child.log) or ["it said nothing"])[-1]
            how = "ended at once" if came == "ended" else f"did not answer within {START_SECONDS} s"
            raise StageError(f"Prefect's temporary server {how}: {said}; see raiden doctor, or set PREFECT_API_URL")
        return self.api


def healthy(api: str) -> bool:
    """Whether a Prefect server answers there."""
    try:
        with urllib.request.urlopen(f"{api}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
