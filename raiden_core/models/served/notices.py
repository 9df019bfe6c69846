"""What a user must know about a server, said once: the first refusal of each kind, and what a server does to texts."""

from __future__ import annotations

import logging
import re

from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.models.served.acceptance import Answer, with_reasoning
from raiden_core.models.served.dialects import without_thought

REASONING_APART = (
    "the server takes the reasoning out of the text (reasoning_content), as a reasoning parser does; it is put back in "
    "<think> tags, but whether the model wrote these tags itself cannot be seen: for a format rate that means something, "
    "start the server without --reasoning-parser"
)
LEFT_ENDS = "the server leaves the token that ends a turn in the text; it is cut off, as for a local model"
EMPTY_THOUGHT = "replies begin with an empty <think></think>, which is left out"

_TURN_END = re.compile(
    r"(?:<\|(?:im_end|endoftext|eot_id|end|user|observation)\|>|<end_of_turn>|</s>|<｜end▁of▁sentence｜>)\s*\Z"
)

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
        """The text of a model under evaluation as the model wrote it: with the reasoning that a parser took out of it, and
        without the token that ends its turn."""
        self._remark(answer)
        if answer.reasoning:
            self._tell("reasoning apart", REASONING_APART)
        text = with_reasoning(answer)
        if _TURN_END.search(text):
            self._tell("turn's end", LEFT_ENDS)
        return _TURN_END.sub("", text)

    def bare(self, answer: Answer, config: EndpointConfig) -> str:
        """A teacher's text without the reasoning in front."""
        self._remark(answer)
        text = without_thought(answer.text, config)
        if text != answer.text and config.thinking != "on":
            self._tell("empty thought", EMPTY_THOUGHT)
        return text

    def _remark(self, answer: Answer) -> None:
        if answer.remark and answer.text:
            self._tell("remark", answer.remark)

    def _tell(self, topic: str, words: str) -> None:
        if topic not in self._told:
            self._told.add(topic)
            _log.warning("%s: %s", self._where, words)
