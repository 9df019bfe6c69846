"""Answers of a model behind an OpenAI-compatible server, by the client that generation uses.

    model = ServedModel(EndpointConfig(url="http://127.0.0.1:8000/v1", model="mine", dialect="openai"), max_new_tokens=256)
    replies = model.answer(prompts, store=Path("out/answers.jsonl"), progress=silent)

The client keeps every reply in a store of its own, in the folder ``served`` beside the file that `LocalModel` uses, so
that a killed evaluation asks nothing twice. Serve the trained model without a reasoning parser: one takes
``<think>…</think>`` out of the text, and with it the format that is scored. Where one is there, it is said, and what it
took is put back.

Only what the model wrote is its answer. A question that the server refuses for good, such as one that is too long for
its context, has an empty reply with a note; where the server itself fails, there is no result but an error.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.config.sections.evaluation import EvaluationConfig
from raiden_core.errors import RaidenError, StageError, UsageError
from raiden_core.models.answering import GREEDY, Prompt, Refused, Reply, Request
from raiden_core.models.served.waiting import told_regularly
from raiden_core.models.served.words import shown_url
from raiden_core.stages.progress import Progress, silent

if TYPE_CHECKING:
    from raiden_core.models.served.client import Client

_DEFAULT = EvaluationConfig()

ENDPOINT = "model"
"""Name of the one endpoint, in messages."""
STORE = "served"


@dataclass(frozen=True)
class ServedModel:
    """A model that a server has loaded."""

    endpoint: EndpointConfig
    max_new_tokens: int = _DEFAULT.max_new_tokens
    temperature: float = _DEFAULT.temperature
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
            StageError: the server is gone, fails on a question again and again, or refuses all of them; what it answered
                is kept.
        """
        chosen = draws or [GREEDY] * len(prompts)
        outcomes = asyncio.run(self._answer(prompts, chosen, store.with_name(STORE), progress))
        refused = [one for one in outcomes if isinstance(one, Refused) and not _said_nothing(one)]
        where, number = shown_url(self.endpoint.url), len(outcomes)
        if failed := [one for one in refused if one.of_server]:
            raise StageError(
                f"{where}: failed on {len(failed)} of {number} questions, which is not the model's fault "
                f"({_words(failed[0])}); look after the server and run again: what was answered is kept"
            )
        if refused and len(refused) == number:
            raise StageError(f"{where}: refused all {number} questions ({_words(refused[0])}); nothing can be scored")
        return [_reply(outcome) for outcome in outcomes]

    async def _answer(
        self, prompts: Sequence[Prompt], draws: Sequence[int], store: Path, progress: Progress
    ) -> list[Reply | Refused]:
        from raiden_core.models.served.client import Client

        replies: dict[int, Reply | Refused] = {}
        numbers = iter(range(len(prompts)))
        progress(0, len(prompts))

        async def work(client: Client, numbers: Iterator[int]) -> None:
            for number in numbers:
                replies[number] = await self._ask(client, prompts[number], draws[number])
                tell(client)

        def tell(client: Client) -> None:
            progress(len(replies), len(prompts), client.line())

        async with (
            Client({ENDPOINT: self.endpoint}, store, as_is=True) as client,
            told_regularly(lambda: tell(client)),
        ):
            try:
                async with asyncio.TaskGroup() as workers:
                    for _ in range(min(self.endpoint.max_concurrency, len(prompts))):
                        workers.create_task(work(client, numbers))
            except* RaidenError as group:
                raise first_error(group) from None
        return [replies[number] for number in range(len(prompts))]

    async def _ask(self, client: Client, prompt: Prompt, draw: int) -> Reply | Refused:
        temperature = 0.0 if draw == GREEDY else self.temperature
        return await client.ask(
            Request(ENDPOINT, tuple(prompt), "evaluation", None, temperature, self.max_new_tokens, draw)
        )


def _said_nothing(refused: Refused) -> bool:
    """Whether the model itself gave an empty answer."""
    return refused.reason == "empty" and not refused.of_server


def _reply(outcome: Reply | Refused) -> Reply:
    if isinstance(outcome, Reply):
        return outcome
    return Reply("") if _said_nothing(outcome) else Reply("", finished=False, note=f"refused: {_words(outcome)}")


def _words(refused: Refused) -> str:
    return f"{refused.reason} {refused.detail}".strip()


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
