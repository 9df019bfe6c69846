"""How often the student is right already: samples that it always or never gets right teach it little.

After RAIDEN-R1 (arXiv 2505.10218), which generates from what the student fails. The student is any endpoint that
serves it; it sees the very prompt that training will show.
"""

from __future__ import annotations

from dataclasses import dataclass

from raiden_core.generation.mining import reasons
from raiden_core.generation.mining.interview import together
from raiden_core.generation.mining.reasons import Dropped, refused
from raiden_core.models.answering import Asker, Refused, Request
from raiden_core.prompts import Layout, build_prompt
from raiden_core.rewards import Scorer
from raiden_core.samples import Sample

PURPOSE = "student/1"


@dataclass(frozen=True)
class Student:
    """The model that will be trained, as a server has it."""

    asker: Asker
    """One that keeps replies as they are, with their tags."""
    endpoint: str
    answers: int
    pass_rate: tuple[float, float]
    """Lowest and highest share of right answers with which a sample is kept."""
    max_tokens: int
    instructions: str | None = None
    """What replaces the default instructions of the prompt, as in training."""
    layout: Layout = "raiden"
    """Of the prompt, as in training."""

    async def check(self, sample: Sample, scorer: Scorer) -> float:
        """The share of its answers that are right.

        Raises:
            Dropped: it is outside of what is wanted, or an answer is missing.
        """
        messages = tuple(build_prompt(sample, self.instructions, self.layout))
        scores = await together(self._score(sample, scorer, messages, draw) for draw in range(self.answers))
        share = sum(scores) / len(scores)
        if share > self.pass_rate[1]:
            raise Dropped(reasons.TOO_EASY)
        if share < self.pass_rate[0]:
            raise Dropped(reasons.TOO_HARD)
        return share

    async def _score(self, sample: Sample, scorer: Scorer, messages: tuple[dict[str, str], ...], draw: int) -> float:
        reply = await self.asker.ask(
            Request(
                endpoint=self.endpoint,
                messages=messages,
                purpose=PURPOSE,
                temperature=1.0,
                max_tokens=self.max_tokens,
                draw=draw,
            )
        )
        if isinstance(reply, Refused):
            raise Dropped(refused(PURPOSE, reply.reason))
        return scorer.score(sample, reply.text).accuracy
