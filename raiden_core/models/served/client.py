"""Asks OpenAI-compatible servers, and keeps every accepted reply before anybody uses it.

    async with Client(config.teacher.endpoints, Path(config.output_dir) / ".replies") as client:
        reply = await client.ask(Request("teacher", messages, purpose="facts/3", schema=FACTS))
        progress(done, total, client.usage().line())

A request is looked up in the store first; then it joins an equal request that is under way; then its endpoint asks the
server. A run that was killed and is started again pays for no stored reply a second time, nor for what the model could not do
(raiden_core.models.served.refusals).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Self

from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.config.sections.teacher import BudgetConfig
from raiden_core.errors import ConfigError
from raiden_core.models.answering import Refused, Reply, Request
from raiden_core.models.served.acceptance import CUT, Accepted, Answer
from raiden_core.models.served.accounting import Accounting, Usage
from raiden_core.models.served.budget import NO_LIMITS, Budget
from raiden_core.models.served.dialects import identity
from raiden_core.models.served.limiter import FIRST_LIMIT
from raiden_core.models.served.refusals import as_answer, as_refusal, key_of_refusal
from raiden_core.models.served.store import Store, Stored

if TYPE_CHECKING:
    from raiden_core.models.served.endpoint import Endpoint


class Client:
    """An `Asker` for several named endpoints with one store. Use it as an async context manager, in one event loop.

    Any number of `ask` calls may be under way; how many requests a server sees at a time is the client's business.
    Start them in the order in which they should be asked: prompts that share a prefix next to each other.
    """

    def __init__(
        self,
        endpoints: Mapping[str, EndpointConfig],
        replies: Path,
        *,
        environment: Mapping[str, str] = os.environ,
        as_is: bool = False,
        ended: Mapping[str, Callable[[], bool]] = MappingProxyType({}),
        first_limit: int = FIRST_LIMIT,
        budget: BudgetConfig = NO_LIMITS,
    ) -> None:
        """Remember what to ask; nothing is opened yet.

        Args:
            endpoints: servers by the names that requests use.
            replies: the store's folder, made when missing.
            environment: where keys come from.
            as_is: any text is a reply, with tags, loops or a cut end, and JSON is not parsed: for the answers of
                models under evaluation. Such replies are stored apart from those of teachers.
            ended: for endpoints whose server was started for them, whether it has ended: then nobody waits for it.
            first_limit: requests at a time before anything is known of a server; the adaptive limit begins there.
            budget: what replies may cost.
        """
        self._configs = dict(endpoints)
        self._folder = replies
        self._environment = environment
        self._as_is = as_is
        self._ended = dict(ended)
        self._first_limit = first_limit
        self._identities = {name: identity(config) + (" as is" if as_is else "") for name, config in endpoints.items()}
        prices = {name: (config.prompt_price, config.completion_price) for name, config in endpoints.items()}
        self._accounting = Accounting(prices)
        self._budget = Budget(budget, replies, prices)
        self._endpoints: dict[str, Endpoint] = {}
        self._pending: dict[str, asyncio.Future[Reply | Refused | BaseException]] = {}
        self._resources = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Open the store and make the endpoints; servers are not asked yet.

        Raises:
            ConfigError: a key is not in the environment.
            DataError, StageError: the store is damaged, or cannot be opened.
        """
        from raiden_core.models.served.endpoint import Endpoint

        async with AsyncExitStack() as resources:
            for name, config in self._configs.items():
                endpoint = Endpoint(
                    name,
                    config,
                    self._environment,
                    self._accounting,
                    as_is=self._as_is,
                    has_ended=self._ended.get(name, _never),
                    first_limit=self._first_limit,
                    budget=self._budget,
                )
                resources.push_async_callback(endpoint.close)
                self._endpoints[name] = endpoint
            self._store = resources.enter_context(Store(self._folder))
            self._resources = resources.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._resources.aclose()

    async def ask(self, request: Request) -> Reply | Refused:
        """The reply to a request: from the store, from an equal request under way, or from its endpoint.

        Raises:
            ConfigError: no such endpoint; its server refuses the key, has no such model or refuses every request.
            StageError: the server has given nothing good for ``patience_seconds``, or the store cannot be written.
            BudgetSpent: the budget is used up, and nothing is under way any more.
            DataError: the store is damaged.
        """
        key = self.key(request)
        self._accounting.count("requests")
        while (pending := self._pending.get(key)) is not None:
            outcome = await asyncio.shield(pending)
            if isinstance(outcome, asyncio.CancelledError):
                continue  # Whoever asked was cancelled; the next in line asks.
            self._accounting.count("joined")
            if isinstance(outcome, BaseException):
                raise outcome
            return replace(outcome, cached=True) if isinstance(outcome, Reply) else outcome
        return await self._ask_for_all(request, key)

    def usage(self) -> Usage:
        """What has been asked since the client was made."""
        return self._accounting.snapshot({name: endpoint.limit for name, endpoint in self._endpoints.items()})

    def line(self) -> str:
        """The figures that belong beside a progress bar, and what keeps everybody waiting."""
        words = (self.usage().line(), *(endpoint.waiting() for endpoint in self._endpoints.values()))
        return "; ".join(word for word in words if word)

    def key(self, request: Request) -> str:
        """The store's key of a request: 64 hex digits.

        Raises:
            ConfigError: no endpoint has the request's name.
        """
        who = self._identities.get(request.endpoint)
        if who is None:
            there = ", ".join(self._configs) or "none"
            raise ConfigError(f"endpoints: none is called {request.endpoint!r}; there are: {there}")
        return request.key(who)

    async def _ask_for_all(self, request: Request, key: str) -> Reply | Refused:
        """Ask, and tell those who have joined."""
        pending: asyncio.Future[Reply | Refused | BaseException] = asyncio.get_running_loop().create_future()
        self._pending[key] = pending
        try:
            outcome = self._stored(request, key) or self._refused_before(request, key)
            outcome = outcome or await self._ask_endpoint(request, key)
        except BaseException as error:
            pending.set_result(error)
            raise
        else:
            pending.set_result(outcome)
            return outcome
        finally:
            del self._pending[key]
            self._budget.leave(key)

    def _stored(self, request: Request, key: str) -> Reply | None:
        answer = self._store.get(key)
        if answer is None:
            return None
        accepted = self._endpoints[request.endpoint].judge(answer, request)
        if isinstance(accepted, Refused):
            self._store.forget(key)
            return None
        self._accounting.hit(answer.prompt_tokens, answer.completion_tokens)
        return replace(_reply(accepted, answer), cached=True)

    def _refused_before(self, request: Request, key: str) -> Refused | None:
        answer = None if self._as_is else self._store.get(self._refusal_key(request, key))
        if answer is None:
            return None
        refused = as_refusal(answer)
        self._accounting.refused(request.purpose, refused.reason)
        return refused

    async def _keep_refusal(self, request: Request, key: str, refused: Refused) -> None:
        answer = None if self._as_is else as_answer(refused)
        if answer is not None:
            who = self._identities[request.endpoint]
            await self._store.put(Stored(self._refusal_key(request, key), who, request.purpose, answer))

    def _refusal_key(self, request: Request, key: str) -> str:
        return key_of_refusal(key, self._configs[request.endpoint])

    async def _ask_endpoint(self, request: Request, key: str) -> Reply | Refused:
        good = await self._endpoints[request.endpoint].ask(request, key)
        if isinstance(good, Refused):
            self._accounting.refused(request.purpose, good.reason)
            await self._keep_refusal(request, key, good)
            return good
        kept = await self._store.put(Stored(key, self._identities[request.endpoint], request.purpose, good.answer))
        if kept.text == good.answer.text:
            return _reply(good.accepted, kept)
        # Another process had the same request answered first: both go on with what is stored.
        return self._stored(request, key) or _reply(good.accepted, good.answer)


def _reply(accepted: Accepted, answer: Answer) -> Reply:
    return Reply(
        text=accepted.text,
        tokens=answer.completion_tokens,
        finished=answer.finish_reason not in CUT,
        data=accepted.data,
        prompt_tokens=answer.prompt_tokens,
    )


def _never() -> bool:
    return False
