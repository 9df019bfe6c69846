"""A model that compares the replies of base and trained in pairs: what keywords cannot see, and whether they are gamed.

    judge = Judge(EndpointConfig(url="http://127.0.0.1:30000/v1", model="glm-4.6"))
    verdicts = judge.compare(contests, store=out / "judge", progress=silent)
    summary = judge_summary(verdicts, judge.endpoint.model)

Each pair is shown twice, in both orders, blind. Only a verdict that stands in both orders counts: *win* (the trained
model's reply is better), *loss*, or *tie* (equal in both). One that turns with the order is *inconsistent*, one that
came in no readable form is *unreadable*; both are counted, and neither is a tie. Equal replies are a tie without being
asked. The judge's replies are kept in a store, so a run that was killed asks only for what is missing.

Pairwise judging with both orders is that of the RAIDEN benchmark and of Zheng et al., *Judging LLM-as-a-Judge*
(arXiv 2306.05685, section 3.4). `raiden_core.evaluation.judge.summary` turns verdicts into
numbers.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.config.sections.evaluation import EvaluationConfig
from raiden_core.errors import RaidenError
from raiden_core.evaluation.judge.prompts import Decision, comparison, own_rubrics, purpose
from raiden_core.models.answering import Asker, Refused, Request
from raiden_core.models.schemas import schema_of
from raiden_core.models.served.client import Client
from raiden_core.models.served.waiting import told_regularly
from raiden_core.models.served_model import first_error
from raiden_core.samples import Sample
from raiden_core.stages.progress import Progress, silent

_DEFAULT = EvaluationConfig()

ENDPOINT = "judge"
"""Name of the one endpoint, in messages."""

Outcome = Literal["win", "loss", "tie", "inconsistent", "unreadable"]
"""Of the trained model against the base model."""


@dataclass(frozen=True)
class Contest:
    """The replies of two models to one sample: their answer texts, without reasoning."""

    sample: Sample
    base: str
    trained: str
    base_accuracy: float | None = None
    """What the keywords say of it; None where the sample has none."""
    trained_accuracy: float | None = None


@dataclass(frozen=True)
class Verdict:
    """One line of judge.jsonl: a contest under one rubric."""

    id: str
    character: str
    language: str
    rubric: str
    own: bool
    """The rubric is that of the sample's own dimension, not one that every question is judged by."""
    question: str
    reference: str
    base: str
    trained: str
    base_accuracy: float | None
    trained_accuracy: float | None
    outcome: Outcome
    base_first: str
    """The verdict with the base model's reply shown first: ``base``, ``trained``, ``equal``, or why there is none."""
    trained_first: str
    """The same in the other order."""
    reasons: tuple[str, str]
    """What the judge said about it in either order; empty where nothing readable came."""
    identical: bool = False
    """The replies are the same text: nobody was asked."""


