"""What the run's page and the event at its end say. No server."""

from typing import Any

from raiden_core.evaluation.results import Asked, Cell, Cells, Controls, Pair, Pairs, Results
from tasks.artifacts import MOST_SKIPPED, dropped_rows, headline, results_markdown


def part(strict: float | None) -> Cell:
    known = None if strict is None else (strict - 0.1, strict + 0.1)
    return Cell(
        n=0 if strict is None else 40, characters=4, strict=strict, lenient=None if strict is None else strict + 0.1,
        ci95=known, lenient_ci95=known, format=1.0, empty=0, cut_off=0, mean_tokens=9.0, mean_answer_characters=30.0,
    )  # fmt: skip


PAIR = Pair(
    n=40, delta=0.2, ci95=(0.1, 0.3), p=0.004, p_clustered=0.01, fixed=9, broken=1, lenient_delta=0.2,
    lenient_ci95=(0.1, 0.3), lenient_p=0.004, lenient_fixed=9, lenient_broken=1,
)  # fmt: skip
RESULTS = Results(
    base=Cells(all=part(0.3), SBK=part(0.3), CM=part(None)),
    trained=Cells(all=part(0.5), SBK=part(None), CM=part(0.4).model_copy(update={"ci95": None})),
    paired=Pairs(**dict(PAIR), SBK=PAIR, CM=PAIR),
    controls=Controls(
        gold=1.0, other_character=None, other_character_ci95=None, other_character_chance=None, other_character_n=0,
        keyword_list=1.0, profile_recited=0.1,
    ),
    by={}, extra={}, format_rate={}, empty_answers={}, mean_length={}, dropped_bad_gold={}, notes=(),
    settings=Asked(
        decoding="greedy", samples_per_question=0, temperature=None, max_new_tokens=96, instructions=None, seed=7
    ),
)  # fmt: skip
RECORD: dict[str, Any] = {
    "run": "/runs/1",
    "stages": {
        "generate": {"folder": "/g", "cached": True, "seconds": 0.5},
        "train": {"folder": "/t", "cached": False, "seconds": 7.25},
    },
    "results": RESULTS.as_json(),
    "report": "/runs/report.html",
}


def test_the_headline_holds_the_numbers_and_what_was_done() -> None:
    assert headline(RECORD) == {
        "run": "/runs/1",
        "report": "/runs/report.html",
        "seconds": 7.75,
        "cached": ["generate"],
        "base": 0.3,
        "trained": 0.5,
        "n": 40,
        "delta": 0.2,
        "p": 0.004,
    }
    assert set(headline(RECORD | {"results": None})) == {"run", "report", "seconds", "cached"}


def test_the_result_table_has_a_row_for_each_model_and_part() -> None:
    shown = results_markdown(RECORD)
    assert "| trained | all | 40 | 50.0% | 60.0% | 40.0% to 60.0% |" in shown
    assert "| trained | CM | 40 | 40.0% | 50.0% | none |" in shown
    assert "**+20.0%** (p = 0.004)" in shown
    assert "/runs/report.html" in shown
    assert "| base | CM |" not in shown, "there is no accuracy over no questions"


def test_one_model_alone_has_a_table_and_a_headline() -> None:
    alone = RECORD | {"results": RESULTS.model_copy(update={"base": None, "paired": None}).as_json()}
    assert "| trained | all | 40 |" in results_markdown(alone) and "minus base" not in results_markdown(alone)
    assert headline(alone)["trained"] == 0.5 and "delta" not in headline(alone) and "base" not in headline(alone)


def test_dropped_samples_are_counted_by_reason_and_characters_named() -> None:
    rows = dropped_rows({"samples": 9, "dropped": {"duplicate": 3, "gold fails": 0}, "skipped": ["Ann: no facts"]})
    assert rows == [
        {"what": "sample", "why": "kept", "count": 9},
        {"what": "draft", "why": "duplicate", "count": 3},
        {"what": "character", "why": "Ann: no facts", "count": 1},
    ]
    skipped = [f"{n}: no facts" for n in range(MOST_SKIPPED + 7)]
    many = dropped_rows({"samples": 1, "dropped": {}, "skipped": skipped})
    assert len(many) == 1 + MOST_SKIPPED + 1
    assert many[-1]["count"] == 7
