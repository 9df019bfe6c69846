"""Models behind a server: asked once each, resumed after the server's end, named by their address."""

from pathlib import Path

import pytest

from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.errors import ConfigError, StageError, UsageError
from raiden_core.models.served_model import ServedModel, endpoint_at, is_url
from tests.support.fault_server import FaultServer
from tests.support.serving import serving

TEMPLATE = EndpointConfig(dialect="openai", thinking="default", attempts=3, patience_seconds=0.3)
PROMPTS = [[{"role": "user", "content": f"question {number}"}] for number in range(12)]


def test_every_question_is_asked_once_and_sampled_draws_are_questions_of_their_own(tmp_path: Path) -> None:
    with serving(FaultServer(lambda chat: f"reply to {chat['messages'][-1]['content']}", model="m")) as server:
        model = ServedModel(endpoint_at(f"{server.url}#m", TEMPLATE), max_new_tokens=50)
        replies = model.answer(PROMPTS, store=tmp_path / "answers.jsonl")
        assert [reply.text for reply in replies] == [f"reply to question {number}" for number in range(12)]
        assert all(reply.finished and reply.tokens for reply in replies)
        assert server.counters.requests == 12
        assert model.answer(PROMPTS, store=tmp_path / "answers.jsonl") == replies
        assert server.counters.requests == 12, "the second time everything came from the store"
        model.answer(PROMPTS[:2] * 2, store=tmp_path / "answers.jsonl", draws=[1, 1, 2, 2])
        assert server.counters.requests == 16


def test_a_server_that_dies_is_a_clear_error_and_what_it_said_is_kept(tmp_path: Path) -> None:
    store = tmp_path / "answers.jsonl"
    with serving(FaultServer(model="m")) as server:
        model = ServedModel(endpoint_at(f"{server.url}#m", TEMPLATE), max_new_tokens=50)
        first = model.answer(PROMPTS[:5], store=store)
    with pytest.raises(StageError):
        model.answer(PROMPTS, store=store)
    assert model.answer(PROMPTS[:5], store=store) == first


def test_a_wrong_model_name_is_named_with_those_there_are(tmp_path: Path) -> None:
    with serving(FaultServer(model="m")) as server, pytest.raises(ConfigError, match=r"other.*m"):
        ServedModel(endpoint_at(f"{server.url}#other", TEMPLATE)).answer(PROMPTS, store=tmp_path / "a.jsonl")


@pytest.mark.parametrize(
    ("url", "base", "name"),
    [
        ("http://127.0.0.1:8000/v1#mine", "http://127.0.0.1:8000/v1", "mine"),
        ("http://127.0.0.1:8000#org/mine", "http://127.0.0.1:8000/v1", "org/mine"),
        ("https://host/openai/v1/#a", "https://host/openai/v1", "a"),
    ],
)
def test_addresses(url: str, base: str, name: str) -> None:
    endpoint = endpoint_at(url, TEMPLATE)
    assert (endpoint.url, endpoint.model, endpoint.attempts) == (base, name, 3)
    assert is_url(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/v1", "http://#m", "https:///v1#m"])
def test_addresses_that_name_no_server_or_no_model(url: str) -> None:
    with pytest.raises(UsageError, match="#MODEL"):
        endpoint_at(url, TEMPLATE)
