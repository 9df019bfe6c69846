"""How a chat template writes turns, as the texts before and after each: what Ollama and chat front ends are told.

    form = turn_form(tokenizer)
    form.user.before, form.user.after, form.opening

Found by rendering chats with marks in them, and checked on a longer chat. A template that is more than a sequence of turns
(one that puts the system turn into the user's, numbers its turns, or drops some) has no such form, and is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from raiden_core.errors import DataError
from raiden_core.prompts import Message

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

ELSE = "use the GGUF with llama-server --jinja, which reads the template itself"
MARKS = ("<<S0>>", "<<U1>>", "<<A1>>", "<<U2>>", "<<A2>>", "<<U3>>")
"""What the turns of a probe say."""


@dataclass(frozen=True)
class Around:
    """What stands around a turn's text."""

    before: str
    after: str


@dataclass(frozen=True)
class TurnForm:
    """A template that is a sequence of turns."""

    system: Around
    """Of the first turn; what begins every prompt is in it."""
    user: Around
    assistant: Around
    opening: str
    """What opens the reply."""
    stops: tuple[str, ...]
    """Texts at which a reply has ended."""

    def rendered(self, chat: Sequence[Message]) -> str:
        """A chat that begins with a system turn, ready for the reply."""
        around = {"system": self.system, "user": self.user, "assistant": self.assistant}
        turns = (around[turn["role"]].before + turn["content"] + around[turn["role"]].after for turn in chat)
        return "".join(turns) + self.opening


def turn_form(tokenizer: PreTrainedTokenizerBase) -> TurnForm:
    """The form of a tokenizer's chat template.

    Raises:
        DataError: it is no sequence of turns.
    """
    system, one, two, three = MARKS[0], MARKS[1], MARKS[2], MARKS[3]
    short = _render(tokenizer, MARKS[:2], opened=False)
    answered = _render(tokenizer, MARKS[:3], opened=False)
    whole = _render(tokenizer, MARKS[:4], opened=True)
    after_user, after_assistant = short.partition(one)[2], answered.partition(two)[2]
    begin, between, turned, asked = (
        _between(whole, *pair) for pair in (("", system), (system, one), (one, two), (two, three))
    )
    last = whole.partition(three)[2]
    before_user = asked.removeprefix(after_assistant)
    form = TurnForm(
        system=Around(begin, between.removesuffix(before_user)),
        user=Around(before_user, after_user),
        assistant=Around(turned.removeprefix(after_user), after_assistant),
        opening=last.removeprefix(after_user),
        stops=tuple(
            dict.fromkeys(
                text for text in (str(tokenizer.eos_token), after_assistant.strip(), before_user.strip()) if text
            )
        ),
    )
    for marks in (MARKS[:2], MARKS):
        if form.rendered(_chat(marks)) != _render(tokenizer, marks, opened=True):
            raise DataError(f"{tokenizer.name_or_path}: its chat template is no sequence of turns; {ELSE}")
    return form


def _between(text: str, start: str, end: str) -> str:
    return text.partition(start)[2].partition(end)[0] if start else text.partition(end)[0]


def _chat(marks: Sequence[str]) -> list[Message]:
    roles = ["system", *(["user", "assistant"] * len(marks))]
    return [{"role": role, "content": mark} for role, mark in zip(roles, marks, strict=False)]


def _render(tokenizer: PreTrainedTokenizerBase, marks: Sequence[str], *, opened: bool) -> str:
    from jinja2 import TemplateError

    try:
        text = str(tokenizer.apply_chat_template(_chat(marks), tokenize=False, add_generation_prompt=opened))
    except TemplateError as error:
        raise DataError(
            f"{tokenizer.name_or_path}: its chat template refuses a chat of turns ({error}); {ELSE}"
        ) from None
    if any(text.count(mark) != 1 for mark in marks):
        raise DataError(f"{tokenizer.name_or_path}: its chat template leaves out or repeats turns; {ELSE}")
    return text
