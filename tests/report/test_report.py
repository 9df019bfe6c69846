"""The page: escaped, complete, small, and never claiming more than its intervals allow."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from raiden_core.errors import DataError
from raiden_core.evaluation.predictions import MAIN_SET
from raiden_core.evaluation.results import Mean, Results, SampledReplies
from raiden_core.report import build_report
from raiden_core.report.charts import Series, compact, line_chart, nice_ticks
from raiden_core.report.curves import read_log, training_charts
from raiden_core.report.examples import QUOTAS, choose_examples
from raiden_core.report.further import judge_table, sampling_table
from raiden_core.report.tree import mask_secrets, tree
from raiden_core.report.wording import explanation, verdict
from tests.support.synthetic import make_inputs, make_predictions, make_results, write_metrics


def _page(folder: Path, hostile: bool = False, **changes: Any) -> str:
    inputs = make_inputs(folder, hostile) | changes
    build_report(**inputs)
    return Path(inputs["out"]).read_text(encoding="utf-8")


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_page_is_complete_small_and_self_contained(tmp_path: Path) -> None:
    page = _page(tmp_path)
    assert len(page.encode()) < 1_000_000
    for words in ("林知夏", "水野ひかり", "한서윤", "Maeve O&#39;Rourke", "Still wrong", "Another character",
                  "near duplicate",
                  "raiden run", "num_generations", "Nano student", "hand-written", "KL to the base model"):  # fmt: skip
        assert words in page, words
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!#|data:)""", page), "nothing is loaded from anywhere"
    assert "url(" not in page and "@import" not in page


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    parser = _Tags()
    parser.feed(_page(tmp_path, hostile=True))
    names = [tag for tag, _ in parser.tags]
    assert names.count("script") == 1 and "img" not in names
    assert not [attrs for _, attrs in parser.tags if any(name.startswith("on") for name in attrs)]


def test_secrets_never_reach_the_page(tmp_path: Path) -> None:
    page = _page(tmp_path)
    assert "sk-very-secret" not in page and "hunter2" not in page
    assert "http://•••@host/v1" in page and "&lt;|im_end|&gt;" in page


@pytest.mark.parametrize(
    ("key", "value", "masked"),
    [("api_key", "xyzzy", "•••"), ("hf_token", "xyzzy", "•••"), ("password", "xyzzy", "•••"), ("api_key", "", ""),
     ("max_new_tokens", 256, 256), ("pad_token", "<pad>", "<pad>"), ("url", "postgresql://u:p@h/d", "postgresql://•••@h/d")],
)  # fmt: skip
def test_masks(key: str, value: object, masked: object) -> None:
    assert mask_secrets({"deep": [{key: value}]}) == {"deep": [{key: masked}]}
    assert "xyzzy" not in str(tree({"deep": [{key: value}], key: value}))


def test_without_base_training_and_optional_facts_the_page_still_stands(tmp_path: Path) -> None:
    predictions = [row for row in make_predictions(4, 2, (MAIN_SET,)) if row.model == "trained"]
    rows = [json.dumps(row.__dict__) for row in predictions]
    (tmp_path / "only.jsonl").write_text("\n".join(rows))
    results = make_results(make_predictions(4, 2, (MAIN_SET,)))
    gone = {"base": None, "paired": None}
    languages = {value: entry.model_copy(update=gone) for value, entry in results.by["language"].items()}
    results = results.model_copy(update={**gone, "by": {"language": languages}})
    page = _page(tmp_path, results=results, predictions=tmp_path / "only.jsonl", metrics=None, run={}, config={})
    assert "Difference to base" not in page and "are few" in page
    assert '<section id="training">' not in page


def test_sampled_replies_and_verdicts_are_shown_where_there_are_some(tmp_path: Path) -> None:
    page = _page(tmp_path)
    for words in (
        "pass@1",
        "pass@4",
        "Majority",
        "judge-13b compared",
        "Reward-hacking gap: on ",
        "Turned",
    ):
        assert words in page, words
    results = make_results(make_predictions(4, 2, (MAIN_SET,)))
    page = _page(tmp_path, results=results.model_copy(update={"sampling": None, "judge": None}))
    assert "pass@" not in page and "What a judge prefers" not in page


