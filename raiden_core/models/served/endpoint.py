"""One server: when to ask it, how often, and when to give up.

Before the first request, and after each connection that broke, the server must be there and have the model. A failed
attempt is repeated with growing, jittered pauses. Whether the request or the server is to blame is told by the others:
where the server answered anybody in the meantime, the request is dropped after its attempts; where it answered nobody,
everybody waits, for as long as the configured patience, and then the stage ends with what the server said last.

What a server says is heard: the first refusal of each kind is logged in its own words, and so is, every few seconds, what
keeps everybody waiting.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.errors import ConfigError, RaidenError, StageError
from raiden_core.models.answering import Refused, Request
from raiden_core.models.served.acceptance import (
    OF_THE_MODEL,
    Accepted,
    Answer,
    accept,
    accept_as_is,
    read_answer,
)
from raiden_core.models.served.accounting import Accounting
from raiden_core.models.served.budget import NO_BUDGET, Budget
from raiden_core.models.served.dialects import body_of
from raiden_core.models.served.gate import Gate
from raiden_core.models.served.keys import key_of
from raiden_core.models.served.limiter import FIRST_LIMIT, Limiter, Outcome
from raiden_core.models.served.listing import Listing
from raiden_core.models.served.notices import Notices
from raiden_core.models.served.refusals import changed
from raiden_core.models.served.waiting import SILENT_SECONDS
from raiden_core.models.served.wire import Body, Failure, Wire
from raiden_core.models.served.words import shown_url

FIRST_PAUSE = 0.25
"""Seconds before the second attempt, on average; they double with each."""
LONGEST_PAUSE = 15.0
"""Seconds between attempts at most, on average."""
LOOK_SECONDS = 1.0
"""While a server is waited for, whether it has ended is looked at so often."""
PASSING = frozenset({"turned away", "cut", "unreachable"})
"""Failures that a busy or a starting server has; they are not worth a line until they last."""
REJECTED_AT_FIRST = 16
"""After so many rejected requests and no good one, the configuration is wrong and not the requests."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Good:
    """An accepted answer: its text as it is to be stored, and its data."""

    answer: Answer
    accepted: Accepted


@dataclass(frozen=True)
class _Bad:
    """An answer that came and does not count."""

    text: str
    refused: Refused


