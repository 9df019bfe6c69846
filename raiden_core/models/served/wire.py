"""One HTTP request to an OpenAI-compatible server: what came back, or in which of a few ways it failed.

Carried by `openai.AsyncOpenAI` over aiohttp, without its own repetitions: it would repeat time-outs too, and one call
would cost three. The time-out covers the whole request, so that a server that sends a byte a second does not hold a
place for ever. Error messages name the status and what the server said, and never the key. An error that comes with
status 200 is taken for what it says.
"""

from __future__ import annotations

import asyncio
import math
import ssl
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Literal

import aiohttp
import httpx2
from openai import APIConnectionError, APIStatusError, AsyncOpenAI, DefaultAioHttpClient, OpenAIError

from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.models.served.listing import Listing, read_models
from raiden_core.models.served.words import (
    Said,
    advice,
    advised,
    error_in,
    hidden,
    is_page,
    is_stream,
    quoted,
    words_of,
)

Kind = Literal["unreachable", "cut", "time-out", "turned away", "key", "missing", "rejected", "server"]
"""How a request fails: nobody listens; the connection broke; it took too long; 429 and the like; 401 or 403; 404;
another 4xx, or a complaint about a setting of ours; anything else, which is the server's fault."""

KEY_HEADER = "x-raiden-request"
"""Names the request's key to the server, for its logs: repetitions of a request carry the same."""
CONNECT_SECONDS = 15.0
"""How long a connection may take."""
MODELS_SECONDS = 30.0
"""How long the list of models may take."""
KEEP_ALIVE_SECONDS = 4.0
"""Idle connections are closed after so long: before common servers (uvicorn: 5) do it at the wrong moment."""


@dataclass(frozen=True)
class Failure:
    """A request that brought no response to read."""

    kind: Kind
    detail: str
    retry_after: float = 0.0
    """Seconds that the server asks to be left alone."""
    of_settings: bool = False
    """A setting of the endpoint does not suit the server: every request like this one will fail."""


@dataclass(frozen=True)
class Body:
    """The JSON that came back."""

    content: object


@cache
def _trusted() -> ssl.SSLContext:
    """Whom to trust over TLS: reading the certificates takes longer than a request, so that it is done once a process."""
    return httpx2.create_ssl_context()


class Wire:
    """The connections to one server."""

    def __init__(self, config: EndpointConfig, key: str | None) -> None:
        self._key = key
        self._seconds = config.timeout_seconds
        most = config.max_concurrency + 2
        limits = httpx2.Limits(
            max_connections=most, max_keepalive_connections=most, keepalive_expiry=KEEP_ALIVE_SECONDS
        )
        timeout = httpx2.Timeout(config.timeout_seconds, connect=CONNECT_SECONDS, pool=None)
        self._http = DefaultAioHttpClient(limits=limits, timeout=timeout, verify=_trusted())
        self._client = AsyncOpenAI(
            base_url=config.url, api_key=key or "none", max_retries=0, timeout=timeout, http_client=self._http
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def chat(self, body: Mapping[str, object], key: str) -> Body | Failure:
        """Ask for a completion; ``key`` is the request's, for the server's logs."""
        sent = self._client.post(
            "/chat/completions", cast_to=httpx2.Response, body=body, options={"headers": {KEY_HEADER: key}}
        )
        return await self._read(sent, self._seconds)

    async def models(self) -> Listing:
        """Ask for the list of models."""
        seconds = min(MODELS_SECONDS, self._seconds)
        response = await self._response(self._client.get("/models", cast_to=httpx2.Response), seconds)
        if isinstance(response, Failure):
            return Listing(trouble="unreachable", said=response.detail)
        return read_models(response.status_code, response.content, self._key)

    async def _read(self, sent: Awaitable[httpx2.Response], seconds: float) -> Body | Failure:
        response = await self._response(sent, seconds)
        if isinstance(response, Failure):
            return response
        text = hidden(response.text, self._key)
        if response.status_code != 200:
            return _refusal(Said(response.status_code, words_of(text)), response.headers)
        try:
            content = response.json()
        except (ValueError, RecursionError):
            what = "the server streams although nobody asked it to" if is_stream(text) else "no JSON"
            what = "a web page; does the url lead to the API, and end in /v1?" if is_page(text) else what
            return Failure("server", f"200, but {what}: {quoted(text, 100)}")
        said = error_in(content)
        if said is None:
            return Body(content)
        return _refusal(Said(said.status, hidden(said.words, self._key)), response.headers)

    async def _response(self, sent: Awaitable[httpx2.Response], seconds: float) -> httpx2.Response | Failure:
        """The whole response, of whatever status, or why there is none."""
        try:
            async with asyncio.timeout(seconds):
                return await sent
        except TimeoutError:
            return Failure("time-out", f"no complete answer within {seconds:g} s")
        except APIStatusError as error:
            return error.response
        except APIConnectionError as error:
            return self._broken(error)
        except (OpenAIError, httpx2.HTTPError, aiohttp.ClientError) as error:
            return Failure("cut", self.clean(f"{type(error).__name__}: {error}"))

    def _broken(self, error: APIConnectionError) -> Failure:
        """openai and httpx2 call most of it a time-out; what aiohttp said at the bottom is the truth."""
        # Whoever asks may be handling an error of its own; it stands below ours and has nothing to do with the server.
        causes = [str(cause) for cause in _causes(error) if isinstance(cause, OSError | aiohttp.ClientError)]
        detail = self.clean(next((text for text in reversed(causes) if text), str(error)))
        kinds = tuple(_causes(error))
        if any(isinstance(cause, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError) for cause in kinds):
            return Failure("unreachable", detail)
        if any(isinstance(cause, aiohttp.ServerTimeoutError | TimeoutError) for cause in kinds):
            return Failure("time-out", detail)
        return Failure("cut", detail)

    def clean(self, text: str) -> str:
        """One line without the key, whatever the server echoes."""
        return " ".join(hidden(text, self._key).split())


def _refusal(said: Said, headers: Mapping[str, str]) -> Failure:
    """How a refused request fails, by the status in its error."""
    status, detail = said.status, advised(f"{said.status}: {said.words}")
    if status in (401, 403):
        return Failure("key", str(status))
    if status == 404:
        return Failure("missing", detail)
    if status in (402, 409, 425, 429, 503, 529):
        return Failure("turned away", detail, retry_after(headers, datetime.now(UTC)))
    if status in (408, 504, 524):
        return Failure("time-out", detail)
    told = advice(said.words)
    # llama.cpp answers 500 to a field that it does not take: asking again would not help.
    of_settings = told is not None and told.of_settings
    return Failure("rejected" if status < 500 or of_settings else "server", detail, of_settings=of_settings)


def retry_after(headers: Mapping[str, str], now: datetime) -> float:
    """Seconds that ``retry-after-ms`` or ``Retry-After`` (seconds or a date) ask for; 0 where they are absent or odd."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = headers.get(name, "")
        try:
            seconds = float(value) / unit
        except ValueError:
            continue
        return seconds if math.isfinite(seconds) and seconds > 0 else 0.0
    try:
        return max(0.0, (parsedate_to_datetime(headers.get("retry-after", "")) - now).total_seconds())
    except (ValueError, TypeError):
        return 0.0


def _causes(error: BaseException) -> list[BaseException]:
    """An error and what caused it, down to the bottom."""
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        current = current.__cause__ or current.__context__
    return chain
