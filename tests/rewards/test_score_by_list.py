"""``raiden score --rewards``, and the other places where a list of rewards is seen: doctor, tables, page, card, artifacts."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from raiden_core.cli.score import score as score_command
from raiden_core.config.loading import load_config, parse_config, plain_config
from raiden_core.doctor.rewards import check_list
from raiden_core.doctor.subject import Subject
from raiden_core.evaluation.evaluate import evaluate
from raiden_core.evaluation.predictions import read_predictions
from raiden_core.evaluation.results import Results, read_results
from raiden_core.evaluation.sets import QuestionSets
from raiden_core.evaluation.settings import EvaluateSettings
from raiden_core.evaluation.stage import measure_of
from raiden_core.evaluation.tables import result_tables
from raiden_core.export.model_card import _reward, _rewards
from raiden_core.report.curves import training_charts
from raiden_core.report.further import reward_table
from raiden_core.samples import Sample, write_samples
from raiden_core.training.launch.metrics import figures_of
from tasks.artifacts import results_markdown
from tests.support.answerers import Script

OWN = """
def warmth(completions, question=None, **columns):
    return [len(one[-1]["content"]) / 100 - 1 for one in completions]

def raises(completions, **columns):
    raise RuntimeError("no")
"""
LIST: list[dict[str, Any]] = [
    {"use": "accuracy", "weight": 0.5},
    {"use": "format", "weight": 0.25},
    {"use": "one_voice", "gate": True},
]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration with a list, and the user's file that it names."""
    (tmp_path / "their_own.py").write_text(OWN)
    file = tmp_path / "config.yaml"
    own = {"use": f"{tmp_path / 'their_own.py'}:warmth", "weight": 0.1}
    file.write_text(yaml.safe_dump({"characters": {"composed": {"count": 6}}, "rewards": [*LIST, own]}))
    return file


def score(tmp_path: Path, rows: list[Any], *options: str) -> Result:
    file = tmp_path / "completions.jsonl"
    file.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), "utf-8")
    return CliRunner().invoke(score_command, [str(file), *options])


def whole(answer: str) -> str:
    return f"<think>?</think><answer>{answer}</answer>"


def test_score_says_what_each_reward_says_and_the_lists_total(config: Path, tmp_path: Path) -> None:
    rows: list[Any] = [
        {"id": "a", "keywords": ["Leeds"], "completion": whole("Leeds.")},
        "{broken",
        {"id": "b", "keywords": ["Leeds"], "completion": whole("Leeds.\nUser: Why?")},
    ]
    done = score(tmp_path, rows, "--rewards", str(config))
    first, broken, second = [json.loads(line) for line in done.stdout.splitlines()]
    assert first["rewards"] == {"accuracy": 1.0, "format": 1.0, "one_voice": 1.0, "warmth": pytest.approx(-0.61)}
    assert first["total"] == pytest.approx(0.75 - 0.061)
    assert (second["rewards"]["one_voice"], second["rewards"]["accuracy"], second["total"]) == (0.0, 1.0, 0.0)
    assert (broken["rewards"], broken["total"], done.exit_code) == (None, 0.0, 1)
    table = score(tmp_path, rows, "--rewards", str(config), "--summary").stdout
    assert "mean reward warmth" in table and "0.5000" in table


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--rewards", "{config}", "--accuracy-weight", "1"], "--accuracy-weight and --rewards"),
        (["--rewards", "nowhere.yaml"], "nowhere.yaml: no such file"),
    ],
)
def test_score_refuses_what_is_said_twice(options: list[str], words: str, config: Path, tmp_path: Path) -> None:
    done = score(tmp_path, [], *(one.format(config=config) for one in options))
    assert words in str(done.exception) or words in done.output
    assert done.exit_code != 0


def test_a_list_with_a_judge_wants_a_folder_for_its_replies(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("rewards: [{use: judge, endpoint: judge}]\nevaluation: {judge: {model: m}}\n")
    done = score(tmp_path, [], "--rewards", str(file))
    assert "name a folder for what it says with --replies" in str(done.exception) + done.output


def test_doctor_says_what_came_back_and_how_long_it_took(config: Path) -> None:
    check = check_list(Subject(load_config(config)))
    assert check.status == "ok"
    assert "accuracy (weight 0.5): gold 1.00, empty 0.00, " in check.found
    assert "one_voice (gate): gold 1.00, empty 1.00, " in check.found and " ms a completion" in check.found
    assert "warmth (weight 0.1): gold -" in check.found


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        ("characters: {composed: {count: 4}}", "ok", "accuracy 0.7, format 0.3"),
        ("rewards: [{use: 'no.py:f'}]", "bad", "there is no file"),
        ("characters: {composed: {count: 4}}\nrewards: [{use: 'OWN:raises'}]", "bad", "raised RuntimeError: no"),
        ("rewards: [{use: accuracy}]", "none", "no samples to try it on"),
    ],
)
def test_doctor_on_other_lists(text: str, status: str, words: str, config: Path) -> None:
    check = check_list(Subject(parse_config(text.replace("OWN", str(config.with_name("their_own.py"))))))
    assert check.status == status and words in check.found


