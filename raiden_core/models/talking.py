"""Models that reply piece by piece (`raiden_core.models.answering.Talker`): a local folder by transformers, a server over
HTTP."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.errors import ConfigError, StageError
from raiden_core.models.answering import Counts, Sampling, TooLong, room_for
from raiden_core.prompts import Message

CONNECT_SECONDS = 15.0
"""How long a connection, or the list of models, may take."""


class LocalTalker:
    """A model folder."""

    def __init__(self, folder: Path, max_new_tokens: int, temperature: float) -> None:
        """Load it.

        Raises:
            DataError: it holds no usable model.
        """
        from raiden_core.models.folder import load_model, load_tokenizer, render

        self._folder = folder
        self._tokenizer = load_tokenizer(folder)
        self._model = load_model(folder)
        self._sampling = Sampling(max_new_tokens, temperature)
        probe = render(self._tokenizer, [[{"role": "user", "content": "?"}]], folder)[0]
        self.prefilled_think = probe.rstrip().endswith("<think>")

    def stream(self, messages: Sequence[Message]) -> Generator[str]:
        """The completion, decoded with its tags but without its end-of-turn token.

        Raises:
            StageError: the conversation no longer fits the model's context, or memory.
        """
        try:
            yield from self.reply(messages, self._sampling, Counts())
        except TooLong as error:
            raise StageError(f"{error}; begin again with /reset") from None

    def reply(self, messages: Sequence[Message], sampling: Sampling, counts: Counts) -> Generator[str]:
        """The same, sampled as is asked; ``counts`` is filled.

        Raises:
            TooLong: the conversation no longer fits the model's context, or memory.
        """
        import torch
        from transformers import TextIteratorStreamer

        from raiden_core.models.folder import render
        from raiden_core.models.local_model import decoding

        text = render(self._tokenizer, [list(messages)], self._folder)[0]
        inputs = self._tokenizer(text, add_special_tokens=False, return_tensors="pt").to(self._model.device)
        counts.prompt = inputs["input_ids"].shape[1]
        room = room_for(sampling, counts.prompt, getattr(self._model.config, "max_position_embeddings", None))
        settings = decoding(self._model, self._tokenizer, room, sampling.temperature)
        if sampling.temperature:
            settings.top_p = sampling.top_p
        torch.manual_seed(torch.seed() if sampling.seed is None else sampling.seed)
        pieces: Any = TextIteratorStreamer(self._tokenizer, skip_prompt=True, skip_special_tokens=False)
        stop = Event()

        def stopped(ids: Any, scores: Any, **_: Any) -> Any:
            return torch.full((ids.shape[0],), stop.is_set(), dtype=torch.bool, device=ids.device)

        def generate() -> None:
            try:
                with torch.inference_mode():
                    self._model.generate(
                        **inputs,
                        generation_config=settings,
                        streamer=_WithoutEnds(pieces, set(settings.eos_token_id or ()), counts),
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
                raise TooLong("the conversation does not fit into the GPU's memory") from None


class _WithoutEnds:
    """Counts tokens and passes them on to a streamer, but no end-of-turn token: decoded with its tags, a reply would
    show it."""

    def __init__(self, streamer: Any, ends: set[int], counts: Counts) -> None:
        self._streamer = streamer
        self._ends = ends
        self._counts = counts
        self._is_prompt = True

    def put(self, value: Any) -> None:
        """The prompt first, then a token each time."""
        if not self._is_prompt:
            if set(value.reshape(-1).tolist()) <= self._ends:
                self._counts.finished = True
                return
            self._counts.completion += 1
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
        """Whether the server is there and has the model; where it lists none, the first question will tell.

        Raises:
            ConfigError: it refuses the key, has no such model, or is no OpenAI-compatible server.
            StageError: it cannot be reached, or fails.
        """
        from raiden_core.models.served.listing import fetch_models

        listing = fetch_models(self.endpoint.url, self._key(), CONNECT_SECONDS)
        if listing.trouble == "unreachable":
            raise StageError(f"{self._where}: cannot be reached ({listing.said}); is the server running?")
        if listing.trouble == "key":
            raise self._key_error(listing.said)
        if listing.trouble == "status":
            raise StageError(f"{self._where}: answered {listing.said}")
        if listing.trouble in ("page", "no list"):
            raise ConfigError(
                f"{self._where}/models: no list of models but {listing.said}; does the address lead to an OpenAI-compatible "
                "server, and end in /v1?"
            )
        if listing.lacks(self.endpoint.model):
            raise ConfigError(f"{self._where}: has no model {self.endpoint.model!r}; it has: {listing.shown()}")

    def stream(self, messages: Sequence[Message]) -> Generator[str]:
        """The completion as it comes, or at once from a server that does not stream; reasoning that the server keeps
        apart comes in its tags.

        Raises:
            ConfigError: the server refuses the key, or has no such model.
            StageError: the server cannot be reached, refuses the question, or broke off.
        """
        import httpx2

        from raiden_core.models.answering import Request
        from raiden_core.models.served.dialects import body_of
        from raiden_core.models.served.streaming import pieces

        request = Request("model", tuple(messages), "chat", None, self.temperature, self.max_new_tokens)
        body = {**body_of(request, self.endpoint), "stream": True}
        key = self._key()
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        timeout = httpx2.Timeout(self.endpoint.timeout_seconds, connect=CONNECT_SECONDS)
        url = f"{self.endpoint.url.rstrip('/')}/chat/completions"
        try:
            # No proxy of the environment: a server on this machine is reached directly, as in evaluation.
            with (
                httpx2.Client(timeout=timeout, trust_env=False) as client,
                client.stream("POST", url, json=body, headers=headers) as response,
            ):
                if response.status_code != 200:
                    raise self._refusal(response.status_code, response.read().decode("utf-8", "replace"), key)
                yield from pieces(self._where, response.iter_bytes())
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            raise StageError(f"{self._where}: cannot be reached; is the server running?") from None
        except httpx2.ReadTimeout:
            raise StageError(f"{self._where}: said nothing for {self.endpoint.timeout_seconds:g} s") from None
        except httpx2.HTTPError as error:
            raise StageError(f"{self._where}: broke off in the middle of a reply ({type(error).__name__})") from error

    @property
    def _where(self) -> str:
        from raiden_core.models.served.words import shown_url

        return shown_url(self.endpoint.url).rstrip("/")

    def _key(self) -> str | None:
        from raiden_core.models.served.keys import key_of

        return key_of("model", self.endpoint, os.environ)

    def _key_error(self, said: str) -> ConfigError:
        return ConfigError(f"{self._where}: refuses the key ({said}); set evaluation.served.api_key_env")

    def _refusal(self, status: int, body: str, key: str | None) -> ConfigError | StageError:
        from raiden_core.models.served.words import advised, hidden, words_of

        words = advised(words_of(hidden(body, key)))
        if status in (401, 403):
            return self._key_error(str(status))
        if status == 404:
            model = self.endpoint.model
            return ConfigError(
                f"{self._where}: has no model {model!r}, or no chat completions ({words}); look at {self._where}/models"
            )
        return StageError(f"{self._where}: answered {status}: {words}")
