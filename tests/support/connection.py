"""HTTP/1.1 spoken by hand, well and badly: for a server that must cost less than the clients it plays for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

SPARE = 0.1
"""Seconds between the bytes of a drip."""


class Server(Protocol):
    """Whoever answers."""

    def handle(self, connection: Connection, path: str, headers: Mapping[str, str], body: bytes) -> None:
        """Answer one HTTP request, now or later."""

    def join(self, connection: Connection) -> None:
        """A connection is there."""

    def leave(self, connection: Connection) -> None:
        """A connection is gone."""


class Connection(asyncio.Protocol):
    """One connection: reads requests one after another, as clients without pipelining send them."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    @property
    def is_lost(self) -> bool:
        """Whether the other side, or we, have closed it."""
        return self._transport is None or self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.join(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._server.leave(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, blank, rest = self._buffer.partition(b"\r\n\r\n")
        if not blank:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        self._server.handle(self, first.split(" ")[1], headers, rest[:length])

    def send(self, status: int, body: bytes, extra: str = "", kind: str = "application/json") -> None:
        """A whole response."""
        self._write(_head(status, len(body), extra, kind) + body)

    def send_part(self, body: bytes, length: int) -> None:
        """The beginning of a response, then the end of the connection."""
        self._write(_head(200, len(body)) + body[:length])
        if self._transport is not None:
            self._transport.close()

    def drip(self, body: bytes) -> None:
        """A response, byte by byte, for as long as somebody listens."""
        self._write(_head(200, len(body)))
        self._drip(body, 0)

    def break_off(self) -> None:
        """Close without a word."""
        if self._transport is not None:
            self._transport.abort()

    def _drip(self, body: bytes, place: int) -> None:
        if place < len(body) and not self.is_lost:
            self._write(body[place : place + 1])
            asyncio.get_running_loop().call_later(SPARE, self._drip, body, place + 1)

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)


def _head(status: int, length: int, extra: str = "", kind: str = "application/json") -> bytes:
    return f"HTTP/1.1 {status} .\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{extra}\r\n".encode()
