"""What the teacher model is asked: the templates of one language, filled for one character.

The wording stands in ``templates/<language>.yaml``, a version beside each entry. Three things are settled here:

- **Fences.** Whatever others wrote (profile, conversation, answers) stands between ``<data-MARK>`` and
  ``</data-MARK>``. The mark is a digest of the text, so the text cannot hold it and cannot close its own fence;
  the system turn says that what stands there is data and gives no orders.
- **Examples.** A task that small models find hard is shown solved, as two earlier turns, for a character who is in no data.
- **Order.** All chats about one character begin with the same system turn, which ends with the profile; the task comes
  last. Servers with a prefix cache read the profile once.

Names in braces: ``{profile}``, ``{material}`` (both fenced), ``{count}`` (how many at most), ``{turns}`` (of a
conversation), ``{kind}`` (subject of a detail) and ``{difficulty}``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from raiden_core.generation.offline.catalogue import LANGUAGES
from raiden_core.models.fencing import fence, fill
from raiden_core.rewards import fold
from raiden_core.samples import Turn
from raiden_core.text.control_tokens import spelled_apart

# fmt: off
Task = Literal[
    "facts", "questions", "conversation", "recall", "answer", "guess", "keywords", "parse", "judge",
    "tell", "say", "say_back", "remember", "distractors",
    "premise", "unknowable", "holds", "boundary_answer", "boundary_judge",
]
# fmt: on
"""What can be asked; an entry of the templates each."""

Messages = tuple[dict[str, str], ...]


class Prompt(BaseModel):
    """One entry of the templates."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = Field(ge=1)
    """Raised whenever the wording changes."""
    text: str


class Example(BaseModel):
    """A task solved for somebody who is in no data: it is shown as two turns before the real task.

    Small models copy an example that stands in the task; one that they seem to have answered themselves they follow.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    material: dict[str, str] = {}
    """Label -> text."""
    words: dict[str, str] = {}
    """What stands for names in braces, where it is not the real task's."""
    reply: dict[str, Any]


class Prompts(BaseModel):
    """All templates of a language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    labels: dict[str, str]
    """What stands before each piece of material."""
    system: Prompt
    """The system turn with the profile."""
    bare: Prompt
    """The system turn that holds the name only: for what can be answered without the profile."""
    facts: Prompt
    questions: Prompt
    conversation: Prompt
    recall: Prompt
    answer: Prompt
    guess: Prompt
    keywords: Prompt
    parse: Prompt
    judge: Prompt
    premise: Prompt
    """The next five are of questions at the boundaries of what the character knows."""
    unknowable: Prompt
    holds: Prompt
    boundary_answer: Prompt
    boundary_judge: Prompt
    tell: Prompt
    """The next four are of conversations that are written turn by turn."""
    say: Prompt
    say_back: Prompt
    remember: Prompt
    distractors: Prompt
    examples: dict[Task, Example]
    """Of the tasks that small models find hard."""
    memory_kinds: tuple[str, ...] = Field(min_length=12)
    """Subjects of the details that conversations are about."""

    def of(self, task: Task) -> Prompt:
        """The entry of a task."""
        prompt: Prompt = getattr(self, task)
        return prompt


@lru_cache(maxsize=len(LANGUAGES))
def load_prompts(language: str) -> Prompts:
    """The templates of a language."""
    text = files("raiden_core.generation.mining").joinpath(f"templates/{language}.yaml").read_text("utf-8")
    return Prompts.model_validate(yaml.safe_load(text))


@dataclass(frozen=True)
class Briefing:
    """What every chat about one character begins with."""

    language: str
    name: str
    profile: str
    """The profile's text, as training prompts show it."""
    about: str = ""
    """The part of it that is about the character, without the scene; "" where that is all of it."""
    style: str = ""
    """Example conversations of the character's card, which show how it speaks; "" where there are none."""

    @property
    def prompts(self) -> Prompts:
        """The templates of the character's language."""
        return load_prompts(self.language)

    def purpose(self, task: Task) -> str:
        """What a request is for, with the version of its wording, such as ``facts/1``."""
        return f"{task}/{self.prompts.of(task).version}"

    def messages(
        self,
        task: Task,
        material: str = "",
        *,
        reply: str = "",
        bare: bool = False,
        opening: str = "",
        **words: str,
    ) -> Messages:
        """The chat of a task: profile first, an example of the task with its reply as earlier turns, the task last.

        ``reply`` is the shape of the reply, for servers that take no schema; ``bare`` leaves the profile out; ``opening`` is
        what the character has said already when a conversation begins.
        """
        if bare:
            name = f"{self.prompts.labels['name']}: {self.name}"
            system = fill(self.prompts.bare.text, profile=fence(name))
        else:
            system = fill(self.prompts.system.text, profile=fence(self.profile))
            if self.style:
                system = f"{system.strip()}\n\n{self.prompts.labels['style']}\n{fence(self.style)}"
        spelled = {name: spelled_apart(word) for name, word in words.items()}
        text = self.prompts.of(task).text
        content = fill(text, material=fence(material), **spelled)
        if opening:
            content = f"{content.strip()}\n\n{self.prompts.labels['opening']}\n{fence(opening)}"
        if reply:
            content = f"{content.strip()}\n\n{self.prompts.labels['reply']}: {reply}"
        turns = [{"role": "system", "content": system.strip()}]
        if example := self.prompts.examples.get(task):
            shown = fill(text, material=fence(self.material(**example.material)), **(spelled | example.words))
            turns += [
                {"role": "user", "content": shown.strip()},
                {"role": "assistant", "content": compact(example.reply)},
            ]
        return (*turns, {"role": "user", "content": content.strip()})

    def material(self, **parts: str) -> str:
        """Labelled pieces of material, in the order given; empty ones are left out."""
        labels = self.prompts.labels
        return "\n\n".join(f"[{labels[name]}]\n{text}" for name, text in parts.items() if text)

    def conversation(self, history: Sequence[Turn]) -> str:
        """A conversation as lines."""
        labels = self.prompts.labels
        return "\n".join(f"{labels.get(turn.role, turn.role)}: {turn.content}" for turn in history)


def numbered(texts: Sequence[str]) -> str:
    """Texts as a numbered list from 1."""
    return "\n".join(f"{number}. {text}" for number, text in enumerate(texts, 1))


def compact(reply: Mapping[str, Any]) -> str:
    """JSON without blanks, as replies are asked for: a pretty-printed one takes half as many tokens again."""
    return json.dumps(reply, ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=len(LANGUAGES))
def wording(language: str) -> tuple[str, ...]:
    """All that the templates of a language say outside of material, folded: what a reply must not repeat."""
    prompts = load_prompts(language)
    texts = [value.text for _, value in prompts if isinstance(value, Prompt)]
    texts += [text for example in prompts.examples.values() for text in _strings(example.reply)]
    return tuple(fold(text) for text in texts)


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict | list):
        parts = value.values() if isinstance(value, dict) else value
        return [text for part in parts for text in _strings(part)]
    return [value] if isinstance(value, str) else []
