"""Settings of evaluation and of the report on their way: who answers, what is asked and scored, who judges, the page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from raiden_core.config import Config
from raiden_core.errors import DataError
from raiden_core.evaluation import stage
from raiden_core.evaluation.sets import QuestionSets
from raiden_core.evaluation.settings import EvaluateSettings
from raiden_core.models.answering import Reply
from raiden_core.report import stage as report_stage
from raiden_core.report.hardware import describe_hardware
from raiden_core.report.settings import ReportSettings
from raiden_core.samples import Sample, write_samples
from raiden_core.stages.folder import KEY_DIGITS
from raiden_core.stages.layout import STAGES
from raiden_core.stages.progress import silent
from tests.support.config_tree import configured, neutral_keys, off_default, value_of
from tests.support.places import ANSWERERS, JUDGE, PAGE, keys_at

NAMES = {"vllm_gpus": "gpus"}
"""What a key is called where it works, when it has another name there."""
NOT_OF_A_FOLDER = {"evaluation.engine"}


@pytest.mark.parametrize("key", [*keys_at(ANSWERERS), "seed"])
def test_who_answers_is_made_of_the_settings(key: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("raiden_core.models.vllm_model.VllmModel.__post_init__", lambda self: None)
    config = configured({key: off_default(key)})
    if key == "evaluation.vllm_gpus":
        config = configured({key: off_default(key), "evaluation.engine": "vllm"})
    models: dict[str, Path | str] = {"base": tmp_path, "trained": "http://127.0.0.1:9/v1#served"}
    local: Any
    served: Any
    local, served = (stage.answerers(EvaluateSettings.of(config), models)[name] for name in models)
    said = value_of(config, key)
    name = key.removeprefix("evaluation.")
    if name.startswith("served."):
        field = name.removeprefix("served.")
        # Address and name of the model are the command's.
        expected = {"url": "http://127.0.0.1:9/v1", "model": "served"}.get(field, said)
        assert getattr(served.endpoint, field) == expected
        return
    if key == "evaluation.engine":
        assert type(local).__name__ == "VllmModel"
        return
    assert getattr(local, NAMES.get(name, name)) == said
    if hasattr(served, name):
        assert getattr(served, name) == said


class Said:
    """A model that says the same to everything."""

    asked: Sequence[Any] = ()
    draws: Sequence[int] = ()

    def answer(self, prompts: Sequence[Any], *, store: Path, progress: Any, draws: Sequence[int]) -> list[Reply]:
        Said.asked, Said.draws = prompts, draws
        return [Reply("<think>?</think><answer>我叫李四。</answer>", 9, True) for _ in prompts]


def samples() -> list[Sample]:
    rows = [
        {"character_name": f"人{number}", "character_profile": {"号": number}, "question": "你叫什么？"}
        | {"answer": "我叫李四。" if number else "不告诉你。", "keywords": ["李四"]}
        for number in range(3)
    ]
    return [Sample.model_validate(row) for row in rows]


def evaluated(config: Config, out: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The results file of an evaluation of a model that is always right, on samples of which one is bad."""
    monkeypatch.setattr(stage, "_answerer", lambda *_: Said())
    file = out / "validation.json"
    write_samples(file, samples())
    stage.evaluate_files(EvaluateSettings.of(config), {"trained": "m"}, file, {}, out / "results", silent)
    results: dict[str, Any] = json.loads((out / "results" / "results.json").read_text("utf-8"))
    return results


def test_every_file_of_an_evaluation_arrives_with_what_is_to_be_known_of_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[QuestionSets] = []
    monkeypatch.setattr(stage, "_answerer", lambda *_: Said())
    monkeypatch.setattr(stage, "evaluate", lambda models, questions, *_, **__: asked.append(questions))
    monkeypatch.setattr(stage, "read_evaluation_data", lambda path: (samples()[:1], [f"{path.name} has few samples"]))
    main, other, train = (tmp_path / f"{name}.json" for name in ("validation", "other", "train"))
    for file, some in ((other, samples()[1:2]), (train, samples()[2:])):
        write_samples(file, some)
    settings = EvaluateSettings.of(configured({"evaluation.judge": None}))
    stage.evaluate_files(settings, {"trained": "m"}, main, {"other": other}, tmp_path / "results", silent, train)
    [questions] = asked
    assert list(questions.validation) == samples()[:1] and list(questions.notes) == ["validation.json has few samples"]
    assert {name: list(some) for name, some in questions.extra.items()} == {"other": samples()[1:2]}
    assert list(questions.training or ()) == samples()[2:]
    assert questions.files == {"validation": main, "other": other}