def test_figures_beyond_accuracy_stand_in_their_cells() -> None:
    estimate = Mean(mean=0.5, ci95=(0.4, 0.6))
    pass_at = {"1": estimate, "2": Mean(mean=1.0, ci95=None)}
    one = SampledReplies(n=10, draws=2, temperature=0.7, pass_at=pass_at, majority=estimate)
    table = sampling_table({"trained": one}, {"base": "Base", "trained": "Trained"})
    assert table is not None and table.head == ["", "Trained"]
    assert table.rows == [
        ["pass@1", "50.0 (40.0 to 60.0)"],
        ["pass@2", "100.0 (–)"],
        ["Majority", "50.0 (40.0 to 60.0)"],
    ]
    assert sampling_table(None, {"trained": "Trained"}) is None and judge_table(None) is None


@pytest.mark.parametrize(("beta", "words"), [(0, True), (0.0, True), (0.1, False)])
def test_a_missing_kl_is_explained(beta: float, words: bool, tmp_path: Path) -> None:
    assert ("No KL" in _page(tmp_path, config={"grpo": {"beta": beta}})) == words


def test_results_without_a_trained_model_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no model called 'trained'"):
        results = make_results(make_predictions(4, 2, (MAIN_SET,)))
        _page(tmp_path, results=results.model_copy(update={"trained": None, "paired": None}))


def test_no_run_of_text_breaks_the_file(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path)
    inputs["run"]["notes"] = ["half a pair \ud83d, NUL \0, long " + "字" * 10_000]
    build_report(**inputs)
    page = inputs["out"].read_text(encoding="utf-8")
    assert "\0" not in page and "more characters)" in page


def _results(delta: float, low: float, high: float, cell: dict[str, Any] | None = None, **changes: Any) -> Results:
    """Results whose cells of all questions and whose difference are these; the rest is made up."""
    made = make_results(make_predictions(4, 2, (MAIN_SET,)))
    numbers = {"n": 480, "characters": 60, "strict": 0.6, "lenient": 0.7, "empty": 0, "cut_off": 0}
    base = made.base.model_copy(update={"all": made.base.all.model_copy(update=numbers)})
    trained = made.trained.model_copy(update={"all": made.trained.all.model_copy(update=numbers | (cell or {}))})
    pair = {"delta": delta, "ci95": (low, high), "p": 0.00001, "fixed": 90, "broken": 10, "lenient_delta": delta,
            "lenient_ci95": (low, high)}  # fmt: skip
    paired = made.paired.model_copy(update=pair | changes)
    return made.model_copy(update={"base": base, "trained": trained, "paired": paired})


@pytest.mark.parametrize(
    ("results", "words"),
    [
        (_results(0.3, 0.25, 0.35), "Training helped: +30.0 points"),
        (_results(-0.3, -0.35, -0.25), "Training did harm: −30.0 points"),
        (_results(0.02, -0.01, 0.05), "No difference can be claimed"),
        (_results(0.3, 0, 0, ci95=None, cell={"characters": 1}), "no claim can be made"),
    ],
)
def test_verdict_follows_the_interval(results: Results, words: str) -> None:
    assert words in verdict(results)


def test_a_gain_of_format_alone_is_called_that() -> None:
    text = " ".join(explanation(_results(0.3, 0.25, 0.35, lenient_delta=0.01, lenient_ci95=[-0.02, 0.04])))
    assert "mostly format" in text
    assert "not format alone" in " ".join(explanation(_results(0.3, 0.25, 0.35)))
    few = explanation(_results(0.3, 0.25, 0.35, cell={"n": 40, "empty": 12, "cut_off": 9}))
    assert any("are few" in line for line in few) and any(
        "text: 0 of 480 (base), 12 of 40 (trained)" in line for line in few
    )
    assert any("limit: 0 of 480 (base), 9 of 40 (trained)" in line for line in few)


