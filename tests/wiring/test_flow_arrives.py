"""Settings of a run as a whole: which stages it does, where, within what time, and what is shared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from prefect.logging import disable_run_logger

from flows import pipeline, run_command
from flows.pipeline import Run
from raiden_core.config import Config
from raiden_core.config.loading import load_config
from raiden_core.models.shards import Shards
from raiden_core.stages.folder import StageResult
from raiden_core.stages.layout import COLD_START, GENERATE, REPORT, STAGES
from tasks import evaluate, shards
from tasks import stage as stage_module
from tasks.assets import asset_of
from tests.support.config_tree import configured, off_default, value_of
from tests.support.places import FLOW, keys_at

SEEN_BY_OTHERS = {
    "cold_start.enabled",
    "runner.stages",
    "runner.gpus",
    "runner.shards",
    "runner.kind",
    "runner.address",
}
"""Keys that have a test of their own here."""


def run_of(config: Config, until: Any, refresh: list[Any], folder: Path) -> Run:
    return Run(config.model_copy(update={"output_dir": folder}), until, refresh)


@pytest.mark.parametrize("until", STAGES)
def test_a_run_does_its_stages_in_order_up_to_the_last_one_wanted(
    until: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr(Run, "stage", lambda self, task, **upstream: done.append(task.name))
    run_of(configured({}), until, [], tmp_path).chain()
    assert done == list(STAGES[: STAGES.index(until) + 1])


def test_without_a_cold_start_none_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[tuple[str, Any]] = []
    monkeypatch.setattr(Run, "stage", lambda self, task, **upstream: done.append((task.name, upstream.get("cold"))))
    monkeypatch.setattr(pipeline, "check_student", lambda student: None)
    values = {"cold_start.enabled": False, "student.model": "Qwen/Qwen2.5-0.5B-Instruct"}
    run_of(configured(values), REPORT, [], tmp_path).chain()
    assert done == [(stage, None) for stage in STAGES if stage != COLD_START]


class FakeTask:
    """As much of a Prefect task as a run uses."""

    name = "split"

    def __init__(self) -> None:
        self.options: dict[str, Any] = {}
        self.given: tuple[Any, ...] = ()
        self.named: dict[str, Any] = {}

    def with_options(self, **options: Any) -> FakeTask:
        self.options = options
        return self

    def __call__(self, *given: Any, **named: Any) -> Any:
        self.given, self.named = given, named
        result = StageResult.model_construct(folder=Path("x"), found=False)
        return SimpleNamespace(result=lambda: result, name="Completed")


@pytest.mark.parametrize(("refresh", "anew"), [([], False), (["split"], True), (["train"], False)])
def test_only_the_stages_that_are_named_are_done_anew(refresh: list[str], anew: bool, tmp_path: Path) -> None:
    task: Any = FakeTask()
    run = run_of(configured({}), REPORT, refresh, tmp_path)
    run.stage(task, generated=None)
    assert task.options.pop("assets") == [asset_of("split", run.config.name)]
    assert task.options == {"refresh_cache": anew, "result_storage": tmp_path / ".results"}
    assert (task.given, task.named["refresh"]) == ((run.config, {"generated": None}), anew)


@pytest.mark.parametrize(
    ("arguments", "until", "refresh"),
    [
        ([], "report", []),
        (["--stage", "train"], "train", ["train"]),
        (["--refresh", "train", "--refresh", "split"], "report", ["train", "split"]),
    ],
)
def test_the_command_says_how_far_and_what_anew(
    arguments: list[str], until: str, refresh: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, Any] = {}

    def flow(**given: Any) -> dict[str, Any]:
        seen.update(given)
        return {"run": "x", "stages": {}, "results": None, "report": None}

    monkeypatch.setattr(pipeline, "raiden", flow)
    file = tmp_path / "config.yaml"
    file.write_text("characters: {composed: {count: 4}}\n")
    CliRunner().invoke(run_command.run, [str(file), "--set", "seed=9", *arguments], catch_exceptions=False)
    assert seen == {"config": str(file), "overrides": ["seed=9"], "until": until, "refresh": refresh}


def test_a_flow_runs_the_file_with_its_overrides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    class Taken(Exception):
        pass

    def run(*given: Any) -> None:
        made.extend(given)
        raise Taken

    monkeypatch.setattr(pipeline, "Run", run)
    file = tmp_path / "config.yaml"
    file.write_text("characters: {composed: {count: 4}}\n")
    with pytest.raises(Taken):
        pipeline.raiden.fn(str(file), ["seed=9"], "train", ["split"])
    assert made == [load_config(file, ["seed=9"]), "train", ["split"]]
    made.clear()
    with pytest.raises(Taken):
        pipeline.raiden.fn({"seed": 3}, ["name=x"])
    assert made == [Config(seed=3, name="x"), "report", []]


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a stage's task does its work with: folder, shared storage, slot and time."""
    seen: dict[str, Any] = {}

    @contextmanager
    def slot(name: str | None, stage: str) -> Iterator[None]:
        seen["slot"] = name
        yield

    @contextmanager
    def limit(seconds: float | None, error: Any) -> Iterator[None]:
        seen["seconds"] = seconds
        yield

    def run_stage(stage: str, key: str, *, work: Any, **how: Any) -> StageResult:
        seen.update(how, stage=stage, key=key)
        work(Path("folder"))
        return StageResult.model_construct(folder=Path("x"))

    @contextmanager
    def progress(stage: str) -> Iterator[None]:
        yield

    for name, stub in (("gpu_slot", slot), ("timeout", limit), ("run_stage", run_stage), ("task_progress", progress)):
        monkeypatch.setattr(stage_module, name, stub)
    return seen


