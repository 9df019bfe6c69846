"""`raiden serve` as a process, asked by the client library of OpenAI, ended by a signal."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import openai
import psutil
import pytest

from raiden_core.models.llama_cpp import is_installed
from raiden_core.stages.runs import write_run
from tests.support.gguf_files import write_gguf
from tests.support.tiny_models import parrot

__all__ = ["parrot"]
pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
TIMEOUT = 120
REPLY = ["<think>", "h", "m", "</think>", "<answer>", "长沙", "!", "</answer>", "<|im_end|>"]
PEOPLE = '{"name": "Ann", "profile": {"Home": "Leeds"}}\n{"name": "阿瑶", "profile": {"籍贯": "长沙"}}\n'


@pytest.fixture
def run(tmp_path: Path, parrot: Callable[..., Path]) -> Path:
    """A run whose trained model says one fixed completion."""
    train = tmp_path / "train-0123"
    train.mkdir()
    parrot("made", REPLY).rename(train / "model")
    run = tmp_path / "runs" / "one"
    entries = {"train": {"folder": str(train), "seconds": 1.0}}
    write_run(run, {"run": str(run), "stages": entries, "results": None, "report": None}, "name: one\n")
    (tmp_path / "people.jsonl").write_text(PEOPLE, "utf-8")
    return run


@contextmanager
def served(run: Path, *arguments: str, key: str | None = None) -> Iterator[tuple[openai.OpenAI, subprocess.Popen[str]]]:
    """A client of the command, which runs while the block does."""
    command = [sys.executable, "-m", "flows.cli", "serve", "--run", str(run), "--port", "0"]
    command += ["--character", str(run.parents[1] / "people.jsonl"), *arguments]
    given = {"RAIDEN_SERVE_KEY": key} if key else {}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        env=os.environ | given | {"RAIDEN_CACHE": str(run.parents[1] / "cache")},
    )  # fmt: skip
    try:
        assert process.stdout is not None and process.stderr is not None
        said = process.stdout.readline()
        assert said.startswith("http://127.0.0.1:"), said + process.stderr.read()
        assert not key or key not in said
        with openai.OpenAI(base_url=said.split()[0], api_key=key or "none", max_retries=0, timeout=TIMEOUT) as client:
            yield client, process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=TIMEOUT)


def ended(process: subprocess.Popen[str], number: signal.Signals) -> str:
    """What it says on standard error when a signal has ended it; none of its children is left."""
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    said = process.communicate(timeout=TIMEOUT)[1]
    assert process.returncode == 0, said
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    return said


def streamed(client: openai.OpenAI, model: str, said: str) -> tuple[str, int]:
    """The text of a streamed reply, and how many tokens its end counts."""
    chunks = list(
        client.chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": said}],
            stream=True,
            stream_options={"include_usage": True},
            temperature=0,
        )
    )
    assert chunks[-1].usage is not None
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    return text, chunks[-1].usage.completion_tokens


def test_a_run_is_asked_by_openais_client_and_ended_by_term(run: Path) -> None:
    key = "sesame-sesame-sesame"
    with served(run, "--reasoning", "field", key=key) as (client, process):
        assert [model.id for model in client.models.list()] == ["Ann", "阿瑶"]
        whole = client.chat.completions.create(
            model="阿瑶", messages=[{"role": "user", "content": "你是哪里人?"}], temperature=0, max_tokens=50
        )
        assert whole.choices[0].message.content == "长沙!" and whole.choices[0].finish_reason == "stop"
        assert whole.choices[0].message.model_extra == {"reasoning_content": "hm"}
        assert whole.usage is not None and whole.usage.completion_tokens == len(REPLY) - 1
        assert whole.usage.prompt_tokens > 50
        assert streamed(client, "Ann", "Where from?") == ("长沙!", len(REPLY) - 1)
        with pytest.raises(openai.NotFoundError, match="no model 'Bob'"):
            streamed(client, "Bob", "hello")
        with pytest.raises(openai.BadRequestError, match="leaves no room"):
            streamed(client, "Ann", "x" * 3000)
        with pytest.raises(openai.AuthenticationError):
            client.with_options(api_key="another-another-another").models.list()
        assert ended(process, signal.SIGTERM) == "stopped\n"


@pytest.mark.skipif(not is_installed(), reason="llama.cpp is not here: pip install 'raiden[llamacpp]'")
def test_a_gguf_file_is_served_by_llama_cpp_whose_process_ends_with_the_command(run: Path, tmp_path: Path) -> None:
    file = write_gguf(tmp_path / "m.gguf", metadata={"llama.context_length": 2048})
    with served(run, "--model", str(file), "--pick", "ann", "--reasoning", "show") as (client, process):
        assert [model.id for model in client.models.list()] == ["Ann"]
        asked = {"model": "Ann", "messages": [{"role": "user", "content": "Where from?"}], "max_tokens": 12}
        first, second = (client.chat.completions.create(**asked, temperature=0.9, seed=5) for _ in range(2))  # type: ignore[call-overload]
        assert (
            first.choices[0].message.content and first.choices[0].message.content == second.choices[0].message.content
        )
        assert 0 < first.usage.completion_tokens <= 12 and first.usage.prompt_tokens > 50
        text, tokens = streamed(client, "Ann", "Where from?")
        assert text and tokens > 0
        with pytest.raises(openai.BadRequestError, match="leaves no room"):
            streamed(client, "Ann", "x" * 3000)
        assert len(psutil.Process(process.pid).children(recursive=True)) >= 2
        assert ended(process, signal.SIGINT) == "stopped\n"
