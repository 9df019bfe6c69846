"""Tells reasoning from reply while a completion is still coming.

    splitter = Splitter()
    for chunk in chunks:
        for kind, text in splitter.feed(chunk):
            ...
    for kind, text in splitter.finish():
        ...

Tags are not shown, and may be cut anywhere by the chunks. What counts as the reply in the end is decided by
raiden_core.rewards.completion on the whole completion; the two differ only where a model breaks the format: a stream
cannot know beforehand that a tag will come that makes what was said so far reasoning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

Kind = Literal["reasoning", "reply"]

_TAG = re.compile(r"<(/?)(think|answer)>", re.IGNORECASE)
_TAGS = ("<think>", "</think>", "<answer>", "</answer>")


class Splitter:
    """Takes chunks, gives pieces of reasoning and reply without tags."""

    def __init__(self, prefilled_think: bool = False) -> None:
        """Start; ``prefilled_think`` says that the prompt has opened the reasoning already."""
        self._buffer = ""
        self._kind: Kind | None = "reasoning" if prefilled_think else "reply"

    def feed(self, chunk: str) -> Iterator[tuple[Kind, str]]:
        """The pieces that are certain after this chunk."""
        self._buffer += chunk
        while tag := _TAG.search(self._buffer):
            yield from self._piece(self._buffer[: tag.start()])
            self._buffer = self._buffer[tag.end() :]
            self._turn(closes=bool(tag[1]), name=tag[2].lower())
        safe = len(self._buffer) - _begun_tag(self._buffer)
        piece, self._buffer = self._buffer[:safe], self._buffer[safe:]
        yield from self._piece(piece)

    def finish(self) -> Iterator[tuple[Kind, str]]:
        """What is left when nothing more comes."""
        piece, self._buffer = self._buffer, ""
        yield from self._piece(piece)

    def _turn(self, closes: bool, name: str) -> None:
        if name == "think":
            self._kind = "reply" if closes else "reasoning"
        elif self._kind != "reasoning":
            self._kind = None if closes else "reply"

    def _piece(self, text: str) -> Iterator[tuple[Kind, str]]:
        if text and self._kind is not None:
            yield self._kind, text


def _begun_tag(text: str) -> int:
    """How many characters at the end of a text may be the beginning of a tag."""
    start = text.rfind("<")
    tail = text[start:].lower() if start >= 0 else ""
    return len(tail) if tail and any(tag.startswith(tail) for tag in _TAGS) else 0
