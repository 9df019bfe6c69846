"""Which stages each key of the configuration makes anew: those that use it, and no other.

`USED_BY` names every key that there is; a key that is missing from it fails by name. What changes no result is marked
`NEUTRAL` where it is defined, and stands here a second time, so that nobody marks a field by mistake.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from raiden_core.config import Config
from raiden_core.config.sections.base import StageSettings
from raiden_core.config.sections.limits import LimitsConfig
from raiden_core.stages.folder import StageResult
from raiden_core.stages.layout import COLD_START, EVALUATE, GENERATE, REPORT, SPLIT, STAGES, TRAIN
from raiden_core.stages.run import run_stage
from tasks import cold_start, evaluate, generate, report, split, train
from tasks import stage as stage_module
from tasks.call import StageCall
from tests.support.config_tree import WITH, configured, keys, neutral_keys, off_default
from tests.support.gguf_files import write_gguf
from tests.support.tables import table

NOBODY: tuple[str, ...] = ()
USED_BY: dict[tuple[str, ...], str] = {
    (GENERATE, SPLIT, COLD_START, TRAIN, EVALUATE, REPORT): "seed",
    # The student of BASE is asked with the prompt of its training.
    (GENERATE, COLD_START, TRAIN, EVALUATE, REPORT): """
        system_prompt prompt.layout prefilled_think accuracy.min_length_bound accuracy.length_ratio""",
    (GENERATE, REPORT): """
        characters.paths characters.evaluation_only
        characters.composed.count characters.composed.language characters.composed.facts
        generation.samples_per_character generation.evaluation_only_samples generation.include_cm generation.cm_share
        generation.boundaries.share
        generation.max_similarity generation.decontaminate
        teacher.kind teacher.answerer teacher.second_answerers teacher.judge teacher.answers teacher.min_agreement
        teacher.temperature teacher.turn_by_turn teacher.max_tokens teacher.drafts teacher.student teacher.student_answers
        teacher.student_max_tokens teacher.pass_rate teacher.seeds
        teacher.endpoints.teacher.model teacher.endpoints.teacher.thinking teacher.endpoints.teacher.json_schema
        teacher.endpoints.teacher.reasoning_effort""",
    (SPLIT, REPORT): "split.validation_share split.validation_characters",
    (COLD_START, REPORT): """
        student.nano.vocab_size student.nano.hidden_size student.nano.layers student.nano.heads student.nano.context
        cold_start.launch.accelerate cold_start.launch.num_processes
        cold_start.lora_r cold_start.lora_alpha cold_start.lora_target_modules
        cold_start.save_steps cold_start.save_total_limit cold_start.enabled
        cold_start.questions_per_sequence cold_start.shortest_first
        cold_start.probe.stop_at cold_start.probe.ceiling cold_start.probe.questions cold_start.probe.first
        cold_start.probe.every
        cold_start.learning_rate cold_start.num_train_epochs cold_start.per_device_train_batch_size
        cold_start.max_length""",
    # A student that is not made inside the run is evaluated as well, as the model that there was before.
    (COLD_START, EVALUATE, REPORT): "student.model",
    (TRAIN, REPORT): """
        accuracy.partial_credit
        grpo.launch.accelerate grpo.launch.num_processes grpo.lora_r grpo.lora_alpha grpo.lora_target_modules
        grpo.save_steps grpo.save_total_limit grpo.permute_rewards grpo.longest_first grpo.shared_prefix grpo.patience
        grpo.max_prompt_length grpo.eval_on grpo.eval_questions grpo.learning_rate grpo.num_train_epochs
        grpo.per_device_train_batch_size grpo.gradient_accumulation_steps grpo.num_generations
        grpo.max_completion_length grpo.curriculum grpo.curriculum_answers grpo.beta grpo.temperature grpo.top_p grpo.top_k""",
    (TRAIN, EVALUATE, REPORT): "accuracy.weight format.weight rewards",
    (EVALUATE, REPORT): """
        evaluation.max_new_tokens evaluation.batch_size evaluation.engine evaluation.vllm_gpus evaluation.samples
        evaluation.temperature evaluation.drop_bad_gold evaluation.layouts
        evaluation.served.model evaluation.served.thinking evaluation.served.json_schema
        evaluation.served.reasoning_effort
        evaluation.judge.model evaluation.judge.thinking evaluation.judge.json_schema
        evaluation.judge.reasoning_effort
        evaluation.judge_rubrics evaluation.judge_questions evaluation.judge_max_tokens""",
    # How a GGUF file is unpacked counts by what comes of it, the folder that the stages are given: see below.
    (REPORT,): "name report.title report.notes student.gguf.dtype",
    NOBODY: """
        output_dir teacher.characters_at_once teacher.budget.tokens teacher.budget.cost student.gguf.sha256
        teacher.launch.command teacher.launch.ready_path teacher.launch.ready_seconds
        storage.url runner.kind runner.address runner.shards runner.stages runner.gpus
        limits.stage_seconds limits.gpu_slot cold_start.launch.stall_seconds grpo.launch.stall_seconds """
    + " ".join(
        f"{place}.{name}"
        for place in ("teacher.endpoints.teacher", "evaluation.served", "evaluation.judge")
        for name in [
            "url",
            "api_key_env",
            "max_concurrency",
            "timeout_seconds",
            "attempts",
            "patience_seconds",
            "dialect",
            "prompt_price",
            "completion_price",
        ]
    ),
}
STAGES_OF = {key: set(stages) for stages, named in USED_BY.items() for key in named.split()}


@functools.cache
def finished(folder: Path) -> dict[str, StageResult]:
    """A made-up result of every stage, by the name under which the next ones get it."""

    def done(name: str, stage: str, files: Mapping[str, str]) -> StageResult:
        def work(out: Path) -> Mapping[str, Any]:
            for file, text in files.items():
                (out / file).parent.mkdir(parents=True, exist_ok=True)
                (out / file).write_text(text, "utf-8")
            return {}

        key = f"{name:0<64}"
        return run_stage(stage, key, output_dir=folder, inputs={}, section={}, work=work)

    model = {"model/config.json": "{}"}
    return {
        "generated": done("aa", GENERATE, {"samples.jsonl": "", "evaluation_only/row.jsonl": ""}),
        "split": done("bb", SPLIT, {"train.json": "[]", "validation.json": "[]"}),
        "cold": done("cc", COLD_START, model),
        "trained": done("dd", TRAIN, model),
        "evaluated": done("ee", EVALUATE, {"results.json": "{}"}),
    }


def calls(config: Config, folder: Path) -> dict[str, StageCall[Any]]:
    """What every stage would do, on the same results of the stages before it."""
    before = finished(folder)

    def given(*names: str) -> dict[str, StageResult]:
        return {name: before[name] for name in names}

    return {
        GENERATE: generate.describe(config),
        SPLIT: split.describe(config, **given("generated")),
        COLD_START: cold_start.describe(config, **given("split")),
        TRAIN: train.describe(config, **given("split", "cold")),
        EVALUATE: evaluate.describe(config, **given("generated", "split", "cold", "trained")),
        REPORT: report.describe(config, **given("generated", "split", "cold", "trained", "evaluated")),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stages")


@functools.cache
def keys_beside(folder: Path, key: str | None) -> dict[str, str]:
    """The keys of all stages before a key of the configuration is changed; None: where nothing must be set for it."""
    return {stage: call.key for stage, call in calls(configured(WITH[key] if key else {}), folder).items()}


def changed(folder: Path, key: str) -> set[str]:
    """The stages that a key's other value makes anew."""
    before = keys_beside(folder, key if key in WITH else None)
    after = calls(configured({**WITH.get(key, {}), key: off_default(key)}), folder)
    return {stage for stage in STAGES if before[stage] != after[stage].key}


