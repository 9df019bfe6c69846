"""What an evaluation hands to its judge: the answer texts of base and trained, with what the keywords say of them."""

from __future__ import annotations

from pathlib import Path

from raiden_core.evaluation.judge.judge import Contest, Judge, write_verdicts
from raiden_core.evaluation.judge.summary import judge_notes, judge_summary
from raiden_core.evaluation.judged import Judged
from raiden_core.evaluation.predictions import MAIN_SET, Predicted
from raiden_core.evaluation.sets import UsableSets
from raiden_core.models.answering import Reply
from raiden_core.rewards import Scorer
from raiden_core.rewards.completion import extract_answer
from raiden_core.stages.progress import Progress

VERDICTS = "judge.jsonl"
STORE = "judge"
"""The folder of the judge's raw replies."""


def judge_replies(
    judge: Judge, usable: UsableSets, predicted: Predicted, scorer: Scorer, out: Path, progress: Progress
) -> tuple[Judged, list[str]]:
    """Judge the replies of base and trained, and write ``judge.jsonl`` into ``out``.

    Args:
        judge: who judges.
        usable: the samples that were asked.
        predicted: what base and trained replied to them.
        scorer: knows how completions begin.
        out: the evaluation's folder.
        progress: told about comparisons.

    Returns:
        What the judge said, and what a reader must know about it.
    """
    by_model, open_replies = predicted.of_set(MAIN_SET), predicted.open_ended

    def text(reply: Reply) -> str:
        return extract_answer(reply.text, scorer.prefilled_think)

    contests = [
        Contest(sample, base.answer, trained.answer, base.accuracy, trained.accuracy)
        for sample, base, trained in zip(usable.sets[MAIN_SET], by_model["base"], by_model["trained"], strict=True)
    ]
    contests += [
        Contest(sample, text(base), text(trained))
        for sample, base, trained in zip(usable.open_ended, open_replies["base"], open_replies["trained"], strict=True)
    ]

    def tell(done: int, total: int, note: str = "") -> None:
        progress(done, total, f"judge {note}".rstrip())

    verdicts = judge.compare(contests, store=out / STORE, progress=tell)
    write_verdicts(out / VERDICTS, verdicts)
    summary = judge_summary(verdicts, judge.endpoint.model)
    return summary, judge_notes(summary)
