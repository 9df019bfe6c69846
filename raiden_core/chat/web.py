"""The conversation as a page of this machine: one character, one conversation, whoever is at the keyboard.

    serve(conversation, talkers, port=0, tell=print)

It listens on 127.0.0.1 only. Other pages that are open in the same browser must not be able to use it, so every request
has to name this machine in its ``Host`` header (a foreign name that resolves to 127.0.0.1 is refused), and every one that
does something has to bring the token that stands in the page, in a header of its own, with our own ``Origin``. The page
sets all text as text, and its content security policy lets only its own script run.

``POST /say`` answers with one JSON object a line: ``{"model", "kind": "reasoning" | "reply", "text"}`` for each piece,
``{"error"}`` where it went wrong, ``{"done"}`` at the end.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any

from raiden_core.chat.conversation import Conversation
from raiden_core.chat.stream import Splitter
from raiden_core.errors import RaidenError, UsageError
from raiden_core.models.answering import Talker
from raiden_core.text.plain import printable

HOST = "127.0.0.1"
TOKEN_HEADER = "X-Raiden-Token"
MAX_BODY = 64 << 10
"""Bytes of one message at most."""
SECONDS = 600.0
"""How long a connection may stand still."""


class ChatServer(ThreadingHTTPServer):
    """The server with its conversation; requests that change it wait for each other."""

    daemon_threads = True

    def __init__(self, conversation: Conversation, talkers: Mapping[str, Talker], port: int) -> None:
        self.conversation = conversation
        self.talkers = dict(talkers)
        self.token = secrets.token_urlsafe(24)
        self.turn = threading.Lock()
        super().__init__((HOST, port), _Handler)

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self.server_port}/"


def serve(conversation: Conversation, talkers: Mapping[str, Talker], port: int, tell: Callable[[str], object]) -> None:
    """Serve the page until Ctrl-C; ``tell`` gets its address.

    Raises:
        UsageError: the port is taken.
    """
    try:
        server = ChatServer(conversation, talkers, port)
    except OSError as error:
        raise UsageError(f"--port {port}: {error.strerror}; choose another, or leave it out for a free one") from None
    with server:
        tell(server.address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: ChatServer
    protocol_version = "HTTP/1.0"
    """No keep-alive: a stream of unknown length ends with its connection."""
    timeout = SECONDS
    server_version, sys_version = "raiden", ""

    def do_GET(self) -> None:
        """The page."""
        if not self._is_ours():
            return
        if self.path != "/":
            self.send_error(404)
            return
        page, policy = _page(self.server)
        self._head(200, "text/html; charset=utf-8", policy)
        self.wfile.write(page.encode("utf-8", "replace"))

    def do_POST(self) -> None:
        """Say something, or forget everything."""
        if not self._is_ours() or not self._may_act():
            return
        body = self._body()
        if body is None:
            return
        if self.path == "/reset":
            with self.server.turn:
                self.server.conversation.reset()
            self._head(200, "application/json")
            self.wfile.write(b"{}")
        elif self.path == "/say" and isinstance(body.get("text"), str) and body["text"].strip():
            self._say(body["text"].strip())
        else:
            self.send_error(404 if self.path != "/say" else 400)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what people say to a character is nobody's business."""

    def _say(self, said: str) -> None:
        self._head(200, "application/x-ndjson")
        conversation, completions = self.server.conversation, {}
        try:
            with self.server.turn:
                for model, talker in self.server.talkers.items():
                    completions[model] = self._stream(model, talker, conversation.prompt(model, said))
                conversation.add(said, completions)
                answers = conversation.exchanges[-1].answers
            self._line({"done": True, "empty": [model for model, answer in answers.items() if not answer]})
        except RaidenError as error:
            self._line({"error": printable(str(error))})
        except ConnectionError:
            return  # the page was closed in the middle of a reply, which is not kept

    def _stream(self, model: str, talker: Talker, prompt: list[dict[str, str]]) -> str:
        splitter = Splitter(talker.prefilled_think)
        completion: list[str] = []
        with closing(talker.stream(prompt)) as pieces:
            for piece in pieces:
                completion.append(piece)
                for kind, text in splitter.feed(piece):
                    self._line({"model": model, "kind": kind, "text": printable(text)})
        for kind, text in splitter.finish():
            self._line({"model": model, "kind": kind, "text": printable(text)})
        return "".join(completion)

    def _line(self, value: dict[str, object]) -> None:
        self.wfile.write(json.dumps(value).encode() + b"\n")
        self.wfile.flush()

    def _is_ours(self) -> bool:
        """Whether the request names this machine, and not a foreign name that leads here."""
        port = self.server.server_port
        if self.headers.get("Host") in (f"{HOST}:{port}", f"localhost:{port}"):
            return True
        self.send_error(403, "this address is not served")
        return False

    def _may_act(self) -> bool:
        """Whether the request comes from our page: its token, its origin, and JSON, which no plain form sends."""
        token = self.headers.get(TOKEN_HEADER, "").encode("utf-8", "replace")
        origin = self.headers.get("Origin")
        is_json = self.headers.get("Content-Type", "").partition(";")[0].strip() == "application/json"
        same = origin is None or origin == f"http://{self.headers.get('Host')}"
        if is_json and same and hmac.compare_digest(token, self.server.token.encode()):
            return True
        self.send_error(403, "reload the page")
        return False

    def _body(self) -> dict[str, Any] | None:
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdecimal() or int(length) > MAX_BODY:
            self.send_error(413)
            return None
        try:
            value = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            self.send_error(400)
            return None
        return value

    def _head(self, status: int, kind: str, policy: str = "default-src 'none'") -> None:
        self.send_response(status)
        for name, value in (
            ("Content-Type", kind),
            ("Content-Security-Policy", policy),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
            ("Referrer-Policy", "no-referrer"),
            ("Cache-Control", "no-store"),
        ):
            self.send_header(name, value)
        self.end_headers()


def _page(server: ChatServer) -> tuple[str, str]:
    """The page, and the policy that lets its own script and style be all that runs."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(loader=PackageLoader("raiden_core.chat"), autoescape=True, undefined=StrictUndefined)
    templates = files("raiden_core.chat").joinpath("templates")
    script = templates.joinpath("chat.js").read_text("utf-8")
    style = templates.joinpath("chat.css").read_text("utf-8")
    conversation = server.conversation
    page = environment.get_template("chat.html.jinja").render(
        name=printable(conversation.name),
        language=conversation.character.language,
        profile=printable(conversation.profile),
        models=list(server.talkers),
        token=server.token,
        said=[
            (one.user, [(model, printable(answer)) for model, answer in one.answers.items()])
            for one in conversation.exchanges
        ],
        script=Markup(script),
        style=Markup(style),
    )
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return page, policy


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
