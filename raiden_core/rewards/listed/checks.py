"""What a reward function may give: a number or None for each completion. Anything else ends the run in one line.

TRL takes NaN for "not scored", and infinity erases its group's signal; a list that is too short shifts nothing and
still trains on the wrong completions. The checkpoint that was written last stays as it is, so that a rerun with a
corrected reward goes on from there.
"""

from __future__ import annotations

import math
import numbers
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from raiden_core.errors import StageError

Value = float | None
AGAIN = "correct it and run again; the last checkpoint is whole"


def checked(name: str, given: object, count: int, columns: Mapping[str, Any]) -> list[Value]:
    """The values of a reward as floats.

    Args:
        name: the reward's, for messages.
        given: what its function returned.
        count: completions of the batch.
        columns: what it was called with, for messages.

    Raises:
        StageError: it is no list of so many finite numbers; the message names step, reward and sample.
    """
    if given is None or isinstance(given, (str, bytes, Mapping)) or not hasattr(given, "__len__"):
        what = "None" if given is None else f"a {type(given).__name__}"
        raise StageError(
            f"{step_of(columns)}: {name} gave {what} instead of a list of {count} numbers "
            f"(the batch begins with {sample_of(columns, 0)}); {AGAIN}"
        )
    values: list[Any] = given.tolist() if hasattr(given, "tolist") else list(given)  # type: ignore[call-overload]
    if len(values) != count:
        raise StageError(
            f"{step_of(columns)}: {name} gave {len(values)} values for {count} completions "
            f"(the batch begins with {sample_of(columns, 0)}); {AGAIN}"
        )
    # Nearly always all is well, and then one look at the whole list is enough.
    if all(type(value) is float and value - value == 0 for value in values):
        return values
    return [_number(name, value, columns, place) for place, value in enumerate(values)]


def _number(name: str, value: object, columns: Mapping[str, Any], place: int) -> Value:
    if value is None:
        return None
    value = value.item() if hasattr(value, "item") else value
    if not isinstance(value, numbers.Real) or not math.isfinite(value):
        raise StageError(
            f"{step_of(columns)}: {name} gave {value!r} for {sample_of(columns, place)}; a reward must be a finite "
            f"number: {AGAIN}"
        )
    return float(value)


def step_of(columns: Mapping[str, Any]) -> str:
    """The step that a batch is for."""
    state = columns.get("trainer_state")
    return f"step {state.global_step + 1}" if state is not None else "a step"


def sample_of(columns: Mapping[str, Any], place: int) -> str:
    """What tells people which sample it was: its id, or the end of the conversation that it asks."""
    ids, prompts = columns.get("id"), columns.get("prompts")
    if isinstance(ids, Sequence) and place < len(ids) and ids[place]:
        return f"sample {ids[place]}"
    if isinstance(prompts, Sequence) and place < len(prompts):
        prompt = prompts[place]
        question = prompt[-1]["content"] if isinstance(prompt, list) else prompt
        return f"the question {str(question)[-60:]!r}"
    return f"completion {place + 1} of the batch"


def place_of(error: BaseException) -> str:
    """The line in which an error was raised, without folders."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
