"""Something to see while a server keeps everybody waiting: progress is told again and again, whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

TELL_SECONDS = 0.5
"""Progress is told so often: displays drop what they do not need."""
SILENT_SECONDS = 8.0
"""A server that does not answer is spoken of so often at least."""


@asynccontextmanager
async def told_regularly(tell: Callable[[], None], seconds: float = TELL_SECONDS) -> AsyncIterator[None]:
    """Call ``tell`` every so many seconds while the body runs."""

    async def repeat() -> None:
        while True:
            await asyncio.sleep(seconds)
            tell()

    ticking = asyncio.create_task(repeat())
    try:
        yield
    finally:
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)
