"""How pytest-xdist deals the integration tests to several processes: a server that tests share is started by one of them.

A file's tests stay together, for its own fixtures cost minutes, and so do the files that use the same shared server.
What takes longest is dealt first. The marks of ``--dist loadgroup`` say the same, but pytest-xdist 3.8 writes them into a
field that pytest 9.2 no longer reads, and every process would start every server.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).parents[2]
SERVERS = {"house": "house", "finished_run": "house", "prefect_server": "prefect_server", "raiden": "prefect_server"}
"""Fixtures of tests/integration/conftest.py, and the server that each stands on."""
LONG = (
    "prefect_server", "house", "test_other_libraries", "test_two_processes", "test_prefect_deployments", "test_openr1",
    "test_gpu_benchmark", "test_memory_plan", "test_up_down",
)  # fmt: skip
"""Groups of a minute or more, the longest first."""


@cache
def group_of(file: str) -> str:
    """The group of a test file, given by its path from the root: a shared server, or the file's own name."""
    path = ROOT / file
    functions = (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.FunctionDef))
    taken = {argument.arg for function in functions for argument in function.args.args}
    servers = [server for fixture, server in SERVERS.items() if fixture in taken]
    return servers[0] if servers else path.stem


def rank(file: str) -> int:
    """The place of a file in the order of dealing: groups that take long come first, all others as they were."""
    group = group_of(file)
    return LONG.index(group) if group in LONG else len(LONG)


class ByServer(LoadScopeScheduling):
    """Deals whole groups, in the order in which they were collected."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid.split("::", 1)[0])
