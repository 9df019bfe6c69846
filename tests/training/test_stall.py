"""A trainer that stalls: how it is noticed, what is kept of it, how often it is started again."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from raiden_core.config.sections.training import LaunchConfig
from raiden_core.stages.progress import silent
from raiden_core.training.launch import accelerate as launch
from raiden_core.training.launch import stall
from raiden_core.training.launch.accelerate import Runner
from raiden_core.training.launch.metrics import PULSE_FILE
from raiden_core.training.launch.stall import PARTS, STACKS_FILE, Stalled, Stillness, signs_of_life
from tests.support.tables import table

Look = tuple[str, bool, float]


@table(
    ("limit", "looks", "stalled"),
    [
        # It trains, and nothing changes for longer than is allowed.
        (20, [("a", True, 0), ("a", True, 9), ("a", True, 18), ("a", True, 19), ("a", True, 21)], True),
        (20, [("a", True, 0), ("a", True, 9), ("b", True, 18), ("b", True, 27), ("b", True, 36)], False),
        # Loading and saving may be quiet for longer, but not forever.
        (20, [("a", False, 0), *(("a", False, 9 * n) for n in range(1, 200))], False),
        (20, [("a", False, 0), *(("a", False, 9 * n) for n in range(1, 202))], True),
        (4000, [("a", False, 0), *(("a", False, 9 * n) for n in range(1, 202))], False),
        # Whoever looks was stopped for an hour itself.
        (20, [("a", True, 0), ("a", True, 3600)], False),
        (None, [("a", True, 9 * n) for n in range(1000)], False),
    ],
)
def test_stillness_is_counted_while_somebody_looks(limit: float | None, looks: list[Look], stalled: bool) -> None:
    stillness = Stillness(limit)
    assert [stillness.look(*look) for look in looks][-1] is stalled


def test_a_log_is_a_sign_of_life_only_until_training_begins(tmp_path: Path) -> None:
    def changes(change: Callable[[], object]) -> bool:
        before = signs_of_life(tmp_path)
        change()
        return signs_of_life(tmp_path) != before

    def longer(path: Path) -> Callable[[], object]:
        path.parent.mkdir(exist_ok=True)
        path.touch()
        return lambda: path.write_text(path.read_text() + "x")

    log, checkpoint = tmp_path / "training.log", tmp_path / "checkpoint-2" / "model.safetensors"
    assert changes(longer(log)) and changes(longer(checkpoint))
    assert signs_of_life(tmp_path)[0] is False
    assert changes(longer(tmp_path / PULSE_FILE))
    assert signs_of_life(tmp_path)[0] is True
    assert not changes(longer(log)), "who waits for a dead peer says so in the log"
    assert changes(longer(checkpoint)) and not changes(longer(tmp_path / PARTS / "rank0-pid1.txt"))


SCRIPT = """
import os, signal, sys, threading, time, yaml
from pathlib import Path
from raiden_core.training.launch.script import as_script
job = yaml.safe_load(open(sys.argv[1]))
out = Path(job["output_dir"])
tries = out.parent / "tries"
def beat(step):
    unfinished = out / "pulse.new"
    unfinished.write_text('{"step": %d, "total_steps": 9, "doing": ""}' % step)
    unfinished.rename(out / "pulse.json")
def waits_for_a_peer():
    if job["how"] == "stopped":
        os.kill(os.getpid(), signal.SIGSTOP)
    threading.Event().wait(60)
def main():
    number = len(tries.read_text()) if tries.exists() else 0
    tries.write_text("x" * (number + 1))
    if number < len(job["stalls"]):
        beat(job["stalls"][number])
        waits_for_a_peer()
with as_script():
    main()
