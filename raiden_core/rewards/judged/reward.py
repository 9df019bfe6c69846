"""`JudgeReward`: an asynchronous reward that asks a served model for a score.

Each completion's answer text is scored by the rubric, from 0 (worst) to 1 (best). By default twice: on a scale that runs up
and on one that runs down, because judges lean towards one end of a scale whatever it means; the mean counts, and two
scores that lie more than half the scale apart are no verdict.

A verdict that cannot be read, or contradicts itself, is **neutral**: it is worth the mean of the readable verdicts on the
same prompt's other completions, so that it moves nothing, and never 0. Where there is none, the reward says nothing
(None). How many there were is logged under ``rewards/NAME/unreadable``. A completion without answer text earns 0 and is not
shown to the judge.

Every reply is kept in a store before it counts, readable or not, by the client that generation uses: a run that was killed
and goes on pays for none twice, and earns the same. A judge that is gone ends the run after its endpoint's patience.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import fmean
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.models.answering import Refused, Request
from raiden_core.models.schemas import schema_of
from raiden_core.models.served.acceptance import parse_json
from raiden_core.models.served.client import Client
from raiden_core.models.served.keys import key_of
from raiden_core.rewards.completion import extract_answer
from raiden_core.rewards.folding import has_ink
from raiden_core.rewards.judged.prompts import OWN_RUBRIC, Asked, purpose, score_request
from raiden_core.rewards.scorer import text_of

Value = float | None

FIRST_LIMIT = 64
"""Requests at a time before anything is known of the judge's server: a step waits for all of them."""
APART = 0.5
"""Two scores of one reply, each from 0 to 1, that are further apart contradict each other."""
WHO = "judges.json"
"""File of the store that names the models whose replies it holds."""

_log = logging.getLogger(__name__)


class JudgeArguments(BaseModel):
    """What may stand under ``arguments`` of a judge."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    points: int = Field(default=5, ge=2, le=100)
    """Points of the scale."""
    orders: int = Field(default=2, ge=1, le=2)
    """2: each reply is scored on a scale up and on one down; 1: up only, at half the cost."""
    max_tokens: int = Field(default=256, ge=32)
    """Longest verdict in tokens, its reason included."""


class Score(BaseModel):
    """The judge's reply; the reason comes first, so that the score follows from it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    reason: str
    score: int


