"""Answers of a model behind an OpenAI-compatible server, by the client that generation uses.

    model = ServedModel(EndpointConfig(url="http://127.0.0.1:8000/v1", model="mine", dialect="openai"), max_new_tokens=256)
    replies = model.answer(prompts, store=Path("out/answers.jsonl"), progress=silent)

The client keeps every reply in a store of its own, in the folder ``served`` beside the file that `LocalModel` uses, so
that a killed evaluation asks nothing twice. Serve the trained model without a reasoning parser: one would take
``<think>…</think>`` out of the text, and with it the format that is scored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.errors import RaidenError, UsageError
from raiden_core.models.answering import GREEDY, Prompt, Reply
from raiden_core.stages.progress import Progress, silent

if TYPE_CHECKING:
    from raiden_core.models.served.client import Client

ENDPOINT = "model"
"""Name of the one endpoint, in messages."""
STORE = "served"


@dataclass(frozen=True)
class ServedModel:
    """A model that a server has loaded."""

    endpoint: EndpointConfig
    max_new_tokens: int = 256
    temperature: float = 1.0
    """Of all draws but the greedy one."""

    def answer(
        self,
        prompts: Sequence[Prompt],
        *,
        store: Path,
        progress: Progress = silent,
        draws: Sequence[int] | None = None,
    ) -> list[Reply]:
        """One reply a prompt, in their order; a question that the server refuses has an empty reply with its reason.

        Raises:
            ConfigError: the server refuses the key, or has no such model.
            StageError: the server is gone; what it answered is kept.
        """
        chosen = draws or [GREEDY] * len(prompts)
        return asyncio.run(self._answer(prompts, chosen, store.with_name(STORE), progress))

    async def _answer(
        self, prompts: Sequence[Prompt], draws: Sequence[int], store: Path, progress: Progress
    ) -> list[Reply]:
        from raiden_core.models.served.client import Client

        replies: dict[int, Reply] = {}
        numbers = iter(range(len(prompts)))
        progress(0, len(prompts))

        async def work(client: Client, numbers: Iterator[int]) -> None:
            for number in numbers:
                replies[number] = await self._ask(client, prompts[number], draws[number])
                progress(len(replies), len(prompts), client.usage().line())

        async with Client({ENDPOINT: self.endpoint}, store, as_is=True) as client:
            try:
                async with asyncio.TaskGroup() as workers:
                    for _ in range(min(self.endpoint.max_concurrency, len(prompts))):
                        workers.create_task(work(client, numbers))
            except* RaidenError as group:
                raise first_error(group) from None
        return [replies[number] for number in range(len(prompts))]

    async def _ask(self, client: Client, prompt: Prompt, draw: int) -> Reply:
        from raiden_core.models.asking import Refused, Request

        temperature = 0.0 if draw == GREEDY else self.temperature
        outcome = await client.ask(
            Request(ENDPOINT, tuple(prompt), "evaluation", None, temperature, self.max_new_tokens, draw)
        )
        if isinstance(outcome, Refused):
            return Reply("", 0, False, " ".join(f"refused: {outcome.reason} {outcome.detail}".split()))
        return Reply(outcome.text, outcome.completion_tokens, outcome.completion_tokens < self.max_new_tokens)


def is_url(model: str) -> bool:
    """Whether a model is named by a server's address."""
    return model.startswith(("http://", "https://"))


def endpoint_at(url: str, template: EndpointConfig) -> EndpointConfig:
    """The endpoint that ``URL#NAME`` names; everything else is the template's.

    Raises:
        UsageError: the address has no host or no model's name.
    """
    address, _, name = url.partition("#")
    parts = urlsplit(address)
    if not parts.hostname:
        raise UsageError(f"{url}: no address of a server; write it as http://HOST:PORT/v1#MODEL")
    if not name:
        raise UsageError(f"{url}: which model? write {url}#MODEL, with a name that {address.rstrip('/')}/models lists")
    base = address.rstrip("/") if parts.path.strip("/") else f"{address.rstrip('/')}/v1"
    return template.model_copy(update={"url": base, "model": name})


def first_error(group: BaseException) -> RaidenError:
    """The first error of a group: where the server is gone, all workers fail of the same one.

    Raises:
        TypeError: it is none of raiden's own.
    """
    error = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if not isinstance(error, RaidenError):
        raise TypeError("only groups of raiden's own errors come here") from error
    return error
