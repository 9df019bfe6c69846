"""What is hung onto a trainer: permuted rewards, the stop without a signal, the log of metrics."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from raiden_core.errors import StageError
from raiden_core.rewards.listed.checks import checked
from raiden_core.stages.layout import METRICS_FILE
from raiden_core.training.hooks.controls import permuted
from raiden_core.training.launch.metrics import read_metrics
from tests.support.tables import table

if TYPE_CHECKING:  # transformers takes seconds to load
    from transformers import TrainerControl, TrainerState

    from raiden_core.training.hooks.metrics_log import MetricsLog

ARGUMENTS: Any = SimpleNamespace()
VALUES = [float(number) for number in range(16)]


def accuracy(completions: list[Any], **_columns: Any) -> list[float]:
    return list(VALUES)


def form(completions: list[Any], **_columns: Any) -> list[float]:
    return [value + 100 for value in VALUES]


def at_step(step: int) -> dict[str, Any]:
    return {"completions": [""] * 16, "trainer_state": SimpleNamespace(global_step=step)}


def test_permuted_rewards_keep_their_values_and_lose_their_places() -> None:
    shuffled = permuted(accuracy, 7)(**at_step(1))
    assert Counter(shuffled) == Counter(VALUES)
    assert sum(a == b for a, b in zip(shuffled, VALUES, strict=True)) < 8


def test_both_rewards_of_a_step_are_shuffled_alike_and_other_steps_differently() -> None:
    one, two = permuted(accuracy, 7), permuted(form, 7)
    assert [value + 100 for value in one(**at_step(3))] == two(**at_step(3))
    assert one(**at_step(3)) == one(**at_step(3)) != one(**at_step(4))
    assert permuted(accuracy, 8)(**at_step(3)) != one(**at_step(3))


def test_a_permuted_reward_keeps_its_name_for_the_logs() -> None:
    assert permuted(accuracy, 7).__name__ == "accuracy"


@table("value", [math.nan, math.inf, -math.inf])
@table(
    ("columns", "who"),
    [
        ({"id": ["a"] * 9 + ["zh-9", *"b" * 6], "prompts": ["?"] * 16}, "sample zh-9"),
        ({"prompts": [[{"role": "user", "content": f"question {n}"}] for n in range(16)]}, "the question 'question 9'"),
        ({}, "completion 10 of the batch"),
    ],
)
def test_a_reward_that_is_no_number_is_named_with_step_and_sample(
    value: float, columns: dict[str, Any], who: str
) -> None:
    broken = [*VALUES[:9], value, *VALUES[10:]]
    with pytest.raises(StageError, match=rf"^step 5: broken gave {value} for {who}; a reward must be a finite number"):
        checked("broken", broken, 16, {**at_step(4), **columns})
    assert checked("accuracy", VALUES, 16, {**at_step(4), **columns}) == VALUES


@pytest.mark.parametrize(
    ("shares", "stops_at"),
    [
        ([1.0, 1.0, 1.0], 3),
        ([1.0, 1.0, 0.9, 1.0, 1.0, 1.0], 6),
        ([0.99] * 10, None),
        ([1.0, None, 1.0, None, 1.0], 5),
        ([None] * 10, None),
    ],
)
def test_training_stops_after_so_many_logs_in_a_row_without_a_signal(
    shares: list[float | None], stops_at: int | None
) -> None:
    from raiden_core.training.hooks.no_signal import NoSignal

    callback = NoSignal(3)
    stopped = None
    for number, share in enumerate(shares, 1):
        control = control_of()
        callback.on_log(ARGUMENTS, state(0), control, {} if share is None else {"frac_reward_zero_std": share})
        if control.should_training_stop:
            stopped = number
            break
    assert stopped == stops_at
    assert callback.stopped is (stops_at is not None)


def control_of() -> TrainerControl:
    from transformers import TrainerControl

    return TrainerControl()


def state(step: int, process_zero: bool = True) -> TrainerState:
    from transformers import TrainerState

    return TrainerState(global_step=step, max_steps=20, is_world_process_zero=process_zero)


def begin(folder: Path, step: int = 0) -> MetricsLog:
    from raiden_core.training.hooks.metrics_log import MetricsLog

    log = MetricsLog(folder, "grpo")
    log.on_train_begin(ARGUMENTS, state(step), control_of())
    return log


def test_metrics_are_a_head_and_a_row_a_log(tmp_path: Path) -> None:
    log = begin(tmp_path)
    log.on_log(ARGUMENTS, state(5), control_of(), {"loss": 0.5, "reward": 1})
    head, row = read_metrics(tmp_path / METRICS_FILE)
    assert head == {"phase": "grpo", "total_steps": 20}
    assert (row["phase"], row["step"], row["loss"], row["reward"]) == ("grpo", 5, 0.5, 1)


def test_what_is_no_number_is_left_out_so_that_every_line_is_json(tmp_path: Path) -> None:
    log = begin(tmp_path)
    log.on_log(ARGUMENTS, state(1), control_of(), {"loss": math.nan, "kl": math.inf, "reward": 0.5, "x": None})
    line = (tmp_path / METRICS_FILE).read_text().splitlines()[1]
    row = json.loads(line, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    assert set(row) == {"phase", "step", "seconds", "reward"}


def test_a_resumed_run_cuts_the_log_back_to_where_it_goes_on(tmp_path: Path) -> None:
    log = begin(tmp_path)
    for step in (5, 10, 15):
        log.on_log(ARGUMENTS, state(step), control_of(), {"loss": step})
    with (tmp_path / METRICS_FILE).open("a") as file:
        file.write('{"phase": "grpo", "step": 2')
    resumed = begin(tmp_path, step=10)
    resumed.on_log(ARGUMENTS, state(15), control_of(), {"loss": 99})
    head, *rows = read_metrics(tmp_path / METRICS_FILE)
    assert "total_steps" in head and [(row["step"], row["loss"]) for row in rows] == [(5, 5), (10, 10), (15, 99)]
    assert [row["seconds"] for row in rows] == sorted(row["seconds"] for row in rows)


def test_a_run_from_the_start_empties_the_log(tmp_path: Path) -> None:
    begin(tmp_path).on_log(ARGUMENTS, state(5), control_of(), {"loss": 1})
    begin(tmp_path)
    assert len(read_metrics(tmp_path / METRICS_FILE)) == 1


def test_only_the_main_process_writes(tmp_path: Path) -> None:
    from raiden_core.training.hooks.metrics_log import MetricsLog

    log = MetricsLog(tmp_path, "grpo")
    log.on_train_begin(ARGUMENTS, state(0, process_zero=False), control_of())
    log.on_log(ARGUMENTS, state(1, process_zero=False), control_of(), {"loss": 1})
    assert not (tmp_path / METRICS_FILE).exists()


def test_people_see_a_line_a_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begin(tmp_path).on_log(ARGUMENTS, state(5), control_of(), {"rewards/accuracy_reward/mean": 0.25, "other": 1})
    assert capsys.readouterr().out.startswith("grpo 5/20  accuracy 0.25  ")


def test_a_last_line_that_is_still_being_written_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / METRICS_FILE
    assert read_metrics(path) == []
    path.write_text('{"a": 1}\n{"b": 2}\n{"c": ')
    assert read_metrics(path) == [{"a": 1}, {"b": 2}]


def test_the_callbacks_are_ones_that_transformers_takes() -> None:
    from transformers import TrainerCallback, TrainingArguments

    from raiden_core.training.hooks.metrics_log import MetricsLog
    from raiden_core.training.hooks.no_signal import NoSignal

    assert issubclass(MetricsLog, TrainerCallback) and issubclass(NoSignal, TrainerCallback)
    assert TrainingArguments.__name__ == "TrainingArguments"
