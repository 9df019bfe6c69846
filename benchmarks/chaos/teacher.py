"""A teacher that answers by the script of the tests: ``python -m benchmarks.chaos.teacher PORT [KEY]``."""

from __future__ import annotations

import asyncio
import sys

from tests.support.serving import scripted_server

SECONDS = 1800


async def serve(port: int, key: str | None) -> None:
    """Answer until somebody ends the process."""
    server = scripted_server(key=key)
    server.port = port
    async with server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        await asyncio.sleep(SECONDS)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None))
