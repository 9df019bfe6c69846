"""One model that plays several characters: from a request to what is shown of the reply."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field

from raiden_core.characters import Character
from raiden_core.chat.conversation import prompt_of
from raiden_core.chat.endpoint.asked import Asked, WrongRequest, read_request
from raiden_core.chat.endpoint.line import Gone, Line
from raiden_core.chat.endpoint.shown import Reasoning, Shown
from raiden_core.chat.stream import Kind
from raiden_core.models.answering import Counts, SamplingTalker, TooLong
from raiden_core.prompts import INSTRUCTIONS, Layout, Message
from raiden_core.text.plain import one_line

WAITING = 8
"""Requests that may wait for the one that is answered."""


@dataclass(frozen=True)
class Service:
    """What is served, and how."""

    characters: Mapping[str, Character]
    """By the name that clients call the model."""
    talker: SamplingTalker
    max_tokens: int
    """Of a reply, where a request does not say."""
    reasoning: Reasoning = "hide"
    instructions: str | None = None
    """Replaces the prompts' instructions, as in training."""
    layout: Layout = "raiden"
    """Of the prompts, as in training."""
    prefilled_think: bool = False
    """Completions start inside the reasoning although the template does not say so."""
    line: Line = field(default_factory=lambda: Line(WAITING))
    ending: threading.Event = field(default_factory=threading.Event)
    """Set when replies that are being made shall end."""

    @property
    def starts_in_reasoning(self) -> bool:
        """Whether completions start inside the reasoning."""
        return self.prefilled_think or self.talker.prefilled_think

    def read(self, body: object) -> Asked:
        """A request of one of the characters.

        Raises:
            WrongRequest: it is wrong, or names none of them.
        """
        asked = read_request(body, self.max_tokens, self.starts_in_reasoning)
        if asked.model not in self.characters:
            names = ", ".join(list(self.characters)[:10])
            words = f"There is no model {one_line(asked.model)[:100]!r} here; GET /v1/models lists them: {names}."
            raise WrongRequest(words, "model", status=404, code="model_not_found")
        return asked

    def prompt(self, asked: Asked) -> list[Message]:
        """The chat as training built it; the client's own system turns stand after the instructions."""
        character = self.characters[asked.model]
        instructions = self.instructions
        if asked.instructions:
            own = instructions or INSTRUCTIONS.get(character.language, INSTRUCTIONS["en"])
            instructions = f"{own}\n{asked.instructions}"
        return prompt_of(character, asked.history, asked.said, instructions, self.layout)

    def reply(self, asked: Asked, counts: Counts, gone: Callable[[], bool]) -> Generator[tuple[Kind, str]]:
        """What is shown of a reply, piece by piece, when it is this request's turn; a piece may be empty.

        Raises:
            Full: too many wait.
            Gone: nobody wants the reply any longer.
            WrongRequest: the conversation does not fit the model's context.
            RaidenError: the model failed.
        """

        def unwanted() -> bool:
            return self.ending.is_set() or gone()

        shown = Shown(self.reasoning, self.starts_in_reasoning, asked.stops)
        with self.line.turn(unwanted), closing(self.talker.reply(self.prompt(asked), asked.sampling, counts)) as pieces:
            try:
                for piece in pieces:
                    if unwanted():
                        raise Gone
                    yield "reply", ""  # a sign of life: reasoning that is hidden may take long
                    yield from shown.feed(piece)
                    if shown.stopped:
                        counts.finished = True
                        break
            except TooLong as error:
                raise WrongRequest(
                    f"{str(error)[0].upper()}{str(error)[1:]}; send fewer turns.",
                    "messages",
                    code="context_length_exceeded",
                ) from None
        yield from shown.finish(counts.finished)
