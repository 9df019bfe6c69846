"""One session with the teacher: its server if there is one to start, the client with its store, and all groups mined.

The store lies in ``<output_dir>/.replies`` for all runs and stages that share an output folder, so whatever ends a
session, the next one pays for nothing twice. The student's replies are kept apart: they are taken as they come.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from raiden_core.characters.character import Character
from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.config.sections.teacher import TeacherConfig
from raiden_core.errors import RaidenError, StageError
from raiden_core.generation.made import Generated, identity
from raiden_core.generation.mining.mine import mine
from raiden_core.generation.mining.seeds import Seeds, read_seeds
from raiden_core.generation.mining.student import Student
from raiden_core.generation.settings import GenerateSettings
from raiden_core.models.served.client import Client
from raiden_core.models.served.launched import launched
from raiden_core.processes.children import Child
from raiden_core.stages.progress import Progress

REPLIES = ".replies"
STUDENT_REPLIES = ".replies-student"
SERVER_LOG = "teacher-server.log"
"""Below the output folder: what a server that generation starts prints."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Group:
    """Characters whose samples go to one place."""

    characters: Sequence[Character]
    limit: int | None
    """Samples a character."""
    trained_on: bool = True
    """Whether evaluation files are kept out and the student is asked; samples that only evaluate need neither."""
    seeds: Seeds = field(default_factory=Seeds)
    """What is mined beside the teacher's own questions."""

    def dealt(self, number: int, of: int) -> Group:
        """The part of one shard: every ``of``-th character, of those in files and of those that only seeds know."""
        characters = self.characters[number::of]
        known = {identity(character) for character in self.characters}
        others = [key for key in self.seeds.characters if key not in known]
        mine = {identity(character) for character in characters} | set(others[number::of])
        seeds = {key: one for key, one in self.seeds.characters.items() if key in mine}
        return replace(self, characters=characters, seeds=Seeds(seeds))


def training_group(settings: GenerateSettings, characters: Sequence[Character]) -> Group:
    """The characters to train on, with what the configured seeds hold for them and for others.

    Raises:
        DataError: a file of seeds is missing, or no file of rows.
    """
    seeds = read_seeds(settings.teacher.seeds, characters)
    return Group(characters, settings.generation.samples_per_character, seeds=seeds)


def mine_groups(settings: GenerateSettings, groups: Sequence[Group], progress: Progress) -> list[Generated]:
    """The samples of each group. Statistics of the whole session (``usage``) stand with the first.

    Raises:
        RaidenError: no teacher, or none any more; a file of evaluation cannot be read.
    """
    teacher = settings.teacher
    try:
        settings.output_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StageError(
            f"{settings.output_dir}: cannot be made ({error.strerror}); choose another output_dir"
        ) from None
    log = settings.output_dir / SERVER_LOG
    with launched(teacher.launch, teacher.endpoints[teacher.answerer], log, progress) as server:
        return _run(lambda: _mine_groups(settings, groups, progress, server))


async def _mine_groups(
    settings: GenerateSettings, groups: Sequence[Group], progress: Progress, server: Child | None
) -> list[Generated]:
    teacher = settings.teacher
    async with AsyncExitStack() as stack:
        endpoints = _endpoints(teacher)
        started = teacher.endpoints[teacher.answerer].url
        ended = {name: server.has_ended for name, one in endpoints.items() if one.url == started} if server else {}
        replies = settings.output_dir / REPLIES
        client = await stack.enter_async_context(Client(endpoints, replies, ended=ended, budget=teacher.budget))
        students: Client | None = None
        student: Student | None = None
        if teacher.student is not None:
            folder = settings.output_dir / STUDENT_REPLIES
            asked = {teacher.student: teacher.endpoints[teacher.student]}
            students = asking = await stack.enter_async_context(Client(asked, folder, as_is=True))
            student = Student(
                asker=asking,
                endpoint=teacher.student,
                answers=teacher.student_answers,
                pass_rate=teacher.pass_rate,
                max_tokens=teacher.student_max_tokens,
                instructions=settings.system_prompt,
                layout=settings.layout,
            )
        made = []
        for group in groups:
            update: dict[str, Any] = {"samples_per_character": group.limit}
            if not group.trained_on:
                update["decontaminate"] = ()
            generated = await mine(
                group.characters,
                asker=client,
                teacher=teacher,
                generation=settings.generation.model_copy(update=update),
                scorer=settings.scorer,
                seed=settings.seed,
                seeds=group.seeds,
                student=student if group.trained_on else None,
                progress=progress,
                note=client.line,
            )
            made.append(generated)
        stats = {**made[0].stats, "usage": client.usage().to_json()}
        if students is not None:
            stats["student_usage"] = students.usage().to_json()
        if teacher.seeds:
            stats["seeds_refused"] = [str(refusal) for refusal in groups[0].seeds.refused]
        return [replace(made[0], stats=stats), *made[1:]]


def _endpoints(teacher: TeacherConfig) -> dict[str, EndpointConfig]:
    """Those that mining asks, without the student's."""
    names = (teacher.answerer, *teacher.second_answerers, teacher.judge or teacher.answerer)
    return {name: teacher.endpoints[name] for name in dict.fromkeys(names)}


def _run(work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """The result of a coroutine; in a thread of its own where this one runs an event loop already (notebooks)."""
    if not _loop_is_running():
        return asyncio.run(work())
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(asyncio.run(work()))
        except RaidenError as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="teacher")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    if not results:
        raise StageError("mining ended without a result; the traceback above says why")
    return results[0]


def _loop_is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
