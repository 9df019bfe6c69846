"""Training curves: which figures of the trainer's log are worth a chart, and what each of them tells.

The log is JSONL, an object a logging step as TRL writes it, with a ``phase`` (``cold_start`` or ``grpo``) beside.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from raiden_core.errors import DataError
from raiden_core.report.charts import Chart, Series, line_chart
from raiden_core.training.launch.metrics import VALIDATION_ACCURACY, reward_names


@dataclass(frozen=True)
class Curve:
    """A chart to draw where the log has one of its figures."""

    title: str
    keys: Mapping[str, str]
    """The log's keys, each with the name of its line."""
    note: str
    share: bool = False


GRPO = (
    Curve(
        "Reward",
        {
            "reward": "total",
            "rewards/accuracy_reward/mean": "accuracy",
            "rewards/format_reward/mean": "format",
        },
        "Mean over the sampled replies. If format rises and accuracy does not, the model has learned the tags only.",
        share=True,
    ),
    Curve(
        "Questions set aside",
        {VALIDATION_ACCURACY: "accuracy", "eval_rewards/format_reward/mean": "format"},
        "Sampled replies during training to questions that it does not learn from. If they fall while the reward rises, "
        "the model learns by heart.",
        share=True,
    ),
    Curve(
        "KL to the base model",
        {"kl": "KL"},
        "How far the policy has moved. A sudden climb means that it has come loose.",
    ),
    Curve(
        "Reply length",
        {"completions/mean_length": "tokens"},
        "Replies that grow without better accuracy, or shrink to nothing, are a warning.",
    ),
    Curve(
        "Groups with nothing to learn from",
        {"frac_reward_zero_std": "share of groups"},
        "Where all replies to a prompt get the same reward there is no gradient. At 100% learning has stopped.",
        share=True,
    ),
    Curve(
        "Replies cut off", {"completions/clipped_ratio": "share"}, "Replies that reached the length limit.", share=True
    ),
    Curve(
        "Entropy",
        {"entropy": "entropy"},
        "How varied the sampled replies are. Near 0 there is nothing left to explore.",
    ),
    Curve("Loss", {"loss": "loss"}, "GRPO's loss is no measure of quality; it hovers around 0."),
)
LISTED = Curve(
    "Rewards and gates of the list",
    {},
    "What each function says on average, before weights and gates. A gate shows the share of replies that it lets pass.",
    share=True,
)
"""Its keys are those of the log."""
COLD_START = (
    Curve("Loss", {"loss": "training", "eval_loss": "held out"}, "Cross-entropy on the reasoned reference answers."),
    Curve(
        "Accuracy of greedy answers",
        {"probe_accuracy": "accuracy"},
        "On a probe made from training characters; the cold start stops early so that GRPO has something to do.",
        share=True,
    ),
    Curve("Accuracy of the next token", {"mean_token_accuracy": "accuracy"}, "Of the reference's tokens.", share=True),
)
PHASES = (("cold_start", "Cold start", COLD_START), ("grpo", "GRPO", GRPO))


def read_log(path: Path) -> list[dict[str, Any]]:
    """The rows of a trainer's log; a last line that a kill cut short is left out.

    Raises:
        DataError: the file is missing, or another line is broken.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DataError(f"{path}: the training log cannot be read: {error.strerror}") from None
    rows = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            if number == len(lines):
                continue
            raise DataError(f"{path}: line {number}: broken JSON: {error.msg}") from None
        if isinstance(row, dict):
            rows.append(row)
    return rows


def training_charts(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[Chart]]]:
    """Charts by phase, in the order of training; phases and charts without figures are left out."""
    result = []
    for phase, title, curves in PHASES:
        mine = [row for row in rows if row.get("phase", "grpo") == phase]
        listed = {key: name for row in mine for key, name in reward_names(row).items()}
        shown = [*curves[:1], replace(LISTED, keys=listed), *curves[1:]] if listed else curves
        charts = [chart for curve in shown if (chart := _chart(curve, mine)) is not None]
        if charts:
            result.append((title, charts))
    return result


def _chart(curve: Curve, rows: Sequence[Mapping[str, Any]]) -> Chart | None:
    series = []
    for key, name in curve.keys.items():
        points = {
            row["step"]: float(row[key]) for row in rows if _is_number(row.get(key)) and _is_number(row.get("step"))
        }
        if points:
            series.append(Series(name, sorted(points.items())))
    if not series:
        return None
    inside = all(0 <= y <= 1 for one in series for _, y in one.points)
    return line_chart(curve.title, series, curve.note, share=curve.share and inside)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
