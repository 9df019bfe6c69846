"""What the judge is asked: one comparison of two replies by one rubric.

The rubrics follow the dimensions of the RAIDEN benchmark (COLING 2025); their wording is raiden's own, and the reward
``judge`` has the same (raiden_core/rewards/judged). Whatever others wrote (profile, conversation, replies) is fenced as
data, as in mining: a reply that gives orders to the judge is still only a reply. All comparisons about one character
begin with the same system turn, so a server with a prefix cache reads its profile once.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from raiden_core.config.sections.evaluation import RUBRICS
from raiden_core.models.fencing import fence, fill
from raiden_core.models.schemas import example_of
from raiden_core.prompts import profile_text
from raiden_core.rewards.judged.prompts import LANGUAGES, OWN_RUBRIC, known_language, rubrics_in
from raiden_core.samples import Sample


class Decision(BaseModel):
    """The judge's reply; the reason comes first, so that the verdict follows from it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: str
    better: Literal["A", "B", "equal"]


class JudgePrompts(BaseModel):
    """The templates of a language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = Field(ge=1)
    labels: dict[str, str]
    system: str
    task: str
    rubrics: dict[str, str]


@lru_cache(maxsize=len(LANGUAGES))
def load_judge_prompts(language: str) -> JudgePrompts:
    """The templates that samples of a language are judged with."""
    known = known_language(language)
    text = files("raiden_core.evaluation.judge").joinpath(f"templates/judge.{known}.yaml").read_text("utf-8")
    return JudgePrompts.model_validate({**yaml.safe_load(text), "rubrics": rubrics_in(known)})


def own_rubrics(sample: Sample) -> tuple[str, ...]:
    """What a sample is about: the dimensions that its metadata names as far as there are rubrics, else its own."""
    named = sample.metadata.get("dimensions")
    if named is None:
        return (OWN_RUBRIC[sample.dimension],)
    return tuple(dict.fromkeys(str(one) for one in named if one in RUBRICS))


def purpose(language: str, rubric: str) -> str:
    """What a comparison is for, with the version of its wording, such as ``judge SBK/1``."""
    return f"judge {rubric}/{load_judge_prompts(language).version}"


def comparison(sample: Sample, rubric: str, first: str, second: str) -> tuple[dict[str, str], ...]:
    """The chat that asks which of two replies to a sample is better by a rubric.

    Args:
        sample: profile, history, question and reference are shown.
        rubric: one of `RUBRICS`.
        first: the reply that is called A.
        second: the reply that is called B.
    """
    prompts = load_judge_prompts(sample.language)
    labels = prompts.labels
    history = "\n".join(f"{labels.get(turn.role, turn.role)}: {turn.content}" for turn in sample.conversation_history)
    parts = {
        "conversation": history,
        "question": sample.question,
        "reference": sample.answer,
        "first": first.strip() or labels["no_reply"],
        "second": second.strip() or labels["no_reply"],
    }
    material = "\n\n".join(f"{labels[name]}:\n{fence(text)}" for name, text in parts.items() if text.strip())
    profile = fence(f"{sample.character_name}\n{profile_text(sample.character_profile, sample.language)}")
    task = fill(
        prompts.task, material=material, code=rubric, rubric=prompts.rubrics[rubric], example=example_of(Decision)
    )
    return (
        {"role": "system", "content": fill(prompts.system, profile=profile).strip()},
        {"role": "user", "content": task.strip()},
    )
