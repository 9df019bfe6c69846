"""Asking about one character: from a task to a reply of known shape, with a count of what it took.

A refused reply, or one that does not have the shape that was asked for, raises `Dropped`: it ends the sample that
needed it, never the run. Errors that end the run (no server, wrong key) pass through.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from raiden_core.config.sections.teacher import TeacherConfig
from raiden_core.generation.mining import reasons
from raiden_core.generation.mining.prompts import Briefing, Task
from raiden_core.generation.mining.reasons import Dropped, refused
from raiden_core.generation.mining.replies import MAX_TEXT
from raiden_core.models.answering import Asker, Refused, Request
from raiden_core.models.schemas import bounded, example_of, schema_of

Shape = TypeVar("Shape", bound=BaseModel)
Result = TypeVar("Result")


@dataclass
class Ledger:
    """What was asked, by purpose, and what it took. Replies from the store count as they did when they were new."""

    requests: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def add(self, other: Ledger) -> None:
        """Add another's counts."""
        self.requests.update(other.requests)
        self.refused.update(other.refused)
        self.prompt_tokens += other.prompt_tokens
        self.completion_tokens += other.completion_tokens


@dataclass
class Interview:
    """The way to the teacher for one character, or for one sample of it."""

    asker: Asker
    teacher: TeacherConfig
    briefing: Briefing
    ledger: Ledger = field(default_factory=Ledger)

    def for_sample(self) -> Interview:
        """The same with a ledger of its own."""
        return Interview(self.asker, self.teacher, self.briefing)

    async def ask(
        self,
        shape: type[Shape],
        task: Task,
        material: str = "",
        *,
        most: Mapping[str, int] = MappingProxyType({}),
        endpoint: str | None = None,
        temperature: float = 0.0,
        draw: int = 0,
        bare: bool = False,
        opening: str = "",
        **words: str,
    ) -> Shape:
        """The reply to a task; ``most`` says how many items its lists may have, where that is known.

        Raises:
            Dropped: there is none, or it has another shape.
        """
        purpose = self.briefing.purpose(task)
        name = endpoint or self.teacher.answerer
        # A model whose output is held to the schema needs no example of it, and copies the "…" of one.
        shape_shown = "" if self.teacher.endpoints[name].json_schema else example_of(shape)
        request = Request(
            endpoint=name,
            messages=self.briefing.messages(task, material, reply=shape_shown, bare=bare, opening=opening, **words),
            purpose=purpose,
            schema=bounded(schema_of(shape), most),
            temperature=temperature,
            max_tokens=self.teacher.max_tokens,
            draw=draw,
        )
        self.ledger.requests[purpose] += 1
        reply = await self.asker.ask(request)
        if isinstance(reply, Refused):
            raise self._dropped(purpose, reply.reason, reply.detail)
        self.ledger.prompt_tokens += reply.prompt_tokens
        self.ledger.completion_tokens += reply.tokens
        if _is_cut(reply.data):
            raise self._dropped(purpose, reasons.ENDLESS)
        try:
            return shape.model_validate(reply.data)
        except ValidationError:
            raise self._dropped(purpose, "schema") from None

    def _dropped(self, purpose: str, reason: str, detail: str = "") -> Dropped:
        self.ledger.refused[f"{purpose}: {reason}"] += 1
        return Dropped(refused(purpose, reason), detail)


def _is_cut(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_is_cut, value.values()))
    if isinstance(value, list):
        return any(map(_is_cut, value))
    return isinstance(value, str) and len(value) >= MAX_TEXT


async def together(work: Iterable[Coroutine[Any, Any, Result]]) -> list[Result]:
    """The results of coroutines that run at once, in their order.

    All of them come to their end before `Dropped` is raised, so that what is asked never depends on who replies first.

    Raises:
        Dropped: of the first, in order, that was dropped.
    """
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_kept(one)) for one in work]
    results = [task.result() for task in tasks]
    for result in results:
        if isinstance(result, Dropped):
            raise result
    return [result for result in results if not isinstance(result, Dropped)]


async def _kept(work: Coroutine[Any, Any, Result]) -> Result | Dropped:
    try:
        return await work
    except Dropped as dropped:
        return dropped
