"""Progress in lines: not too many of them, each with the time left as soon as that can be told."""

import time

import pytest

from raiden_core.stages.progress import in_lines


def test_lines_are_told_now_and_then_with_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    told: list[tuple[int, int, str]] = []
    progress = in_lines(10, lambda *line: told.append(line))
    for moment, done in ((105, 1), (111, 0), (112, 4), (122, 4), (125, 6), (133, 11)):
        clock[0] = moment
        progress(done, 12, f"at {moment}" if done else "")
    assert told == [
        (0, 12, "0 of 12"),
        (4, 12, "4 of 12, about 44 s left, at 122"),
        (11, 12, "11 of 12, about 3 s left, at 133"),
    ]
