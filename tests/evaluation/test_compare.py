"""Runs side by side: the differences are those counted by hand, and whatever makes them incomparable is said."""

import csv
import json
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from raiden_core.cli.compare import compare
from raiden_core.config.sections.evaluation import EvaluationConfig
from raiden_core.errors import DataError, UsageError
from raiden_core.evaluation.compare import compare_runs, load_runs
from raiden_core.evaluation.compared import comparison_rows
from raiden_core.evaluation.evaluate import evaluate
from raiden_core.evaluation.sets import Measure, QuestionSets
from raiden_core.rewards import Scorer
from raiden_core.rewards.listed.chosen import parse_entries
from raiden_core.samples import Sample
from tests.support.answerers import Script
from tests.support.tables import table

TOWNS = ("Leeds", "Derby", "Bath", "York", "Hull", "Truro", "Wells", "Ely", "Ripon", "Lincoln")
EVIL = '<script>alert("x")</script>\x1b[31m\u202e'


def _sample(number: int, **changes: object) -> Sample:
    town = TOWNS[number]
    fields: dict[str, object] = {
        "character_name": f"Ann {number} {EVIL}", "character_profile": {"Home": town}, "language": "en",
        "question": "Where are you from?", "answer": f"I am from {town}.", "keywords": [town],
    }  # fmt: skip
    return Sample.model_validate(fields | changes)


SAMPLES = [_sample(number) for number in range(10)]


def _evaluated(
    out: Path,
    knows: set[int],
    samples: list[Sample] = SAMPLES,
    instructions: str | None = None,
    longest: int = 256,
    rewards: Sequence[dict[str, Any]] = (),
) -> Path:
    """An evaluation whose base knows nothing, and whose trained model knows these towns."""

    def reply(system: str, draw: int) -> str:
        town = next((TOWNS[number] for number in knows if TOWNS[number] in system), "nowhere")
        return f"<think>x</think><answer>I am from {town}.{EVIL}</answer>"

    nothing = Script(lambda system, draw: "<think>x</think><answer>No idea.</answer>")
    chosen = parse_entries(list(rewards), "test") if rewards else ()
    measure = Measure(Scorer(), EvaluationConfig(max_new_tokens=longest), instructions, rewards=chosen)
    evaluate({"base": nothing, "trained": Script(reply)}, QuestionSets(samples), measure, out)
    return out


def test_differences_to_the_first_run_are_paired_by_question(tmp_path: Path) -> None:
    first = _evaluated(tmp_path / "a", {0, 1, 2, 3, 4})
    second = _evaluated(tmp_path / "b", {0, 1, 2, 5, 6, 7, 8}, SAMPLES[::-1])
    comparison = compare_runs(load_runs([str(first), f"more={second}"]))
    one, two = comparison.runs
    assert (one.label, two.label) == ("a", "more") and one.versus is None and not comparison.warnings
    assert two.versus.delta == pytest.approx(0.2), "7 right instead of 5, in whatever order they were asked"
    assert (two.versus.fixed, two.versus.broken, two.versus.common) == (4, 2, 10)
    assert one.paired.delta == pytest.approx(0.5) and two.models["trained"].all.strict == 0.7
    row = next(
        r for r in comparison_rows(comparison) if (r["run"], r["model"], r["part"]) == ("more", "trained", "all")
    )
    assert row["delta"] == pytest.approx(0.2) and row["delta_low"] < 0.2 < row["delta_high"] and row["common"] == 10


def test_a_run_is_found_by_its_folder_its_evaluation_its_results_and_its_predictions(tmp_path: Path) -> None:
    stage = _evaluated(tmp_path / "evaluate-0123", {1})
    run = tmp_path / "runs/20260101-mine"
    run.mkdir(parents=True)
    (run / "run.json").write_text(json.dumps({"stages": {"evaluate": {"folder": "/gone/evaluate-0123"}}}))
    (run / "config.yaml").write_text("seed: 7\ngrpo: {beta: 0.1}\n")
    names = [str(run), str(stage), str(stage / "results.json"), str(stage / "predictions.jsonl")]
    runs = load_runs(names)
    assert [one.label for one in runs] == ["20260101-mine", "evaluate-0123", "evaluate-0123 (2)", "evaluate-0123 (3)"]
    assert runs[0].settings == {"seed": 7, "grpo.beta": 0.1}, "a run that was moved is found beside its stages"
    comparison = compare_runs(runs)
    strict = [one.models["trained"].all.strict for one in comparison.runs]
    assert strict == [0.1] * 4 and not comparison.warnings
    assert [one.versus.delta for one in comparison.runs[1:]] == [0.0] * 3


