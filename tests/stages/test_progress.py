"""Progress in lines: not too many of them, each with the time left as soon as that can be told."""

import time
from collections.abc import Callable, Iterable

import pytest

from raiden_core.stages.progress import TimeLeft, in_lines


def test_lines_are_told_now_and_then_with_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the first report has was done before, so the pace is that of what came after it."""
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    told: list[tuple[int, int, str]] = []
    progress = in_lines(10, lambda *line: told.append(line))
    for moment, done in ((105, 0), (111, 0), (112, 4), (122, 4), (125, 6), (133, 11)):
        clock[0] = moment
        progress(done, 12, f"at {moment}" if done else "")
    assert told == [
        (0, 12, "0 of 12"),
        (4, 12, "4 of 12, about 4 s left, at 122"),
        (11, 12, "11 of 12, about 3 s left, at 133"),
    ]


def evenly(count: int, loading: float = 0.0, before: int = 0, batch: int = 1) -> Iterable[tuple[float, int]]:
    """A report at the start, and one for each batch of a second a piece of work, after loading."""
    yield 0.0, before
    for done in range(before + batch, count + 1, batch):
        yield loading + done - before, done


def longest_first(count: int) -> Iterable[tuple[float, int]]:
    """The first piece takes three times as long as the last."""
    now = 0.0
    yield now, 0
    for done in range(1, count + 1):
        now += 3 - 2 * done / count
        yield now, done


@pytest.mark.parametrize(
    ("work", "count"),
    [
        (lambda: evenly(1000), 1000),
        (lambda: evenly(1000, loading=300), 1000),
        (lambda: evenly(1000, before=900), 1000),
        (lambda: evenly(1000, loading=50, before=500, batch=10), 1000),
        (lambda: evenly(960, loading=30, batch=64), 960),
        (lambda: longest_first(1000), 1000),
    ],
    ids=["even", "after loading", "most was there", "batches after loading", "large batches", "longest first"],
)
def test_the_time_left_is_within_a_factor_of_two_once_it_is_told(
    work: Callable[[], Iterable[tuple[float, int]]], count: int
) -> None:
    reports = list(work())
    end, before = reports[-1][0], reports[0][1]
    left = TimeLeft()
    told = 0
    for now, done in reports[:-1]:
        estimate = left.after(done, count, now)
        if done - before < 0.05 * (count - before):
            assert estimate is None, "nothing can be known yet"
        else:
            assert estimate is not None
            assert (end - now) / 2 <= estimate <= 2 * (end - now), f"{done} of {count}"
            told += 1
    assert told > 5


def test_another_count_is_looked_at_afresh_and_waiting_is_taken_off() -> None:
    left = TimeLeft()
    estimates = [
        left.after(done, total, now) for now, done, total in ((0, 0, 10), (10, 5, 10), (12, 5, 10), (13, 0, 4))
    ]
    assert estimates == [None, 10.0, 8.0, None]


def test_a_million_reports_keep_few_marks() -> None:
    left = TimeLeft()
    for done in range(100_000):
        left.after(done, 100_000, done / 10)
    assert len(left._done) < 2100
    assert left.after(100_000, 100_000, 10_000.0) == 0
