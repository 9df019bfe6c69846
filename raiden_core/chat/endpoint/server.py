"""The HTTP server: ``GET /health``, ``GET /v1/models``, ``POST /v1/chat/completions``.

    with EndpointServer(service, "127.0.0.1", 8080, key=None) as server:
        run_until_interrupted(server, lambda: print(server.address))

The standard library's server with a thread a connection: replies are generators that block on a model, and one of them is
made at a time, so an event loop would gain nothing, and no library is needed that raiden_core does not have.

Without a key, pages that are open in a browser of the same machine must not be able to use it: requests have to name this
machine in their ``Host`` header (a foreign name may lead to 127.0.0.1) and to bring JSON, which no page can send elsewhere
without being allowed to, and nobody is. With a key, it must come as ``Authorization: Bearer KEY``.
"""

from __future__ import annotations

import hmac
import json
import select
import signal
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from raiden_core.chat.endpoint.asked import Asked, WrongRequest
from raiden_core.chat.endpoint.line import Full, Gone
from raiden_core.chat.endpoint.service import Service
from raiden_core.chat.stream import Kind
from raiden_core.errors import RaidenError, UsageError
from raiden_core.models.answering import Counts
from raiden_core.text.plain import one_line

MAX_BODY = 4 << 20
"""Bytes of one request at most."""
MAX_CONNECTIONS = 64
SECONDS = 60.0
"""How long a client may stand still while it sends or takes something."""
RETRY_SECONDS = 5
"""When somebody who found no place may ask again."""
ENDING_SECONDS = 5.0
"""How long replies that are being made may take to end when the server does."""
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
COMPLETIONS, MODELS, HEALTH = "/v1/chat/completions", "/v1/models", "/health"


class EndpointServer(ThreadingHTTPServer):
    """A service that listens."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, service: Service, host: str, port: int, key: str | None) -> None:
        """Listen; port 0 takes a free one.

        Raises:
            UsageError: the address cannot be had.
        """
        self.service = service
        self.host = host
        self.key = key
        self.began = int(time.time())
        self._places = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            super().__init__((host, port), _Handler)
        except (OSError, OverflowError) as error:
            words = getattr(error, "strerror", None) or str(error)
            raise UsageError(f"{host}, port {port}: {words}; choose another --host or --port") from None

    @property
    def address(self) -> str:
        """Where clients find it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.server_port}/v1"

    def process_request(self, request: Any, client_address: Any) -> None:
        """A thread for a connection; beyond `MAX_CONNECTIONS` it is closed."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """One connection from its beginning to its end."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()