def test_examples_show_every_outcome_and_many_characters() -> None:
    chosen = choose_examples(make_predictions())
    main = [example for example in chosen if example.sample.set == MAIN_SET]
    assert {name: sum(one.outcome == name for one in main) for name in QUOTAS} == QUOTAS
    assert {one.sample.language for one in main} == {"zh", "en", "ja", "ko"}
    assert {one.sample.dimension for one in main} == {"SBK", "CM"}
    for name in QUOTAS:
        characters = [one.sample.character for one in main if one.outcome == name]
        assert len(set(characters)) == len(characters)
    for one in chosen:
        base, trained = one.replies
        assert base.id == trained.id and (base.model, trained.model) == ("base", "trained")
        assert (
            one.outcome
            == {(0, 1): "fixed", (1, 0): "broken", (0, 0): "wrong", (1, 1): "right"}[
                int(base.strict), int(trained.strict)
            ]
        )
    assert chosen == choose_examples(make_predictions())


def test_curves_come_from_the_log_by_phase(tmp_path: Path) -> None:
    write_metrics(tmp_path / "log.jsonl")
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"phase": "grpo", "step": 999, "kl": NaN}\n{"step": 10')
    phases = dict(training_charts(read_log(tmp_path / "log.jsonl")))
    assert [chart.title for chart in phases["Cold start"]] == [
        "Loss",
        "Accuracy of greedy answers",
        "Accuracy of the next token",
    ]
    reward = phases["GRPO"][0]
    assert [line.name for line in reward.lines] == ["total", "accuracy", "format"]
    assert [label for _, label in reward.y_ticks] == ["0%", "25%", "50%", "75%", "100%"]
    assert "nan" not in str(phases).lower()
    (tmp_path / "log.jsonl").write_text('{"step": 1\n{"step": 2, "loss": 1}\n')
    with pytest.raises(DataError, match="line 1: broken JSON"):
        read_log(tmp_path / "log.jsonl")
    with pytest.raises(DataError, match="training log cannot be read"):
        read_log(tmp_path / "missing.jsonl")


def test_chart_places_points_to_scale() -> None:
    chart = line_chart("t", [Series("a", [(0, 0.0), (10, 1.0)])], share=True)
    assert chart.lines[0].path == "M44 174L350 10" and chart.lines[0].dots
    long = line_chart("t", [Series("a", [(x, 5.0) for x in range(2000)])])
    assert len(long.lines[0].path.split("L")) <= 240 and (long.lines[0].first, long.lines[0].last) == ("5", "5")
    one = line_chart("t", [Series("a", [(3, 0.0)])])
    assert one.lines[0].dots and one.x_ticks


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]), (0, 300, [0, 100, 200, 300]), (-0.3, 0.4, [-0.4, -0.2, 0, 0.2, 0.4])],
)
def test_ticks_are_round_and_cover_the_range(low: float, high: float, ticks: list[float]) -> None:
    assert nice_ticks(low, high) == pytest.approx(ticks)


def test_numbers_in_few_characters() -> None:
    assert [compact(n) for n in (0, 12345, 0.03456, 2e-5, 1.24e-5, -1500)] == [
        "0",
        "12,345",
        "0.0346",
        "2e-05",
        "1.2e-05",
        "-1,500",
    ]


def test_statistics_of_any_shape_are_shown() -> None:
    node = tree({"by_language": {"zh": 30, "en": 10}, "train": {"samples": 5, "characters": 2}, "ok": True,
                 "skipped": [],
                 "refused": [{"name": "x", "why": ["a", "b"]}], "many": list("abc") * 300})  # fmt: skip
    kinds = {child.label: child.kind for child in node.children}
    assert kinds == {
        "by language": "counts",
        "train": "map",
        "ok": "text",
        "skipped": "text",
        "refused": "table",
        "many": "list",
    }
    bars, table, many = node.children[0], node.children[4], node.children[5]
    assert [bar.share for bar in bars.children] == pytest.approx([1, 1 / 3])
    assert table.rows == [["x", "a, b"]] and many.left_out == 400
