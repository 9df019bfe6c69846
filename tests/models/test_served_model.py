"""Models behind a server: asked once each, resumed after the server's end, named by their address."""

from pathlib import Path

import pytest

from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.errors import ConfigError, StageError, UsageError
from raiden_core.models.answering import Reply
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


def answers_of(way: str, folder: Path, said: str = "<think>hm</think><answer>Leeds</answer>") -> list[Reply]:
    with serving(FaultServer(lambda chat: said, model="m", way=way)) as server:
        model = ServedModel(endpoint_at(f"{server.url}#m", TEMPLATE), max_new_tokens=50)
        return model.answer(PROMPTS[:2], store=folder / "answers.jsonl")


@pytest.mark.parametrize(
    ("way", "text", "finished", "warns"),
    [
        ("reasoning_content", "<think>well</think>Leeds", True, "start the server without --reasoning-parser"),
        ("reasoning", "<think>well</think>Leeds", True, "start the server without --reasoning-parser"),
        ("all reasoning", "<think>Leeds", True, "start the server without --reasoning-parser"),
        ("turn's end", "Leeds", True, "the token that ends a turn"),
        ("MAX_TOKENS", "Leeds", False, "'MAX_TOKENS' where OpenAI says 'length'"),
        ("no finish_reason", "Leeds", True, ""),
        ("nothing", "", True, ""),
        ("refusal", "I cannot help with that.", True, ""),
    ],
)
def test_an_answer_is_what_the_model_wrote_whatever_the_server_makes_of_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, way: str, text: str, finished: bool, warns: str
) -> None:
    replies = answers_of(way, tmp_path, "Leeds")
    assert [(reply.text, reply.finished, reply.note) for reply in replies] == [(text, finished, "")] * 2
    assert warns in caplog.text
    assert len(caplog.records) <= 1, "said once"


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("error 200", "nobody has had an answer.*500: model overloaded"),
        ("tool call", "failed on 2 of 2 questions, which is not the model's fault .empty the server took"),
        ("context 400", "refused all 2 questions .rejected 400: This model's maximum context length"),
        ("vllm error 200", "refused all 2 questions .rejected 400: This model's maximum context length"),
        ("page", "a web page"),
    ],
)
def test_what_the_server_does_wrong_is_never_an_answer(tmp_path: Path, way: str, words: str) -> None:
    with pytest.raises(StageError, match=words) as caught:
        answers_of(way, tmp_path)
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("kind", ["empty choices", "500"])
def test_a_single_question_that_the_server_fails_on_ends_the_evaluation_and_the_others_are_kept(
    tmp_path: Path, kind: str
) -> None:
    with serving(FaultServer(lambda chat: "Leeds", model="m", latency=0.02)) as server:
        endpoint = endpoint_at(f"{server.url}#m", TEMPLATE.model_copy(update={"attempts": 2, "max_concurrency": 2}))
        model = ServedModel(endpoint, max_new_tokens=50)
        bad: list[str] = []

        def fault(key: str) -> tuple[str | None, float]:
            bad.append(key)
            return (kind if key == bad[0] else None), 0.5

        server._fault = fault  # type: ignore[method-assign]
        with pytest.raises(StageError, match=r"failed on 1 of 12 questions.*what was answered is kept"):
            model.answer(PROMPTS, store=tmp_path / "answers.jsonl")
        asked = server.counters.requests
        server._fault = lambda key: (None, 0.0)  # type: ignore[method-assign]
        assert len(model.answer(PROMPTS, store=tmp_path / "answers.jsonl")) == 12
        assert server.counters.requests == asked + 1


def test_progress_goes_on_while_replies_are_waited_for(tmp_path: Path) -> None:
    told: list[int] = []
    with serving(FaultServer(model="m", latency=2)) as server:
        model = ServedModel(endpoint_at(f"{server.url}#m", TEMPLATE))
        model.answer(PROMPTS[:1], store=tmp_path / "a", progress=lambda done, total, note="": told.append(done))
    assert told.count(0) >= 3 and told[-1] == 1


def test_some_refused_questions_have_a_note(tmp_path: Path) -> None:
    with serving(FaultServer(lambda chat: "Leeds", model="m")) as server:
        model = ServedModel(endpoint_at(f"{server.url}#m", TEMPLATE), max_new_tokens=50)
        model.answer(PROMPTS[:1], store=tmp_path / "answers.jsonl")
        server.way = "context 400"
        first, second = model.answer(PROMPTS[:2], store=tmp_path / "answers.jsonl")
    assert (first.text, first.note) == ("Leeds", "")
    assert second.text == "" and second.note.startswith("refused: rejected 400: This model's maximum context")


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
