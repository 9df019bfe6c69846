"""The store of a local model's replies: a JSON object a line, appended as soon as a reply is there.

Each is keyed by model, settings, prompt and draw: a killed evaluation goes on where it stopped, and a store of another
data set or of other weights merely has no matching keys.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from raiden_core.errors import DataError
from raiden_core.models.answering import Reply

KEPT = ("text", "tokens", "finished", "note")
"""The fields of a reply that a line holds beside its key."""


def append_replies(store: Path, replies: Iterable[tuple[str, Reply]]) -> None:
    """Append replies by key."""
    store.parent.mkdir(parents=True, exist_ok=True)
    with store.open("a", encoding="utf-8") as file:
        for key, reply in replies:
            row = {"key": key} | {name: getattr(reply, name) for name in KEPT}
            file.write(json.dumps(row, ensure_ascii=True) + "\n")


def read_replies(store: Path) -> dict[str, Reply]:
    """The replies of a store; a last line that a kill cut short is dropped from the file.

    Raises:
        DataError: any other line is broken.
    """
    if not store.is_file():
        return {}
    content = store.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        with store.open("r+b") as file:
            file.truncate(len(whole))
    replies: dict[str, Reply] = {}
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            row: dict[str, Any] = json.loads(line)
            key = row.pop("key")
            replies[key] = Reply(**row)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise DataError(f"{store}: line {number} is no stored reply; remove that line, or the file") from None
    return replies