class JudgeReward:
    """A judge with its client, which is opened by the first call, in the event loop of that call."""

    def __init__(
        self,
        name: str,
        endpoint: EndpointConfig,
        rubrics: Sequence[str],
        store: Path,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        """Remember who is asked for what; nobody is asked yet.

        Args:
            name: of the reward, under which its figures are logged.
            endpoint: the judge.
            rubrics: whose mean counts; none: that of each sample's own dimension.
            store: the folder for the replies; several judges may share it.
            arguments: fields of `JudgeArguments`.

        Raises:
            ConfigError: the endpoint's key is not in the environment.
        """
        key_of(name, endpoint, os.environ)
        self.__name__ = name
        self._endpoint = endpoint
        self._rubrics = tuple(rubrics)
        self._store = store
        self._arguments = JudgeArguments.model_validate(arguments or {})
        self._resources = AsyncExitStack()
        self._opening: asyncio.Future[Client] | None = None

    async def __call__(self, completions: Sequence[Any], **columns: Any) -> list[Value]:
        """A score from 0 to 1 for each completion.

        Raises:
            ConfigError: the server refuses the key, or has no such model.
            StageError: the server has answered nobody for the endpoint's patience.
        """
        asked = [self._asked(text_of(one) or "", place, columns) for place, one in enumerate(completions)]
        jobs = [
            (place, rubric, up)
            for place, one in enumerate(asked)
            if has_ink(one.reply)
            for rubric in self._rubrics_of(columns, place)
            for up in (True, False)[: self._arguments.orders]
        ]
        client = await self._client() if jobs else None
        said: dict[tuple[int, str], list[Value]] = {}
        if client is not None:
            scores = await asyncio.gather(
                *(self._score(client, asked[place], rubric, up) for place, rubric, up in jobs)
            )
            for (place, rubric, _), score in zip(jobs, scores, strict=True):
                said.setdefault((place, rubric), []).append(score)
        verdicts: dict[int, list[Value]] = {}
        for (place, _), both in said.items():
            verdicts.setdefault(place, []).append(_verdict(both))
        values = [self._value(verdicts.get(place)) if has_ink(one.reply) else 0.0 for place, one in enumerate(asked)]
        self._tell(columns, [value is None for value in values])
        return _neutral(values, [_group(columns, place) for place in range(len(values))])

    async def close(self) -> None:
        """Close the client and its store."""
        await self._resources.aclose()

    def _asked(self, completion: str, place: int, columns: Mapping[str, Any]) -> Asked:
        prompt = columns["prompts"][place] if columns.get("prompts") else []
        chat = list(prompt) if isinstance(prompt, (list, tuple)) else [{"role": "user", "content": str(prompt)}]
        system = "\n".join(turn["content"] for turn in chat if turn["role"] == "system")
        turns = [turn for turn in chat if turn["role"] != "system"]
        question = turns[-1]["content"] if turns else str(_at(columns, "question", place) or "")
        return Asked(
            system=system,
            history=tuple(turns[:-1]),
            question=question,
            reference=str(_at(columns, "answer", place) or ""),
            reply=extract_answer(completion, bool(_at(columns, "prefilled_think", place))).strip(),
            language=str(_at(columns, "language", place) or "en"),
        )

    def _rubrics_of(self, columns: Mapping[str, Any], place: int) -> tuple[str, ...]:
        return self._rubrics or (OWN_RUBRIC.get(str(_at(columns, "dimension", place)), "CC"),)

    async def _client(self) -> Client:
        if self._opening is None:
            self._opening = asyncio.ensure_future(self._open())
        return await asyncio.shield(self._opening)

    async def _open(self) -> Client:
        client = Client({self.__name__: self._endpoint}, self._store, as_is=True, first_limit=FIRST_LIMIT)
        await self._resources.enter_async_context(client)
        self._remember_who()
        return client

    def _remember_who(self) -> None:
        """Warn where the replies that are kept are another judge's: they are not used, and figures do not compare."""
        file = self._store / WHO
        before = json.loads(file.read_text("utf-8")) if file.is_file() else {}
        model = self._endpoint.model
        if before.get(self.__name__, model) != model:
            _log.warning(
                "the judge %s is %s now, and was %s: its rewards do not compare with those before",
                self.__name__,
                model,
                before[self.__name__],
            )
        unfinished = file.with_suffix(f".{os.getpid()}")
        unfinished.write_text(json.dumps({**before, self.__name__: model}), "utf-8")
        unfinished.replace(file)

    async def _score(self, client: Client, asked: Asked, rubric: str, up: bool) -> Value:
        """The score from 0 to 1; None where no readable one came."""
        points = self._arguments.points
        request = Request(
            self.__name__,
            score_request(asked, rubric, points, up=up),
            purpose(asked.language, rubric),
            schema_of(Score),
            0.0,
            self._arguments.max_tokens,
        )
        reply = await client.ask(request)
        if isinstance(reply, Refused):
            return None
        score = read_score(reply.text.rpartition("</think>")[2], points)
        return None if score is None else (score - 1) / (points - 1) if up else (points - score) / (points - 1)

    @staticmethod
    def _value(verdicts: Sequence[Value] | None) -> Value:
        readable = [one for one in verdicts or () if one is not None]
        return fmean(readable) if readable else None

    def _tell(self, columns: Mapping[str, Any], unreadable: Sequence[bool]) -> None:
        if (log := columns.get("log_metric")) is not None and unreadable:
            log(f"rewards/{self.__name__}/unreadable", fmean(unreadable))


def read_score(text: str, points: int) -> int | None:
    """The score in a judge's reply; None where it is not JSON of that shape, or not on the scale."""
    try:
        score = Score.model_validate(parse_json(text)).score
    except (ValueError, ValidationError):
        return None
    return score if 1 <= score <= points else None


def _verdict(scores: Sequence[Value]) -> Value:
    """What scores of one reply in both orders come to."""
    readable = [one for one in scores if one is not None]
    if len(readable) < len(scores) or max(readable) - min(readable) > APART:
        return None
    return fmean(readable)


def _neutral(values: Sequence[Value], groups: Sequence[object]) -> list[Value]:
    """The values, those without a verdict replaced by the mean of their group's."""
    known: dict[object, list[float]] = {}
    for value, group in zip(values, groups, strict=True):
        if value is not None:
            known.setdefault(group, []).append(value)
    return [
        value if value is not None else fmean(known[group]) if group in known else None
        for value, group in zip(values, groups, strict=True)
    ]


def _group(columns: Mapping[str, Any], place: int) -> object:
    """What the completions of one prompt have in common."""
    identity = _at(columns, "id", place)
    return identity or json.dumps(_at(columns, "prompts", place), ensure_ascii=False, default=str)


def _at(columns: Mapping[str, Any], name: str, place: int) -> Any:
    values = columns.get(name)
    return values[place] if isinstance(values, (list, tuple)) and len(values) > place else values