def test_an_evaluation_does_what_it_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    values = {
        "evaluation.drop_bad_gold": True,
        "evaluation.samples": 2,
        "evaluation.temperature": 0.6,
        "evaluation.max_new_tokens": 33,
        "evaluation.judge": None,
        "evaluation.layouts": ["sillytavern", "risu"],
        "system_prompt": "Be {name}, and brief.",
        "prompt.layout": "sillytavern",
        "seed": 11,
        "accuracy.weight": 0.5,
        "format.weight": 0.25,
    }
    results = evaluated(configured(values), tmp_path, monkeypatch)
    assert len(results["dropped_bad_gold"]["validation"]) == 1
    settings = results["settings"]
    assert (settings["samples_per_question"], settings["temperature"]) == (2, 0.6)
    assert (settings["max_new_tokens"], settings["seed"]) == (33, 11)
    assert settings["instructions"] == "Be {name}, and brief."
    assert settings["layout"] == "sillytavern"
    assert set(results["extra"]) == {"layout risu"}, "the layout of the headline is not asked twice"
    assert sorted(Said.draws) == [0, 0, 0, 0, 1, 1, 2, 2]
    systems = [prompt[0]["content"] for prompt in Said.asked]
    assert sum("\n\n号：" in system for system in systems) == 2, "Risu parts its blocks by blank lines"
    assert all("and brief." in prompt[0]["content"] for prompt in Said.asked)
    lines = (tmp_path / "results" / "predictions.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["total"] for line in lines] == [0.75] * 4


def test_a_bad_reference_is_refused_unless_the_settings_say_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="fails its own validator"):
        evaluated(configured({"evaluation.judge": None}), tmp_path, monkeypatch)


@pytest.mark.parametrize("key", [*keys_at(JUDGE), "seed"])
def test_the_judge_is_the_configured_one(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config = configured({key: off_default(key)})
    evaluation = config.evaluation
    judge = stage._judge(EvaluateSettings.of(config))
    assert judge is not None
    assert judge.endpoint == evaluation.judge != evaluation.served
    assert (judge.rubrics, judge.questions) == (evaluation.judge_rubrics, evaluation.judge_questions)
    assert (judge.max_tokens, judge.seed) == (evaluation.judge_max_tokens, config.seed)
    assert stage._judge(EvaluateSettings.of(configured({"evaluation.judge": None}))) is None


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """What the page is built of; the folders of its stages are empty but for what is read at once."""
    seen: dict[str, Any] = {}
    monkeypatch.setattr(report_stage, "build_report", lambda **given: seen.update(given))

    def drawn(file: Path, seed: int) -> list[Any]:
        seen["drawn_by"] = seed
        return []

    monkeypatch.setattr(report_stage, "random_samples", drawn)
    monkeypatch.setattr(report_stage, "read_results", lambda path: None)
    monkeypatch.setattr(
        report_stage, "_read", lambda path: {"versions": {}, "key": "0" * 64, "seconds": 1, "inputs": {}}
    )
    for stage_name in STAGES:
        (tmp_path / stage_name).mkdir()
        (tmp_path / stage_name / "metrics.jsonl").write_text("")
    return seen


def build(config: Config, folder: Path) -> None:
    (folder / "out").mkdir(exist_ok=True)
    stages: Mapping[str, Path] = {name: folder / name for name in STAGES[:-1]}
    report_stage.report_stage(ReportSettings.of(config), stages, folder / "out")


@pytest.mark.parametrize("key", [*keys_at(PAGE), "seed"])
def test_the_page_says_what_it_is_told(key: str, page: dict[str, Any], tmp_path: Path) -> None:
    config = configured({key: off_default(key)})
    build(config, tmp_path)
    assert page["run"]["name"] == config.report.title
    assert page["run"]["notes"][-len(config.report.notes) :] == list(config.report.notes) or not config.report.notes
    assert page["run"]["seed"] == page["drawn_by"] == config.seed
    assert page["config"]["name"] == config.name


def test_the_page_says_where_it_was_measured_and_how_to_run_it_again(page: dict[str, Any], tmp_path: Path) -> None:
    build(configured({}), tmp_path)
    run = page["run"]
    assert run["commands"] == ["raiden run config.yaml", "raiden run config.yaml --refresh train"]
    assert run["hardware"] == describe_hardware() and run["versions"] == {}
    row = {"key": "0" * KEY_DIGITS, "seconds": 1, "inputs": {}}
    assert run["stages"] == [{"stage": name, **row} for name in STAGES[:-1]]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"student.model": "Qwen/Qwen2.5-0.5B-Instruct"}, []),
        ({}, ["The student is nano"]),
        ({"grpo.permute_rewards": True}, ["The student is nano", "rewards were permuted"]),
        ({"teacher.kind": "offline"}, ["The student is nano", "The offline teacher"]),
    ],
)
def test_the_notes_say_how_the_run_was_configured(
    values: dict[str, Any], words: list[str], page: dict[str, Any], tmp_path: Path
) -> None:
    build(configured(values), tmp_path)
    notes = page["run"]["notes"]
    assert len(notes) == len(words) and all(word in note for word, note in zip(words, notes, strict=True))


def test_the_page_shows_every_setting_that_a_result_depends_on_and_no_other(
    page: dict[str, Any], tmp_path: Path
) -> None:
    def paths(tree: Mapping[str, Any], prefix: str = "") -> set[str]:
        found = set()
        for name, value in tree.items():
            found |= paths(value, f"{prefix}{name}.") if isinstance(value, dict) and value else {f"{prefix}{name}"}
        return found

    build(configured({}), tmp_path)
    shown = paths(page["config"])
    assert not shown & neutral_keys()
    assert {
        "grpo.patience",
        "evaluation.judge.model",
        "teacher.endpoints.teacher.model",
        "split.validation_share",
    } <= shown
