"""The table of cases: every rule of the reward, in four languages, each case with its reason.

`cases.jsonl` holds one case a line: what the sample checks (``keywords`` or ``validator``), what is said (``says`` is a
bare answer, ``completion`` a whole one) and what it must earn.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from raiden_core.rewards import Scorer, accuracy_reward, format_reward
from tests.support.tables import table

HERE = Path(__file__).parent
CASES = [json.loads(line) for line in (HERE / "cases.jsonl").read_text(encoding="utf-8").splitlines()]
SHARED = HERE.parents[2] / "shared" / "data" / "vrar_cases.jsonl"


def completion_of(case: dict[str, Any]) -> object:
    return case["completion"] if "completion" in case else f"<think>.</think><answer>{case['says']}</answer>"


@table("case", CASES, ids=[f"{number}-{case['rule']}-{case['language']}" for number, case in enumerate(CASES, 1)])
def test_case(case: dict[str, Any]) -> None:
    score = Scorer(prefilled_think=case.get("prefilled_think", False)).score(case, completion_of(case))
    assert score.accuracy == case["accuracy"], f"{case['reason']}: {score.why}"
    assert score.format == case.get("format", score.format), case["reason"]


def test_the_table_is_wide() -> None:
    assert len(CASES) >= 200
    assert {case["language"] for case in CASES} == {"zh", "en", "ja", "ko"}
    assert all(case["reason"] for case in CASES)
    for language in ("zh", "en", "ja", "ko"):
        earned = [case["accuracy"] for case in CASES if case["language"] == language]
        assert 0.25 < sum(earned) / len(earned) < 0.75, "a reward that always says the same would pass"


def test_trl_functions_agree_with_the_table() -> None:
    cases = [case for case in CASES if "completion" in case]
    completions = [case["completion"] for case in cases]
    columns = {
        "keywords": [case["keywords"] for case in cases],
        "prefilled_think": [case.get("prefilled_think") for case in cases],
    }
    assert accuracy_reward(completions, **columns) == [case["accuracy"] for case in cases]
    assert format_reward(completions, **columns) == [case["format"] for case in cases]


def test_shared_cases() -> None:
    if not SHARED.is_file():
        pytest.skip(f"{SHARED} is not there")
    cases = [json.loads(line) for line in SHARED.read_text(encoding="utf-8").splitlines()]
    scores = [Scorer().score(case, case["completion"]) for case in cases]
    got = {
        case["id"]: {"accuracy": score.accuracy, "format": score.format}
        for case, score in zip(cases, scores, strict=True)
    }
    assert got == {case["id"]: case["expected"] for case in cases}
    assert [Scorer().check(case) for case in cases] == [None] * 24
