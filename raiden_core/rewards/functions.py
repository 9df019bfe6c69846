"""The rewards as TRL calls them: ``(completions, **columns) -> list[float]``, one entry a completion.

    trl grpo --reward_funcs raiden_core.rewards.accuracy_reward raiden_core.rewards.format_reward \\
             --reward_weights 0.7 0.3 …

Every column of the dataset arrives as a list beside the completions. Read here: ``keywords``, ``validator`` (an
object, that as a JSON string, or None), ``question`` (the last message of ``prompts`` without it) and ``answer`` (the
reference: both say what a denial looks like, the question may set the unit of a value, and the reference bounds the
length), and the settings that must travel with the data (`Scorer.columns`): ``prefilled_think``, ``min_length_bound``,
``length_ratio``, ``partial_credit``. A setting that is absent or None has its default. Plain and conversational
completions (a list of messages each) are read alike.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from raiden_core.errors import DataError
from raiden_core.rewards.completion import keeps_format
from raiden_core.rewards.scorer import Score, Scorer, text_of
from raiden_core.text.dates import dates_as_text

_log = logging.getLogger(__name__)
_DEFAULT = Scorer()
_SETTINGS = tuple(_DEFAULT.columns())
_NOTHING = Score(0.0, 0.0, 0.0, (), "", "")


def accuracy_reward(completions: Sequence[object], **columns: Any) -> list[float]:
    """1 for every completion whose answer meets its sample's validator, else 0.

    >>> accuracy_reward(["<think>?</think><answer>I'm 17.</answer>"], keywords=[["seventeen"]])
    [1.0]
    """
    return [score.accuracy for score in _scores(completions, _DEFAULT, columns)]


def format_reward(completions: Sequence[object], **columns: Any) -> list[float]:
    """1 for every completion that is one ``<think>`` and one ``<answer>`` block and nothing else, else 0.

    >>> format_reward(["<think>?</think><answer>I'm 17.</answer>", "I'm 17."])
    [1.0, 0.0]
    """
    prefilled = _column(columns.get("prefilled_think"), len(completions))
    texts = map(text_of, completions)
    return [
        1.0 if text is not None and keeps_format(text, bool(opened)) else 0.0
        for text, opened in zip(texts, prefilled, strict=True)
    ]


def vrar(
    completions: Sequence[object],
    *,
    accuracy_weight: float = _DEFAULT.accuracy_weight,
    format_weight: float = _DEFAULT.format_weight,
    **columns: Any,
) -> list[float]:
    """Both rewards in one: ``accuracy_weight * accuracy + format_weight * format``."""
    scorer = Scorer(accuracy_weight=accuracy_weight, format_weight=format_weight)
    return [score.total for score in _scores(completions, scorer, columns)]


def _scores(completions: Sequence[object], scorer: Scorer, columns: dict[str, Any]) -> list[Score]:
    if columns.get("keywords") is None and columns.get("validator") is None:
        raise DataError("the dataset has neither a column keywords nor a column validator: nothing can be checked")
    count = len(completions)
    named = (_column(columns.get(name), count) for name in ("keywords", "validator", "answer", *_SETTINGS))
    rows = zip(_questions(columns, count), *named, strict=True)
    scores = []
    for completion, (question, keywords, validator, answer, *settings) in zip(completions, rows, strict=True):
        own = scorer if all(one is None for one in settings) else _with_settings(scorer, *settings)
        try:
            sample = {"question": question, "keywords": keywords, "validator": validator, "answer": answer}
            score = own.score(dates_as_text(sample), completion)
        except DataError as error:
            # Files are checked when they are loaded; a sample that slipped through earns nothing rather than
            # stopping a training run of days.
            _log.warning("a sample cannot be scored and earns 0: %s", error)
            score = _NOTHING
        scores.append(score)
    return scores


def _questions(columns: dict[str, Any], count: int) -> Sequence[Any]:
    """The column ``question``; without one, the last message of each conversational prompt."""
    questions = columns.get("question")
    prompts = columns.get("prompts")
    if questions is None and isinstance(prompts, (list, tuple)):
        return [text_of(prompt) if isinstance(prompt, (list, tuple)) else None for prompt in prompts]
    return _column(questions, count)


def _column(values: Any, count: int) -> Sequence[Any]:
    """A column as TRL gives it: a list; a single value (from ``functools.partial``) stands for all rows."""
    return values if isinstance(values, (list, tuple)) else [values] * count


@lru_cache(maxsize=256)
def _with_settings(scorer: Scorer, *values: Any) -> Scorer:
    from dataclasses import replace

    given = zip(_SETTINGS, values, strict=True)
    return replace(scorer, **{name: value for name, value in given if value is not None})
