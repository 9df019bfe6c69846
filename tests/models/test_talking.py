"""Replies of servers in pieces: what streams, what does not, and what goes wrong, in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.errors import ConfigError, RaidenError, StageError
from raiden_core.models.answering import Counts, Sampling
from raiden_core.models.served.streaming import pieces
from raiden_core.models.talking import LocalTalker, ServedTalker
from tests.support.fault_server import FaultServer
from tests.support.serving import serving
from tests.support.tables import table
from tests.support.tiny_models import random_model

__all__ = ["random_model"]

ASKED = [{"role": "user", "content": "Where are you from?"}]


def talker(server: FaultServer, **settings: object) -> ServedTalker:
    config = EndpointConfig.model_validate({"url": server.url, "model": "m", "dialect": "openai"} | settings)
    return ServedTalker(config, 50, 0.7)


def said_by(way: str | None, text: str = "From Leeds.") -> list[str]:
    with serving(FaultServer(lambda chat: text, model="m", way=way)) as server:
        one = talker(server)
        one.check()
        return list(one.stream(ASKED))


@table(
    ("way", "expected"),
    [
        (None, ["Fro", "m Leeds."]),
        ("stream of reasoning", ["<think>we", "ll", "</think>From Leeds."]),
        ("eos_token", ["From Leeds."]),
        ("reasoning_content", ["<think>well</think>From Leeds."]),
        ("refusal", ["I cannot help with that."]),
        ("models null", ["Fro", "m Leeds."]),
        ("models of ollama", ["Fro", "m Leeds."]),
        ("no models", ["Fro", "m Leeds."]),
    ],
)
def test_a_valid_answer_is_never_lost(way: str | None, expected: list[str]) -> None:
    assert said_by(way) == expected


@table(
    ("way", "kind", "words"),
    [
        ("models page", ConfigError, "/v1/models: no list of models but a web page: .*Log in.*end in /v1"),
        ("models text", ConfigError, "/v1/models: no list of models but .hello"),
        ("models error", StageError, "answered 503: Loading model"),
        ("page", StageError, "answered with a web page, not a reply"),
        ("error 200", StageError, "/v1: model overloaded$"),
        ("vllm error 200", StageError, "maximum context length is 2048.*longer context$"),
        ("context 400", StageError, "answered 400: This model's maximum context"),
        ("ollama error 404", ConfigError, "has no model 'm', or no chat completions .model 'm' not found"),
        ("stream with error", StageError, "/v1: out of memory$"),
        ("event of error", StageError, "/v1: out of memory$"),
        ("line of error", StageError, "/v1: out of memory$"),
        ("empty stream", StageError, "ended its reply before a word of it"),
        ("empty", StageError, "answered nothing"),
        ("text completion", StageError, "a text completion, not a chat completion"),
    ],
)
def test_what_goes_wrong_is_one_line(way: str, kind: type[RaidenError], words: str) -> None:
    with pytest.raises(kind, match=words) as caught:
        said_by(way)
    assert "\n" not in str(caught.value)


def test_a_server_that_is_gone_or_breaks_off(tmp_path: Path) -> None:
    with serving(FaultServer(lambda chat: "From Leeds.", model="m", faults={"cut": 1.0})) as server:
        one = talker(server)
        with pytest.raises(StageError, match=r"broke off in the middle of a reply|no JSON"):
            list(one.stream(ASKED))
    for call in (one.check, lambda: list(one.stream(ASKED))):
        with pytest.raises(StageError, match="cannot be reached"):
            call()


def test_a_key_is_sent_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_KEY", "sk-sesame")
    with serving(FaultServer(lambda chat: "From Leeds.", model="m", key="sk-sesame")) as server:
        assert "".join(talker(server, api_key_env="CHAT_KEY").stream(ASKED)) == "From Leeds."
        server.key = "another"
        for call in (talker(server, api_key_env="CHAT_KEY").check, lambda: list(talker(server).stream(ASKED))):
            with pytest.raises(
                ConfigError, match=r"refuses the key .401.; set evaluation.served.api_key_env"
            ) as caught:
                call()
            assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_events_may_be_cut_anywhere_and_a_text_may_hold_any_mark(size: int) -> None:
    text = "从\u2028Leeds\x85来"
    body = f'data: {{"choices": [{{"delta": {{"content": "{text}"}}}}]}}\r\n\r\ndata: [DONE]\r\n'.encode()
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    assert "".join(pieces("here", parts)) == text


def test_a_local_reply_is_sampled_as_is_asked_and_counted(random_model: Path) -> None:
    context = 256  # the last reply fills it, token by token
    config = json.loads((random_model / "config.json").read_text("utf-8"))
    (random_model / "config.json").write_text(json.dumps(config | {"max_position_embeddings": context}), "utf-8")
    talker = LocalTalker(random_model, 8, 0)

    def said(sampling: Sampling) -> tuple[str, Counts]:
        counts = Counts()
        return "".join(talker.reply(ASKED, sampling, counts)), counts

    seeded, counts = said(Sampling(20, 1.0, seed=3))
    assert counts.prompt > 10 and (counts.completion == 20) != counts.finished
    assert said(Sampling(20, 1.0, seed=3))[0] == seeded != said(Sampling(20, 1.0, seed=4))[0]
    assert said(Sampling(20, 1.0))[0] != said(Sampling(20, 1.0))[0], "without a seed another reply each time"
    greedy = said(Sampling(20, 0))[0]
    assert said(Sampling(20, 1.0, top_p=1e-6))[0] == greedy != seeded
    assert "".join(talker.stream(ASKED)) and greedy.startswith("".join(talker.stream(ASKED)))
    room = context - counts.prompt
    assert said(Sampling(4096, 0, clipped=True))[1].completion <= room
