"""What a judge is asked about one reply: a score by a rubric, on a scale that runs up or down.

The rubrics follow the dimensions of the RAIDEN benchmark (COLING 2025) and are those of the pairwise judge of evaluation.
Whatever others wrote (profile, conversation, reply) is fenced as data: a reply that gives orders to the judge is still
only a reply. All requests about one character begin with the same system turn, so that a server with a prefix cache
reads its profile once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict, Field

from raiden_core.models.fencing import fence, fill
from raiden_core.prompts import Message

LANGUAGES = ("en", "zh")
"""Languages that judges are asked in; every other one is judged in English."""
OWN_RUBRIC = {"SBK": "SBK", "CM": "CM2", "SCK": "SCK", "RCB": "RCB"}
"""The rubric of a sample's own dimension, where its metadata names none."""


@dataclass(frozen=True)
class Asked:
    """One reply that is to be judged."""

    system: str
    """The prompt's system turn: who is played, by which profile."""
    history: tuple[Message, ...]
    question: str
    reference: str
    """Empty where nobody knows one."""
    reply: str
    """The answer text, without reasoning."""
    language: str


class ScorePrompts(BaseModel):
    """The templates of a language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = Field(ge=1)
    labels: dict[str, str]
    system: str
    task: str
    up: str
    """A scale from bad to good."""
    down: str
    """The same from good to bad."""


@cache
def rubrics_in(language: str) -> dict[str, str]:
    """The rubrics in one of `LANGUAGES`."""
    rubrics: dict[str, str] = _read(f"rubrics.{language}.yaml")["rubrics"]
    return rubrics


@lru_cache(maxsize=len(LANGUAGES))
def score_prompts(language: str) -> ScorePrompts:
    """The templates in one of `LANGUAGES`."""
    return ScorePrompts.model_validate(_read(f"score.{language}.yaml"))


def known_language(language: str) -> str:
    """The language in which samples of a language are judged."""
    return language if language in LANGUAGES else "en"


def purpose(language: str, rubric: str) -> str:
    """What a request is for, with the version of its wording, such as ``score SBK/1``."""
    return f"score {rubric}/{score_prompts(known_language(language)).version}"


def score_request(asked: Asked, rubric: str, points: int, *, up: bool) -> tuple[dict[str, str], ...]:
    """The chat that asks for a score from 1 to ``points``; ``up``: whether ``points`` is the best, or 1."""
    language = known_language(asked.language)
    prompts = score_prompts(language)
    labels = prompts.labels
    history = "\n".join(f"{labels.get(turn['role'], turn['role'])}: {turn['content']}" for turn in asked.history)
    parts = {
        "conversation": history,
        "question": asked.question,
        "reference": asked.reference,
        "reply": asked.reply,
    }
    material = "\n\n".join(f"{labels[name]}:\n{fence(text)}" for name, text in parts.items() if text.strip())
    task = fill(
        prompts.task,
        material=material,
        code=rubric,
        rubric=rubrics_in(language)[rubric],
        scale=fill(prompts.up if up else prompts.down, points=str(points)),
        example='{"reason": "…", "score": 2}',
    )
    return (
        {"role": "system", "content": fill(prompts.system, profile=fence(asked.system)).strip()},
        {"role": "user", "content": task.strip()},
    )


def _read(name: str) -> dict[str, dict[str, str]]:
    text = files("raiden_core.rewards.judged").joinpath(f"templates/{name}").read_text("utf-8")
    read: dict[str, dict[str, str]] = yaml.safe_load(text)
    return read
