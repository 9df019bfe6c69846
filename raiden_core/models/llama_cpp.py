"""llama.cpp on this machine, by the package xllamacpp (``pip install raiden[llamacpp]``): started, asked, ended.

    with running(Path("model.gguf"), context=2048, log=Path("llama.log")) as server:
        server.tokens("Hello"), server.reply(messages, 64)

What is exported is asked here before it is called done, and a GGUF that is unpacked is compared with what llama.cpp makes of
it: nobody reads such files with more authority.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx2

from raiden_core.errors import StageError
from raiden_core.processes.children import free_port, last_lines, start, supervised, wait_ready
from raiden_core.processes.threads import usable_cores
from raiden_core.prompts import Message

PACKAGE = "xllamacpp"
READY_SECONDS = 300.0
REPLY_SECONDS = 600.0
STOP_SECONDS = 5.0
"""A server that computes does not heed TERM; nothing is lost when it is killed."""


def is_installed() -> bool:
    """Whether llama.cpp can be asked here."""
    return find_spec(PACKAGE) is not None


@dataclass(frozen=True)
class Said:
    """A greedy reply."""

    text: str
    tokens: tuple[int, ...]
    """Ids of the reply, the one that ends it included where it ended by itself."""
    finished: bool
    logprobs: tuple[float, ...]
    """Of each token."""


@dataclass(frozen=True)
class LlamaServer:
    """A server that answers."""

    url: str
    """Without ``/v1``."""

    def tokens(self, text: str) -> list[int]:
        """Ids of a text, special tokens in it read as such."""
        return list(self._post("/tokenize", {"content": text, "add_special": False, "parse_special": True})["tokens"])

    def prompt(self, messages: Sequence[Message]) -> str:
        """A chat as its template writes it."""
        return str(self._post("/apply-template", {"messages": list(messages)})["prompt"])

    def reply(self, messages: Sequence[Message], max_tokens: int) -> Said:
        """The greedy reply to a chat, through the OpenAI endpoint."""
        asked = {
            "messages": list(messages),
            "max_tokens": max_tokens,
            "temperature": 0,
            "logprobs": True,
            "cache_prompt": False,  # what is left of the prompt before changes the order of additions
        }
        choice = self._post("/v1/chat/completions", asked)["choices"][0]
        tokens = (choice.get("logprobs") or {}).get("content") or []
        return Said(
            str(choice["message"].get("content") or ""),
            tuple(int(token["id"]) for token in tokens),
            choice["finish_reason"] == "stop",
            tuple(float(token["logprob"]) for token in tokens),
        )

    def _post(self, path: str, content: Mapping[str, Any]) -> Any:
        try:
            answer = httpx2.post(f"{self.url}{path}", json=dict(content), timeout=REPLY_SECONDS)
            answer.raise_for_status()
            return answer.json()
        except (httpx2.HTTPError, json.JSONDecodeError) as error:
            raise StageError(f"llama.cpp's server failed at {path}: {error}") from None


@contextmanager
def running(
    model: Path, *, context: int, log: Path, threads: int | None = None, name: str = "model"
) -> Iterator[LlamaServer]:
    """A server over a GGUF file on a free port of loopback; it ends with the block, and with this process.

    Args:
        model: the file.
        context: tokens of prompt and reply together.
        log: file for what the server prints.
        threads: that compute; None: as many as this process may use.
        name: that the server calls the model.

    Raises:
        StageError: it does not start; the end of its log is quoted.
    """
    port = free_port()
    words = [sys.executable, "-m", "raiden_core.models.llama_server", str(model), "--port", str(port), "--name", name]
    words += ["--context", str(context), "--threads", str(threads or usable_cores())]
    child = start(supervised(words), log, os.environ, append=False)
    try:
        url = f"http://127.0.0.1:{port}"
        came = wait_ready(lambda: _is_up(url), child.has_ended, READY_SECONDS, poll=0.1)
        if came != "ready":
            said = next(iter(last_lines(log)[::-1]), "nothing")
            raise StageError(f"{model}: llama.cpp does not load it: {said} (all of it: {log})")
        yield LlamaServer(url)
    finally:
        child.stop(STOP_SECONDS)


def _is_up(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/health", timeout=5).status_code == httpx2.codes.OK
    except httpx2.HTTPError:
        return False
