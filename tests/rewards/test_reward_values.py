"""Values and word forms: what a keyword equals however it is written, and what it does not.

`values.jsonl` and `words.jsonl` hold one text a line: the keyword, the question (it may set the unit), what is said and
whether that is right. The properties render random values in every notation of their kind.
"""

import inspect
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from raiden_core.rewards import Scorer, accuracy_reward, contains_term, fold
from raiden_core.rewards.folding import simplify
from raiden_core.rewards.forms import forms_of
from raiden_core.rewards.numbers import calendar, clock, find_numbers, han, measured, measures, units, words
from raiden_core.rewards.numbers.asked import asked_for
from raiden_core.rewards.numbers.quantities import read
from tests.support.tables import table

HERE = Path(__file__).parent
VALUES, WORDS = (
    [json.loads(line) for line in (HERE / name).read_text(encoding="utf-8").splitlines()]
    for name in ("values.jsonl", "words.jsonl")
)
LANGUAGES = ("zh", "en", "ja", "ko")
MANY = settings(max_examples=120, deadline=None)


def is_right(keyword: str, says: str, question: str | None = None) -> bool:
    sample = {"keywords": [keyword], "question": question, "answer": "x"}
    return Scorer().accuracy_of_text(sample, says).accuracy == 1.0


@table("case", VALUES, ids=lambda case: f"{case['kind']}-{case['keyword']}-{case['says'][:16]}")
def test_value(case: dict[str, Any]) -> None:
    assert is_right(case["keyword"], case["says"], case["question"]) == case["right"]


@table("case", WORDS, ids=lambda case: f"{case['kind']}-{case['keyword']}-{case['says'][:16]}")
def test_word(case: dict[str, Any]) -> None:
    assert is_right(case["keyword"], case["says"]) == case["right"]


def test_the_table_of_values_has_both_verdicts_for_each_kind_in_each_language() -> None:
    kinds = {"age", "date", "time", "length", "weight", "money", "ratio", "ordinal", "count", "duration"}
    seen = {(case["kind"], case["language"], case["right"]) for case in VALUES}
    assert {(kind, language, right) for kind in kinds for language in LANGUAGES for right in (True, False)} <= seen


def test_trl_passes_the_question_on() -> None:
    questions, keywords = ["你几岁了？", "你是谁？"], [["18岁"]] * 2
    assert accuracy_reward(["十八。"] * 2, keywords=keywords, question=questions) == [1.0, 0.0]
    prompts = [[{"role": "user", "content": question}] for question in questions]
    assert accuracy_reward(["十八。"] * 2, keywords=keywords, prompts=prompts) == [1.0, 0.0]


SIGNED = [
    "。-5。",
    ",-5",
    "?-5 degrees",
    '"-5"',
    "[-5]",
    "、-5",
    ";-5",
    "😊-5",
    "是-5度",
    "기온은 -5도",
    "-10~-5",
    "−5",
]
JOINED = ["长沙-5", "a-5", "3-5", "- 5", "--5", "(3)-5", "3度-5度", "5月-5日", "5'-5'", "20%-5%"]


@table("says", SIGNED)
def test_a_hyphen_is_a_sign_behind_a_stop_or_an_opening_mark(says: str) -> None:
    assert contains_term(says, "-5")
    assert not contains_term(says, "5")


@table("says", JOINED)
def test_a_hyphen_behind_a_letter_a_number_or_a_closing_mark_is_none(says: str) -> None:
    assert not contains_term(says, "-5")


