"""Whoever answers chats: the contract of local and of served models, and the store of their replies.

An `Answerer` gives one reply a prompt. Every reply is appended to a store, keyed by model, settings, prompt and draw, as
soon as it is there: a killed evaluation goes on where it stopped, and a store of another data set or of other weights
merely has no matching keys.

Draw 0 is greedy; every further draw of the same prompt is sampled at the model's temperature.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from raiden_core.errors import DataError
from raiden_core.stages.progress import Progress, silent

Prompt = Sequence[dict[str, str]]
"""A chat: ``{"role", "content"}`` messages that end with the user's question."""

GREEDY = 0
"""The draw that is not sampled."""


@dataclass(frozen=True)
class Reply:
    """What a model said."""

    text: str
    tokens: int
    """Generated tokens, the end-of-turn token not counted."""
    finished: bool
    """It ended by itself, not at ``max_new_tokens``."""
    note: str = ""
    """Why there is no reply, where the model could not be asked."""


class Answerer(Protocol):
    """Something that replies to chats."""

    def answer(
        self,
        prompts: Sequence[Prompt],
        *,
        store: Path,
        progress: Progress = silent,
        draws: Sequence[int] | None = None,
    ) -> list[Reply]:
        """One reply a prompt, in their order; what ``store`` already holds is not asked again.

        Args:
            prompts: what is asked.
            store: the file of replies.
            progress: told about prompts answered.
            draws: the draw of each prompt; None: all greedy.
        """
        ...


def append_replies(store: Path, replies: Iterable[tuple[str, Reply]]) -> None:
    """Append replies by key."""
    store.parent.mkdir(parents=True, exist_ok=True)
    with store.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps({"key": key, **asdict(reply)}, ensure_ascii=True) + "\n" for key, reply in replies)


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
