"""A reward function that never comes back is interrupted where it runs."""

import signal
from pathlib import Path

import pytest

from raiden_core.errors import StageError
from raiden_core.rewards.listed.chosen import parse_entries
from raiden_core.rewards.listed.limits import interrupted_after
from raiden_core.rewards.listed.running import RewardRun


@pytest.mark.timeout(60, method="thread")  # the other method holds the timer
@pytest.mark.parametrize(
    "body",
    [
        "    time.sleep(60)",
        "    while True: pass",
        "    while True:\n        try:\n            time.sleep(60)\n        except Exception:\n            pass",
        "    try:\n        time.sleep(60)\n    except:\n        time.sleep(60)",
    ],
    ids=["waits", "works", "catches exceptions", "catches all, once"],
)
def test_a_function_that_never_comes_back_is_one_line_and_leaves_no_timer(body: str, tmp_path: Path) -> None:
    own = tmp_path / "mine.py"
    own.write_text(f"import time\ndef endless(completions, **columns):\n{body}\n    return [1.0]\n")
    before = signal.getsignal(signal.SIGALRM)
    chosen = parse_entries([{"use": f"{own}:endless", "time_limit": 0.05}], "test")
    words = r"endless had not answered after 0.05 s \(time_limit\) for a batch of 1"
    with RewardRun(chosen) as run, pytest.raises(StageError, match=words):
        run(None, ["a"], {})
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0) and signal.getsignal(signal.SIGALRM) is before


@pytest.mark.timeout(60, method="thread")  # the other method holds the timer
def test_a_signal_at_the_very_end_does_not_keep_the_timer_from_being_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    before, set_timer = signal.getsignal(signal.SIGALRM), signal.setitimer

    def late(which: int, seconds: float, interval: float = 0.0) -> tuple[float, float]:
        if not seconds:
            signal.raise_signal(signal.SIGALRM)
        return set_timer(which, seconds, interval)

    monkeypatch.setattr(signal, "setitimer", late)
    with interrupted_after(60):
        pass
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0) and signal.getsignal(signal.SIGALRM) is before
