"""What a server's ``/v1/models`` says: read here for all who look whether a server is there and has the model.

    listing = fetch_models(endpoint.url, key)
    if problem := listing.problem(endpoint.model): ...

The client asks over its own connections and has the response read by `read_models`; doctor, launch and chat have time to
wait, and call `fetch_models`. Understood are OpenAI's ``{"data": [{"id": …}]}`` and Ollama's ``{"models": [{"name": …}]}``;
a server that has no model loaded says ``"data": null``.
"""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from raiden_core.models.served.words import hidden, is_page, quoted, words_of

SHOWN = 10
"""So many names of models are shown where the wanted one is missing."""
LONGEST_REPLY = 4 << 20
"""Bytes of a response that are read."""

Trouble = Literal["unreachable", "key", "missing", "status", "page", "no list"]
"""Nobody answers; 401 or 403; there is no such path; another status; a web page; something else that is no list."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A key goes to the server that was named, and to no other."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


# No proxies: a server on this machine must be reached directly.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)


@dataclass(frozen=True)
class Response:
    """What a GET brought."""

    status: int
    """0: nothing came."""
    body: bytes = b""
    reason: str = ""
    """Why nothing came."""

    @property
    def content(self) -> object:
        """The parsed JSON; None for anything else."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


@dataclass(frozen=True)
class Listing:
    """The models of a server, or why they are not known."""

    names: tuple[str, ...] = ()
    trouble: Trouble | None = None
    said: str = ""
    """What the server said where there is trouble: its status or its words, in one line."""

    @property
    def lists_nothing(self) -> bool:
        """The server is there, but names no model: whether it has the wanted one, a question will tell."""
        return self.trouble == "missing" or (self.trouble is None and not self.names)

    def lacks(self, model: str) -> bool:
        """Whether the server names its models, and this one is not among them."""
        return bool(self.names) and model not in self.names

    def shown(self) -> str:
        """The names, as a message lists them."""
        rest = f" and {len(self.names) - SHOWN} more" if len(self.names) > SHOWN else ""
        return ", ".join(self.names[:SHOWN]) + rest


def fetch_models(url: str, key: str | None, seconds: float) -> Listing:
    """Ask the server whose base URL this is, with its ``/v1``."""
    response = get(f"{url.rstrip('/')}/models", key, seconds)
    if response.status == 0:
        return Listing(trouble="unreachable", said=response.reason)
    return read_models(response.status, response.body, key)


def read_models(status: int, body: bytes, key: str | None = None) -> Listing:
    """Read a response; ``key`` is kept out of what is quoted."""
    text = hidden(body.decode("utf-8", "replace"), key)
    if status in (401, 403):
        return Listing(trouble="key", said=str(status))
    if status in (404, 405, 501):
        return Listing(trouble="missing", said=f"{status}: {words_of(text)}")
    if status != 200:
        return Listing(trouble="status", said=f"{status}: {words_of(text)}")
    content = Response(status, body).content
    if content is None and is_page(text):
        return Listing(trouble="page", said=f"a web page: {quoted(text)}")
    entries = _entries(content)
    if entries is None:
        return Listing(trouble="no list", said=words_of(text) or "nothing")
    names = (entry.get("id") or entry.get("model") or entry.get("name") for entry in entries)
    return Listing(tuple(str(name) for name in names if name))


def _entries(content: object) -> list[Mapping[str, Any]] | None:
    if not isinstance(content, dict):
        return None
    for field in ("data", "models"):
        if field in content and isinstance(content[field] or [], list):
            return [entry for entry in content[field] or [] if isinstance(entry, dict)]
    return None


def get(url: str, key: str | None, seconds: float) -> Response:
    """What a GET brings in so many seconds; a server that does not answer is a response too."""
    if urlsplit(url).scheme not in ("http", "https"):
        return Response(0, reason="not an http URL")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        with _opener.open(urllib.request.Request(url, headers=headers), timeout=seconds) as reply:
            return Response(int(reply.status), reply.read(LONGEST_REPLY))
    except urllib.error.HTTPError as error:
        try:
            return Response(error.code, error.read(LONGEST_REPLY))
        except (OSError, http.client.HTTPException):
            return Response(error.code)
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None)
        return Response(0, reason=str(getattr(reason, "strerror", None) or reason or type(error).__name__))