def test_other_data_is_said_and_only_common_questions_are_compared(tmp_path: Path) -> None:
    first = _evaluated(tmp_path / "a", {0, 1}, SAMPLES[:6])
    some = _evaluated(tmp_path / "b", {4, 5}, SAMPLES[4:])
    none = _evaluated(tmp_path / "c", {7}, SAMPLES[7:])
    changed = [_sample(number, keywords=["from"]) for number in range(6)]
    other = _evaluated(tmp_path / "d", {0}, changed)
    prompt = _evaluated(tmp_path / "e", {0}, SAMPLES[:6], instructions="Be {name}.", longest=9)
    comparison = compare_runs(load_runs([str(path) for path in (first, some, none, other, prompt)]))
    warnings = comparison.warnings
    assert any("b: another data set: 2 questions are common, 4 only in a, 4 only here" in words for words in warnings)
    assert any("c: another data set: none of its 3 questions" in words for words in warnings)
    assert any("d: 6 of the common questions have another reference or other keywords" in words for words in warnings)
    assert any("e: 6 of the common questions were put in another prompt" in words for words in warnings)
    assert any("e: replies of up to 9 tokens, in a up to 256" in words for words in warnings)
    assert comparison.runs[1].versus.common == 2 and comparison.runs[1].versus.delta == 1.0
    assert comparison.runs[2].versus is None


def test_predictions_of_another_evaluation_are_refused(tmp_path: Path) -> None:
    first, other = _evaluated(tmp_path / "a", {0, 1}), _evaluated(tmp_path / "b", {2}, SAMPLES[:4])
    (first / "predictions.jsonl").write_bytes((other / "predictions.jsonl").read_bytes())
    with pytest.raises(
        DataError, match=r"a/predictions\.jsonl: not the predictions of results\.json beside it .base: 4"
    ):
        load_runs([str(first)])


def test_results_alone_are_shown_without_differences(tmp_path: Path) -> None:
    first, other = _evaluated(tmp_path / "a", {0, 1}), _evaluated(tmp_path / "b", {2})
    (other / "predictions.jsonl").unlink()
    comparison = compare_runs(load_runs([str(first), str(other)]))
    assert comparison.runs[1].versus is None and comparison.runs[1].models["trained"].all.strict == 0.1
    assert any("no predictions.jsonl" in words for words in comparison.warnings)


def test_what_is_no_run_says_what_is_missing(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "results.json").write_text('{"models": 1}')
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut/results.json").write_text('{"base": ')
    (tmp_path / "half").mkdir()
    (tmp_path / "half/run.json").write_text('{"stages": {}}')
    (tmp_path / "gone").mkdir()
    (tmp_path / "gone/run.json").write_text('{"stages": {"evaluate": {"folder": "/nowhere/e"}}}')
    (tmp_path / "other.jsonl").write_text('{"id": 1}\n')
    (tmp_path / "none.jsonl").write_text("")
    for name, words in (
        ("nowhere", "no such file or folder"),
        ("empty", "holds neither results.json nor run.json"),
        ("results.json", "holds no model's results"),
        ("cut", "broken JSON"),
        ("half", "this run was not evaluated"),
        ("gone", "its evaluation /nowhere/e is gone"),
        ("other.jsonl", "line 1: no prediction"),
        ("none.jsonl", "no prediction of the set"),
    ):
        with pytest.raises(DataError, match=words):
            load_runs([str(tmp_path / name)])
    with pytest.raises(UsageError, match="nothing to compare"):
        load_runs([])


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "onerror")]


def test_the_command_prints_tables_and_writes_a_page_and_a_csv(tmp_path: Path) -> None:
    first, second = _evaluated(tmp_path / "a", {0, 1}), _evaluated(tmp_path / "b", {1, 2, 3}, SAMPLES[:8])
    label = f"x{EVIL.replace('/', '|')}"
    arguments = [f"{label}={first}", str(second), "--html", f"{tmp_path}/c.html", "--csv", f"{tmp_path}/c.csv"]
    result = CliRunner().invoke(compare, arguments, catch_exceptions=False)
    assert result.exit_code == 0 and not {"\x1b", "\u202e"} & set(result.output)
    assert max(len(line) for line in result.stdout.splitlines() if str(tmp_path) not in line) <= 80
    for words in ("20.0", "37.5", "+12.5", "warning: b: another data set"):
        assert words in result.output, words
    page = (tmp_path / "c.html").read_text()
    parsed = _Tags()
    parsed.feed(page)
    assert (
        "script" not in parsed.tags
        and not parsed.links
        and "&lt;script&gt;alert" in page
        and not {"\x1b", "\u202e"} & set(page)
    )
    assert "Right here, wrong in the first run" in page and "Wrong here" in page and "+12.5" in page
    rows = list(csv.DictReader((tmp_path / "c.csv").open()))
    assert len(rows) == 12 and {row["run"] for row in rows} == {label, "b"}
    as_json = CliRunner().invoke(compare, [str(first), str(second), "--json"], catch_exceptions=False)
    assert json.loads(as_json.stdout)["runs"][1]["versus"]["delta"] == pytest.approx(0.125)
    controls = [(run["other_character"], run["recital"]) for run in json.loads(as_json.stdout)["runs"]]
    assert controls[0] == (0.0, 1.0), "a profile of one value tells nothing besides"
    assert "profile recited 100.0" in " ".join(result.stdout.split())
    assert "<h2>Controls</h2>" in page


