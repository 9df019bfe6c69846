"""A conversation with a character: its history, its prompts, its transcript. Every model has a history of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from raiden_core.characters import Character
from raiden_core.errors import UsageError
from raiden_core.prompts import CARD, Layout, Message, build_prompt, profile_text
from raiden_core.rewards.completion import extract_answer
from raiden_core.samples import Sample, Turn


@dataclass(frozen=True)
class Exchange:
    """What the user said, and what each model made of it."""

    user: str
    completions: dict[str, str]
    """Model -> its whole completion, reasoning included."""
    answers: dict[str, str]
    """Model -> its answer text: what its history keeps."""


def prompt_of(
    character: Character, history: Sequence[Turn], said: str, instructions: str | None, layout: Layout
) -> list[Message]:
    """The chat in which a character is told something: built as in training, with what was said before."""
    sample = Sample(
        character_name=character.name or "",
        character_profile=dict(character.profile),
        conversation_history=tuple(history),
        question=said,
        answer="",
        keywords=(),
        language=character.language,
        metadata={CARD: character.card.as_json()} if character.card is not None else {},
    )
    return build_prompt(sample, instructions, layout)


@dataclass
class Conversation:
    """One character, and everything that was said."""

    character: Character
    instructions: str | None = None
    """Replaces the prompts' instructions, as in training."""
    prefilled_think: bool = False
    exchanges: list[Exchange] = field(default_factory=list)
    layout: Layout = "raiden"
    """Of the prompts, as in training."""

    @property
    def name(self) -> str:
        """Whom the user talks to."""
        return self.character.name or ""

    @property
    def profile(self) -> str:
        """The profile as prompts show it."""
        return profile_text(self.character.profile, self.character.language)

    def prompt(self, model: str, said: str) -> list[Message]:
        """The chat that a model is asked: built as in training, with what was said before."""
        history: list[Turn] = []
        for exchange in self.exchanges:
            # A model that gave no answer keeps no turn: templates want the roles to alternate.
            if answer := exchange.answers.get(model):
                history += [Turn(role="user", content=exchange.user), Turn(role="assistant", content=answer)]
        return prompt_of(self.character, history, said, self.instructions, self.layout)

    def answer_of(self, completion: str) -> str:
        """The answer text of a completion."""
        return extract_answer(completion, self.prefilled_think).strip()

    def add(self, said: str, completions: dict[str, str]) -> None:
        """Keep what was said."""
        answers = {model: self.answer_of(text) for model, text in completions.items()}
        self.exchanges.append(Exchange(said, completions, answers))

    def reset(self) -> None:
        """Begin again: forget what was said."""
        self.exchanges.clear()

    def transcript(self) -> dict[str, Any]:
        """Everything, as `save` writes it."""
        return {
            "character_name": self.name,
            "character_profile": dict(self.character.profile),
            "source": self.character.source,
            "instructions": self.instructions,
            "exchanges": [
                {"user": one.user, "answers": one.answers, "completions": one.completions} for one in self.exchanges
            ],
        }

    def save(self, path: Path) -> None:
        """Write the transcript as JSON.

        Raises:
            UsageError: the file is there already, or cannot be written.
        """
        text = json.dumps(self.transcript(), ensure_ascii=True, indent=2) + "\n"
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            raise UsageError(f"{path}: exists already; nothing is overwritten, so name another file") from None
        except OSError as error:
            raise UsageError(f"{path}: cannot be written: {error.strerror}") from None