"""


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Runner, list[str]]:
    """Runs a script that stalls at given steps, one in each try; and what is said to people."""
    (tmp_path / "stalling_script.py").write_text(SCRIPT)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(launch.__file__).parents[3]}")
    monkeypatch.setattr(launch, "accelerate_command", lambda _launch: [sys.executable])
    monkeypatch.setattr(launch, "POLL_SECONDS", 0.05)
    out = tmp_path / "out"
    out.mkdir()
    said: list[str] = []
    return Runner("stalling_script", LaunchConfig(stall_seconds=0.6), out, silent, said.append), said


def tries(runner: Runner) -> int:
    return len((runner.out.parent / "tries").read_text())


@pytest.mark.parametrize("how", ["stopped", "waiting"])
def test_a_trainer_that_stalls_is_started_again_and_its_stacks_are_kept(
    runner: tuple[Runner, list[str]], how: str
) -> None:
    run, said = runner
    left = run.out / PARTS / "rank5-pid1.txt"  # by a caller that was killed: somebody else may have its pid now
    left.parent.mkdir()
    left.touch()
    assert run.run({"how": how, "stalls": [2, 4]}) == []
    assert tries(run) == 3
    kept = run.out / STACKS_FILE
    ending = f"(launch.stall_seconds); see {kept}; training goes on from its last checkpoint"
    assert len(said) == 2 and all(line.startswith("no progress for 1 s ") for line in said)
    assert all(line.endswith(ending) and "\n" not in line for line in said)
    text = kept.read_text("utf-8")
    assert text.count("==== ") == text.count("---- rank 0, pid ") == text.count(" in waits_for_a_peer\n") == 2
    assert "rank 5" not in text and not (run.out / PARTS).exists()


@pytest.mark.parametrize(
    ("stalls", "started", "words"),
    [
        ([3, 3], 2, "it stalled 2 times, the last at step 3, and is not started again"),
        ([3, 5, 2], 3, "it stalled 3 times, the last at step 2"),
        ([1, 2, 3], 3, "it stalled 3 times, the last at step 3"),
    ],
)
def test_without_progress_or_too_often_it_is_the_end(
    runner: tuple[Runner, list[str]], monkeypatch: pytest.MonkeyPatch, stalls: list[int], started: int, words: str
) -> None:
    run, _ = runner
    monkeypatch.setattr(launch, "MOST_STALLS", 2)
    with pytest.raises(Stalled) as caught:
        run.run({"how": "waiting", "stalls": stalls})
    message = str(caught.value)
    assert words in message and str(run.out / STACKS_FILE) in message and "\n" not in message
    assert tries(run) == started
    assert (run.out / STACKS_FILE).read_text("utf-8").count(" in waits_for_a_peer\n") == started


def test_a_process_that_cannot_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stall, "ANSWER_SECONDS", 0.1)

    class Gone:
        """A trainer of whose two processes one has ended."""

        def resume(self) -> None: ...

        def signal_descendant(self, pid: int, number: int) -> bool:
            return pid == 7

    (tmp_path / PARTS).mkdir()
    (tmp_path / PARTS / "rank0-pid7.txt").write_text("its stacks\n")
    (tmp_path / PARTS / "rank1-pid8.txt").touch()
    gone: Any = Gone()
    lines = stall.keep_stacks(gone, tmp_path, 61).read_text("utf-8").splitlines()
    assert lines[0].endswith("no progress for 61 s")
    assert lines[1:] == [
        "---- rank 0, pid 7",
        "its stacks",
        "---- rank 1, pid 8",
        "it had ended, or did not answer",
    ]


def test_who_is_not_watched_answers_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(stall.STACKS_VARIABLE, raising=False)
    monkeypatch.setattr("faulthandler.register", lambda *given, **named: pytest.fail(str(given)))
    stall.answer_with_stacks()
    assert stall.STACKS_VARIABLE not in os.environ


@pytest.mark.parametrize(("limit", "pause"), [(3600.0, 5.0), (1.0, 0.1), (None, None)])
def test_the_folder_is_looked_at_no_more_often_than_a_limit_needs(limit: float | None, pause: float | None) -> None:
    still = Stillness(limit)
    assert still.is_due(100.0) is (limit is not None)
    if pause is None:
        return
    still.look("signs", True, 100.0)
    assert not still.is_due(100.0 + 0.9 * pause) and still.is_due(100.0 + 1.1 * pause)