class Endpoint:
    """One configured server.

    ``environment`` holds its key; ``as_is`` accepts whatever text comes; ``has_ended`` tells whether a server that was
    started for this endpoint is gone, so that nobody waits for it; ``first_limit`` is how many requests it is given at once
    before anything is known of it; ``budget`` is asked before each request.
    """

    def __init__(
        self,
        name: str,
        config: EndpointConfig,
        environment: Mapping[str, str],
        accounting: Accounting,
        *,
        as_is: bool,
        has_ended: Callable[[], bool] = lambda: False,
        first_limit: int = FIRST_LIMIT,
        budget: Budget = NO_BUDGET,
    ) -> None:
        self.config = config
        self._name = name
        self._where = f"endpoint {name} ({shown_url(config.url)})"
        self._as_is = as_is
        self._has_ended = has_ended
        self._budget = budget
        self._notices = Notices(self._where)
        self._said = ""
        self._under_way = 0
        self._heard = time.monotonic()
        self._accounting = accounting
        self._wire = Wire(config, key_of(name, config, environment))
        self._gate = Gate(Limiter(config.max_concurrency, config.timeout_seconds, first_limit))
        self._random = random.Random()
        self._looking: asyncio.Task[None] | None = None
        self._checked = False
        self._ended: RaidenError | None = None
        self._last_good = float("-inf")
        self._failing_since: float | None = None
        self._rejected = 0

    @property
    def limit(self) -> int:
        """Requests at a time, at present."""
        return self._gate.limit

    def waiting(self) -> str:
        """What keeps requests waiting, and for how long; empty where replies come."""
        looking = self._looking is not None and not self._looking.done()
        seconds = time.monotonic() - (self._failing_since or self._heard)
        if seconds < SILENT_SECONDS or not (self._under_way or self._failing_since or looking):
            return ""
        said = f" ({self._said})" if self._said and (self._failing_since or looking) else ""
        return f"{self._name}: no reply for {seconds:.0f} s{said}"

    async def close(self) -> None:
        """Close all connections; requests under way fail."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        self._gate.close()
        await self._wire.close()

    def judge(self, answer: Answer, request: Request) -> Accepted | Refused:
        """Whether an answer counts for a request."""
        return accept_as_is(answer) if self._as_is else accept(answer, request.schema)

    async def ask(self, request: Request, key: str) -> Good | Refused:
        """Ask until there is a good answer, or none to be had.

        Raises:
            ConfigError: the server refuses the key, has no such model, or refuses every request.
            StageError: nobody has had an answer for the configured patience.
        """
        first = body = body_of(request, self.config)
        began = time.monotonic()
        attempts = pauses = 0
        said: str | None = None
        again = False
        while True:
            result = await self._attempt(request, body, key, again)
            again = True
            if isinstance(result, Good):
                return result
            if isinstance(result, _Bad):
                attempts += 1
                of_model = result.refused.reason in OF_THE_MODEL or (self._as_is and not result.refused.of_server)
                if (of_model and result.text == said) or attempts >= self.config.attempts:
                    return result.refused
                said = result.text
                # The same request would bring the same text where the model is greedy. Replies under evaluation stay as asked.
                body = changed(first, attempts) if of_model and not self._as_is else first
                continue
            if result.kind == "rejected":
                return Refused("rejected", result.detail)
            attempts += self._counts(result, began)
            if attempts >= self.config.attempts:
                if self._last_good > began:
                    return Refused("server", result.detail, of_server=True)
                self._give_up_in_time(result)
                began, attempts = time.monotonic(), 0
            elif result.kind == "unreachable":
                self._give_up_in_time(result)
            await asyncio.sleep(self._pause(pauses))
            pauses += 1

    def _counts(self, failure: Failure, began: float) -> bool:
        """Whether a failure uses up an attempt: being there is the server's duty, and having room for a while too."""
        if failure.kind == "turned away":
            return time.monotonic() - began > self.config.patience_seconds
        return failure.kind != "unreachable"

    async def _attempt(
        self, request: Request, body: Mapping[str, object], key: str, again: bool
    ) -> Good | _Bad | Failure:
        started = await self._enter(again)
        outcome, pause = Outcome.OTHER, 0.0
        self._heard = time.monotonic() if not self._under_way else self._heard
        self._under_way += 1
        try:
            await self._budget.enter(key)
            self._accounting.attempt(self._name, again)
            came = await self._wire.chat(body, key)
            outcome = _outcome(came)
            pause = came.retry_after if isinstance(came, Failure) else 0.0
        finally:
            self._under_way -= 1
            self._gate.leave(outcome, started, pause)
        result = came if isinstance(came, Failure) else self._read(came, request)
        if not isinstance(result, Good):
            self._budget.leave(key)
        if isinstance(result, Failure):
            self._accounting.turned_down(result.kind)
            self._note(result)
            if result.kind not in PASSING:
                self._notices.refused(result.kind, result.detail)
        elif isinstance(result, _Bad):
            self._accounting.turned_down(result.refused.reason)
            self._notices.refused(result.refused.reason, result.refused.detail)
        return result

    def _read(self, body: Body, request: Request) -> Good | _Bad | Failure:
        answer = read_answer(body.content)
        if isinstance(answer, Refused):
            answer = replace(answer, detail=self._wire.clean(answer.detail))
            return Failure("server", answer.detail) if answer.reason == "server" else _Bad("", answer)
        self._last_good = self._heard = time.monotonic()
        self._failing_since = None
        self._accounting.tokens(self._name, answer.prompt_tokens, answer.completion_tokens)
        self._budget.pay(self._name, answer.prompt_tokens, answer.completion_tokens)
        text = self._notices.whole(answer) if self._as_is else self._notices.bare(answer, self.config)
        answer = replace(answer, text=text)
        accepted = self.judge(answer, request)
        if isinstance(accepted, Refused):
            return _Bad(answer.text, accepted)
        self._accounting.reply(self._name)
        return Good(replace(answer, text=accepted.text), accepted)

    async def _enter(self, again: bool) -> float:
        """Wait until the server is there and has room."""
        while True:
            await self._be_there()
            started = await self._gate.enter(first=again)
            if self._checked and self._ended is None:
                return started
            self._gate.leave(Outcome.OTHER, started)

    async def _be_there(self) -> None:
        """Wait until the server has been seen to have the model; whoever comes first looks, for all."""
        while not self._checked and self._ended is None:
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look())
            await asyncio.shield(self._looking)
        if self._ended is not None:
            raise self._ended.with_traceback(None)

    async def _look(self) -> None:
        """Wait for the server as long as the patience lasts, and say so."""
        patience = self.config.patience_seconds
        began = self._failing_since or time.monotonic()
        pauses, spoken = 0, float("-inf")
        while not self._checked and self._ended is None:
            problem = self._check(await self._wire.models())
            now = time.monotonic()
            left = began + patience - now
            if problem is None or self._ended is not None:
                return
            self._said = problem
            if self._has_ended():
                self._ended = StageError(f"{self._where}: the server that was started for it has ended ({problem})")
                return
            if left <= 0:
                what = "start it again and run again: what was answered is kept"
                if self._last_good == float("-inf"):
                    what = "start it, or correct the url"
                self._ended = StageError(
                    f"{self._where}: no server answers, after {patience:g} s of waiting ({problem}); {what}"
                )
                return
            if now - spoken >= SILENT_SECONDS - LOOK_SECONDS:
                spoken = now
                _log.warning("%s: no server answers yet (%s); waiting up to %.0f s", self._where, problem, left)
            await asyncio.sleep(min(self._pause(pauses), left, LOOK_SECONDS))
            pauses += 1

    def _check(self, listing: Listing) -> str | None:
        """What is wrong with a list of models; None where nothing is. What waiting cannot heal ends the endpoint."""
        if listing.trouble == "key":
            self._ended = self._key_error(listing.said)
        elif listing.trouble == "page":
            self._ended = ConfigError(
                f"{self._where}: answers /models with {listing.said}; does the url lead to the API, and end in /v1?"
            )
        elif listing.lacks(self.config.model):
            self._ended = ConfigError(
                f"{self._where}: no model is called {self.config.model!r} there; there are: {listing.shown()}"
            )
        elif listing.lists_nothing:
            _log.warning("%s: lists no models (%s); the name is not checked", self._where, listing.said or "none")
            self._checked = True
        elif listing.trouble is None:
            self._checked = True
        elif listing.trouble == "no list":
            return f"its list of models is none: {listing.said}"
        else:
            return listing.said
        return None

    def _note(self, failure: Failure) -> None:
        """What a failure says about the server as a whole."""
        if self._failing_since is None:
            self._failing_since = time.monotonic()
        self._said = failure.detail
        never_good = self._last_good == float("-inf")
        if failure.kind == "key":
            self._ended = self._key_error(failure.detail)
        elif failure.kind in ("unreachable", "cut"):
            self._checked = False  # It may come back as another server.
        elif failure.kind == "missing":
            self._checked = False
            if never_good:
                self._ended = ConfigError(
                    f"{self._where}: no chat completions there ({failure.detail}); does the url end in /v1?"
                )
        elif failure.kind == "rejected" and never_good:
            self._rejected += 1
            if failure.of_settings:
                self._ended = ConfigError(f"{self._where}: refuses the request ({failure.detail})")
            elif self._rejected >= REJECTED_AT_FIRST:
                self._ended = ConfigError(
                    f"{self._where}: refuses every request ({failure.detail}); look at dialect, json_schema and model"
                )
        if self._ended is not None:
            raise self._ended.with_traceback(None)

    def _give_up_in_time(self, failure: Failure) -> None:
        since = self._failing_since
        patience = self.config.patience_seconds
        if since is not None and time.monotonic() - since >= patience:
            self._ended = StageError(
                f"{self._where}: nobody has had an answer for {patience:g} s (last: {failure.detail}); "
                "look after the server and run again: what was answered is kept"
            )
            raise self._ended

    def _key_error(self, said: str) -> ConfigError:
        variable = self.config.api_key_env
        if variable is None:
            return ConfigError(f"{self._where}: wants a key ({said}); name its variable in api_key_env")
        return ConfigError(f"{self._where}: refuses the key in {variable} ({said}); put the right one there")

    def _pause(self, number: int) -> float:
        seconds = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(number, 16))
        return seconds * self._random.uniform(0.5, 1.5)


def _outcome(came: Body | Failure) -> Outcome:
    if isinstance(came, Body):
        return Outcome.REPLY
    if came.kind == "turned away":
        return Outcome.TURNED_AWAY
    return Outcome.TIMED_OUT if came.kind == "time-out" else Outcome.OTHER
