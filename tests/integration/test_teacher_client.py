"""The teacher's client where it can hurt: killed at a random moment, and against a real server."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.config.sections.training import NanoConfig
from raiden_core.errors import ConfigError
from raiden_core.models.answering import Refused, Reply, Request
from raiden_core.models.served.acceptance import REASONS
from raiden_core.models.served.client import Client
from raiden_core.samples import Sample
from tests.support.chaos import kill_and_rerun, server_stats

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parent.parent.parent
NUMBER = 400
KILLS = int(os.environ.get("RAIDEN_CHAOS_KILLS", "1"))
"""How often the process is killed; `make chaos` sets it."""
MODEL = "tiny/teacher"
READY_SECONDS = 150
NONSENSE, TOKENS = 6, 8
"""Questions to the tiny model, and the longest reply."""


@pytest.fixture
def faulty_server() -> Iterator[str]:
    """The URL of a server in a process of its own: every tenth reply is faulty."""
    command = [sys.executable, "-m", "tests.support.fault_server", "--latency=0.03", "--fault-share=0.1"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert server.stdout is not None
    try:
        yield json.loads(server.stdout.readline())["url"]
    finally:
        server.terminate()
        server.wait(30)


def test_killed_at_a_random_moment_and_run_again(faulty_server: str, tmp_path: Path) -> None:
    replies, out = tmp_path / "replies", tmp_path / "out.jsonl"
    command = [sys.executable, "-m", "tests.support.asking", faulty_server, str(replies), str(out)]
    seed = int.from_bytes(os.urandom(4))
    report = kill_and_rerun(
        [*command, f"--number={NUMBER}"],
        replies=replies,
        server=faulty_server,
        kills=KILLS,
        most_requests=NUMBER // KILLS,
        seed=seed,
    )
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [row["number"] for row in rows] == list(range(NUMBER)), seed
    assert all(row["text"].startswith(f"You said question {row['number']},") for row in rows), seed
    assert report.asked_again == 0, seed
    assert report.stored_at_kills[0] > 0, seed
    lost = sum(times > 1 for times in server_stats(faulty_server)["replied"].values())
    assert lost <= 32 * KILLS, f"at most what was under way when it was killed; seed {seed}"


@pytest.fixture(scope="module")
def real_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`transformers serve` with a tiny model, which lies in a cache as if it had been downloaded."""
    from raiden_core.training.nano import build_nano

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free_port = probe.getsockname()[1]
    home = tmp_path_factory.mktemp("hf")
    cached = home / "hub" / "models--tiny--teacher"
    snapshot = cached / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("0" * 40)
    samples = [
        Sample(
            character_name=f"Lin {place}",
            character_profile={"Name": f"Lin {place}", "Job": "doctor"},
            question="What is your job?",
            answer="I am a doctor.",
            keywords=("doctor",),
        )
        for place in range(5)
    ]
    build_nano(snapshot, samples, NanoConfig(), seed=0)
    environment = os.environ | {"HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    command = [str(Path(sys.executable).parent / "transformers"), "serve", MODEL, "--device", "cpu"]
    command += ["--host", "127.0.0.1", "--port", str(free_port), "--continuous-batching"]
    log = home / "server.log"
    with log.open("wb") as sink:
        server = subprocess.Popen(command, env=environment, stdout=sink, stderr=subprocess.STDOUT)
    try:
        until = time.monotonic() + READY_SECONDS
        while not answers(free_port):
            if server.poll() is not None or time.monotonic() > until:
                pytest.skip(f"transformers serve did not start: {log.read_text(errors='replace')[-500:]}")
            time.sleep(0.5)
        yield f"http://127.0.0.1:{free_port}/v1"
    finally:
        server.kill()
        server.wait(60)


def question(number: int) -> Request:
    words = ({"role": "user", "content": f"What is your job? {number}"},)
    return Request("teacher", words, "test/1", temperature=1.0, max_tokens=TOKENS)


def configured(url: str, model: str = MODEL, dialect: str = "vllm") -> dict[str, EndpointConfig]:
    settings = {"url": url, "model": model, "dialect": dialect, "attempts": 2, "max_concurrency": 8}
    return {"teacher": EndpointConfig.model_validate(settings)}


def test_a_real_server_keeps_the_protocol(real_server: str, tmp_path: Path) -> None:
    async def ask(as_is: bool) -> tuple[list[Reply | Refused], Client]:
        async with Client(configured(real_server), tmp_path, as_is=as_is) as client:
            return list(await asyncio.gather(*(client.ask(question(number)) for number in range(NONSENSE)))), client

    replies, client = asyncio.run(ask(as_is=False))
    usage = client.usage()
    refused = [reply for reply in replies if isinstance(reply, Refused)]
    assert {reply.reason for reply in refused} <= REASONS.keys() - {"server", "rejected"}, refused
    assert sum(usage.refused.values()) == len(refused)
    assert usage.replies == NONSENSE - len(refused)
    assert usage.attempts == usage.replies + sum(usage.turned_down.values())
    assert 0 < usage.completion_tokens <= TOKENS * usage.attempts

    said, _ = asyncio.run(ask(as_is=True))
    again, client = asyncio.run(ask(as_is=True))
    texts = {number: reply.text for number, reply in enumerate(said) if isinstance(reply, Reply)}
    assert texts, "a model that says nothing at all would be odd"
    assert client.usage().hits == len(texts)
    for number, text in texts.items():
        reply = again[number]
        assert isinstance(reply, Reply) and reply.cached and reply.text == text


def test_a_real_server_tells_its_models(real_server: str, tmp_path: Path) -> None:
    async def ask() -> None:
        async with Client(configured(real_server, model="glm-4.6"), tmp_path) as client:
            await client.ask(question(1))

    with pytest.raises(ConfigError, match=f"no model is called 'glm-4.6' there; there are: {MODEL}"):
        asyncio.run(ask())


def test_a_server_that_does_not_know_the_dialect_says_so(real_server: str, tmp_path: Path) -> None:
    async def ask() -> None:
        async with Client(configured(real_server, dialect="sglang"), tmp_path) as client:
            await asyncio.gather(*(client.ask(question(number)) for number in range(20)))

    with pytest.raises(ConfigError, match=r"refuses the request \(422: .*set thinking: default"):
        asyncio.run(ask())


def answers(port: int) -> bool:
    """Whether a server there says that it is well."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
