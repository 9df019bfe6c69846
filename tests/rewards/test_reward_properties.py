"""What must hold for any text whatsoever."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from raiden_core.rewards import Scorer, contains_term, extract_answer, fold, folding, rules
from raiden_core.rewards.extras import language_consistency, length_penalty, repetition_penalty
from raiden_core.rewards.negation import Negation, chinese, english, surroundings
from tests.support.tables import table

CASES = [json.loads(line) for line in (Path(__file__).parent / "cases.jsonl").read_text(encoding="utf-8").splitlines()]
ANSWERS = [case for case in CASES if case.get("says") and case["rule"] != "length"]
FEW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PIECES = st.sampled_from(
    [
        *(
            "<think>",
            "</think>",
            "<answer>",
            "</answer>",
            "<ANSWER>",
            "医生",
            "不是",
            "我",
            "，",
            "。",
            "?",
            "十七",
            "岁",
        ),
        *(
            "17",
            "1,0",
            "\u200b",
            "\u0301",
            "doctor",
            " not ",
            "n't ",
            "never ",
            "의사",
            "아니",
            "않",
            "열",
            "일곱",
            "살",
        ),
        *("医者", "では", "ない", "ません", "one ", "hundred ", "and ", "万", "亿", "-", ".", "…", "臺", "İ", "ß", "ﷺ"),
        *("\ud800", "\n", " ", "老师"),
    ]
)
TEXTS = st.one_of(st.text(max_size=80), st.lists(PIECES, max_size=40).map("".join))
TERMS = ["医生", "17岁", "doctor", "의사", "医者", "one hundred"]


@FEW
@given(TEXTS, st.booleans())
@example("<think><answer>", True)
def test_any_text_scores_0_or_1_and_an_answer_in_full_never_raises(text: str, prefilled: bool) -> None:
    sample = {"validator": {"all_of": [TERMS], "none_of": ["老师", "3 people"]}, "answer": text}
    scorer = Scorer(prefilled_think=prefilled, min_length_bound=3)
    for score in (scorer.score(sample, text), scorer.accuracy_of_text(sample, text)):
        assert score.accuracy in (0.0, 1.0)
        assert score.format in (0.0, 1.0)
        assert score.total == pytest.approx(0.7 * score.accuracy + 0.3 * score.format)
        assert "\n" not in score.why


@FEW
@given(TEXTS)
@example("ŉİıſ")
@example("e\u200b\u0301")
@example("\u0345\u0399")
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@FEW
@given(TEXTS, st.integers(0, 8))
@example("a'b_c-d 医生\u200b`ﾞ", 5)
def test_the_short_ways_for_long_texts_say_the_same(text: str, bound: int) -> None:
    folded = fold(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folding, "_LONG", 0)
        assert fold(text) == folded
    assert folding.has_more_units(folded, bound) == (folding.units(folded) > bound)


@FEW
@given(st.text(max_size=30))
def test_case_does_not_survive_folding(text: str) -> None:
    assert fold(text.upper()) == fold(fold(text).upper())


def wide(text: str) -> str:
    return "".join(
        chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" and letter not in "<>" else letter for letter in text
    )


DISGUISES: dict[str, Callable[[str], str]] = {
    "blanks doubled": lambda text: text.replace(" ", "  ").replace("\n", "\n\n"),
    "zero-width": lambda text: "\u200b".join(text),
    "joiners": lambda text: "\u2060".join(text) + "\ufeff",
    "upper case": str.upper,
    "lower case": str.lower,
    "full width": wide,
    "no-break blanks": lambda text: text.replace(" ", "\u00a0"),
}


@table("case", ANSWERS[::3], ids=lambda case: case["says"][:20])
def test_disguises_change_nothing(case: dict[str, object]) -> None:
    for name, disguise in DISGUISES.items():
        assert Scorer().accuracy_of_text(case, disguise(str(case["says"]))).accuracy == case["accuracy"], name


@FEW
@given(TEXTS, st.sampled_from(sorted(DISGUISES)))
def test_disguises_of_any_text_change_nothing(text: str, name: str) -> None:
    sample = {"validator": {"all_of": [TERMS], "none_of": ["老师", "3 people"]}, "answer": "x"}
    plain = Scorer().accuracy_of_text(sample, text)
    assert Scorer().accuracy_of_text(sample, DISGUISES[name](text)).accuracy == plain.accuracy


@FEW
@given(st.data())
def test_disguises_at_any_place_change_nothing(data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(ANSWERS))
    letters = list(case["says"])
    for place in data.draw(st.lists(st.integers(0, len(letters) - 1), max_size=8)):
        letter = letters[place]
        hidden = st.sampled_from(["\u200b", "\u200d", "\ufeff", "\u00ad"]).map(letter.__add__)
        other = st.sampled_from([letter.upper(), letter.lower(), wide(letter)])
        letters[place] = letter + letter[0] if letter.isspace() else data.draw(st.one_of(hidden, other))
    assert Scorer().accuracy_of_text(case, "".join(letters)).accuracy == case["accuracy"]


def test_the_quick_looks_for_negation_hide_none(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = [Scorer().accuracy_of_text(case, str(case["says"])).accuracy for case in ANSWERS]
    monkeypatch.setattr(rules, "may_negate", lambda text, topic=None: True)
    monkeypatch.setattr(Negation, "_reach", lambda self, start, end: (True, True))
    monkeypatch.setattr(Negation, "_is_followed", lambda self, end: True)
    for language in (chinese, english):
        monkeypatch.setattr(language, "_MAY_NEGATE", re.compile(""))
        language._governed.cache_clear()
    thorough = [Scorer().accuracy_of_text(case, str(case["says"])).accuracy for case in ANSWERS]
    assert [case["says"] for case, one, other in zip(ANSWERS, quick, thorough, strict=True) if one != other] == []


def assert_far_text_changes_nothing(cases: Sequence[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    far = ("。—，" * 29 + "\n") * 33
    assert 3 * len(fold(far)) > surroundings.LONG, "a shorter text is read as it is"
    scorer = Scorer(min_length_bound=10**9)
    for case in cases:
        text = f"{far}。\n{case['says']}\n。{far}{case['says']}\n。{far}"
        cut = scorer.accuracy_of_text(case, text)
        with monkeypatch.context() as patch:
            patch.setattr(surroundings, "LONG", 10**9)
            assert scorer.accuracy_of_text(case, text) == cut, case["says"]


def test_what_is_far_from_a_mention_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every fifth case; tests/integration/test_far_mentions.py has all."""
    assert_far_text_changes_nothing(ANSWERS[::5], monkeypatch)


