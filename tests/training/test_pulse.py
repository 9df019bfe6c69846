"""Progress moves with every step and within it, whatever the trainer logs."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from raiden_core.stages.layout import METRICS_FILE
from raiden_core.training.launch.accelerate import _Watcher
from raiden_core.training.launch.metrics import PULSE_FILE, read_pulse
from tests.support.tiny_models import tiny_model

ARGUMENTS: Any = SimpleNamespace(max_completion_length=24)
CONTROL: Any = SimpleNamespace()


def state(step: int, first: bool = True) -> Any:
    return SimpleNamespace(global_step=step, max_steps=9, is_world_process_zero=first)


def test_it_says_what_a_trainer_is_doing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from raiden_core.training.hooks import pulse

    monkeypatch.setattr(pulse, "WRITE_SECONDS", 0)
    model = tiny_model(64, 64)
    beat, file = pulse.Pulse(tmp_path), tmp_path / PULSE_FILE
    beat.on_train_begin(ARGUMENTS, state(3), CONTROL, model=model)
    said = []
    with torch.no_grad():
        for length in (5, 1, 1):
            model(torch.zeros(2, length, dtype=torch.long))
            said.append(read_pulse(file))
    for _ in range(2):
        model(torch.zeros(2, 5, dtype=torch.long))
        said.append(read_pulse(file))
    beat.on_step_end(ARGUMENTS, state(4), CONTROL)
    said.append(read_pulse(file))
    assert said == [
        (3, 9, "reading, pass 1"),
        (3, 9, "rollouts, token 1 of 24"),
        (3, 9, "rollouts, token 2 of 24"),
        (3, 9, "training, pass 1"),
        (3, 9, "training, pass 2"),
        (4, 9, ""),
    ]
    beat.on_train_end(ARGUMENTS, state(4), CONTROL)
    model(torch.zeros(2, 5, dtype=torch.long))
    assert not file.exists(), "a model that is saved has no hook"


def test_it_writes_seldom_and_on_one_process(tmp_path: Path) -> None:
    import torch

    from raiden_core.training.hooks.pulse import Pulse

    model = tiny_model(64, 64)
    other = Pulse(tmp_path)
    other.on_train_begin(ARGUMENTS, state(0, first=False), CONTROL, model=model)
    other.on_step_end(ARGUMENTS, state(1, first=False), CONTROL)
    model(torch.zeros(1, 4, dtype=torch.long))
    assert not list(tmp_path.iterdir())
    beat = Pulse(tmp_path)
    beat.on_train_begin(ARGUMENTS, state(0), CONTROL, model=model)
    for _ in range(20):
        model(torch.zeros(1, 4, dtype=torch.long))
    assert read_pulse(tmp_path / PULSE_FILE) == (0, 9, "training, pass 1")


@pytest.mark.parametrize(
    ("beat", "told"),
    [
        (None, (10, 40, "loss 0.50")),
        ((12, "rollouts, token 3"), (12, 40, "loss 0.50, rollouts, token 3")),
        ((12, ""), (12, 40, "loss 0.50")),
        ((9, "of an earlier try"), (10, 40, "loss 0.50")),
    ],
)
def test_progress_moves_between_logs(tmp_path: Path, beat: tuple[int, str] | None, told: tuple[int, int, str]) -> None:
    calls: list[tuple[int, int, str]] = []
    watcher = _Watcher(tmp_path / METRICS_FILE, lambda *call: calls.append(call), lambda _: None)
    rows = [{"phase": "grpo", "total_steps": 40}, {"phase": "grpo", "step": 10, "loss": 0.5}]
    (tmp_path / METRICS_FILE).write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    if beat is not None:
        pulse = {"step": beat[0], "total_steps": 40, "doing": beat[1]}
        (tmp_path / PULSE_FILE).write_text(json.dumps(pulse), "utf-8")
    watcher.look()
    assert calls == [told]


def test_life_is_told_before_the_first_log_of_a_run_that_goes_on(tmp_path: Path) -> None:
    earlier = '{"phase": "grpo", "total_steps": 40}\n{"phase": "grpo", "step": 10, "loss": 0.5}\n'
    (tmp_path / METRICS_FILE).write_text(earlier, "utf-8")
    (tmp_path / PULSE_FILE).write_text('{"step": 0, "total_steps": 40, "doing": "reading, pass 1"}', "utf-8")
    calls: list[tuple[int, int, str]] = []
    _Watcher(tmp_path / METRICS_FILE, lambda *call: calls.append(call), lambda _: None).look()
    assert calls == [(0, 40, "reading, pass 1")]
