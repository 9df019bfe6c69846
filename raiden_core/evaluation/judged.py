"""What results.json holds of a judge; `raiden_core.evaluation.judge.summary` makes it of verdicts and defines the terms."""

from __future__ import annotations

from raiden_core.evaluation.parts import Count, Interval, Number, Part


class JudgeCell(Part):
    """What a judge said in some comparisons; shares are of the ``n`` that count."""

    comparisons: Count
    n: Count
    characters: Count
    win: Count
    """For the trained model."""
    tie: Count
    loss: Count
    identical: Count
    """Equal replies: a tie without asking."""
    inconsistent: Count
    """The verdict changed with the order."""
    first_preferred: Count
    """Of the inconsistent ones."""
    second_preferred: Count
    unreadable: Count
    win_rate: Number | None
    ci95: Interval | None
    """Of ``win_rate``."""
    tie_rate: Number | None
    loss_rate: Number | None
    preference: Number | None
    """Share of wins less share of losses."""
    preference_ci95: Interval | None


class Gap(Part):
    """The reward-hacking gap: the change that keywords see less the one that the judge sees."""

    n: Count
    accuracy_delta: Number | None
    preference: Number | None
    gap: Number | None
    ci95: Interval | None
    p: Number | None


class Agreement(Part):
    """Questions where keywords see a change, by what the judge sees."""

    n: Count
    same: Count
    equal: Count
    opposite: Count
    share: Number | None
    """Of ``same``."""
    ci95: Interval | None


class Judged(Part):
    """What a judge said of base and trained."""

    model: str
    """Who judged."""
    questions: Count
    all: JudgeCell
    """Every question by the rubrics of its own dimensions."""
    by_rubric: dict[str, JudgeCell]
    by_language: dict[str, JudgeCell]
    gap: Gap
    agreement: Agreement
