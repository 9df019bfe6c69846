"""A reward that is no number ends the run: TRL takes NaN for "not scored" and infinity erases its group's signal."""

from __future__ import annotations

import functools
import math
from typing import Any

from raiden_core.errors import StageError
from raiden_core.training.hooks.controls import Reward


def finite(reward: Reward) -> Reward:
    """The reward function, refusing NaN and infinity among its results.

    The checkpoint that was written last stays as it is, so that a rerun with a corrected reward goes on from there.
    """

    @functools.wraps(reward)
    def checked(completions: list[Any], **columns: Any) -> list[float]:
        values = reward(completions=completions, **columns)
        for place, value in enumerate(values):
            if value is not None and not math.isfinite(value):
                state = columns.get("trainer_state")
                step = f"step {state.global_step + 1}" if state is not None else "a step"
                raise StageError(
                    f"{step}: {_name(reward)} gave {value} for {_sample(columns, place)}; a reward must be a finite "
                    "number: correct it and run again, which goes on from the last checkpoint"
                )
        return values

    return checked


def _name(reward: Reward) -> str:
    return str(getattr(reward, "__name__", type(reward).__name__))


def _sample(columns: dict[str, Any], place: int) -> str:
    """What tells people which sample it was: its id, or the end of the conversation that it asks."""
    ids, prompts = columns.get("id"), columns.get("prompts")
    if ids and place < len(ids) and ids[place]:
        return f"sample {ids[place]}"
    if prompts and place < len(prompts):
        prompt = prompts[place]
        question = prompt[-1]["content"] if isinstance(prompt, list) else prompt
        return f"the question {str(question)[-60:]!r}"
    return f"completion {place + 1} of the batch"
