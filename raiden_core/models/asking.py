"""How a model behind a server is asked: requests, replies and refusals, whoever carries them.

Mining, the judge and the evaluation of served models write `Request`s and read `Reply`s; the client
(raiden_core.models.served.client) carries them over HTTP, keeps every accepted reply in a store before anybody uses it,
and counts what it refused. A refused reply is data, not a crash: the sample that needed it is dropped and counted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Request:
    """One question to one model. Equal requests have equal keys, and are paid for once."""

    endpoint: str
    """Name of the endpoint that is asked."""
    messages: tuple[Mapping[str, str], ...]
    """The chat: ``{"role", "content"}`` turns. What prompts of one profile share comes first."""
    purpose: str
    """What it is for, with the prompt's version, such as ``facts/3``; statistics are kept by it."""
    schema: Mapping[str, Any] | None = None
    """JSON schema that the reply must satisfy; None for plain text."""
    temperature: float = 0.0
    max_tokens: int = 2048
    draw: int = 0
    """Which of several independent replies to the same question."""

    def key(self, model: str) -> str:
        """Digest of everything that the reply of ``model`` depends on: 64 hex digits."""
        content = [
            model,
            [dict(message) for message in self.messages],
            self.purpose,
            self.schema,
            self.temperature,
            self.max_tokens,
            self.draw,
        ]
        text = json.dumps(content, sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Reply:
    """A complete, accepted reply."""

    text: str
    data: Any = None
    """The parsed JSON where a schema was asked for."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached: bool = False
    """It came from the store and cost nothing."""


@dataclass(frozen=True)
class Refused:
    """No acceptable reply came, after all attempts."""

    reason: str
    """A short, countable word: ``length``, ``empty``, ``not json``, ``schema``, ``tags``, ``repetition``, ``server``;
    raiden_core.models.served.acceptance lists all."""
    detail: str = ""


class Asker(Protocol):
    """Whoever can be asked: the client with its store, or a script in a test."""

    async def ask(self, request: Request) -> Reply | Refused:
        """The reply to a request, or why there is none.

        Raises:
            StageError: the server is gone for good, refuses the key or has no such model.
        """
        ...