@pytest.mark.parametrize("key", sorted(set(keys_at(FLOW)) - SEEN_BY_OTHERS))
@pytest.mark.parametrize("refresh", [True, False])
def test_a_stages_work_is_done_where_and_within_what_is_said(
    key: str, refresh: bool, around: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configured({key: off_default(key)})
    call = SimpleNamespace(
        stage="train",
        key="k",
        input_digests={"a": "b"},
        section={"c": 1},
        resumable=True,
        gpu=True,
        settings=None,
        inputs={},
        work=lambda *_: {},
    )
    task = stage_module.stage_task("train", lambda config: call)  # type: ignore[arg-type, return-value]
    with disable_run_logger():
        task.fn(config, {}, refresh=refresh)
    assert around["output_dir"] == config.output_dir
    assert (around["remote"].url if around["remote"] else None) == config.storage.url
    assert (around["slot"], around["seconds"]) == (config.limits.gpu_slot, config.limits.stage_seconds)
    assert (around["refresh"], around["resumable"]) == (refresh, True)
    assert (around["inputs"], around["section"]) == ({"a": "b"}, {"c": 1})
    assert value_of(config, key) == off_default(key) or key == "output_dir"


def test_the_runner_is_the_one_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    runner: Any = shards.task_runner(configured({"runner.kind": "processes", "runner.shards": 5}))
    assert type(runner).__name__ == "ProcessPoolTaskRunner" and runner._max_workers == 5


@pytest.mark.parametrize(
    ("values", "gathered"),
    [
        ({"runner.kind": "none"}, False),
        ({"runner.kind": "processes"}, True),
        ({"runner.kind": "processes", "runner.stages": ["evaluate"]}, False),
    ],
)
def test_what_is_dealt_is_what_is_named(
    values: dict[str, Any], gathered: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Shards] = []
    monkeypatch.setattr(shards, "task_runner", lambda config: None)

    def run(runner: Any, stage: str, dealt: Shards, submit: Any) -> dict[int, str]:
        made.append(dealt)
        return {}

    monkeypatch.setattr(shards, "_run", run)
    config = configured({**values, "runner.shards": 3, "teacher.launch": None})
    shards.ask_in_shards(config.model_copy(update={"output_dir": tmp_path}), GENERATE)
    assert [dealt.of for dealt in made] == [3] * gathered


def test_a_shard_of_local_models_holds_gpus_and_one_of_served_models_none(monkeypatch: pytest.MonkeyPatch) -> None:
    options: list[dict[str, Any]] = []

    @contextmanager
    def remote_options(**given: Any) -> Iterator[None]:
        options.append(given)
        yield

    ray = SimpleNamespace(remote_options=remote_options)
    monkeypatch.setitem(__import__("sys").modules, "prefect_ray", SimpleNamespace(context=ray))
    monkeypatch.setitem(__import__("sys").modules, "prefect_ray.context", ray)
    config = configured({"runner.kind": "ray", "runner.gpus": 0.5})
    for models in ({"base": Path("x")}, {"base": "http://127.0.0.1:9/v1#m"}):
        with shards._gpus(config, models):
            pass
    with shards._gpus(configured({"runner.kind": "ray"}), {"base": Path("x")}):
        pass
    assert options == [{"num_gpus": 0.5}]


def test_rays_address_is_the_configured_one(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = SimpleNamespace(RayTaskRunner=lambda address: address)
    monkeypatch.setitem(__import__("sys").modules, "prefect_ray", ray)
    assert shards.task_runner(configured({"runner.kind": "ray"})) is None
    config = configured({"runner.kind": "ray", "runner.address": "auto"})
    address: Any = shards.task_runner(config)
    assert address == "auto"


def test_shards_are_given_the_settings_of_their_stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[Any] = []
    monkeypatch.setattr("raiden_core.generation.shards.mine_shard", lambda *given: seen.append(given))
    monkeypatch.setattr("raiden_core.evaluation.shards.answer_shard", lambda *given: seen.append(given))
    config, dealt = configured({"seed": 11}), Shards(tmp_path, 2, ())
    assert shards.generate_shard.fn(config, dealt, 1) == 1
    asked = evaluate.Questions({"base": "m"}, Path("t"), Path("v"), {"row": Path("r")})
    assert shards.evaluate_shard.fn(config, asked, dealt, 0) == 0
    (mining, *_), (answering, *rest) = seen
    assert mining.seed == answering.seed == 11
    assert rest == [asked.models, asked.validation, asked.extra, dealt, 0]


def test_questions_survive_being_inputs() -> None:
    asked = evaluate.Questions(
        {"base": Path("b"), "trained": "Qwen/x"}, Path("t"), Path("v"), {"hand-written": Path("r")}
    )
    assert evaluate.Questions.of(asked.inputs) == asked
