"""What the report shows beyond greedy accuracy, where it was measured: sampled replies, a judge's verdicts, rewards.

    sampling_table(results.sampling)   # pass@k and majority, a column a model
    judge_table(results.judge)         # who the judge prefers, by rubric and language
    reward_table(results.rewards)      # what replies earn by each reward of a list

Cells are text for the template, which escapes them: rubrics and the judge's name come from the configuration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from raiden_core.evaluation.earned import RewardRow, weight_text
from raiden_core.evaluation.judged import Agreement, Gap, JudgeCell, Judged
from raiden_core.evaluation.results import Mean, SampledReplies
from raiden_core.text.formatting import percent, percent_range, points, points_range, signed_value, value, value_range


@dataclass(frozen=True)
class Table:
    """Figures with their headings; the first column labels the row."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    sentences: Sequence[str]
    """What stands above it."""
    note: str
    """How to read it."""


def sampling_table(sampling: Mapping[str, SampledReplies] | None, labels: Mapping[str, str]) -> Table | None:
    """pass@k for every k, then the majority; a column a model, in the order of ``labels``."""
    models = [model for model in labels if model in (sampling or {})]
    if sampling is None or not models:
        return None
    sizes = sorted({int(k) for model in models for k in sampling[model].pass_at})
    rows = [[f"pass@{k}", *(_share(sampling[model].pass_at.get(str(k))) for model in models)] for k in sizes]
    rows.append(["Majority", *(_share(sampling[model].majority) for model in models)])
    first = sampling[models[0]]
    return Table(
        head=["", *(labels[model] for model in models)],
        rows=rows,
        sentences=[
            f"{first.draws} replies to each of {first.n:,} questions, sampled at temperature "
            f"{first.temperature:g}; strict, in percent, with 95% intervals."
        ],
        note="pass@k: at least one of k replies is right. Majority: more than half of them are. Where pass@k of the base "
        "model is near the trained model's, training made right answers more frequent rather than possible.",
    )


def reward_table(rewards: Mapping[str, RewardRow] | None, labels: Mapping[str, str]) -> Table | None:
    """What replies earn by each reward of a list, a column a model, and the difference of trained and base."""
    if not rewards:
        return None
    models = [model for model in labels if model in next(iter(rewards.values())).models]
    rows = [
        [
            name,
            weight_text(name, row),
            *(f"{value(row.models[model].mean)} ({value_range(row.models[model].ci95)})" for model in models),
            signed_value(row.paired.delta) if row.paired else "",
            value_range(row.paired.ci95) if row.paired else "",
        ]
        for name, row in rewards.items()
    ]
    return Table(
        head=["Reward", "Weight", *(labels[model] for model in models), "Change", "95% interval"],
        rows=rows,
        sentences=[
            "What the greedy replies earn by the run's list of rewards, with 95% intervals clustered by character."
        ],
        note="A gate shows the share of replies that it lets pass; where one is closed, the total of that reply is 0.",
    )


def judge_table(judge: Judged | None) -> Table | None:
    """Win rates over all, by rubric, by language, with what could not be counted."""
    if judge is None:
        return None
    parts: list[tuple[str, JudgeCell]] = [("All", judge.all)]
    parts += [row for cells in (judge.by_rubric, judge.by_language) if len(cells) > 1 for row in cells.items()]
    rows = [
        [
            name,
            f"{part.n:,}",
            percent(part.win_rate),
            percent_range(part.ci95),
            percent(part.tie_rate),
            percent(part.loss_rate),
            f"{part.inconsistent:,}",
            f"{part.unreadable:,}",
        ]
        for name, part in parts
    ]
    return Table(
        head=["Rubric", "n", "Trained %", "95% interval", "Equal %", "Base %", "Turned", "Unreadable"],
        rows=rows,
        sentences=[
            f"{judge.model} compared the greedy replies of both models in pairs, each pair in both orders.",
            *_gap_sentences(judge.gap, judge.agreement),
        ],
        note="Turned: the verdict changed with the order of the replies. Turned and unreadable verdicts are not counted. "
        "A judge is a model with preferences, so quote its name with the figures.",
    )


def _gap_sentences(gap: Gap, agreement: Agreement) -> list[str]:
    if not gap.n:
        return []
    words = (
        f"Reward-hacking gap: on {gap.n:,} questions keywords see a net change of {points(gap.accuracy_delta)} "
        f"points, the judge one of {points(gap.preference)}; the gap is {points(gap.gap)} "
        f"(95% interval {points_range(gap.ci95)})."
    )
    if gap.ci95 is not None and gap.ci95[0] > 0:
        words += " The model got better at keywords without getting as much better for the judge: read the dialogues."
    sentences = [words]
    if agreement.n:
        sentences.append(
            f"Where keywords see a change ({agreement.n:,} questions), the judge sees the same one in "
            f"{agreement.same:,}, none in {agreement.equal:,} and the opposite in {agreement.opposite:,}."
        )
    return sentences


def _share(estimate: Mean | None) -> str:
    if estimate is None:
        return percent(None)
    return f"{percent(estimate.mean)} ({percent_range(estimate.ci95)})"