def samples() -> list[Sample]:
    towns = ["Leeds", "York", "Hull", "Bath"]
    rows = [
        {"character_name": f"Ann {town}", "character_profile": {"Home": town}, "question": "Where do you live?"}
        | {"answer": f"In {town}.", "keywords": [town], "language": "en"}
        for town in towns
    ]
    return [Sample.model_validate(row) for row in rows]


def town_of(system: str) -> str:
    return system.split("Home: ")[1].split("\n")[0]


def base(system: str, draw: int) -> str:
    return whole(f"In {town_of(system)}.\nUser: Why?") if "York" in system else "I forgot."


def trained(system: str, draw: int) -> str:
    return whole(f"In {town_of(system)}.")


@pytest.fixture
def evaluated(config: Path, tmp_path: Path) -> Results:
    """An evaluation of two models by rule, with the list."""
    measure = measure_of(EvaluateSettings.of(load_config(config)))
    models = {"base": Script(base), "trained": Script(trained)}
    return evaluate(models, QuestionSets(samples()), measure, tmp_path / "out")


def test_an_evaluation_has_each_reward_of_each_model_with_interval_and_paired_difference(
    evaluated: Results, tmp_path: Path
) -> None:
    rewards = evaluated.rewards
    assert rewards is not None and list(rewards) == ["accuracy", "format", "one_voice", "warmth", "total"]
    gate, total = rewards["one_voice"], rewards["total"]
    assert gate.gate and gate.base is not None and gate.trained is not None and gate.paired is not None
    assert (gate.base.mean, gate.trained.mean, gate.paired.delta) == (0.75, 1.0, 0.25)
    assert gate.base.ci95 is not None and gate.paired.ci95 is not None
    assert rewards["accuracy"].base is not None and rewards["accuracy"].base.mean == 0.25
    rows = [row for row in read_predictions(tmp_path / "out" / "predictions.jsonl") if row.model == "base"]
    york = next(row for row in rows if "York" in row.character)
    assert (york.accuracy, york.total, york.rewards["one_voice"]) == (1.0, 0.0, 0.0)
    assert total.base is not None and total.base.mean == pytest.approx(sum(row.total for row in rows) / 4)
    assert read_results(tmp_path / "out" / "results.json") == evaluated


def test_an_evaluation_by_the_usual_two_says_nothing_more_than_before(tmp_path: Path) -> None:
    measure = measure_of(EvaluateSettings.of(parse_config("{}")))
    results = evaluate({"trained": Script(trained)}, QuestionSets(samples()), measure, tmp_path)
    assert results.rewards is None and "rewards" not in json.loads((tmp_path / "results.json").read_text())
    assert "rewards" not in json.loads((tmp_path / "predictions.jsonl").read_text().splitlines()[0])


def test_tables_page_card_and_artifacts_show_every_reward(evaluated: Results, config: Path) -> None:
    from rich.console import Console

    console = Console(width=100, record=True, file=io.StringIO())
    console.print(result_tables(evaluated))
    table = reward_table(evaluated.rewards, {"base": "Base", "trained": "Trained"})
    assert table is not None
    told = {
        "terminal": console.export_text(),
        "page": "\n".join(" ".join(row) for row in table.rows),
        "card": _rewards(evaluated),
        "artifacts": results_markdown({"results": evaluated.as_json(), "report": None}),
    }
    for name in ("accuracy", "format", "one_voice", "warmth", "total"):
        assert not [where for where, text in told.items() if name not in text.replace("\\_", "_")]
    assert all("+0.250" in text for text in told.values())
    card = _reward(plain_config(load_config(config)))
    assert (
        card.replace("\\", "") == "0.5 × accuracy + 0.25 × format + 0.1 × warmth; 0 where a gate is closed: one_voice"
    )
    assert _reward(plain_config(parse_config("{}"))) == "0.7 × accuracy + 0.3 × format"


def test_the_line_for_people_and_the_curves_name_every_reward() -> None:
    row = {"phase": "grpo", "step": 1, "loss": 0.1, "reward": 0.5, "kl": 0.2, "rewards/accuracy_reward/mean": 0.4}
    row |= {
        "rewards/one_voice/mean": 0.9,
        "rewards/warmth/mean": -0.5,
        "rewards/total/mean": 0.5,
        "rewards/warmth/std": 1,
    }
    assert list(figures_of(row)) == ["loss", "reward", "accuracy", "one_voice", "warmth", "kl"]
    charts = dict(training_charts([row]))["GRPO"]
    listed = next(chart for chart in charts if chart.title.startswith("Rewards and gates"))
    assert [line.name for line in listed.lines] == ["one_voice", "warmth"]
    usual = {"phase": "grpo", "step": 1, "reward": 0.5, "rewards/accuracy_reward/mean": 0.4}
    assert not [chart for chart in dict(training_charts([usual]))["GRPO"] if chart.title.startswith("Rewards and")]


def test_a_file_of_samples_is_no_place_for_a_list(tmp_path: Path) -> None:
    file = tmp_path / "samples.json"
    write_samples(file, samples())
    assert "rewards" not in json.loads(file.read_text())[0]
