"""TRL's signature, validators in every shape, the check of references, partial credit, and the further rewards."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from raiden_core.errors import ConfigError, DataError
from raiden_core.rewards import Scorer, accuracy_reward, contains_term, extract_answer, fold, format_reward, vrar
from raiden_core.rewards.extras import language_consistency, length_penalty, repetition_penalty
from raiden_core.rewards.folding import units
from raiden_core.rewards.gold import read_verified
from raiden_core.rewards.numbers import find_numbers
from raiden_core.samples import Sample, Validator
from tests.support.tables import table

RIGHT = "<think>他问名字。</think><answer>我叫小明。</answer>"
WRONG = "<think>他问名字。</think><answer>我叫小红。</answer>"
VALIDATOR = {"all_of": [["小明"]], "none_of": ["小刚"], "min_groups": 1}


def sample(**fields: Any) -> Sample:
    base = {
        "character_name": "小明",
        "character_profile": {"Name": "小明"},
        "question": "你叫什么？",
        "answer": "我叫小明。",
        "keywords": ["小明"],
    }
    return Sample.model_validate({**base, **fields})


def test_dates_that_datasets_made_of_text_are_read_as_they_were_written(tmp_path: Path) -> None:
    from datasets import load_dataset

    day = "1990-05-17"
    path = tmp_path / "rows.json"
    validator = {"all_of": [[day]], "none_of": ["2001-01-01"]}
    path.write_text(json.dumps([{"answer": day, "keywords": [day], "validator": validator}] * 2), "utf-8")
    table = load_dataset("json", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache"))
    assert not isinstance(table[0]["keywords"][0], str), "datasets reads such text as text now: this test is over"
    completions = [f"<think>?</think><answer>{said}</answer>" for said in (day, "1990-05-18")]
    answer, keywords, validators = (table[name][:] for name in ("answer", "keywords", "validator"))
    assert accuracy_reward(completions, answer=answer, keywords=keywords) == [1.0, 0.0]
    assert accuracy_reward(completions, answer=answer, validator=validators) == [1.0, 0.0]


def test_plain_and_conversational_completions_earn_the_same() -> None:
    chats = [[{"role": "assistant", "content": text}] for text in (RIGHT, WRONG)]
    columns: dict[str, Any] = {
        "keywords": [["小明"]] * 2,
        "prompts": ["?", "?"],
        "trainer_state": object(),
        "completion_ids": [[1], [2]],
    }
    for completions in ([RIGHT, WRONG], chats):
        assert accuracy_reward(completions, **columns) == [1.0, 0.0]
        assert format_reward(completions, **columns) == [1.0, 1.0]
        assert vrar(completions, **columns) == pytest.approx([1.0, 0.3])
        assert vrar(completions, accuracy_weight=2, format_weight=0, **columns) == [2.0, 0.0]


@pytest.mark.parametrize("validator", [VALIDATOR, json.dumps(VALIDATOR), Validator.model_validate(VALIDATOR)])
def test_a_validator_comes_as_mapping_json_or_model(validator: Any) -> None:
    both = "<think>.</think><answer>我叫小明，也叫小刚。</answer>"
    assert accuracy_reward([RIGHT, both], keywords=[["x"], ["x"]], validator=[validator] * 2) == [1.0, 0.0]


def test_settings_travel_as_columns() -> None:
    bare = "想</think><answer>我叫小明。</answer>"
    long = f"<think>.</think><answer>我叫小明。{'好' * 200}</answer>"
    columns = {"keywords": [["小明"]] * 3, "answer": ["我叫小明。"] * 3}
    assert format_reward([bare] * 3, prefilled_think=[True, False, None]) == [1.0, 0.0, 0.0]
    assert accuracy_reward([long] * 3, **columns, min_length_bound=[None, 300, 10]) == [0.0, 1.0, 0.0]
    assert accuracy_reward([long] * 3, **columns, length_ratio=[None, 100.0, 8.0]) == [0.0, 1.0, 0.0]
    assert accuracy_reward(["想</think>我叫小红"], keywords=[["想"]], prefilled_think=[True]) == [0.0]


def test_a_sample_that_cannot_be_scored_never_earns(caplog: pytest.LogCaptureFixture) -> None:
    bad: list[tuple[Any, Any]] = [
        ([], None),
        (None, {"all_of": []}),
        (None, {"all_of": [[]]}),
        (None, {"all_of": [["\u200b"]]}),
        (["  "], None),
        (["。"], None),
        ("小明", None),
        ([17], None),
        (None, "not json"),
        (None, "null"),
        (None, {"all_of": [["小明"]], "min_groups": 2}),
        (None, {"all_of": [["小明"]], "min_groups": True}),
        (None, {"all_of": [["小明"]], "any_of": []}),
        (None, {"all_of": [["小明"]], "none_of": ["小明"]}),
        (None, {"all_of": "小明"}),
        (None, 17),
    ]
    keywords, validators = [pair[0] for pair in bad], [pair[1] for pair in bad]
    assert accuracy_reward([RIGHT] * len(bad), keywords=keywords, validator=validators) == [0.0] * len(bad)
    assert len(caplog.records) == len(bad)
    for pair in bad:
        row = {"keywords": pair[0], "validator": pair[1], "answer": "我叫小明。"}
        with pytest.raises(DataError):
            Scorer().score(row, RIGHT)
        reason = Scorer().check(row)
        assert reason and "\n" not in reason


def test_columns_that_are_missing_altogether_are_an_error() -> None:
    with pytest.raises(DataError, match="neither a column keywords nor a column validator"):
        accuracy_reward([RIGHT], answer=["我叫小明。"])


@table("completion", [None, 17, b"\xff\xfe", [], {}, [[]], [{"role": "assistant"}], object()])
def test_what_is_no_text_earns_nothing_and_says_why(completion: object) -> None:
    score = Scorer().score({"keywords": ["小明"]}, completion)
    assert (score.accuracy, score.format, score.total, score.answer) == (0.0, 0.0, 0.0, "")
    assert score.why.startswith("the completion is no text")


def test_text_parts_and_utf8_bytes_are_text() -> None:
    parts = [
        {"role": "assistant", "content": [{"type": "text", "text": RIGHT[:10]}, {"type": "text", "text": RIGHT[10:]}]}
    ]
    assert Scorer().score({"keywords": ["小明"]}, parts).total == pytest.approx(1.0)
    assert Scorer().score({"keywords": ["小明"]}, RIGHT.encode()).total == pytest.approx(1.0)


def test_partial_credit_is_the_share_of_needed_groups() -> None:
    hobbies = {"validator": {"all_of": [["篮球"], ["画画"], ["唱歌"]], "none_of": ["足球"]}}
    scores = [
        Scorer(partial_credit=True).accuracy_of_text(hobbies, text).accuracy
        for text in ("我喜欢篮球。", "我喜欢篮球和画画。", "篮球、画画、唱歌。", "我喜欢篮球和足球。", "没有。")
    ]
    assert scores == pytest.approx([1 / 3, 2 / 3, 1, 0, 0])
    two = {"validator": {**hobbies["validator"], "min_groups": 2}}
    assert Scorer(partial_credit=True).accuracy_of_text(two, "我喜欢篮球。").accuracy == 0.5
    assert Scorer().accuracy_of_text(two, "我喜欢篮球。").accuracy == 0.0


def test_weights_and_reasons() -> None:
    score = Scorer(accuracy_weight=1, format_weight=0.5).score(sample(), RIGHT)
    assert (score.total, score.matched, score.why, score.answer) == (1.5, ("小明",), "right", "我叫小明。")
    assert Scorer().score(sample(), WRONG).why == "missing: 小明"
    assert Scorer().accuracy_of_text(sample(), "我不叫小明。").why == "negated: 小明"
    assert Scorer().accuracy_of_text(sample(validator=VALIDATOR), "小明和小刚").why == "claims 小刚"
    assert (
        Scorer().accuracy_of_text(sample(), "小明" + "好" * 200).why
        == "the answer is longer than 150 characters or words"
    )
    with pytest.raises(ConfigError, match="accuracy_weight"):
        Scorer(accuracy_weight=-1)


@table(
    ("fields", "reason"),
    [
        ({}, None),
        ({"answer": "我叫小红。"}, "missing: 小明"),
        ({"answer": "我不叫小明。"}, "negated: 小明"),
        ({"answer": " "}, "no reference answer"),
        ({"answer": "我叫小明。</answer>"}, "tag"),
        ({"keywords": []}, "no keywords"),
        ({"keywords": ["\u200b"]}, "empty once it is folded"),
        ({"validator": {"all_of": [["小明"]], "none_of": ["我"]}}, "claims 我"),
    ],
)
def test_check(fields: dict[str, Any], reason: str | None) -> None:
    for scorer in (Scorer(), Scorer(prefilled_think=True), Scorer(partial_credit=True)):
        found = scorer.check(sample(**fields))
        assert found is None if reason is None else found is not None and reason in found


def test_read_verified_keeps_the_good_and_names_the_bad(tmp_path: Path) -> None:
    good = sample().model_dump(mode="json")
    rows = [
        good,
        {**good, "answer": "我叫小红。"},
        {**good, "keywords": "小明"},
        {**good, "id": "", "question": "你是谁？"},
    ]
    path = tmp_path / "train.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    samples, failures = read_verified(path, Scorer())
    assert [kept.question for kept in samples] == ["你叫什么？", "你是谁？"]
    assert len(failures) == 2
    assert failures[0].startswith(f"{path}: row 2: answer: the reference fails")
    assert failures[1].startswith(f"{path}: row 3: keywords")
    with pytest.raises(DataError, match="no such file"):
        read_verified(tmp_path / "none.json", Scorer())


@pytest.mark.parametrize(
    ("text", "term", "held"),
    [
        ("我不是医生", "医生", True),
        ("東京都", "东京", True),
        ("I party", "art", False),
        ("十七岁", "17岁", True),
        ("一百一十七", "17", False),
        ("", "x", False),
        ("x", " ", False),
    ],
)
def test_contains_term_knows_no_negation(text: str, term: str, held: bool) -> None:
    assert contains_term(text, term) is held


@table(
    ("text", "values"),
    [
        ("一百零五;一百五十;三百五;百五;一万二;两千零一", "105 150 350 105 12000 2001"),
        ("一亿二千万元", "120000000"),
        ("二〇二四年一月", "2024 1"),
        ("三点五公里;三点五分", "3.5 3 5"),
        ("十七八个;二三十人;两三天", "17~18 20~30 2~3"),
        ("3.5万;3万5千;2.5 million;1,234.50", "35000 35000 2500000 1234.5"),
        ("2024-05-17 17:30", "2024 5 17 17 30"),
        ("-5度 a-5", "-5 5"),
        ("007;05月;1.2.3", "007 5"),
        ("one hundred and five, nineteen eighty-six, two thousand and five", "105 1986 2005"),
        ("the twenty-first, fifth, first", "21 5"),
        ("no one, someone, one's", ""),
        ("mp3 3d 5km 10am 20s", "5 10"),
        ("열일곱 살, 스물한 살, 스무 살", "17 21 20"),
        ("이천이십사년 백오 명 삼만 원", "2024 105 30000"),
        ("이번 한국 사과 만일", ""),
        ("周一;万一;统一;千万别;十分好;第一;一起", "1"),
        ("三十多岁;30多岁;十几个", "30+ 30+ 10+"),
        ("廿一日;壹佰元", "21 100"),
    ],
)
def test_numbers(text: str, values: str) -> None:
    assert [number.value for number in find_numbers(fold(text))] == values.split()


def test_absurdly_long_numerals_are_harmless() -> None:
    for text in ("亿" * 5000, "9" * 10000 + "万", "1," * 5000, "one hundred and " * 2000, "십" * 5000, "十七八" * 3000):
        find_numbers(fold(text))


def test_units() -> None:
    assert [
        units(fold(text)) for text in ("我叫小明。", "I'm fine, thanks!", "Java를 써요", "東京タワー", "17岁", "  ")
    ] == [4, 3, 4, 5, 2, 0]


def test_extract_answer() -> None:
    assert extract_answer(RIGHT) == "我叫小明。"
    assert extract_answer("想</think>好", prefilled_think=True) == "好"
    assert extract_answer("好", prefilled_think=True) == ""


def test_length_penalty_falls_between_the_bounds() -> None:
    texts = ["好" * count for count in (5, 10, 15, 20, 30)]
    assert length_penalty(texts, max_length=20, cache_length=10) == pytest.approx([0, 0, -0.5, -1, -1])
    assert length_penalty(["", ""], max_length=20, cache_length=10, completion_ids=[[0] * 15, [0] * 3]) == [-0.5, 0.0]


def test_repetition_penalty_is_the_share_of_repeated_ngrams() -> None:
    assert repetition_penalty(["a b c d e f", "a b a b a b a b", "a", ""], ngram=2) == pytest.approx([0, -5 / 7, 0, 0])


def test_language_consistency() -> None:
    answers = ["我叫小明。", "私は明です。", "My name is Ming.", "저는 민이에요.", "我叫 Ming", "17"]
    wrapped = [f"<think>.</think><answer>{answer}</answer>" for answer in answers]
    assert language_consistency(wrapped, language="zh") == pytest.approx([1, 0, 0, 0, 2 / 3, 0])
    assert language_consistency(wrapped[:4], language=["zh", "ja", "en", "ko"]) == [1.0] * 4
    assert language_consistency(wrapped[:2], language=["en", "xx"]) == [0.0, 1.0]


def test_importing_the_rewards_loads_nothing_heavy() -> None:
    heavy = {"torch", "pydantic", "pandas", "opencc", "transformers"}
    code = f"import sys, raiden_core.rewards; print(sorted({heavy} & set(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert result.stdout.strip() == "[]"