def test_rewards_of_runs_are_set_side_by_side_where_both_have_them(tmp_path: Path) -> None:
    own = tmp_path / "mine.py"
    own.write_text(
        "def warmth(completions, **columns):\n    return [2.0 * ('from' in one[0]['content']) for one in completions]\n"
        "def other(completions, **columns):\n    return [1.0] * len(completions)\n"
    )
    first = _evaluated(tmp_path / "a", {0, 1}, rewards=({"use": "accuracy"}, {"use": f"{own}:warmth", "gate": True}))
    second = _evaluated(
        tmp_path / "b", {0, 1, 2}, rewards=({"use": "accuracy"}, {"use": f"{own}:warmth"}, {"use": f"{own}:other"})
    )
    comparison = compare_runs(load_runs([str(first), str(second)]))
    one, two = comparison.runs
    assert comparison.reward_names == ("accuracy", "warmth", "total", "other") and not one.rewards_versus
    assert set(two.rewards_versus) == {"accuracy", "warmth"}, "totals of different lists are no measure of each other"
    assert two.rewards_versus["accuracy"].delta == pytest.approx(0.1) and two.rewards_versus["warmth"].delta == 0
    rows = {(row["run"], row["model"], row["reward"]): row for row in comparison_rows(comparison)}
    assert rows["b", "base", "warmth"]["mean"] == 0 and rows["b", "trained", "warmth"]["mean"] == 2
    assert rows["b", "trained", "accuracy"]["delta"] == pytest.approx(0.1)
    assert rows["b", "trained", None]["part"] is not None
    assert len({tuple(row) for row in rows.values()}) == 1, "a table has the same columns in all its rows"
    result = CliRunner().invoke(compare, [str(first), str(second), "--html", f"{tmp_path}/c.html"])
    assert result.exit_code == 0 and "warmth" in result.stdout and "gate" in result.stdout and "+0.100" in result.stdout
    assert max(len(line) for line in result.stdout.splitlines() if str(tmp_path) not in line) <= 80
    page = (tmp_path / "c.html").read_text()
    assert "<h2>Rewards</h2>" in page and "+0.100" in page and page.count(">gate<") == 1


@table(("weight", "gate", "has_total"), [(0.5, False, True), (2.0, False, False), (None, True, False)], ids=str)
def test_totals_are_set_side_by_side_where_they_are_sums_of_the_same(
    tmp_path: Path, weight: float | None, gate: bool, has_total: bool
) -> None:
    own = tmp_path / "mine.py"
    own.write_text("def warmth(completions, **columns):\n    return [1.0] * len(completions)\n")
    warmth = {"use": f"{own}:warmth"}
    first = _evaluated(tmp_path / "a", {0, 1}, rewards=({"use": "accuracy"}, {**warmth, "weight": 0.5}))
    # The order of a list changes nothing in its sum.
    other = {**warmth, "gate": True} if gate else {**warmth, "weight": weight}
    second = _evaluated(tmp_path / "b", {0, 1, 2}, rewards=(other, {"use": "accuracy"}))
    two = compare_runs(load_runs([str(first), str(second)])).runs[1]
    assert ("total" in two.rewards_versus) == has_total and {"accuracy", "warmth"} <= set(two.rewards_versus)


def test_a_run_without_evaluation_among_others_is_left_out_and_named(tmp_path: Path) -> None:
    first = _evaluated(tmp_path / "a", {0, 1})
    (tmp_path / "half").mkdir()
    (tmp_path / "half/run.json").write_text('{"stages": {}}')
    result = CliRunner().invoke(compare, [str(tmp_path / "half"), str(first)], catch_exceptions=False)
    assert result.exit_code == 0 and "20.0" in result.stdout
    assert f"left out: {tmp_path / 'half'}: this run was not evaluated" in result.stderr
    with pytest.raises(DataError, match="run it up to its evaluate stage"):
        CliRunner().invoke(compare, [str(tmp_path / "half")], catch_exceptions=False)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("lr=1e-5={}", "lr=1e-5"),
        ("{}", "evaluate=1"),
        ("a={}", "a"),
        ("=x={}", "=x"),
        ("角色=一\x1b[31m={}", "角色=一\x1b[31m"),
    ],
)
def test_labels_and_paths_may_hold_equals_signs(name: str, label: str, tmp_path: Path) -> None:
    stage = _evaluated(tmp_path / "evaluate=1", {1})
    (run,) = load_runs([name.format(stage)])
    assert (run.label, run.place) == (label, stage)
    with pytest.raises(DataError, match="nowhere"):
        load_runs(["a=b=nowhere"])


def test_a_label_that_looks_like_a_counted_one_stays_the_only_one(tmp_path: Path) -> None:
    stage = _evaluated(tmp_path / "a", {1})
    runs = load_runs([f"x={stage}", f"x (2)={stage}", f"x={stage}"])
    assert [run.label for run in runs] == ["x", "x (2)", "x (3)"]