def test_every_key_of_the_configuration_says_who_uses_it() -> None:
    assert set(keys()) == set(STAGES_OF)


@table("key", sorted(keys()))
def test_a_key_makes_those_stages_anew_that_use_it_and_no_other(key: str, folder: Path) -> None:
    assert changed(folder, key) == STAGES_OF.get(key)


def test_what_is_marked_as_changing_nothing_is_what_nobody_uses() -> None:
    assert neutral_keys() == {key for key, stages in STAGES_OF.items() if not stages}


@pytest.mark.parametrize(
    ("base", "values", "anew"),
    [
        # The offline teacher has no settings, and asks no student.
        ({"characters": {"composed": {"count": 4}}}, {"teacher.answers": 9, "teacher.temperature": 0.1}, {REPORT}),
        (
            {"characters": {"composed": {"count": 4}}},
            {"system_prompt": "Be {name}."},
            {COLD_START, TRAIN, EVALUATE, REPORT},
        ),
        # A student that is read from outside has its own shape.
        (
            {"characters": {"composed": {"count": 4}}, "student": {"model": "Qwen/Qwen2.5-0.5B-Instruct"}},
            {"student.nano.layers": 1},
            {REPORT},
        ),
        # Fields of TRL count like ours.
        ({"characters": {"composed": {"count": 4}}}, {"grpo.weight_decay": 0.1}, {TRAIN, REPORT}),
        ({"characters": {"composed": {"count": 4}}}, {"cold_start.weight_decay": 0.1}, {COLD_START, REPORT}),
    ],
)
def test_what_is_not_used_under_a_configuration_makes_nothing_anew(
    base: dict[str, Any], values: dict[str, Any], anew: set[str], folder: Path
) -> None:
    before, after = (calls(configured(changes, base), folder) for changes in ({}, values))
    assert {stage for stage in STAGES if before[stage].key != after[stage].key} == anew


