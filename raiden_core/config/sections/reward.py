"""The reward: a list of rewards and gates, and the settings of its first two parts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from raiden_core.config import defaults
from raiden_core.config.sections.base import NEUTRAL, Section
from raiden_core.config.sections.endpoint import EndpointConfig
from raiden_core.config.sections.evaluation import Rubric
from raiden_core.config.trl_fields import suggestion

JUDGE = "judge"
"""The built-in reward that a model gives, and the name of the endpoint `evaluation.judge`."""
BUILT_IN: dict[str, str] = {
    "accuracy": "1 where the answer meets its validator, else 0; a share with `accuracy.partial_credit`",
    "format": "1 where the completion is one `<think>` and one `<answer>` block, else 0",
    "one_voice": "1 where only the character speaks, 0 where the answer speaks or acts for the user",
    "in_role": "0 where the answer leaves the role, else 1",
    "own_language": "1 where most of the answer is in the sample's language, else 0",
    "no_stuffing": "0 where the answer repeats a keyword again and again or lists whatever could be right, else 1",
    "hint": "the share of the sample's evidence that the reasoning holds, less what it quotes besides",
    "length": "from 0 down to -1 as a completion approaches `max_length` tokens",
    "repetition": "`penalty` times the share of n-grams that came before",
    "language": "the share of the answer's words that are in the sample's language",
    "by_character": "accuracy, measured against what its character earns in the batch",
    JUDGE: "the score that a served model gives by a rubric, from 0 to 1",
}
"""Name -> what it gives. raiden_core/rewards/listed/catalogue.py says where each stands."""

FILE = re.compile(r"(?P<file>.+\.py):(?P<function>[^\W\d]\w*)")
DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")


class AccuracyConfig(Section):
    """The accuracy part of the reward (docs/vrar.md)."""

    weight: float = Field(default=defaults.ACCURACY_WEIGHT, ge=0)
    """Its weight in the total: the short form of an entry of `rewards`, beside which it may not stand."""
    min_length_bound: int = Field(default=defaults.MIN_LENGTH_BOUND, ge=1)
    """Answers up to so many units (CJK characters, other words) are never too long."""
    length_ratio: float = Field(default=defaults.LENGTH_RATIO, gt=0)
    """Longer ones score 0 when over so many times the reference's length."""
    partial_credit: bool = defaults.PARTIAL_CREDIT
    """Whether multi-term samples earn the share of groups matched instead of all or nothing."""


class FormatConfig(Section):
    """The format part of the reward."""

    weight: float = Field(default=defaults.FORMAT_WEIGHT, ge=0)
    """Its weight in the total: the short form of an entry of `rewards`, beside which it may not stand."""


class RewardConfig(Section):
    """One entry of the list `rewards`: a reward with its weight, or a gate (docs/rewards.md)."""

    use: str = Field(min_length=1)
    """A built-in name, `FILE.py:FUNCTION` (relative to the current folder), or a dotted path. A file is code that runs."""
    name: str | None = Field(default=None, pattern=r"^[\w.-]+$")
    """Its name in logs and results; None: that of the built-in or of the function."""
    weight: float | None = Field(default=None, ge=0)
    """Its weight in the total; None: 1. A gate has none."""
    gate: bool = False
    """Whether it decides instead of adding: where its value is 0 or less, the total of that completion is 0."""
    arguments: dict[str, Any] = Field(default_factory=dict)
    """Named arguments that the function is called with beside the columns, such as `{max_length: 400}`."""
    endpoint: str | EndpointConfig | None = None
    """`judge` only: who judges: a name of `teacher.endpoints`, `judge` for `evaluation.judge`, or an endpoint itself."""
    rubric: Rubric | tuple[Rubric, ...] | None = None
    """`judge` only: what is judged by, or several of them, whose mean counts; None: that of the sample's own dimension."""
    time_limit: Annotated[float, NEUTRAL] = Field(default=600, gt=0)
    """Seconds that a function may take for a batch. The judge has the limits of its endpoint instead."""

    @property
    def label(self) -> str:
        """Its name in logs and results."""
        return self.name or re.split(r"[.:]", self.use)[-1]

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.use not in BUILT_IN and not FILE.fullmatch(self.use) and not DOTTED.fullmatch(self.use):
            raise ValueError(
                f"use: no reward is called {self.use!r}{suggestion(self.use, list(BUILT_IN))}; built in are "
                f"{', '.join(BUILT_IN)}; one's own is FILE.py:FUNCTION or a dotted path"
            )
        if self.gate and self.weight is not None:
            raise ValueError(f"weight: {self.label} is a gate, which decides and adds nothing; remove the weight")
        if self.use == JUDGE and self.endpoint is None:
            raise ValueError("endpoint: who judges? name one of teacher.endpoints, or judge for evaluation.judge")
        for field in ("endpoint", "rubric"):
            if self.use != JUDGE and getattr(self, field) is not None:
                raise ValueError(f"{field}: only the reward judge has one; remove it from {self.label}")
        return self


def check_list(rewards: Sequence[RewardConfig], endpoints: Mapping[str, EndpointConfig]) -> None:
    """Refuse a list in which two have one name, nothing counts, or nobody is there to judge.

    Raises:
        ValueError: the first thing that is wrong.
    """
    if not any(one.weight is None or one.weight > 0 for one in rewards if not one.gate):
        raise ValueError("rewards: no reward has a weight above 0, so there is nothing to learn; give one")
    names: set[str] = set()
    for place, one in enumerate(rewards):
        if one.label in names:
            raise ValueError(f"rewards.{place}: two rewards are called {one.label!r}; give one of them another name")
        names.add(one.label)
        endpoint_of(one, endpoints, place)


def endpoint_of(one: RewardConfig, endpoints: Mapping[str, EndpointConfig], place: int = 0) -> EndpointConfig | None:
    """The endpoint that an entry names; None where it names none.

    Raises:
        ValueError: there is none of that name.
    """
    if not isinstance(one.endpoint, str):
        return one.endpoint
    if one.endpoint not in endpoints:
        hint = "; set evaluation.judge" if one.endpoint == JUDGE else suggestion(one.endpoint, list(endpoints))
        there = ", ".join(endpoints) or "none"
        raise ValueError(f"rewards.{place}.endpoint: none is called {one.endpoint!r}{hint}; there are: {there}")
    return endpoints[one.endpoint]
