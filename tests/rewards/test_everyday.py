"""Everyday speech in four languages: cases frozen before the rules that they measure (everyday.md).

The rules are not tuned to single cases of these files, so the test asks for a share and not for every case.
``python benchmarks/rewards_accuracy.py`` prints the figures by kind, also for another checkout.
"""

import re
from pathlib import Path

import pytest

from benchmarks.rewards_accuracy import Case, expected_of, figures, read_cases, render, score_here
from tests.support.tables import table

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("everyday_*.jsonl"))
FLOOR = {"zh": 0.93, "ja": 0.93, "en": 0.93, "ko": 0.945}
"""The share of decidable cases of each language that the reward must get right in the file that rules are tuned to."""
FLOOR_2 = {"zh": 0.79, "ja": 0.80, "en": 0.86, "ko": 0.83}
"""The same of the second files (`_2`): the figures of first sight and what has been learnt from them since."""
FIRST_SIGHT = "_3"
"""The files that nobody tunes to are measured, not held to a floor."""
FIELDS = {"id", "kind", "language", "question", "answer", "keywords", "completion", "expected", "decidable", "why"}


def kinds() -> set[str]:
    table = (HERE / "everyday.md").read_text(encoding="utf-8").split("| kind | what it tries |")[1]
    first_cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("|")]
    return {kind for cell in first_cells for kind in re.findall("`([a-z-]+)`", cell)}


@table("path", FILES, ids=[path.stem for path in FILES])
def test_accuracy(path: Path) -> None:
    cases = read_cases([path])
    table = figures(cases, score_here(cases))
    for language, rows in table.items():
        right = rows["all"]
        floor = FLOOR_2[language] if path.stem.endswith("_2") else FLOOR[language]
        if path.stem.endswith(FIRST_SIGHT):
            floor = 0.0
        assert sum(right) / len(right) >= floor, "\n" + render(table)


@table("path", FILES, ids=[path.stem for path in FILES])
def test_rows_keep_to_the_format(path: Path) -> None:
    language = path.stem.split("_")[1]
    known = kinds()
    wrong = [
        case["id"]
        for case in read_cases([path])
        if set(case) - {"validator"} != FIELDS
        or case["language"] != language
        or case["kind"] not in known
        or case["expected"] not in (0, 1)
        or not case["why"]
    ]
    assert not wrong


@pytest.mark.parametrize("language", FLOOR)
def test_a_language_is_wide_and_balanced(language: str) -> None:
    cases = read_cases(path for path in FILES if path.stem.split("_")[1] == language)
    assert len(cases) >= 300
    assert len({case["id"] for case in cases}) == len(cases)
    assert {case["kind"] for case in cases} == kinds()
    assert 0.4 < sum(expected_of(case) for case in cases) / len(cases) < 0.6


def test_figures_count_what_was_decided() -> None:
    case: Case = {"kind": "plain", "language": "en", "keywords": ["cat"], "completion": "A cat.", "expected": 1}
    cases = [
        case,
        {**case, "kind": "contrast", "completion": "No cat.", "expected": 0},
        {**case, "kind": "value-age", "completion": "cat 9", "expected": 0},
        {**case, "expected": 0, "decidable": False},
    ]
    assert figures(cases, [1, 1, 0, 1]) == {
        "en": {
            "all": [True, False, True],
            "affirmations": [True],
            "denials": [False],
            "plain": [True],
            "contrast": [False],
            "value-age": [True],
        }
    }
