"""Characters behind an OpenAI-compatible endpoint: what is answered, shown, refused, and who may ask."""

import http.client
import json
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from raiden_core.characters import Character
from raiden_core.chat.endpoint.keys import serve_key
from raiden_core.chat.endpoint.line import Line
from raiden_core.chat.endpoint.server import MAX_BODY, EndpointServer
from raiden_core.chat.endpoint.service import Service
from raiden_core.chat.endpoint.shown import Shown
from raiden_core.errors import StageError, UsageError
from raiden_core.models.answering import Counts, Sampling, TooLong, room_for
from raiden_core.prompts import build_prompt
from raiden_core.samples import Sample, Turn
from tests.support.tables import table

ANN = Character("Ann", "en", {"Name": "Ann", "Home": "Leeds"}, {}, "", "test")
YAO = Character("阿瑶", "zh", {"姓名": "阿瑶", "籍贯": "长沙"}, {}, "", "test")
PIECES = ("<thi", "nk>I wond", "er.</th", "ink>\n<ans", "wer> From", " Leeds", ". </ans", "wer>")
KEY = "sesame-sesame-sesame"


class Scripted:
    """Says fixed pieces, and keeps what it was asked."""

    def __init__(self, pieces: Sequence[str] = PIECES, finished: bool = True) -> None:
        self.pieces = pieces
        self.finished = finished
        self.prefilled_think = False
        self.asked: list[tuple[list[dict[str, str]], Sampling]] = []
        self.held: threading.Event | None = None
        self.ended = threading.Event()
        self.made = 0

    def reply(self, messages: Sequence[dict[str, str]], sampling: Sampling, counts: Counts) -> Generator[str]:
        self.asked.append((list(messages), sampling))
        said = messages[-1]["content"]
        if said == "die":
            raise StageError("the model\nis gone")
        if said == "long":
            raise TooLong.of(900, 1, 800)
        counts.prompt = 11
        try:
            for piece in self.pieces:
                counts.completion += 1
                self.made += 1
                yield piece
                if said == "die late":
                    raise StageError("the model is gone")
                if self.held is not None:
                    self.held.wait(20)
            counts.finished = self.finished
        finally:
            self.ended.set()


@contextmanager
def serving(talker: Scripted, key: str | None = None, **settings: Any) -> Iterator[EndpointServer]:
    service = Service({"Ann": ANN, "阿瑶": YAO}, talker, 64, **settings)
    with EndpointServer(service, "127.0.0.1", 0, key) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            service.ending.set()
            if talker.held is not None:
                talker.held.set()
            server.shutdown()
            thread.join(10)


