"""What the run's page and the event at its end say. No server."""

from typing import Any

from tasks.artifacts import MOST_SKIPPED, dropped_rows, headline, results_markdown


def part(strict: float) -> dict[str, Any]:
    return {"n": 40, "strict": strict, "lenient": strict + 0.1, "ci95": [strict - 0.1, strict + 0.1]}


RECORD: dict[str, Any] = {
    "run": "/runs/1",
    "stages": {
        "generate": {"folder": "/g", "cached": True, "seconds": 0.5},
        "train": {"folder": "/t", "cached": False, "seconds": 7.25},
    },
    "results": {
        "base": {"all": part(0.3)},
        "trained": {"all": part(0.5), "CM": part(0.4) | {"ci95": None}},
        "paired": {"delta": 0.2, "p": 0.004},
    },
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
