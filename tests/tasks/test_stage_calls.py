"""What tasks add to stages: which errors are tried again, and what a stage's key depends on. No Prefect server."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prefect import Task
from prefect.cache_policies import NO_CACHE
from prefect.logging import disable_run_logger

from raiden_core.config import Config
from raiden_core.config.loading import parse_config
from raiden_core.config.sections.base import StageSettings
from raiden_core.errors import ConfigError, DataError, StageError
from raiden_core.samples import Sample, write_samples
from raiden_core.stages.folder import StageResult
from raiden_core.stages.layout import SPLIT, STAGES
from raiden_core.stages.progress import Progress, silent
from raiden_core.stages.run import run_stage
from tasks import progress as task_progress
from tasks.call import Inputs, Say, StageCall
from tasks.cold_start import describe as describe_cold_start
from tasks.describe import DESCRIBE
from tasks.generate import describe as describe_generate
from tasks.split import describe as describe_split
from tasks.stage import StageKey, may_heal
from tasks.stages import TASKS
from tasks.train import describe as describe_train
from tests.support.tables import table


class Busy(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status_code = status


class Refused(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.response = SimpleNamespace(status_code=status)


def unreachable() -> Exception:
    """What the OpenAI client raises where nobody listens."""
    import openai

    client = openai.OpenAI(base_url="http://127.0.0.1:1", api_key="none", max_retries=0)
    with pytest.raises(openai.APIConnectionError) as caught:
        client.models.list()
    return caught.value


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@table(
    ("error", "heals"),
    [
        (ConnectionError("lost"), True),
        (ConnectionRefusedError("no"), True),
        (TimeoutError("late"), True),
        (Busy(503), True),
        (Busy(429), True),
        (Busy(500), True),
        (Refused(502), True),
        (caused(ValueError("client"), ConnectionResetError("reset")), True),
        (Busy(400), False),
        (Busy(401), False),
        (Busy(404), False),
        (Refused(422), False),
        (ConfigError("x"), False),
        (DataError("x"), False),
        (StageError("x"), False),
        (ValueError("x"), False),
        (KeyError("x"), False),
        (MemoryError("x"), False),
        (FileNotFoundError("x"), False),
        (caused(StageError("x"), ConnectionError("lost")), False),
        (caused(RuntimeError("x"), ConfigError("y")), False),
    ],
)
def test_only_what_may_heal_is_tried_again(error: Exception, heals: bool) -> None:
    def result(raise_on_failure: bool) -> Exception:
        assert not raise_on_failure
        return error

    assert may_heal(None, None, SimpleNamespace(result=result)) is heals


def test_a_server_that_cannot_be_reached_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    error = unreachable()
    assert may_heal(None, None, SimpleNamespace(result=lambda raise_on_failure: error))


class Seed(StageSettings):
    seed: int = 0


def call(**how: Any) -> StageCall[Seed]:
    def work(_settings: Seed, _inputs: Inputs, _folder: Path, _progress: Progress, _say: Say) -> Mapping[str, Any]:
        return {}

    settings: dict[str, Any] = {
        "stage": "split",
        "modules": ("raiden_core.dataset.split",),
        "inputs": {},
        "settings": Seed(),
    }
    return StageCall(**settings | {"work": work} | how)


def test_a_file_counts_by_its_content_and_a_name_as_it_is(tmp_path: Path) -> None:
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    one.write_text("a")
    two.write_text("a")
    assert call(inputs={"x": one}).key == call(inputs={"x": two}).key
    before = call(inputs={"x": one}).key
    one.write_text("b")
    assert call(inputs={"x": one}).key != before
    assert call(inputs={"x": "Qwen/A"}).key != call(inputs={"x": "Qwen/B"}).key


def test_stage_modules_and_section_count() -> None:
    keys = {
        call().key,
        call(stage="train").key,
        call(modules=("raiden_core.samples",)).key,
        call(settings=Seed(seed=1)).key,
    }
    assert len(keys) == 4


def test_an_input_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        call(inputs={"x": tmp_path / "none.json"})


def finished(folder: Path, stage: str, files: Mapping[str, str]) -> StageResult:
    def work(out: Path) -> Mapping[str, Any]:
        for name, text in files.items():
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).write_text(text, "utf-8")
        return {}

    key = f"{stage}{len(files)}{'0' * 60}"
    return run_stage(stage, key, output_dir=folder, inputs={}, section={}, work=work, refresh=True)


COMPOSED = "characters: {composed: {count: 4}}\n"


def test_a_stage_depends_on_its_own_settings_only(tmp_path: Path) -> None:
    parts = finished(tmp_path, "split", {"train.json": "[1]", "validation.json": "[2]"})
    cold = finished(tmp_path, "cold-start", {"model/config.json": "{}", "model/model.safetensors": "w"})

    def keys(text: str) -> dict[str, str]:
        config = parse_config(COMPOSED + text)
        return {
            "generate": describe_generate(config).key,
            "cold-start": describe_cold_start(config, split=parts).key,
            "train": describe_train(config, split=parts, cold=cold).key,
        }

    plain = keys("")
    table: dict[str, set[str]] = {
        "seed: 8": {"generate", "cold-start", "train"},
        "generation: {cm_share: 0.5}": {"generate"},
        "cold_start: {learning_rate: 1e-4}": {"cold-start"},
        "student: {nano: {layers: 1}}": {"cold-start"},
        "grpo: {max_steps: 3}": {"train"},
        "system_prompt: Be {name}.": {"cold-start", "train"},
        "report: {title: other}": set(),
        "evaluation: {batch_size: 2}": set(),
        "output_dir: elsewhere": set(),
        "name: other": set(),
    }
    for text, changed in table.items():
        now = keys(text)
        assert {stage for stage in now if now[stage] != plain[stage]} == changed, text


def test_other_weights_are_another_base_for_training(tmp_path: Path) -> None:
    config = parse_config(COMPOSED)
    parts = finished(tmp_path, "split", {"train.json": "[1]", "validation.json": "[2]"})
    models = [
        finished(tmp_path, "cold-start", {"model/model.safetensors": weights, "training.log": log})
        for weights, log in (("a", "1"), ("a", "2"), ("b", "1"))
    ]
    first, same, other = (describe_train(config, split=parts, cold=model).key for model in models)
    assert first == same != other


def samples_of(count: int) -> list[Sample]:
    rows = (
        {"character_name": f"人{n}", "character_profile": {"n": n}, "question": "?", "answer": "a", "keywords": ["a"]}
        for n in range(count)
    )
    return [Sample.model_validate(row) for row in rows]


@pytest.fixture
def generated(tmp_path: Path) -> StageResult:
    def work(out: Path) -> Mapping[str, Any]:
        write_samples(out / "samples.jsonl", samples_of(6))
        return {}

    return run_stage("generate", "a" * 64, output_dir=tmp_path, inputs={}, section={}, work=work)


def config_for(folder: Path) -> Config:
    return parse_config(COMPOSED, [f"output_dir={folder}", "split.validation_characters=2"])


def test_a_task_does_its_stage_and_finds_it_again(
    tmp_path: Path, generated: StageResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = SimpleNamespace(stage=lambda _name: silent)
    token = task_progress.display.set(shown)
    config = config_for(tmp_path)
    try:
        with disable_run_logger():
            first = TASKS[SPLIT].fn(config, {"generated": generated})
            again = TASKS[SPLIT].fn(config, {"generated": generated})
            anew = TASKS[SPLIT].fn(config, {"generated": generated}, refresh=True)
    finally:
        task_progress.display.reset(token)
    assert not first.found and (first.folder / "validation.json").is_file()
    assert again.found and again.folder == first.folder
    assert not anew.found and anew.folder.name == f"{first.folder.name}-2"
    assert StageResult.model_validate_json(first.model_dump_json()) == first


def test_the_cache_key_of_a_task_is_the_key_of_its_folder_in_its_output_folder(
    tmp_path: Path, generated: StageResult
) -> None:
    config = config_for(tmp_path)
    inputs = {"config": config, "upstream": {"generated": generated}, "refresh": False}
    context: Any = None
    key = StageKey(describe=describe_split).compute_key(context, inputs, {})
    assert key is not None
    assert key.startswith(f"split-{describe_split(config, generated=generated).key}-")
    # Prefect's records in a copy of an output folder name the folders of the original: they must not be taken.
    copied = inputs | {"config": config.model_copy(update={"output_dir": tmp_path / "copy"})}
    assert key != StageKey(describe=describe_split).compute_key(context, copied, {})
    assert key == StageKey(describe=describe_split).compute_key(context, inputs | {"refresh": True}, {})
    assert StageKey().compute_key(context, inputs, {}) is None


def test_a_call_that_cannot_be_described_has_no_cache_key() -> None:
    nobody: Any = {"config": Config(), "upstream": {}}
    context: Any = None
    assert StageKey(describe=describe_generate).compute_key(context, nobody, {}) is None


def test_tasks_that_are_given_the_same_inputs_share_no_result() -> None:
    from tasks import shards

    inputs = {"config": Config(), "upstream": {}}

    def described(stage: str) -> Any:
        # The same settings, inputs and code for every task: only the stage's own name is another.
        return lambda config: StageCall(stage, ("raiden_core.dataset.split",), StageSettings(), {}, lambda *_: {})

    context: Any = None
    stages = ("generate", "split", "train")
    keys = {StageKey(describe=described(stage)).compute_key(context, inputs, {}) for stage in stages}
    assert len(keys) == len(stages) and None not in keys
    assert tuple(TASKS) == STAGES
    for stage, task in TASKS.items():
        assert isinstance(task, Task) and task.name == stage
        assert isinstance(task.cache_policy, StageKey) and task.cache_policy.describe is DESCRIBE[stage]
    for shard in (shards.generate_shard, shards.evaluate_shard):
        assert shard.cache_policy == NO_CACHE and shard.persist_result is False