@pytest.mark.parametrize(("section", "stage"), [("cold_start", COLD_START), ("grpo", TRAIN)])
def test_an_accelerate_file_counts_by_what_stands_in_it(section: str, stage: str, folder: Path, tmp_path: Path) -> None:
    def key_with(name: str, text: str | None) -> str:
        file = tmp_path / name
        if text is not None:
            file.write_text(text, "utf-8")
        return calls(configured({f"{section}.launch.accelerate": str(file)}), folder)[stage].key

    first = key_with("ddp.yaml", "num_processes: 8\n")
    assert key_with("copy.yaml", "num_processes: 8\n") == first
    assert key_with("ddp.yaml", "num_processes: 4\n") != first
    assert key_with("missing.yaml", None) != key_with("another.yaml", None), "the stage says that it is missing"


def test_a_gguf_file_counts_by_what_it_is_unpacked_into(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAIDEN_CACHE", str(tmp_path))
    monkeypatch.setattr("raiden_core.models.gguf.unpack.is_installed", lambda: False)
    base = {"characters": {"composed": {"count": 4}}, "student": {"model": str(write_gguf(tmp_path / "m.gguf"))}}
    ways: list[dict[str, Any]] = [{}, {"student.gguf.dtype": "bfloat16"}]
    before, after = (calls(configured(changes, base), folder) for changes in ways)
    assert {stage for stage in STAGES if before[stage].key != after[stage].key} == {COLD_START, EVALUATE, REPORT}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stages_work_is_handed_nothing_but_what_makes_its_key(stage: str, folder: Path) -> None:
    call = calls(configured({}), folder)[stage]
    assert call.work.__closure__ is None, "what a closure knows is in no key"
    assert isinstance(call.settings, StageSettings)
    assert call.section == call.settings.key_section()


def test_a_call_hands_its_settings_and_inputs_to_its_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[Any] = []

    def work(*given: Any) -> dict[str, Any]:
        taken.extend(given)
        return {"done": True}

    def progress(done: int, total: int, note: str = "") -> None:
        raise AssertionError("nobody reports")

    settings = StageSettings()
    call = StageCall("split", ("raiden_core.dataset.split",), settings, {"x": "y"}, work)
    assert stage_module._bounded(call, LimitsConfig(), tmp_path, progress) == {"done": True}
    assert taken[:4] == [settings, {"x": "y"}, tmp_path, progress]
    said: list[str] = []
    monkeypatch.setattr("tasks.stage.say", said.append)
    taken[4]("careful")
    assert said == ["split: careful"]