@dataclass(frozen=True)
class Judge:
    """Who judges, and by what."""

    endpoint: EndpointConfig
    rubrics: tuple[str, ...] = _DEFAULT.judge_rubrics
    """That every question is judged by beside its own."""
    questions: int | None = _DEFAULT.judge_questions
    """At most so many; None: all."""
    max_tokens: int = _DEFAULT.judge_max_tokens
    seed: int = 0
    """Draws the questions where there are more."""

    def compare(self, contests: Sequence[Contest], *, store: Path, progress: Progress = silent) -> list[Verdict]:
        """The verdicts on all contests that are drawn, in their order.

        Raises:
            ConfigError: the server refuses the key, or has no such model.
            StageError: the server is gone; what it said is kept.
        """
        jobs = [
            (contest, rubric, rubric in own_rubrics(contest.sample))
            for contest in self.draw(contests)
            for rubric in dict.fromkeys((*own_rubrics(contest.sample), *self.rubrics))
        ]
        return asyncio.run(self._compare(jobs, store, progress))

    def draw(self, contests: Sequence[Contest]) -> list[Contest]:
        """The contests that are judged: which ones depends on the seed and the samples, never on their order."""
        if self.questions is None or len(contests) <= self.questions:
            return list(contests)

        def lot(contest: Contest) -> bytes:
            return hashlib.sha256(f"{self.seed} {contest.sample.id}".encode()).digest()

        drawn = {contest.sample.id for contest in sorted(contests, key=lot)[: self.questions]}
        return [contest for contest in contests if contest.sample.id in drawn]

    async def _compare(
        self, jobs: Sequence[tuple[Contest, str, bool]], store: Path, progress: Progress
    ) -> list[Verdict]:
        verdicts: dict[int, Verdict] = {}
        numbers = iter(range(len(jobs)))
        progress(0, len(jobs))

        async def work(client: Client, numbers: Iterator[int]) -> None:
            for number in numbers:
                verdicts[number] = await self.verdict(client, *jobs[number])
                tell(client)

        def tell(client: Client) -> None:
            progress(len(verdicts), len(jobs), client.line())

        async with Client({ENDPOINT: self.endpoint}, store) as client, told_regularly(lambda: tell(client)):
            try:
                async with asyncio.TaskGroup() as workers:
                    for _ in range(min(self.endpoint.max_concurrency, len(jobs))):
                        workers.create_task(work(client, numbers))
            except* RaidenError as group:
                raise first_error(group) from None
        return [verdicts[number] for number in range(len(jobs))]

    async def verdict(self, asker: Asker, contest: Contest, rubric: str, own: bool) -> Verdict:
        """The verdict on one contest by one rubric.

        Raises:
            StageError: the server is gone.
        """
        identical = contest.base.strip() == contest.trained.strip()
        if identical:
            (base_first, one), (trained_first, other) = ("equal", ""), ("equal", "")
        else:
            base_first, one = await self._ask(asker, contest.sample, rubric, ("base", contest.base, contest.trained))
            trained_first, other = await self._ask(
                asker, contest.sample, rubric, ("trained", contest.trained, contest.base)
            )
        return Verdict(
            id=contest.sample.id,
            character=contest.sample.character_name,
            language=contest.sample.language,
            rubric=rubric,
            own=own,
            question=contest.sample.question,
            reference=contest.sample.answer,
            base=contest.base,
            trained=contest.trained,
            base_accuracy=contest.base_accuracy,
            trained_accuracy=contest.trained_accuracy,
            outcome=outcome(base_first, trained_first),
            base_first=base_first,
            trained_first=trained_first,
            reasons=(one, other),
            identical=identical,
        )

    async def _ask(
        self, asker: Asker, sample: Sample, rubric: str, order: tuple[Literal["base", "trained"], str, str]
    ) -> tuple[str, str]:
        """Who is better in one order, and the reason; where nothing readable came, why."""
        first, reply_a, reply_b = order
        request = Request(
            ENDPOINT,
            comparison(sample, rubric, reply_a, reply_b),
            purpose(sample.language, rubric),
            schema_of(Decision),
            0.0,
            self.max_tokens,
        )
        reply = await asker.ask(request)
        if isinstance(reply, Refused):
            return f"unreadable: {reply.reason}", ""
        decision = Decision.model_validate(reply.data)
        second = "trained" if first == "base" else "base"
        return {"A": first, "B": second, "equal": "equal"}[decision.better], decision.reason


def outcome(base_first: str, trained_first: str) -> Outcome:
    """What two verdicts on the same pair, in both orders, come to."""
    readable = ("base", "trained", "equal")
    if base_first not in readable or trained_first not in readable:
        return "unreadable"
    if base_first != trained_first:
        return "inconsistent"
    known: dict[str, Outcome] = {"trained": "win", "base": "loss", "equal": "tie"}
    return known[base_first]


def write_verdicts(path: Path, verdicts: Iterable[Verdict]) -> None:
    """Write verdicts a line each; the file appears under its name only when it is whole."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(row), ensure_ascii=True) + "\n" for row in verdicts)
    partial.replace(path)
