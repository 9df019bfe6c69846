"""The page on this machine: only our own page may use it, and nothing in it runs but our own script."""

import http.client
import json
import re
import threading
from collections.abc import Generator, Iterator, Sequence

import pytest

from raiden_core.characters import Character
from raiden_core.chat.conversation import Conversation
from raiden_core.chat.web import MAX_BODY, TOKEN_HEADER, ChatServer, serve
from raiden_core.errors import StageError, UsageError

EVIL = '<script>alert(1)</script><img src=x onerror="x">'
ANN = Character(f"Ann {EVIL}", "en", {"Name": f"Ann {EVIL}", "Home": EVIL}, {}, "", "test")


class Said:
    """Replies with what it was asked, in pieces."""

    prefilled_think = False

    def stream(self, messages: Sequence[dict[str, str]]) -> Generator[str]:
        if messages[-1]["content"] == "die":
            raise StageError("the server is gone")
        yield from ("<think>hm", "m</think><ans", "wer>", f"{messages[-1]['content']} {EVIL}\x1b", "</answer>")


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer(Conversation(ANN), {"base": Said(), "trained": Said()}, 0) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield running
        running.shutdown()
        thread.join(10)


def _ask(
    server: ChatServer, method: str, path: str, body: object = None, **headers: str | None
) -> tuple[int, str, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    usual = {"Content-Type": "application/json", TOKEN_HEADER: server.token} if method == "POST" else {}
    given = usual | {name.replace("_", "-"): value for name, value in headers.items()}
    data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
    connection.request(method, path, data, {name: value for name, value in given.items() if value is not None})
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, text, dict(response.headers)


def test_it_listens_on_loopback_only(server: ChatServer) -> None:
    assert server.server_address[0] == "127.0.0.1" and server.address == f"http://127.0.0.1:{server.server_port}/"


def test_the_page_escapes_everything_and_runs_only_its_own_script(server: ChatServer) -> None:
    status, page, headers = _ask(server, "GET", "/")
    assert status == 200 and EVIL not in page and "&lt;script&gt;alert" in page
    assert page.count("<script>") == 1
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", page), "nothing comes from the network"


def test_a_question_is_answered_piece_by_piece_by_every_model(server: ChatServer) -> None:
    status, text, headers = _ask(server, "POST", "/say", {"text": " hello "})
    lines = [json.loads(line) for line in text.splitlines()]
    assert status == 200 and headers["Content-Type"] == "application/x-ndjson"
    for model in ("base", "trained"):
        replies = "".join(line["text"] for line in lines if line.get("model") == model and line["kind"] == "reply")
        assert replies == f"hello {EVIL}\ufffd"
    assert lines[-1] == {"done": True, "empty": []}
    assert server.conversation.exchanges[0].user == "hello"
    assert "hello" in _ask(server, "GET", "/")[1], "a page that is loaded again shows the conversation"
    assert _ask(server, "POST", "/reset", {})[0] == 200 and not server.conversation.exchanges


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {"Host": "evil.example"}),
        ("GET", {"Host": "127.0.0.1:1"}),
        ("POST", {"Host": "evil.example"}),
        ("POST", {TOKEN_HEADER: None}),
        ("POST", {TOKEN_HEADER: "guess"}),
        ("POST", {"Origin": "https://evil.example"}),
        ("POST", {"Origin": "null"}),
        ("POST", {"Content-Type": "text/plain"}),
        ("POST", {"Content-Type": "application/x-www-form-urlencoded"}),
    ],
)
def test_other_pages_cannot_use_it(server: ChatServer, method: str, headers: dict[str, str | None]) -> None:
    status, text, _ = _ask(server, method, "/say" if method == "POST" else "/", {"text": "x"}, **headers)
    assert status == 403 and server.token not in text and not server.conversation.exchanges


def test_our_own_origin_is_welcome(server: ChatServer) -> None:
    origin = f"http://127.0.0.1:{server.server_port}"
    assert _ask(server, "POST", "/say", {"text": "x"}, Origin=origin)[0] == 200


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/say", {"text": "  "}, 400),
        ("/say", {"text": 5}, 400),
        ("/say", [1], 400),
        ("/say", b"{", 400),
        ("/else", {}, 404),
        ("/say", b"x" * (MAX_BODY + 1), 413),
    ],
)
def test_bad_messages_are_refused(server: ChatServer, path: str, body: object, status: int) -> None:
    assert _ask(server, "POST", path, body)[0] == status
    assert _ask(server, "GET", "/favicon.ico")[0] == 404


def test_a_model_that_fails_is_said_and_the_question_not_kept(server: ChatServer) -> None:
    text = _ask(server, "POST", "/say", {"text": "die"})[1]
    assert json.loads(text) == {"error": "the server is gone"} and not server.conversation.exchanges


def test_a_port_that_is_taken_is_said(server: ChatServer) -> None:
    with pytest.raises(UsageError, match=f"--port {server.server_port}: "):
        serve(Conversation(ANN), {"m": Said()}, server.server_port, lambda address: None)
