"""What an evaluation hands to its judge: the answer texts of base and trained, with what the keywords say of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from raiden_core.evaluation.judge.judge import Contest, Judge, write_verdicts
from raiden_core.evaluation.judge.summary import judge_notes, judge_summary
from raiden_core.evaluation.predictions import Prediction
from raiden_core.models.answering import Reply
from raiden_core.rewards import Scorer
from raiden_core.rewards.completion import extract_answer
from raiden_core.samples import Sample
from raiden_core.stages.progress import Progress

VERDICTS = "judge.jsonl"
STORE = "judge"
"""The folder of the judge's raw replies."""


def judge_replies(
    judge: Judge,
    samples: Sequence[Sample],
    predictions: Mapping[str, Sequence[Prediction]],
    open_ended: Sequence[Sample],
    open_replies: Mapping[str, Sequence[Reply]],
    scorer: Scorer,
    out: Path,
    progress: Progress,
) -> tuple[dict[str, Any], list[str]]:
    """Judge the replies of base and trained, write ``judge.jsonl`` into ``out``; the summary and notes come back.

    Args:
        judge: who judges.
        samples: those with keywords.
        predictions: by model, in their order.
        open_ended: samples without keywords.
        open_replies: by model, in their order.
        scorer: knows how completions begin.
        out: the evaluation's folder.
        progress: told about comparisons.
    """

    def text(reply: Reply) -> str:
        return extract_answer(reply.text, scorer.prefilled_think)

    contests = [
        Contest(sample, base.answer, trained.answer, base.accuracy, trained.accuracy)
        for sample, base, trained in zip(samples, predictions["base"], predictions["trained"], strict=True)
    ]
    contests += [
        Contest(sample, text(base), text(trained))
        for sample, base, trained in zip(open_ended, open_replies["base"], open_replies["trained"], strict=True)
    ]

    def tell(done: int, total: int, note: str = "") -> None:
        progress(done, total, f"judge {note}".rstrip())

    verdicts = judge.compare(contests, store=out / STORE, progress=tell)
    write_verdicts(out / VERDICTS, verdicts)
    summary = judge_summary(verdicts, judge.endpoint.model)
    return summary, judge_notes(summary)
