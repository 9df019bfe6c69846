"""Prefect's database in PostgreSQL, as docker/compose.yaml has it: a run against a real one on loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
USERS = ("postgres", "nobody")
"""PostgreSQL refuses to run as root; one of these is there on every Linux."""


def program(name: str) -> str | None:
    """A program of PostgreSQL: on the path, or where Debian puts it."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(debian[-1]) if debian else None)


@pytest.fixture
def database(tmp_path_factory: pytest.TempPathFactory, unused_port: int) -> Iterator[tuple[str, int]]:
    """Name of its user, and port, of a fresh server that is gone after the test."""
    initdb, postgres = program("initdb"), program("postgres")
    if initdb is None or postgres is None:
        pytest.skip("PostgreSQL is not installed: Prefect is not tried with it")
    owner: dict[str, Any] = {}
    folder = tmp_path_factory.mktemp("postgres")
    if os.getuid() == 0:
        names = [entry.pw_name for entry in pwd.getpwall()]
        user = next(name for name in USERS if name in names)
        owner = {"user": user, "extra_groups": []}
        shutil.chown(folder, user)
        for parent in folder.parents:
            if parent.stat().st_uid == 0 and str(parent).startswith("/tmp/"):
                parent.chmod(parent.stat().st_mode | 0o011)
    data = folder / "data"
    made = subprocess.run(
        [initdb, "-D", str(data), "-U", "prefect", "--auth=trust", "-E", "UTF8"],
        cwd=folder, capture_output=True, text=True, **owner,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    options = ["-D", str(data), "-p", str(unused_port), "-c", "listen_addresses=127.0.0.1", "-k", str(folder)]
    with (folder / "postgres.log").open("wb") as log:
        server = subprocess.Popen([postgres, *options], cwd=folder, stdout=log, stderr=subprocess.STDOUT, **owner)
    try:
        yield "prefect", unused_port
    finally:
        server.terminate()
        server.wait(30)


def test_a_run_keeps_its_record_in_postgresql(database: tuple[str, int], tmp_path: Path) -> None:
    user, port = database
    environment = {
        **os.environ,
        "PREFECT_HOME": str(tmp_path / "home"),
        "PREFECT_API_DATABASE_CONNECTION_URL": f"postgresql+asyncpg://{user}@127.0.0.1:{port}/postgres",
        "PYTHONPATH": str(ROOT),
    }
    environment.pop("PREFECT_API_URL", None)
    command = [sys.executable, "-m", "flows.cli", "run", str(ROOT / "tests/integration/tiny.yaml"), "--stage", "split"]
    done = subprocess.run(
        [*command, "--set", f"output_dir={tmp_path / 'runs'}"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=500,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    code = (
        "import asyncio, asyncpg, sys\n"
        "async def main():\n"
        f"    c = await asyncpg.connect(user={user!r}, host='127.0.0.1', port={port}, database='postgres')\n"
        "    print(*[row['state_type'] for row in await c.fetch('select state_type from flow_run')])\n"
        "    print(*sorted(row['name'] for row in await c.fetch('select name from task_run')))\n"
        "asyncio.run(main())\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    flows, tasks = found.stdout.splitlines()
    assert flows.split() == ["COMPLETED"], found.stderr
    assert [name.rpartition("-")[0] for name in tasks.split()] == ["generate", "split"]
    assert not list((tmp_path / "home").glob("*.db")), "nothing went to SQLite"
