"""The smallest program that asks a teacher: numbered questions, their replies in one file.

    python -m tests.support.asking URL REPLIES_FOLDER OUT.jsonl --number 500

``OUT.jsonl`` appears when all replies are there, one JSON object ``{"number", "text"}`` a line, in order.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from pathlib import Path

from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.models.answering import Refused, Reply, Request
from raiden_core.models.served.client import Client


def question(number: int) -> Request:
    """A question with a short answer."""
    return Request("teacher", ({"role": "user", "content": f"question {number}"},), "questions/1")


async def ask_all(url: str, replies: Path, out: Path, number: int, concurrency: int) -> None:
    """Ask all questions and write what came."""
    config = EndpointConfig(
        url=url, model="scripted", max_concurrency=concurrency, attempts=20, timeout_seconds=5, patience_seconds=60
    )
    async with Client({"teacher": config}, replies) as client:
        came: list[Reply | Refused] = await asyncio.gather(*(client.ask(question(place)) for place in range(number)))
    lines = [
        json.dumps({"number": place, "text": reply.text if isinstance(reply, Reply) else None}) + "\n"
        for place, reply in enumerate(came)
    ]
    partial = out.with_suffix(".partial")
    partial.write_text("".join(lines), "utf-8")
    os.replace(partial, out)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Asks numbered questions and writes the replies.")
    parser.add_argument("url")
    parser.add_argument("replies", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--number", type=int, default=500)
    parser.add_argument("--concurrency", type=int, default=32)
    given = parser.parse_args()
    asyncio.run(ask_all(given.url, given.replies, given.out, given.number, given.concurrency))


if __name__ == "__main__":
    main()
