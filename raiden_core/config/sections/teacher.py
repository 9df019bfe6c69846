"""Who writes questions and answers, and where they are reached."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from raiden_core.config.sections.base import NEUTRAL, Section
from raiden_core.config.sections.endpoint import EndpointConfig


class ServerConfig(Section):
    """A server that generation starts for itself and stops when it is done."""

    command: tuple[str, ...] = Field(min_length=1)
    """The command line, such as `[/opt/sglang/bin/python, -m, sglang.launch_server, --model-path, …]`."""
    ready_path: str = "/health_generate"
    """Path that answers 200 when the model can generate."""
    ready_seconds: float = Field(default=1800, gt=0)
    """How long loading may take."""


class BudgetConfig(Section):
    """What the teacher's endpoints may cost, over all runs into the same output_dir; what is set first counts. Requests that are
    under way when it is used up are waited for and kept, so it can be overrun by `max_concurrency` replies."""

    tokens: int | None = Field(default=None, ge=1)
    """Tokens, read and written; None: any number."""
    cost: float | None = Field(default=None, gt=0)
    """Money, by `prompt_price` and `completion_price` of the endpoints and in their currency; None: any sum."""

    @property
    def is_set(self) -> bool:
        """Whether there is one."""
        return self.tokens is not None or self.cost is not None


class TeacherConfig(Section):
    """Who writes questions and answers."""

    kind: Literal["offline", "llm"] = "offline"
    """`offline`: rules and templates, no server; it only knows facts written as `key: value`. `llm`: the endpoints."""
    endpoints: dict[str, EndpointConfig] = Field(default_factory=lambda: {"teacher": EndpointConfig()})
    """Servers by name."""
    answerer: str = "teacher"
    """Endpoint that reads facts, writes questions and answers them."""
    second_answerers: tuple[str, ...] = ()
    """Further endpoints whose answers a keyword must be found in as well."""
    judge: str | None = None
    """Endpoint that marks answers right or wrong; None: the answerer."""
    answers: int = Field(default=4, ge=2)
    """Independent answers that a keyword must be found in (k of single-term validation)."""
    min_agreement: float = Field(default=0.7, gt=0, le=1)
    """Share of answers on which judge and validator must agree (multi-term dynamic parsing)."""
    temperature: float = Field(default=0.8, ge=0)
    """Of drafts and answers; facts and verdicts are greedy."""
    max_tokens: int = Field(default=2048, ge=64)
    """Longest reply in tokens; one that is cut off is asked again, and never kept."""
    turn_by_turn: bool = False
    """Conversations are written turn by turn: more requests, but small models lose count of a whole one's turns."""
    drafts: float = Field(default=1.5, ge=1)
    """Questions drafted for each sample that is wanted: filters drop some. Missing samples are drafted again, twice."""
    characters_at_once: Annotated[int, NEUTRAL] = Field(default=64, ge=1)
    """Characters under way at a time: enough to keep the endpoints busy; more of them only take memory."""
    student: str | None = None
    """Endpoint that serves the student, to drop what it can do already; None: no sample is dropped for that."""
    student_answers: int = Field(default=4, ge=1)
    """Answers of the student to each question."""
    student_max_tokens: int = Field(default=512, ge=16)
    """Longest answer of the student."""
    pass_rate: tuple[float, float] = (0.0, 0.75)
    """Lowest and highest share of right answers of the student with which a sample is kept."""
    seeds: tuple[str, ...] = ()
    """Files of questions with answers, or of conversations, to mine samples from beside the teacher's own."""
    budget: Annotated[BudgetConfig, NEUTRAL] = BudgetConfig()
    """When to stop asking: generation then ends with one line, everything stored, and a higher budget goes on."""
    launch: Annotated[ServerConfig | None, NEUTRAL] = None
    """Start this server first and stop it afterwards; None: use one that runs."""

    @model_validator(mode="after")
    def _endpoints_exist(self) -> Self:
        wanted = {"answerer": self.answerer, "judge": self.judge or self.answerer}
        wanted |= {"student": self.student} if self.student else {}
        wanted |= {f"second_answerers.{place}": name for place, name in enumerate(self.second_answerers)}
        for field, name in wanted.items():
            if name not in self.endpoints:
                raise ValueError(f"{field}: no endpoint is called {name!r}; there are: {', '.join(self.endpoints)}")
        for name in (self.answerer, self.judge or self.answerer, *self.second_answerers):
            if self.budget.cost is not None and not self.endpoints[name].is_priced:
                raise ValueError(
                    f"budget.cost: endpoints.{name} has no price; set its prompt_price and completion_price"
                )
        if not 0 <= self.pass_rate[0] <= self.pass_rate[1] <= 1:
            raise ValueError(
                f"pass_rate: {list(self.pass_rate)} is no range of shares; give [lowest, highest] in 0 to 1"
            )
        return self