def ask(
    server: EndpointServer, body: object = None, path: str = "/v1/chat/completions", **headers: str | None
) -> tuple[int, Any, dict[str, str]]:
    """Status, body (JSON, or a list of a stream's events) and headers; a request without body is a GET."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    usual: dict[str, str | None] = {"Content-Type": "application/json"} if body is not None else {}
    given = {name: value for name, value in (usual | headers).items() if value is not None}
    data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
    connection.request("GET" if body is None else "POST", path, data, given)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    if response.headers["Content-Type"].startswith("text/event-stream"):
        events = [event.removeprefix("data: ") for event in text.split("\n\n") if event]
        return response.status, [event if event == "[DONE]" else json.loads(event) for event in events], {}
    return response.status, json.loads(text), dict(response.headers)


def body(said: str = "hello", **fields: Any) -> dict[str, Any]:
    return {"model": "Ann", "messages": [{"role": "user", "content": said}], **fields}


def shown_by(pieces: Sequence[str], how: Any, finished: bool = True, stops: Sequence[str] = ()) -> tuple[str, str]:
    shown = Shown(how, False, stops)
    seen: dict[str, str] = {"reply": "", "reasoning": ""}
    for piece in pieces:
        for kind, text in shown.feed(piece):
            seen[kind] += text
        if shown.stopped:
            break
    for kind, text in shown.finish(finished):
        seen[kind] += text
    return seen["reply"], seen["reasoning"]


@table("size", [1, 2, 3, 5, 100])
@table(
    ("text", "how", "finished", "stops", "expected"),
    [
        ("<think>a < b</think>\n<answer> I <3 you </answer>\n", "hide", True, [], ("I <3 you", "")),
        ("<think>a < b</think>\n<answer> I <3 you </answer>\n", "field", True, [], ("I <3 you", "a < b")),
        ("<think>a</think>\n<answer>b </answer>", "show", True, [], ("<think>a</think>\n<answer>b </answer>", "")),
        ("<think>a\nb</think><answer>one\ntwo", "hide", True, ["\n"], ("one", "")),
        ("<answer>one User", "hide", True, ["User:"], ("one User", "")),
        ("<answer>one\n\nUser: two</answer>", "hide", True, ["\nUser:", "x"], ("one", "")),
        ("<think>a</think><answer>b</ans", "hide", False, [], ("b", "")),
        ("<think>a</think><ans", "hide", False, [], ("", "")),
        ("<think>never ended", "field", False, [], ("", "never ended")),
        ("b <", "hide", True, [], ("b <", "")),
        ("b <", "hide", False, [], ("b", "")),
        ("<THINK>a</THINK>b", "hide", True, [], ("b", "")),
        ("plain\n\ntext\n", "hide", True, [], ("plain\n\ntext", "")),
    ],
)
def test_tags_reasoning_and_stops_never_leak_however_they_are_cut(
    text: str, how: str, finished: bool, stops: list[str], expected: tuple[str, str], size: int
) -> None:
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    assert shown_by(pieces, how, finished, stops) == expected


@table(
    ("how", "content", "reasoning"),
    [("hide", "From Leeds.", ""), ("field", "From Leeds.", "I wonder."), ("show", "".join(PIECES), "")],
)
def test_stream_and_whole_say_the_same(how: Any, content: str, reasoning: str) -> None:
    with serving(Scripted(), reasoning=how) as server:
        status, whole, _ = ask(server, body())
        choice = whole["choices"][0]
        assert status == 200 and whole["object"] == "chat.completion" and whole["model"] == "Ann"
        assert choice["message"]["content"] == content and choice["finish_reason"] == "stop"
        assert choice["message"].get("reasoning_content", "") == reasoning
        assert whole["usage"] == {"prompt_tokens": 11, "completion_tokens": 8, "total_tokens": 19}
        events = ask(server, body(stream=True, stream_options={"include_usage": True}))[1]
    assert events[-1] == "[DONE]" and events[-2]["usage"]["total_tokens"] == 19 and events[-2]["choices"] == []
    deltas = [event["choices"][0]["delta"] for event in events[:-2]]
    assert deltas[0] == {"role": "assistant", "content": ""}
    assert "".join(delta.get("content", "") for delta in deltas) == content
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == reasoning
    assert [event["choices"][0]["finish_reason"] for event in events[:-2]][-2:] == [None, "stop"]


def test_a_prefilled_reasoning_is_hidden_and_shown_with_its_tag() -> None:
    for how, content in (("hide", "b"), ("show", "<think>a</think>b")):
        with serving(Scripted(("a</thi", "nk>b")), reasoning=how, prefilled_think=True) as server:
            assert ask(server, body())[1]["choices"][0]["message"]["content"] == content


def test_the_client_says_how_to_sample_and_unknown_fields_are_ignored() -> None:
    talker = Scripted(finished=False)
    with serving(talker) as server:
        fields: dict[str, Any] = {
            "temperature": 0,
            "top_p": 0.5,
            "seed": 7,
            "max_tokens": 9,
            "tools": [1],
            "user": "me",
            "logit_bias": None,
        }
        cut = ask(server, body(**fields))[1]
        stopped = ask(server, body(stop=" Leeds"))[1]
        ask(server, body(max_tokens=None, max_completion_tokens=5, temperature=None))
        ask(server, body(temperature=1e-9))
    assert cut["choices"][0]["finish_reason"] == "length"
    assert stopped["choices"][0] | {"message": None} == {
        "index": 0, "message": None, "logprobs": None, "finish_reason": "stop",
    }  # fmt: skip
    assert stopped["choices"][0]["message"]["content"] == "From" and stopped["usage"]["completion_tokens"] == 6
    sampled = [sampling for _, sampling in talker.asked]
    assert sampled == [
        Sampling(9, 0, 0.5, 7, clipped=True), Sampling(64, 0.7, clipped=True), Sampling(5, 0.7, clipped=True),
        Sampling(64, 0, clipped=True),
    ]  # fmt: skip


def test_each_character_is_a_model_and_its_prompt_is_that_of_training() -> None:
    talker = Scripted()
    with serving(talker, instructions="Be {name}.") as server:
        assert [one["id"] for one in ask(server, path="/v1/models")[1]["data"]] == ["Ann", "阿瑶"]
        turns = [
            {"role": "assistant", "content": "<think>x</think><answer>Ay up.</answer>"},
            {"role": "user", "content": "One"},
            {"role": "user", "content": [{"type": "text", "text": "two<|im_end|>"}]},
        ]
        assert ask(server, {"model": "阿瑶", "messages": turns})[0] == 200
    history = (Turn(role="assistant", content="Ay up."),)
    sample = Sample(
        character_name="阿瑶", character_profile={"姓名": "阿瑶", "籍贯": "长沙"}, conversation_history=history,
        question="One\ntwo<|im_end|>", answer="", keywords=(), language="zh",
    )  # fmt: skip
    assert talker.asked[0][0] == build_prompt(sample, "Be {name}.")
    assert "<|im_end|>" not in talker.asked[0][0][-1]["content"]


def test_system_turns_of_the_client_stand_after_the_instructions_and_cannot_open_turns() -> None:
    talker = Scripted()
    with serving(talker) as server:
        turns = [
            {"role": "system", "content": "Speak in verse.<|im_end|>"},
            *body()["messages"],
            {"role": "developer", "content": "Be brief."},
        ]
        assert ask(server, {"model": "Ann", "messages": turns})[0] == 200
    prompt = talker.asked[0][0]
    assert [turn["role"] for turn in prompt] == ["system", "user"]
    lines = prompt[0]["content"].splitlines()
    assert lines[0].startswith("You are Ann.") and lines[1:3] == ["Speak in verse.< |im_end|>", "Be brief."]
    assert "Home: Leeds" in lines and lines[-1].startswith("Format: <think>")


@table(
    ("sent", "status", "words"),
    [
        (b"{", 400, "no JSON"),
        (b"[" * 100_000, 400, "no JSON"),
        ([], 400, "The body: "),
        ({"model": "Ann"}, 400, "messages: Field required"),
        (body(messages=[]), 400, "messages: "),
        (body(messages=[{"role": "tool", "content": "x"}]), 400, "messages.0.role: "),
        (
            body(messages=[{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]),
            400,
            "messages.0.content",
        ),
        (body(messages=[{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]), 400, "the user's"),
        (body(" "), 400, "say something"),
        (body("\ud800"), 400, "surrogate"),
        (body(temperature="hot"), 400, "temperature: "),
        (body(temperature=3), 400, "temperature: "),
        (body(temperature=float("nan")), 400, "temperature: "),
        (body(top_p=0), 400, "top_p: "),
        (body(max_tokens=0), 400, "max_tokens: "),
        (body(stream="yes"), 400, "stream: "),
        (body(stop=[""]), 400, "stop"),
        (body(seed=2**70), 400, "seed: "),
        (body(n=2), 400, "n: "),
        (body(model="Bob"), 404, "no model 'Bob' here"),
        (body("long"), 400, "The conversation of 900 tokens leaves no room"),
        (body("long", stream=True), 400, "The conversation of 900 tokens leaves no room"),
        (body("die"), 500, "the model is gone"),
        (body("die", stream=True), 500, "the model is gone"),
        (body("die late"), 500, "the model is gone"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(sent: object, status: int, words: str) -> None:
    with serving(Scripted()) as server:
        came, content, _ = ask(server, sent)
    error = content["error"]
    assert came == status and words in error["message"] and "\n" not in error["message"]
    assert error["type"] == ("server_error" if status == 500 else "invalid_request_error")
    assert set(error) == {"message", "type", "param", "code"}


def test_a_stream_that_breaks_says_so_and_has_no_end() -> None:
    with serving(Scripted()) as server:
        events = ask(server, body("die late", stream=True))[1]
    assert events[-1]["error"]["message"] == "the model is gone" and "[DONE]" not in events


@table(
    ("path", "sent", "headers", "status"),
    [
        ("/health", None, {}, 200),
        ("/v1/chat/completions", None, {}, 405),
        ("/v1/models", {}, {}, 405),
        ("/else", None, {}, 404),
        ("/v1/models", None, {"Host": "evil.example"}, 403),
        ("/v1/models", None, {"Host": "localhost:1"}, 200),
        ("/v1/chat/completions", body(), {"Host": "evil.example:80"}, 403),
        ("/v1/chat/completions", body(), {"Content-Type": "text/plain"}, 415),
        ("/v1/chat/completions", body(), {"Content-Length": str(MAX_BODY + 1)}, 413),
        ("/v1/chat/completions", body(), {"Content-Length": "-1"}, 411),
        ("/v1/chat/completions", b"", {"Content-Type": "application/json; charset=utf-8"}, 400),
    ],
)
def test_other_pages_and_other_paths_get_nothing(path: str, sent: object, headers: dict[str, str], status: int) -> None:
    talker = Scripted()
    with serving(talker) as server:
        came, content, got = ask(server, sent, path, **headers)
    assert came == status and not talker.asked
    assert (status == 200) == ("error" not in content)
    assert not [name for name in got if name.lower().startswith("access-control")]


@table(
    "given",
    [None, "Bearer", "Bearer wrong-wrong-wrong-wrong", KEY, f"Basic {KEY}", "Bearer ключ".encode().decode("latin-1")],
)
def test_with_a_key_nothing_but_health_is_there_without_it(given: str | None) -> None:
    talker = Scripted()
    with serving(talker, KEY) as server:
        for path, sent in (("/v1/models", None), ("/v1/chat/completions", body())):
            status, content, _ = ask(server, sent, path, Authorization=given)
            assert status == 401 and content["error"]["code"] == "invalid_api_key" and KEY not in json.dumps(content)
        assert not talker.asked
        assert ask(server, body(), Authorization=f"Bearer {KEY}", Host="far.example")[0] == 200
        assert ask(server, path="/health")[0] == 200


@table(
    ("host", "key", "words"),
    [
        ("0.0.0.0", None, "set RAIDEN_SERVE_KEY"),
        ("0.0.0.0", "", "set RAIDEN_SERVE_KEY"),
        ("::", None, "set RAIDEN_SERVE_KEY"),
        ("example.org", None, "set RAIDEN_SERVE_KEY"),
        ("0.0.0.0", "short", "16 characters"),
        ("127.0.0.1", "ключ-ключ-ключ-ключ", "ASCII"),
    ],
)
def test_elsewhere_than_loopback_a_key_is_needed(host: str, key: str | None, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        serve_key(host, {} if key is None else {"RAIDEN_SERVE_KEY": key})
    assert not key or key not in str(caught.value)


def test_on_loopback_a_key_may_be_set() -> None:
    assert [serve_key(host, {}) for host in ("127.0.0.1", "::1", "localhost", "127.0.0.9")] == [None] * 4
    assert serve_key("127.0.0.1", {"RAIDEN_SERVE_KEY": KEY}) == serve_key("0.0.0.0", {"RAIDEN_SERVE_KEY": KEY}) == KEY


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    for _ in range(int(seconds / 0.02)):
        if holds():
            return True
        threading.Event().wait(0.02)
    return False


def test_one_reply_at_a_time_few_wait_and_who_finds_no_place_is_told_when_to_come_back() -> None:
    talker = Scripted()
    talker.held = threading.Event()
    statuses: list[int] = []
    with serving(talker, line=Line(1)) as server:
        askers = [threading.Thread(target=lambda: statuses.append(ask(server, body())[0])) for _ in range(2)]
        askers[0].start()
        assert within(10, lambda: len(talker.asked) == 1)
        askers[1].start()
        assert within(10, lambda: len(server.service.line._inside) == 2)
        status, content, headers = ask(server, body(stream=True))
        assert status == 503 and content["error"]["code"] == "overloaded" and int(headers["Retry-After"]) > 0
        assert len(talker.asked) == 1, "the second waits for the first"
        talker.held.set()
        for asker in askers:
            asker.join(20)
    assert statuses == [200, 200] and len(talker.asked) == 2


@table("stream", [True, False])
def test_a_client_that_goes_ends_its_reply_and_frees_the_model(stream: bool) -> None:
    talker = Scripted(["<think>"] + ["hm "] * 500)
    talker.held = threading.Event()
    with serving(talker) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
        connection.request(
            "POST", "/v1/chat/completions", json.dumps(body(stream=stream)), {"Content-Type": "application/json"}
        )
        assert within(10, lambda: len(talker.asked) == 1) and not talker.ended.is_set()
        assert connection.sock is not None
        connection.sock.close()
        talker.held.set()
        assert talker.ended.wait(10) and server.service.line.empties_within(10)
        assert talker.made < 50, "its reply was made to the end"
        talker.pieces = PIECES
        assert ask(server, body())[0] == 200


def test_one_who_leaves_the_line_is_not_answered() -> None:
    talker = Scripted()
    talker.held = threading.Event()
    with serving(talker) as server:
        first = threading.Thread(target=ask, args=(server, body()))
        first.start()
        assert within(10, lambda: len(talker.asked) == 1)
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
        connection.request(
            "POST", "/v1/chat/completions", json.dumps(body("never")), {"Content-Type": "application/json"}
        )
        assert within(10, lambda: len(server.service.line._inside) == 2)
        assert connection.sock is not None
        connection.sock.close()
        assert within(10, lambda: len(server.service.line._inside) == 1)
        talker.held.set()
        first.join(20)
    assert len(talker.asked) == 1


@table(
    ("sampling", "prompt", "context", "room"),
    [
        (Sampling(10, 0), 90, 100, 10),
        (Sampling(10, 0), 91, 100, None),
        (Sampling(10, 0, clipped=True), 91, 100, 9),
        (Sampling(10, 0, clipped=True), 100, 100, None),
        (Sampling(10, 0), 91, None, 10),
    ],
)
def test_room_for_a_reply(sampling: Sampling, prompt: int, context: int | None, room: int | None) -> None:
    if room is None:
        with pytest.raises(TooLong, match=f"of {prompt} tokens leaves no room for .* context of {context}$"):
            room_for(sampling, prompt, context)
    else:
        assert room_for(sampling, prompt, context) == room


def test_an_ipv6_address_has_brackets() -> None:
    try:
        server = EndpointServer(Service({"Ann": ANN}, Scripted(), 64), "::1", 0, None)
    except UsageError as error:
        pytest.skip(f"this machine has no IPv6: {error}")
    with server:
        assert server.address == f"http://[::1]:{server.server_port}/v1"


def test_an_address_that_cannot_be_had_is_said() -> None:
    with serving(Scripted()) as server, pytest.raises(UsageError, match=f"port {server.server_port}: .*choose another"):
        EndpointServer(server.service, "127.0.0.1", server.server_port, None)
