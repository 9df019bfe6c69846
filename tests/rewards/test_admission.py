"""Questions at a character's boundaries: admissions, corrections, and what only looks like them."""

import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from raiden_core.errors import DataError
from raiden_core.rewards import Scorer, admission
from raiden_core.rewards.admission import admits, declines, turns_down
from raiden_core.rewards.admission.table import LANGUAGES, load, read_rows
from raiden_core.rewards.folding import fold
from raiden_core.rewards.negation.table import Row, Table

RIGHT = {"admission", "in_character", "correction", "denial"}
WRONG = {"invention", "agreement", "partial", "wrong_value", "uncorrected", "hedge", "refusal", "not_said"}


def labelled(name: str) -> list[tuple[dict[str, Any], str, str]]:
    """Sample, kind and reply of each case."""
    rows = yaml.load((Path(__file__).parent / f"{name}.yaml").read_text("utf-8"), yaml.CSafeLoader)
    return [
        ({field: row[field] for field in ("language", "question", "answer", "validator")}, kind, reply)
        for row in rows
        for kind, replies in row["replies"].items()
        for reply in replies
    ]


def wrongly_scored(cases: list[tuple[dict[str, Any], str, str]]) -> list[tuple[str, str, str]]:
    scorer = Scorer()
    return [
        (sample["language"], kind, reply)
        for sample, kind, reply in cases
        if scorer.accuracy_of_text(sample, reply).accuracy != (kind in RIGHT)
    ]


def test_there_are_cases_enough() -> None:
    for name in ("boundaries", "boundaries_frozen"):
        cases = labelled(name)
        assert {kind for _, kind, _ in cases} == RIGHT | WRONG
        assert min(Counter(sample["language"] for sample, _, _ in cases).values()) >= 50


def test_every_labelled_reply_is_scored_as_it_is_labelled() -> None:
    assert wrongly_scored(labelled("boundaries")) == []


def test_a_refusal_on_other_grounds_is_told_from_an_admission() -> None:
    cases = labelled("boundaries")
    assert [reply for _, kind, reply in cases if kind == "refusal" and not declines(fold(reply))] == []
    taken = [reply for _, kind, reply in cases if kind != "refusal" and declines(fold(reply))]
    assert taken == []


def test_frozen_replies_are_scored_no_worse_than_at_first_sight() -> None:
    """The replies themselves are not shown, so that nobody tunes the rules on them."""
    wrong = Counter(kind in RIGHT for _, kind, _ in wrongly_scored(labelled("boundaries_frozen")))
    assert wrong[True] <= 9, "right replies that earn nothing"
    assert wrong[False] <= 1, "wrong replies that earn the reward"


def shows(row: Row) -> bool:
    """Whether the example does what its row's verdict says."""
    example = fold(row.example)
    if row.kind in ("mistaken", "declines"):
        return {"mistaken": turns_down, "declines": declines}[row.kind](example)
    return admits(example) == row.denied


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_row_decides_its_example(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    table = load(language)
    assert [f"{row.where}: {row.example}" for row in table.rows if not shows(row)] == []
    idle = []
    for row in table.rows:
        without = table.without(row)
        monkeypatch.setattr(
            admission, "load", lambda name, without=without: without if name == language else load(name)
        )
        if shows(row):
            idle.append(f"{row.where}: {row.kind} {row.pattern}: {row.example}")
    assert idle == [], "without the row its example says the same"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_has_rows(language: str) -> None:
    assert {row.kind for row in load(language).rows} == set(load(language).kinds)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_quick_look_hides_no_row(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Table, "may_hold", lambda self, kind, text: True)
    assert [row.where for row in load(language).rows if not shows(row)] == []


HARD = (
    "얼마나 ",
    "왜 모",
    "아마 ",
    "なぜ",
    "わからなぜ",
    "how ",
    "don't know perhaps ",
    "what kind ",
    "说不",
    "也许",
    "no ",
    "뭐 ",
)


@pytest.mark.parametrize("phrase", HARD)
def test_the_time_grows_with_the_text_and_no_faster(phrase: str) -> None:
    admits(phrase)  # compiles the rules
    start = time.process_time()
    admits(fold(phrase * (40_000 // len(phrase))))
    assert time.process_time() - start < 1


@pytest.mark.parametrize("name", ["boundaries", "boundaries_frozen"])
def test_repeating_the_question_admits_nothing(name: str) -> None:
    samples = {sample["question"]: sample for sample, _, _ in labelled(name)}
    won = [question for question, sample in samples.items() if Scorer().accuracy_of_text(sample, question).accuracy]
    assert won == []


@pytest.mark.parametrize(
    ("validator", "says", "right"),
    [
        ({"abstains": True, "denied": [["phone"]]}, "I have no phone.", 1),
        ({"abstains": True, "denied": [["phone"]]}, "A phone? What is a phone?", 1),
        ({"abstains": True, "denied": [["phone"]]}, "My phone is red.", 0),
        ({"abstains": True}, "I have no phone.", 0),
        ({"denied": [["phone"]]}, "What is a phone?", 0),
        ({"abstains": True, "none_of": ["red"]}, "I don't know what a phone is. Mine is red.", 0),
        ({"denied": [["Oslo"]], "all_of": [["Bergen"]]}, "Oslo? I live in Bergen.", 1),
        ({"denied": [["Oslo"]], "all_of": [["Bergen"]]}, "Oslo. I live in Bergen.", 0),
        ({"denied": [["Oslo"]], "all_of": [["Bergen"]]}, "I used to live in Oslo, now it is Bergen.", 0),
        ({"denied": [["Oslo"]]}, "Oslo? Hm.", 0),
        ({"denied": [["Oslo"]]}, "You have the wrong person.", 1),
    ],
)
def test_an_admission_or_a_denial(validator: dict[str, Any], says: str, right: int) -> None:
    sample = {"question": "What colour is your phone in Oslo?", "validator": validator}
    assert Scorer().accuracy_of_text(sample, says).accuracy == right


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("admits\t不知道\t我不知道。", "line 2: 3 fields instead of 4"),
        ("admits\t不知道\t\tadmits", "line 2: example is blank"),
        ("admit\t不知道\t我不知道。\tadmits", "line 2: the kind 'admit' is unknown; known are admits"),
        ("guess\t大概\t大概吧。\tadmits", "line 2: the verdict is 'admits'; an example of guess claims"),
        ("admits\t(不知道\t我不知道。\tadmits", "line 2: the pattern is no regular expression"),
    ],
)
def test_a_row_out_of_order_does_not_load(tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "test.tsv"
    path.write_text(f"# rules\n{line}\n", "utf-8")
    with pytest.raises(DataError, match=r"test\.tsv: ") as error:
        read_rows(path)
    assert reason in str(error.value)
