"""verl's reward interface over the same scorer: ``compute_score(data_source, solution_str, ground_truth, extra_info)``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from raiden_core.rewards import Scorer


def compute_score(
    data_source: str, solution_str: str, ground_truth: str, extra_info: Mapping[str, Any] | None = None
) -> dict[str, float]:
    """The reward of one completion, with its parts beside it for verl's logs.

    Args:
        data_source: ``raiden``; other data has no such ground truth.
        solution_str: the decoded completion.
        ground_truth: JSON with the fields that the scorer reads, as the export wrote it.
        extra_info: its ``settings`` (JSON) are the scorer's; absent means the defaults.
    """
    settings = json.loads((extra_info or {}).get("settings") or "{}")
    score = Scorer(**settings).score(json.loads(ground_truth), solution_str)
    return {"score": score.total, "accuracy": score.accuracy, "format": score.format}
