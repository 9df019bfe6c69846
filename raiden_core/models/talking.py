"""Models that reply piece by piece: a local folder by transformers, a server by the OpenAI client."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any, Protocol

from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.errors import ConfigError, DataError, StageError
from raiden_core.prompts import Message

SHARED_FIELDS = frozenset({"model", "messages", "temperature", "max_tokens", "max_completion_tokens"})
"""Fields of a request that every server knows; others travel as extra ones."""

CONNECT_SECONDS = 15.0


class Talker(Protocol):
    """A model that one can talk to."""

    @property
    def prefilled_think(self) -> bool:
        """Whether its prompts open the reasoning themselves, so that completions start inside it."""
        ...

    def stream(self, messages: Sequence[Message]) -> Generator[str]:
        """The completion of a chat, piece by piece; closing the iterator ends it early.

        Raises:
            StageError: the model cannot go on.
        """
        ...


def model_folder(place: str) -> Path:
    """The folder of a model; of a stage's folder the ``model`` in it.

    Raises:
        DataError: there is none.
    """
    folder = Path(place)
    inner = folder / "model"
    if not (folder / "config.json").is_file() and (inner / "config.json").is_file():
        return inner
    if not folder.is_dir():
        raise DataError(f"{place}: no such model folder; a server is named by http://HOST:PORT/v1#MODEL")
    return folder


class LocalTalker:
    """A model folder."""

    def __init__(self, folder: Path, max_new_tokens: int, temperature: float) -> None:
        """Load it.

        Raises:
            DataError: it holds no usable model.
        """
        from raiden_core.models.folder import load_model, load_tokenizer, render
        from raiden_core.models.local_model import decoding

        self._folder = folder
        self._tokenizer = load_tokenizer(folder)
        self._model = load_model(folder)
        self._max_new_tokens = max_new_tokens
        self._settings = decoding(self._model, self._tokenizer, max_new_tokens, temperature)
        probe = render(self._tokenizer, [[{"role": "user", "content": "?"}]], folder)[0]
        self.prefilled_think = probe.rstrip().endswith("<think>")

    def stream(self, messages: Sequence[Message]) -> Generator[str]:
        """The completion, decoded with its tags but without its end-of-turn token.

        Raises:
            StageError: the conversation no longer fits the model's context, or memory.
        """
        import torch
        from transformers import TextIteratorStreamer

        from raiden_core.models.folder import render

        text = render(self._tokenizer, [list(messages)], self._folder)[0]
        inputs = self._tokenizer(text, add_special_tokens=False, return_tensors="pt").to(self._model.device)
        length = inputs["input_ids"].shape[1]
        context = getattr(self._model.config, "max_position_embeddings", None)
        if context is not None and length + self._max_new_tokens > context:
            raise StageError(
                f"the conversation of {length} tokens leaves no room for {self._max_new_tokens} more in the model's "
                f"context of {context}; start anew with /reset"
            )
        pieces: Any = TextIteratorStreamer(self._tokenizer, skip_prompt=True, skip_special_tokens=False)
        stop = Event()

        def stopped(ids: Any, scores: Any, **_: Any) -> Any:
            return torch.full((ids.shape[0],), stop.is_set(), dtype=torch.bool, device=ids.device)

        def generate() -> None:
            try:
                with torch.inference_mode():
                    self._model.generate(
                        **inputs,
                        generation_config=self._settings,
                        streamer=_WithoutEnds(pieces, set(self._settings.eos_token_id or ())),
                        stopping_criteria=[stopped],
                    )
            finally:
                pieces.end()

        with ThreadPoolExecutor(1) as pool:
            work = pool.submit(generate)
            try:
                yield from (piece for piece in pieces if piece)
            finally:
                stop.set()
            try:
                work.result()
            except torch.cuda.OutOfMemoryError:
                raise StageError(
                    "the conversation does not fit into the GPU's memory; start anew with /reset"
                ) from None


class _WithoutEnds:
    """Passes tokens on to a streamer, but no end-of-turn token: decoded with its tags, a reply would show it."""

    def __init__(self, streamer: Any, ends: set[int]) -> None:
        self._streamer = streamer
        self._ends = ends
        self._is_prompt = True

    def put(self, value: Any) -> None:
        """The prompt first, then a token each time."""
        if not self._is_prompt and set(value.reshape(-1).tolist()) <= self._ends:
            return
        self._is_prompt = False
        self._streamer.put(value)

    def end(self) -> None:
        """The generation is over; whoever started it says so to the streamer, whatever happened."""


@dataclass(frozen=True)
class ServedTalker:
    """A model that a server has loaded."""

    endpoint: EndpointConfig
    max_new_tokens: int
    temperature: float
    prefilled_think: bool = False

    def check(self) -> None:
        """Whether the server is there and has the model.

        Raises:
            ConfigError: it refuses the key, or has no such model.
            StageError: it cannot be reached.
        """
        from openai import NotFoundError

        client = self._client()
        try:
            with _Spoken(self.endpoint):
                names = [model.id for model in client.models.list()]
        except NotFoundError:
            return  # some servers list nothing; the first question will tell
        finally:
            client.close()
        if names and self.endpoint.model not in names:
            raise ConfigError(f"{self._where}: has no model {self.endpoint.model!r}; it has: {', '.join(names[:10])}")

    def stream(self, messages: Sequence[Message]) -> Generator[str]:
        """The completion as it comes; reasoning that the server keeps apart comes in its tags.

        Raises:
            ConfigError: the server refuses the key, or has no such model.
            StageError: the server cannot be reached, or broke off.
        """
        from raiden_core.models.asking import Request
        from raiden_core.models.served.dialects import body_of

        request = Request("model", tuple(messages), "chat", None, self.temperature, self.max_new_tokens)
        body = body_of(request, self.endpoint)
        extra = {name: body.pop(name) for name in list(body) if name not in SHARED_FIELDS}
        client = self._client()
        create: Any = client.chat.completions.create
        reasoning = False
        try:
            with _Spoken(self.endpoint), create(**body, stream=True, extra_body=extra or None) as chunks:
                for chunk in chunks:
                    delta = chunk.choices[0].delta if chunk.choices else None
                    if delta is None:
                        continue
                    if thought := getattr(delta, "reasoning_content", None):
                        yield str(thought) if reasoning else f"<think>{thought}"
                        reasoning = True
                    if delta.content:
                        yield f"</think>{delta.content}" if reasoning else str(delta.content)
                        reasoning = False
        finally:
            client.close()

    @property
    def _where(self) -> str:
        from raiden_core.models.served.wire import shown_url

        return shown_url(self.endpoint.url)

    def _client(self) -> Any:
        from openai import DefaultHttpxClient, OpenAI, Timeout

        from raiden_core.models.served.endpoint import key_of

        timeout = Timeout(self.endpoint.timeout_seconds, connect=CONNECT_SECONDS)
        return OpenAI(
            base_url=self.endpoint.url,
            api_key=key_of("model", self.endpoint, os.environ) or "none",
            max_retries=0,
            timeout=timeout,
            # No proxy of the environment: a server on this machine is reached directly, as in evaluation.
            http_client=DefaultHttpxClient(timeout=timeout, trust_env=False),
        )


class _Spoken:
    """A context in which what the client raises becomes an error of ours, in one line and without the key."""

    def __init__(self, endpoint: EndpointConfig) -> None:
        self._endpoint = endpoint

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        from httpx2 import HTTPError
        from openai import APIConnectionError, APIStatusError, NotFoundError, OpenAIError

        from raiden_core.models.served.wire import shown_url

        where, model = shown_url(self._endpoint.url), self._endpoint.model
        if isinstance(error, NotFoundError):
            raise ConfigError(
                f"{where}: has no model {model!r}, or no chat completions; look at {where}/models"
            ) from error
        if isinstance(error, APIStatusError):
            if error.status_code in (401, 403):
                raise ConfigError(f"{where}: refuses the key ({error.status_code}); set evaluation.served.api_key_env")
            raise StageError(f"{where}: answered {error.status_code}: {error.response.reason_phrase}") from error
        if isinstance(error, APIConnectionError):
            raise StageError(f"{where}: cannot be reached; is the server running?") from error
        if isinstance(error, (OpenAIError, HTTPError, ValueError)):
            raise StageError(f"{where}: broke off in the middle of a reply ({type(error).__name__})") from error
