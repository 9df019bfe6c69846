"""A GGUF file that llama.cpp has loaded on this machine, replying piece by piece."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

import httpx2

from raiden_core.errors import StageError
from raiden_core.models.answering import Counts, Sampling, room_for
from raiden_core.models.gguf.header import Header
from raiden_core.models.llama_cpp import REPLY_SECONDS, LlamaServer
from raiden_core.models.served.streaming import pieces
from raiden_core.prompts import Message

SEEDS = 2**32 - 1
"""llama.cpp's seeds are below; this number itself asks it for any seed."""


LONGEST_CONTEXT = 8192
"""Tokens that a server keeps room for: all of a long context would take gigabytes."""


def served_context(header: Header) -> int:
    """Tokens of prompt and reply together that a file is served with.

    Raises:
        DataError: the file does not say its own.
    """
    return min(LONGEST_CONTEXT, header.integer(f"{header.text('general.architecture')}.context_length"))


class LlamaTalker:
    """A running server of `raiden_core.models.llama_cpp`, with what it needs to know of its model."""

    def __init__(self, server: LlamaServer, context: int) -> None:
        """Ask it how prompts end.

        Args:
            server: that answers.
            context: tokens of prompt and reply together.

        Raises:
            StageError: it does not answer.
        """
        self._server = server
        self._context = context
        self.prefilled_think = server.prompt([{"role": "user", "content": "?"}]).rstrip().endswith("<think>")

    def reply(self, messages: Sequence[Message], sampling: Sampling, counts: Counts) -> Generator[str]:
        """The completion as it comes; closing the iterator ends it. ``counts`` is filled.

        Raises:
            TooLong: the chat leaves no room in the context.
            StageError: the server failed or is gone.
        """
        counts.prompt = len(self._server.tokens(self._server.prompt(messages)))
        body = {
            "messages": list(messages),
            "max_tokens": room_for(sampling, counts.prompt, self._context),
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "top_k": 0,  # llama.cpp cuts by these two unless it is told not to
            "min_p": 0,
            "seed": SEEDS if sampling.seed is None else sampling.seed % SEEDS,
            "stream": True,
            "stream_options": {"include_usage": True},
        }

        def note(event: Mapping[str, Any]) -> None:
            for choice in event.get("choices") or ():
                counts.completion += bool((choice.get("delta") or {}).get("content"))
                counts.finished = counts.finished or choice.get("finish_reason") == "stop"
            if usage := event.get("usage"):
                counts.prompt = int(usage["prompt_tokens"])
                # The end-of-turn token is counted there.
                counts.completion = max(0, int(usage["completion_tokens"]) - counts.finished)

        try:
            with (
                httpx2.Client(timeout=REPLY_SECONDS, trust_env=False) as client,
                client.stream("POST", f"{self._server.url}/v1/chat/completions", json=body) as response,
            ):
                if response.status_code != httpx2.codes.OK:
                    raise StageError(f"llama.cpp's server refused the question: {response.read()[:300]!r}")
                yield from pieces("llama.cpp", response.iter_bytes(), note)
        except httpx2.HTTPError as error:
            raise StageError(f"llama.cpp's server broke off ({type(error).__name__})") from error
