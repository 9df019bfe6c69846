"""A list of rewards over rows of a file that holds completions, whole samples or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from raiden_core.errors import DataError
from raiden_core.prompts import Message, build_prompt
from raiden_core.rewards.listed.running import Outcome, RewardRun
from raiden_core.rewards.listed.trial import as_chats
from raiden_core.rewards.scorer import Scorer, text_of
from raiden_core.samples import Sample, parse_sample


def reward_of_rows(run: RewardRun, rows: Sequence[Mapping[str, Any]], scorer: Scorer) -> Outcome:
    """What the completions of rows earn.

    Args:
        run: the list.
        rows: each with a ``completion``, and whatever fields of a sample it has; the others are None.
        scorer: its settings travel as columns.

    Raises:
        StageError: a function failed, or gave what no reward may be.
    """
    columns: dict[str, list[Any]] = {name: [row.get(name) for row in rows] for name in Sample.model_fields}
    columns |= {name: [value] * len(rows) for name, value in scorer.columns().items()}
    completions = as_chats([text_of(row["completion"]) or "" for row in rows])
    return run([_prompt(row) for row in rows], completions, columns)


def _prompt(row: Mapping[str, Any]) -> list[Message]:
    """The prompt of a row that is a whole sample; of any other, its question."""
    try:
        return build_prompt(parse_sample({key: value for key, value in row.items() if key != "completion"}, "row"))
    except DataError:
        return [{"role": "user", "content": str(row.get("question") or "")}]