HAN_DIGITS = "零一二三四五六七八九"
SINO_DIGITS = "영일이삼사오육칠팔구"
ENGLISH_TEENS = [
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
ENGLISH_ONES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
ENGLISH_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
NATIVE_TENS = ("", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔")
NATIVE_ONES = ("", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉")


def in_han(number: int) -> str:
    tens, ones = divmod(number, 10)
    head = "" if not tens else "十" if tens == 1 else f"{HAN_DIGITS[tens]}十"
    return head + (HAN_DIGITS[ones] if ones or not tens else "")


def in_sino(number: int) -> str:
    tens, ones = divmod(number, 10)
    head = "" if not tens else "십" if tens == 1 else f"{SINO_DIGITS[tens]}십"
    return head + (SINO_DIGITS[ones] if ones or not tens else "")


def in_native(number: int) -> str:
    tens, ones = divmod(number, 10)
    return "스무" if number == 20 else NATIVE_TENS[tens] + NATIVE_ONES[ones]


def in_english(number: int) -> str:
    tens, ones = divmod(number, 10)
    if tens == 1:
        return ENGLISH_TEENS[ones]
    return ENGLISH_ONES[ones] if not tens else ENGLISH_TENS[tens - 2] + (f"-{ENGLISH_ONES[ones]}" if ones else "")


def wide(number: int) -> str:
    return "".join(chr(ord(digit) + 0xFEE0) for digit in str(number))


def keycaps(number: int) -> str:
    return "".join(f"{digit}\ufe0f\u20e3" for digit in str(number))


MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
NOTATIONS: dict[str, tuple[Callable[[int], str], ...]] = {
    "age": (
        lambda age: f"{age}岁",
        lambda age: f"{in_han(age)}歲",
        lambda age: f"{wide(age)}才",
        lambda age: f"{keycaps(age)}歳",
        lambda age: f"{age} years old",
        lambda age: f"{in_english(age)} years old",
        lambda age: f"{in_native(age)} 살",
        lambda age: f"{in_sino(age)} 세",
    ),
    "height": (
        lambda cm: f"{cm}cm",
        lambda cm: f"{cm} 厘米",
        lambda cm: f"{wide(cm)}センチ",
        lambda cm: f"{cm}센티",
        lambda cm: f"{cm * 10} mm",
        lambda cm: f"{cm / 100:.2f} m",
        lambda cm: f"{cm // 100}米{cm % 100:02}",
        lambda cm: f"{HAN_DIGITS[cm // 100]}メートル{cm % 100}センチ",
    ),
    "money": (
        lambda won: f"{won}원",
        lambda won: f"{won:,} won",
        lambda won: f"₩{won:,}",
        lambda won: f"{won // 10000}만 {won % 10000 // 1000}천 원",
        lambda won: f"{won / 10000:g}万韩元",
    ),
    "time": (
        lambda minutes: f"{minutes // 60}:{minutes % 60:02}",
        lambda minutes: f"{in_han(minutes // 60)}点{in_han(minutes % 60)}分",
        lambda minutes: f"{minutes // 60}時{minutes % 60}分",
        lambda minutes: f"{in_native(minutes // 60)} 시 {in_sino(minutes % 60)} 분",
        lambda minutes: f"{in_english(minutes // 60)} {in_english(minutes % 60)}",
    ),
    "date": (
        lambda day: f"{day // 31 + 1}月{day % 31 + 1}日",
        lambda day: f"{in_han(day // 31 + 1)}月{in_han(day % 31 + 1)}号",
        lambda day: f"{day // 31 + 1}월 {day % 31 + 1}일",
        lambda day: f"{day % 31 + 1} {MONTHS[day // 31]}",
        lambda day: f"{MONTHS[day // 31][:3]}. {day % 31 + 1}",
    ),
    "year": (
        lambda year: f"{year}年",
        lambda year: f"{''.join(HAN_DIGITS[int(digit)] for digit in str(year)).replace('零', '〇')}年",
        lambda year: f"{year}년",
        lambda year: f"昭和{in_han(year - 1925)}年",
        lambda year: f"民国{year - 1911}年",
        lambda year: f"in {year}",
        lambda year: f"{year}-05-03",
    ),
    "percent": (
        lambda share: f"{share}%",
        lambda share: f"百分之{in_han(share)}",
        lambda share: f"{in_english(share)} per cent",
        lambda share: f"{in_sino(share)} 퍼센트",
        lambda share: f"{share}パーセント",
    ),
}
RANGES = {
    "age": st.integers(1, 99).filter(lambda age: in_native(age)[-1:] != "스"),
    "height": st.integers(101, 219),
    "money": st.integers(1, 99).map(lambda thousands: thousands * 1000).filter(lambda won: won > 10000 and won % 10000),
    "time": st.tuples(st.integers(1, 11), st.integers(13, 59)).map(lambda time: time[0] * 60 + time[1]),
    "date": st.integers(0, 371),
    "year": st.integers(1937, 1988),
    "percent": st.integers(1, 99),
}


@MANY
@given(st.data(), st.sampled_from(sorted(NOTATIONS)))
def test_a_value_equals_itself_in_every_notation_and_no_other_value(data: st.DataObject, kind: str) -> None:
    wanted, other = data.draw(RANGES[kind]), data.draw(RANGES[kind])
    written, said = (data.draw(st.sampled_from(NOTATIONS[kind])) for _ in range(2))
    keyword = written(wanted)
    assume(kind != "year" or keyword.endswith(("年", "년")))
    assert is_right(keyword, f"，{said(wanted)}。"), (keyword, said(wanted))
    assert is_right(keyword, f"，{said(other)}。") == (wanted == other), (keyword, said(other))


@MANY
@given(st.integers(1, 99), st.sampled_from(NOTATIONS["age"]), st.integers(1, 9))
def test_a_value_never_matches_inside_a_longer_number(age: int, written: Callable[[int], str], digit: int) -> None:
    assume(age != 20)
    for longer in (f"{digit}{age}岁", f"{age}{digit}岁", f"{age}.{digit}岁", f"{digit},{age:03}岁"):
        assert not is_right(written(age), longer) or written(age) == longer, longer


def test_units_and_patterns_are_spelled_as_folding_leaves_them() -> None:
    assert [unit for unit in measures.MEASURES if fold(unit) != unit] == []
    for module in (calendar, clock, han, measured, measures, units, words):
        source = inspect.getsource(module).partition('"""')[2].partition('"""')[2]
        code = "\n".join(line for line in source.splitlines() if "#" not in line and '"""' not in line)
        assert [letter for letter in code if simplify(letter) != letter] == [], module.__name__


def test_reading_some_kinds_reads_what_reading_all_does() -> None:
    for case in VALUES:
        text = fold(case["says"])
        numbers = find_numbers(text)
        everything = read(text, numbers)
        for kind in ("age", "length", "weight", "cny", "krw", "usd"):
            some = [one for one in read(text, numbers, frozenset({kind})) if kind in dict(one.meanings)]
            assert some == [one for one in everything if kind in dict(one.meanings)], (kind, text)


def test_a_question_sets_the_unit_of_its_kind_only() -> None:
    assert asked_for("How old are you?") == {"age"}
    assert asked_for("你多高？") == {"length"}
    assert asked_for("いくらでしたか？") == {"money"}
    assert "count" in asked_for("아이가 몇 명이에요?")
    assert asked_for("Who are you?") == asked_for("") == frozenset()
    assert not is_right("18岁", "十八。", "你家有几口人？")
    assert is_right("两个", "俩，都是闺女。")


def test_forms_are_few_and_never_the_term_itself() -> None:
    for term in ("mouse", "play chess", "paint a picture in the garden", "택시기사", "食べる", "长沙", "i"):
        forms = forms_of(term, False)
        assert term not in forms
        assert len(forms) <= 48
    assert not contains_term("I kept staring.", "star")


def test_importing_the_rewards_loads_no_dictionary() -> None:
    code = "import sys, raiden_core.rewards; print({'simplemma', 'opencc', 'pydantic', 'torch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"
