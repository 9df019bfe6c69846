"""Answerers without a model, for tests of what comes after the answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from raiden_core.models.answering import GREEDY, Prompt, Reply
from raiden_core.stages.progress import Progress, silent


@dataclass(frozen=True)
class Script:
    """Answers by a rule over the system turn and the draw."""

    reply: Callable[[str, int], str]

    def answer(
        self,
        prompts: Sequence[Prompt],
        *,
        store: Path,
        progress: Progress = silent,
        draws: Sequence[int] | None = None,
    ) -> list[Reply]:
        """The rule's replies; nothing is stored."""
        progress(len(prompts), len(prompts))
        chosen = draws or [GREEDY] * len(prompts)
        texts = [self.reply(prompt[0]["content"], draw) for prompt, draw in zip(prompts, chosen, strict=True)]
        return [Reply(text, len(text), True) for text in texts]
