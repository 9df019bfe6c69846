"""Time and GPU slot of a stage's work. No server."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from raiden_core.config.sections.base import StageSettings
from raiden_core.config.sections.limits import LimitsConfig
from raiden_core.errors import StageError
from raiden_core.stages.progress import Progress, silent
from tasks import slots, stage
from tasks.call import Inputs, Say, StageCall
from tasks.stage import may_heal


def call(work: Any, gpu: bool = False) -> StageCall[StageSettings]:
    def given(
        _settings: StageSettings, _inputs: Inputs, folder: Path, progress: Progress, _say: Say
    ) -> Mapping[str, Any]:
        result: Mapping[str, Any] = work(folder, progress)
        return result

    return StageCall("split", ("raiden_core.dataset.split",), StageSettings(), {}, given, gpu=gpu)


def test_work_that_takes_too_long_ends_and_what_it_did_is_kept(tmp_path: Path) -> None:
    cleaned: list[bool] = []

    def work(folder: Path, _progress: Progress) -> Mapping[str, Any]:
        (folder / "half").write_text("done")
        try:
            for _ in range(300):  # as stages wait for their children; one long sleep would be interrupted at its end
                time.sleep(0.1)
        finally:
            cleaned.append(True)  # where a stage takes its children down
        return {}

    with pytest.raises(StageError, match=r"split: not done within 0\.2 s \(limits\.stage_seconds\)") as caught:
        stage._bounded(call(work), LimitsConfig(stage_seconds=0.2), tmp_path, silent)
    assert cleaned == [True]
    assert (tmp_path / "half").read_text() == "done"
    error = caught.value
    assert not may_heal(None, None, SimpleNamespace(result=lambda raise_on_failure: error)), (
        "more time helps, not more tries"
    )


def test_a_time_out_of_the_work_itself_stays_what_it_is(tmp_path: Path) -> None:
    def work(_folder: Path, _progress: Progress) -> Mapping[str, Any]:
        raise TimeoutError("the teacher is late")

    with pytest.raises(TimeoutError, match="the teacher is late"):
        stage._bounded(call(work), LimitsConfig(stage_seconds=9), tmp_path, silent)


@pytest.mark.parametrize(("gpu", "slot", "held"), [(True, "gpu", "gpu"), (True, None, None), (False, "gpu", None)])
def test_only_who_wants_gpus_takes_the_slot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gpu: bool, slot: str | None, held: str | None
) -> None:
    asked: list[str | None] = []

    @contextmanager
    def taken(name: str | None, _stage: str) -> Iterator[None]:
        asked.append(name)
        yield

    monkeypatch.setattr(stage, "gpu_slot", taken)
    done = stage._bounded(call(lambda _f, _p: {"n": 1}, gpu), LimitsConfig(gpu_slot=slot), tmp_path, silent)
    assert done == {"n": 1}
    assert asked == [held]


def test_without_a_run_or_a_limit_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    with slots.gpu_slot("gpu", "train"):  # no run
        pass
    monkeypatch.setattr(slots, "TaskRunContext", SimpleNamespace(get=lambda: object()))
    monkeypatch.setattr(slots, "_free_slots", lambda _name: None)  # no such limit
    monkeypatch.setattr(slots, "concurrency", None)
    with slots.gpu_slot("gpu", "train"):
        pass


def test_a_slot_that_is_taken_is_said_and_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    held: list[dict[str, Any]] = []

    @contextmanager
    def concurrency(name: str, **how: Any) -> Iterator[None]:
        held.append({"name": name, **how})
        yield

    monkeypatch.setattr(slots, "TaskRunContext", SimpleNamespace(get=lambda: object()))
    monkeypatch.setattr(slots, "_free_slots", lambda _name: 0)
    monkeypatch.setattr(slots, "concurrency", concurrency)
    monkeypatch.setattr(slots, "say", said.append)
    monkeypatch.setattr(slots, "get_run_logger", lambda: SimpleNamespace(warning=lambda *_: None))
    with slots.gpu_slot("gpu", "train"):
        pass
    assert "train" in said[0] and "waiting" in said[0]
    assert held[0]["name"] == "gpu" and held[0]["raise_on_lease_renewal_failure"] is False


def test_a_server_that_is_away_when_the_slot_goes_back_ends_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []

    @contextmanager
    def concurrency(_name: str, **_how: Any) -> Iterator[None]:
        yield
        raise httpx.ConnectError("All connection attempts failed")

    monkeypatch.setattr(slots, "TaskRunContext", SimpleNamespace(get=lambda: object()))
    monkeypatch.setattr(slots, "_free_slots", lambda _name: 1)
    monkeypatch.setattr(slots, "concurrency", concurrency)
    logger = SimpleNamespace(warning=lambda text, *values: warned.append(text % values))
    monkeypatch.setattr(slots, "get_run_logger", lambda: logger)
    with slots.gpu_slot("gpu", "train"):
        pass
    assert len(warned) == 1 and "train" in warned[0]
    with pytest.raises(ValueError, match="its own"), slots.gpu_slot("gpu", "train"):
        raise ValueError("its own")
