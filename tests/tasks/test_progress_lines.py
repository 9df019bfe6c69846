"""Progress in lines: not too many of them, each with the time left."""

import time

import pytest

from tasks.progress import occasionally


def test_lines_are_told_now_and_then_with_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    told: list[tuple[int, int, float, str]] = []
    progress = occasionally(10, lambda *line: told.append(line))
    for moment, done in ((105, 1), (111, 0), (112, 4), (115, 6), (122, 11)):
        clock[0] = moment
        progress(done, 12, f"at {moment}")
    assert told == [(4, 12, 24.0, "at 112"), (11, 12, 2.0, "at 122")]
