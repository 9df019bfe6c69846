"""A teacher that answers by the script of the tests: ``python -m benchmarks.chaos.teacher PORT [KEY]``."""

from __future__ import annotations

import asyncio
import json
import runpy
import sys
from collections.abc import Mapping
from typing import Any

from benchmarks.chaos.house import ROOT
from tests.support.fault_server import FaultServer

SECONDS = 1800


async def serve(port: int, key: str | None) -> None:
    """Answer until somebody ends the process."""
    reply = runpy.run_path(str(ROOT / "tests" / "support" / "scripted_teacher.py"))["reply_to"]

    def teacher(chat: Mapping[str, Any]) -> str:
        return json.dumps(reply(list(chat["messages"])), ensure_ascii=False)

    server = FaultServer(teacher, model="glm-4.6", key=key)
    server.port = port
    async with server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        await asyncio.sleep(SECONDS)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None))