@FEW
@given(st.data())
def test_the_order_of_groups_and_terms_does_not_matter(data: st.DataObject) -> None:
    case = data.draw(st.sampled_from([case for case in ANSWERS if "validator" in case]))
    validator = case["validator"]
    shuffled = {
        **validator,
        "all_of": [data.draw(st.permutations(group)) for group in data.draw(st.permutations(validator["all_of"]))],
        "none_of": data.draw(st.permutations(validator.get("none_of", []))),
    }
    assert Scorer().accuracy_of_text({**case, "validator": shuffled}, case["says"]).accuracy == case["accuracy"]


@FEW
@given(TEXTS, TEXTS)
def test_a_sample_that_passes_its_check_holds_what_the_check_promises(keyword: str, answer: str) -> None:
    sample = {"keywords": [keyword], "answer": f"{answer}。{keyword}"}
    if Scorer().check(sample) is None:
        assert Scorer().score(sample, f"<think>.</think><answer>{sample['answer']}</answer>").total == pytest.approx(1)
        assert Scorer().score(sample, "<think>.</think><answer></answer>").accuracy == 0


@FEW
@given(TEXTS)
def test_what_is_only_reasoned_is_no_answer(text: str) -> None:
    reasoning = text.replace("<", "")
    assert extract_answer(f"<think>{reasoning}</think><answer>hm</answer>") == "hm"
    assert extract_answer(f"{reasoning}</think>hm") == "hm"
    assert extract_answer(f"hm<think>{reasoning}") == "hm"


@FEW
@given(TEXTS, TEXTS)
def test_a_term_is_found_in_itself_between_stops(before: str, term: str) -> None:
    if contains_term(term, term):
        assert contains_term(f"{before}。{term}。", term)


@FEW
@given(TEXTS)
def test_extras_never_raise_and_keep_their_range(text: str) -> None:
    assert -1 <= length_penalty([text], max_length=20, cache_length=10)[0] <= 0
    assert -1 <= repetition_penalty([text])[0] <= 0
    assert 0 <= language_consistency([text], language="zh")[0] <= 1
