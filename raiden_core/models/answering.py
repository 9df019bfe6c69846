"""The contract of whoever answers a prompt: what is asked, what comes back, and the three ways of asking.

- **`Asker`**: one `Request` at a time, many of them under way. The teacher, the judge and the student of generation are
  asked so; `raiden_core.models.served.client.Client` does it over HTTP, and keeps every accepted reply in a store.
- **`Answerer`**: a batch of prompts with a store. Evaluation asks so: a model folder by transformers
  (`raiden_core.models.local_model`) or vLLM (`raiden_core.models.vllm_model`), a server
  (`raiden_core.models.served_model`).
- **`Talker`**: one prompt, the reply in pieces as they are made. Chat asks so (`raiden_core.models.talking`). A
  **`SamplingTalker`** takes how to sample with each prompt, and counts tokens: `raiden serve` asks so.

The first two give a `Reply`, whoever answers. Where nothing acceptable came, an `Asker` says `Refused`: that is data,
not a crash, and the sample that needed the reply is dropped and counted. An `Answerer` owes one reply a prompt, so there
it is an empty one with a note.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from raiden_core.errors import StageError
from raiden_core.prompts import Message
from raiden_core.stages.progress import Progress, silent

Prompt = Sequence[Message]
"""A chat: ``{"role", "content"}`` messages that end with the user's question."""

GREEDY = 0
"""The draw that an `Answerer` does not sample."""


@dataclass(frozen=True)
class Request:
    """One question to one model. Equal requests have equal keys, and are paid for once."""

    endpoint: str
    """Name of the endpoint that is asked."""
    messages: tuple[Mapping[str, str], ...]
    """The chat. What prompts of one profile share comes first."""
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
    """What a model said."""

    text: str
    tokens: int = 0
    """Generated tokens, the end-of-turn token not counted; 0 also where a server does not say."""
    finished: bool = True
    """It ended by itself, not at the limit of its tokens."""
    note: str = ""
    """Why there is no reply, where the model could not be asked."""
    data: Any = None
    """The parsed JSON where a schema was asked for."""
    prompt_tokens: int = 0
    """What the server says that it read; 0 for local models."""
    cached: bool = field(default=False, compare=False)
    """It came from a store and cost nothing."""


@dataclass(frozen=True)
class Refused:
    """No acceptable reply came, after all attempts."""

    reason: str
    """A short, countable word: ``length``, ``empty``, ``not json``, ``schema``, ``tags``, ``repetition``, ``server``;
    raiden_core.models.served.acceptance lists all."""
    detail: str = ""
    """The server's own words or the text's flaw, and what to set where that is known."""
    of_server: bool = False
    """The server is to blame, and not what the model wrote."""


class Asker(Protocol):
    """Whoever takes requests one by one: the client with its store, or a script in a test."""

    async def ask(self, request: Request) -> Reply | Refused:
        """The reply to a request, or why there is none.

        Raises:
            ConfigError: no such endpoint; the server refuses the key, has no such model or refuses every request.
            StageError: the server is gone for good.
        """
        ...


class Answerer(Protocol):
    """Whoever replies to a batch of prompts.

    Draw 0 is greedy; every further draw of the same prompt is sampled at the model's own temperature.
    """

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
            store: the file of replies; what is kept elsewhere lies beside it.
            progress: told about prompts answered.
            draws: the draw of each prompt; None: all greedy.

        Raises:
            RaidenError: the model cannot be used, or its server is gone; what was answered is kept.
        """
        ...


class Talker(Protocol):
    """Whoever replies piece by piece."""

    @property
    def prefilled_think(self) -> bool:
        """Whether its prompts open the reasoning themselves, so that completions start inside it."""
        ...

    def stream(self, messages: Sequence[Message]) -> Generator[str]:
        """The completion of a chat, piece by piece; closing the iterator ends it early.

        Raises:
            RaidenError: the model cannot be asked, or broke off.
        """
        ...


@dataclass(frozen=True)
class Sampling:
    """How one reply is sampled."""

    max_tokens: int
    """Tokens of the reply at most."""
    temperature: float
    """0 is greedy."""
    top_p: float = 1.0
    seed: int | None = None
    """The same seed gives the same reply; None: another one each time."""
    clipped: bool = False
    """Where the context has less room than ``max_tokens``, the reply gets what is left instead of none."""


@dataclass
class Counts:
    """What a reply took; filled while it is made."""

    prompt: int = 0
    """Tokens of the prompt."""
    completion: int = 0
    """Tokens of the reply so far, the end-of-turn token not counted."""
    finished: bool = False
    """The model ended its turn by itself."""


class TooLong(StageError):
    """A prompt leaves no room for the reply in the model's context."""

    @classmethod
    def of(cls, prompt: int, wanted: int, context: int) -> TooLong:
        """The error for a prompt of so many tokens."""
        words = (
            f"the conversation of {prompt} tokens leaves no room for {wanted} more in the model's context of {context}"
        )
        return cls(words)


def room_for(sampling: Sampling, prompt: int, context: int | None) -> int:
    """Tokens that a reply may have after a prompt of so many.

    Raises:
        TooLong: fewer than are wanted, or none where fewer will do.
    """
    if context is None:
        return sampling.max_tokens
    least = 1 if sampling.clipped else sampling.max_tokens
    if prompt + least > context:
        raise TooLong.of(prompt, least, context)
    return min(sampling.max_tokens, context - prompt)


class SamplingTalker(Protocol):
    """Whoever replies piece by piece, each time sampled as is asked."""

    @property
    def prefilled_think(self) -> bool:
        """As a `Talker`'s."""
        ...

    def reply(self, messages: Sequence[Message], sampling: Sampling, counts: Counts) -> Generator[str]:
        """The completion of a chat, piece by piece; closing the iterator ends it early. ``counts`` is filled.

        Raises:
            TooLong: the chat leaves no room in the context.
            RaidenError: the model cannot be asked, or broke off.
        """
        ...
