"""What a user must know about a server, said once: the first refusal of each kind, and what a server does to texts."""

from __future__ import annotations

import logging

from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.models.served.acceptance import Answer, with_reasoning
from raiden_core.models.served.dialects import without_thought

REASONING_APART = (
    "the server takes the reasoning out of the text (reasoning_content), as a reasoning parser does; it is put back in "
    "<think> tags, but whether the model wrote these tags itself cannot be seen: for a format rate that means something, "
    "start the server without --reasoning-parser"
)
EMPTY_THOUGHT = "replies begin with an empty <think></think>, which is left out"

_log = logging.getLogger(__name__)


class Notices:
    """Warnings about one server, each once."""

    def __init__(self, where: str) -> None:
        """``where`` names the endpoint in front of each."""
        self._where = where
        self._told: set[str] = set()

    def refused(self, reason: str, detail: str) -> None:
        """A reply was refused; the first one of its kind is shown in the server's words."""
        if detail:
            self._tell(reason, f"first reply refused ({reason}): {detail}")

    def whole(self, answer: Answer) -> str:
        """The text of a model under evaluation, with the reasoning that a parser took out of it."""
        if answer.reasoning:
            self._tell("reasoning apart", REASONING_APART)
        return with_reasoning(answer)

    def bare(self, answer: Answer, config: EndpointConfig) -> str:
        """A teacher's text without the reasoning in front."""
        text = without_thought(answer.text, config)
        if text != answer.text and config.thinking != "on":
            self._tell("empty thought", EMPTY_THOUGHT)
        return text

    def _tell(self, topic: str, words: str) -> None:
        if topic not in self._told:
            self._told.add(topic)
            _log.warning("%s: %s", self._where, words)