def run_until_interrupted(server: EndpointServer, tell: Callable[[], object]) -> None:
    """Serve until Ctrl-C, or whatever else raises KeyboardInterrupt in the main thread; ``tell`` is called at the start."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        tell()
        threading.Event().wait()
    except KeyboardInterrupt:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # nothing may keep what comes now from its end
    finally:
        server.service.ending.set()
        server.shutdown()
        thread.join()
        server.service.line.empties_within(ENDING_SECONDS)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: EndpointServer
    protocol_version = "HTTP/1.0"
    """No keep-alive: a stream of unknown length ends with its connection."""
    timeout = SECONDS
    server_version, sys_version = "raiden", ""

    def do_GET(self) -> None:
        """Whether it is up, and who is there."""
        path = self.path.partition("?")[0]
        if path == HEALTH:
            self._json(200, {"status": "ok"})
        elif self._may_ask():
            if path == MODELS:
                models = [
                    {"id": name, "object": "model", "created": self.server.began, "owned_by": "raiden"}
                    for name in self.server.service.characters
                ]
                self._json(200, {"object": "list", "data": models})
            else:
                self._no_such(path)

    def do_POST(self) -> None:
        """A reply."""
        body = self._body()
        if body is None or not self._may_ask():
            return
        path = self.path.partition("?")[0]
        if path != COMPLETIONS:
            self._no_such(path)
            return
        try:
            if self.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
                raise WrongRequest("The body must be JSON, with Content-Type: application/json.", status=415)
            try:
                content = json.loads(body)
            except (ValueError, RecursionError):
                raise WrongRequest("The body is no JSON.") from None
            self._complete(self.server.service.read(content))
        except WrongRequest as error:
            self._error(error.status, str(error), error.param, error.code)
        except (ConnectionError, TimeoutError, Gone):
            return  # nobody listens any longer

    def _complete(self, asked: Asked) -> None:
        counts = Counts()
        answer = _Answer(self.server.began, asked, counts)
        with closing(self.server.service.reply(asked, counts, self._gone)) as pieces:
            try:
                first = next(pieces, None)
            except Full:
                self._error(
                    503, "Too many requests wait for the model; ask again in a while.", code="overloaded", retry=True
                )
                return
            except RaidenError as error:
                self._error(500, one_line(str(error)))
                return
            if asked.stream:
                self._stream(answer, first, pieces)
                return
            texts: dict[Kind, list[str]] = {"reply": [], "reasoning": []}
            try:
                for kind, text in _from(first, pieces):
                    texts[kind].append(text)
            except RaidenError as error:
                self._error(500, one_line(str(error)))
                return
        self._json(200, answer.whole("".join(texts["reply"]), "".join(texts["reasoning"])))

    def _stream(self, answer: _Answer, first: tuple[Kind, str] | None, pieces: Iterator[tuple[Kind, str]]) -> None:
        self._head(200, "text/event-stream; charset=utf-8")
        self._event(answer.chunk({"role": "assistant", "content": ""}))
        try:
            for kind, text in _from(first, pieces):
                if text:
                    self._event(answer.chunk({"content" if kind == "reply" else "reasoning_content": text}))
        except RaidenError as error:
            self._event(_error_body(500, one_line(str(error)), None, None))
            return
        self._event(answer.chunk({}, ended=True))
        if answer.asked.usage:
            self._event(answer.usage_chunk())
        self.wfile.write(b"data: [DONE]\n\n")

    def _event(self, value: object) -> None:
        self.wfile.write(b"data: " + json.dumps(value).encode() + b"\n\n")
        self.wfile.flush()

    def _gone(self) -> bool:
        """Whether the client has closed the connection."""
        try:
            readable = select.select([self.connection], [], [], 0)[0]
            return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def _may_ask(self) -> bool:
        """Whether the request brings the key, or where there is none names this machine."""
        key = self.server.key
        if key is not None:
            given = self.headers.get("Authorization", "")
            if hmac.compare_digest(given.encode("utf-8", "replace"), f"Bearer {key}".encode()):
                return True
            self._error(401, "The key is missing or wrong: send Authorization: Bearer KEY.", code="invalid_api_key")
            return False
        name = self.headers.get("Host", "")
        name = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]
        if name.lower() in (*LOCAL_NAMES, self.server.host):
            return True
        self._error(403, "This address is not served.")
        return False

    def _body(self) -> bytes | None:
        """The body, read whole so that a refusal reaches the client; None where it was refused here."""
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdecimal():
            self._error(411, "The request must say its Content-Length.")
            return None
        if len(length) > len(str(MAX_BODY)) or int(length) > MAX_BODY:
            self._error(413, f"The body has more than {MAX_BODY >> 20} MiB.")
            return None
        try:
            return self.rfile.read(int(length))
        except (ConnectionError, TimeoutError):
            return None

    def _no_such(self, path: str) -> None:
        known = {COMPLETIONS: "POST", MODELS: "GET", HEALTH: "GET"}
        if path in known:
            self._error(405, f"{path} wants {known[path]}.")
        else:
            self._error(404, f"There are {COMPLETIONS}, {MODELS} and {HEALTH} here.")

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the standard library refuses, in OpenAI's words as well."""
        self._error(int(code), f"{message or 'The request cannot be read'}.")

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what people say to a character is nobody's business."""

    def _error(
        self, status: int, words: str, param: str | None = None, code: str | None = None, *, retry: bool = False
    ) -> None:
        self._json(status, _error_body(status, words, param, code), retry=retry)

    def _json(self, status: int, value: object, *, retry: bool = False) -> None:
        content = json.dumps(value).encode()
        try:
            self._head(status, "application/json", len(content), retry=retry)
            self.wfile.write(content)
        except (ConnectionError, TimeoutError):
            return  # nobody listens any longer

    def _head(self, status: int, kind: str, length: int | None = None, *, retry: bool = False) -> None:
        self.send_response(status)
        headers = {"Content-Type": kind, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        if length is not None:
            headers["Content-Length"] = str(length)
        if retry:
            headers["Retry-After"] = str(RETRY_SECONDS)
        if status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


class _Answer:
    """A reply in OpenAI's objects."""

    def __init__(self, created: int, asked: Asked, counts: Counts) -> None:
        self.asked = asked
        self._counts = counts
        self._head = {
            "id": f"chatcmpl-{uuid.uuid4().hex}",
            "created": max(created, int(time.time())),
            "model": asked.model,
        }

    def whole(self, reply: str, reasoning: str) -> dict[str, Any]:
        """All of it at once."""
        message = {"role": "assistant", "content": reply} | ({"reasoning_content": reasoning} if reasoning else {})
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._reason}
        return {**self._head, "object": "chat.completion", "choices": [choice], "usage": self._usage}

    def chunk(self, delta: dict[str, str], *, ended: bool = False) -> dict[str, Any]:
        """A piece of it, or its end."""
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": self._reason if ended else None}
        return {**self._head, "object": "chat.completion.chunk", "choices": [choice]}

    def usage_chunk(self) -> dict[str, Any]:
        """What it took, after its end."""
        return {**self._head, "object": "chat.completion.chunk", "choices": [], "usage": self._usage}

    @property
    def _reason(self) -> str:
        return "stop" if self._counts.finished else "length"

    @property
    def _usage(self) -> dict[str, int]:
        prompt, completion = self._counts.prompt, self._counts.completion
        return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _from(first: tuple[Kind, str] | None, rest: Iterator[tuple[Kind, str]]) -> Iterator[tuple[Kind, str]]:
    if first is not None:
        yield first
        yield from rest


def _error_body(status: int, words: str, param: str | None, code: str | None) -> dict[str, Any]:
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return {"error": {"message": words, "type": kind, "param": param, "code": code}}
