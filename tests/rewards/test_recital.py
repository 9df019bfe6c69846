"""Reciting is not answering: what ``aside`` catches, what it spares, how it is filled, and what is refused."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from raiden_core.characters import read_characters
from raiden_core.characters.compose import compose
from raiden_core.dataset.policies import recited
from raiden_core.errors import DataError
from raiden_core.export.openr1 import RAIDENDataAdapter
from raiden_core.generation.offline.generate import generate
from raiden_core.generation.offline.teacher import OfflineTeacher
from raiden_core.rewards import Scorer, accuracy_reward
from raiden_core.rewards.aside import completed, count_completed, guarded, of_profile
from raiden_core.rewards.gold import read_verified
from raiden_core.samples import Sample, Validator, parse_sample, table_row
from tests.support.tables import table

ASIDE = [["医生", "大夫"], ["豆包", "橘猫"], ["十七岁"], ["围棋"]]
SAMPLE = {
    "keywords": ["长沙"],
    "question": "你的家乡是哪里？",
    "answer": "我的家乡是长沙。",
    "validator": {"all_of": [["长沙"]], "aside": ASIDE},
}

VERDICTS = [
    ("我的家乡是长沙。", 1, "the reference"),
    ("我是长沙人，在那里当医生，养了一只叫豆包的橘猫。", 1, "two things besides: a group counts once"),
    ("长沙。我是医生，养了豆包，十七岁。", 0, "three things besides"),
    ("长沙、大夫、橘猫、围棋", 0, "equivalents count"),
    ("长沙。我不是医生，没有橘猫，也不下围棋。", 0, "denied mentions count as well"),
    ("长沙、大夫、橘猫、17岁", 0, "numbers match by value"),
    ("长沙、大夫、橘猫、117岁", 1, "and never inside a longer number"),
    ("医生、豆包、十七岁、围棋", 0, "and the keyword is still needed"),
]


@table(("says", "accuracy", "reason"), VERDICTS, ids=[reason for *_, reason in VERDICTS])
def test_an_answer_may_tell_so_much_besides(says: str, accuracy: int, reason: str) -> None:
    assert Scorer().accuracy_of_text(SAMPLE, says).accuracy == accuracy


def test_the_reason_names_what_is_recited() -> None:
    assert Scorer().accuracy_of_text(SAMPLE, "长沙、大夫、橘猫、围棋").why == "recites: 医生, 豆包, 围棋"


def _with(**fields: Any) -> dict[str, Any]:
    return {**SAMPLE, "validator": {"all_of": [["长沙"]], "aside": ASIDE, **fields}}


LIMITS = [
    (_with(aside_limit=0), "长沙的医生", 0, "the limit is the validator's"),
    (_with(aside_limit=3), "长沙、医生、豆包、围棋", 1, "a higher one as well"),
    (_with(aside_limit=4), "长沙、医生、豆包、围棋、十七岁", 1, "as many as there are groups"),
    (
        {**SAMPLE, "question": "医生，你的橘猫叫什么？家乡呢？"},
        "长沙、医生、橘猫、围棋、十七岁",
        1,
        "terms of the question never count",
    ),
    (
        {**_with(aside_limit=0), "answer": "我是长沙的医生。"},
        "长沙、围棋",
        1,
        "as many groups as the reference mentions are allowed",
    ),
    ({**_with(aside_limit=0), "answer": "我是长沙的医生。"}, "长沙、围棋、豆包", 0, "and no more"),
    ({**_with(aside_limit=0), "answer": "我是长沙的医生。"}, "长沙、医生、围棋", 1, "terms of the reference never count"),
]  # fmt: skip


@pytest.mark.parametrize(("sample", "says", "accuracy", "reason"), LIMITS, ids=[reason for *_, reason in LIMITS])
def test_the_limit(sample: dict[str, Any], says: str, accuracy: int, reason: str) -> None:
    assert Scorer().accuracy_of_text(sample, says).accuracy == accuracy


def test_a_longer_term_shields_what_it_holds() -> None:
    """长沙大学 tells one thing, though 长沙 and 大学 are others."""
    sample = {"keywords": ["医生"], "validator": {"all_of": [["医生"]], "aside": [["长沙大学"], ["长沙"], ["大学"]]}}
    assert Scorer().accuracy_of_text(sample, "我是长沙大学的医生").accuracy == 1
    assert Scorer().accuracy_of_text(sample, "长沙大学，长沙，大学，医生").accuracy == 0


def test_partial_credit_is_lost_too() -> None:
    sample = {"keywords": [], "validator": {"all_of": [["长沙"], ["武汉"]], "aside": ASIDE}}
    scorer = Scorer(partial_credit=True)
    assert scorer.accuracy_of_text(sample, "长沙").accuracy == 0.5
    assert scorer.accuracy_of_text(sample, "长沙、医生、豆包、围棋").accuracy == 0


WRONG = [
    ({"all_of": [["长沙"]], "aside": [["医生"], []]}, "aside"),
    ({"all_of": [["长沙"]], "aside": "医生"}, "aside"),
    ({"all_of": [["长沙"]], "aside": [["医生"]], "aside_limit": -1}, "aside_limit"),
    ({"all_of": [["长沙"]], "aside": [["医生"]], "asides": []}, "asides"),
]


@pytest.mark.parametrize(("validator", "named"), WRONG, ids=[named for _, named in WRONG])
def test_what_is_no_aside_is_refused_by_name(validator: dict[str, Any], named: str) -> None:
    with pytest.raises(DataError, match=named):
        Scorer().accuracy_of_text({"keywords": [], "validator": validator}, "长沙")
    row = {"character_name": "a", "character_profile": {}, "question": "?", "answer": "长沙", "keywords": ["长沙"]}
    with pytest.raises(DataError, match=rf"row 3: validator.*{named}"):
        parse_sample({**row, "validator": validator}, "row 3")


CLASHES = [
    ([["长沙"]], "长沙", "a term that is asked for"),
    ([["医生"], ["湖南"]], "湖南", "a term that the reference mentions"),
]


@pytest.mark.parametrize(("aside", "named", "reason"), CLASHES, ids=[reason for *_, reason in CLASHES])
def test_an_aside_of_the_right_answer_is_refused_on_loading(
    tmp_path: Path, aside: list[list[str]], named: str, reason: str
) -> None:
    row = {
        "character_name": "a",
        "character_profile": {"姓名": "小明"},
        "question": "家乡？",
        "answer": "我的家乡是湖南长沙。",
        "keywords": ["长沙"],
        "validator": {"all_of": [["长沙"]], "aside": aside},
    }
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(row), "utf-8")
    samples, failures = read_verified(path, Scorer())
    assert not samples
    assert failures == [
        f"{path}: line 1: validator.aside holds {named!r}, which is part of the right answer; take it out of aside"
    ]


PROFILE = {"姓名": "李梅", "性别": "女", "年龄": "24岁", "职业": "医生", "爱好": "围棋、钓鱼", "家乡": "长沙"}

PROFILES = [
    (PROFILE, (("李梅",), ("24岁",), ("医生",), ("围棋", "钓鱼"), ("长沙",)), "a group a value; one letter tells nothing"),
    (
        {"Name": "Ann", "Likes": ["tea", "dogs"], "Home": {"Town": "Leeds", "Since": 1990}, "Job": "a baker"},
        (("Ann",), ("tea", "dogs"), ("Leeds",), ("1990",), ("a baker", "baker")),
        "lists, nested fields, numbers, articles",
    ),
    (
        {"Name": "Ann", "Detailed Description": "Town: Leeds\nJob: baker\nPet: a cat called Tom\nLikes: tea"},
        (("Ann",), ("Leeds",), ("baker",), ("a cat called Tom", "cat called Tom"), ("tea",)),
        "lines of a description",
    ),
    (
        {"Name": "小明", "Gender": "男", "Detailed Description": "他是长沙人，在医院当医生。养了一只叫豆包的橘猫。"},
        (("小明",), ("他是长沙人",), ("在医院当医生",), ("养了一只叫豆包的橘猫",)),
        "clauses of prose where values are few",
    ),
    ({"Town": "Leeds", "Birthplace": "leeds"}, (("Leeds",),), "equal values are one thing"),
    ({"Name": "X", "Age": 9, "Alive": True, "Pet": None}, (), "nothing that tells anything"),
]  # fmt: skip


@pytest.mark.parametrize(("profile", "groups", "reason"), PROFILES, ids=[reason for *_, reason in PROFILES])
def test_what_a_profile_holds(profile: dict[str, Any], groups: tuple[tuple[str, ...], ...], reason: str) -> None:
    assert sum(of_profile(profile), ()) == groups


def test_the_limit_suits_a_short_profile() -> None:
    """Whoever tells two values of two has told all there is; of one alone nothing can be said."""
    for count, limit in ((1, 2), (2, 1), (3, 2), (9, 2)):
        told = of_profile({f"key {number}": f"value {number}x" for number in range(count)})
        assert guarded(Validator(all_of=(("Leeds",),)), told, ()).aside_limit == limit


def _sample(**fields: Any) -> Sample:
    row = {
        "character_name": "李梅",
        "character_profile": PROFILE,
        "question": "你的家乡是哪里？",
        "answer": "我的家乡是长沙。",
    }
    return parse_sample({**row, "keywords": ["长沙"], **fields}, "row")


def test_loading_completes_what_has_no_aside() -> None:
    bare = _sample()
    done = completed(bare)
    assert done.validator is not None
    assert done.validator.all_of == (("长沙",),)
    assert done.validator.aside == (("李梅",), ("24岁",), ("医生",), ("围棋", "钓鱼"))
    assert done.id == bare.id
    assert count_completed([bare, done]) == 1
    assert Scorer().accuracy_of_text(bare, recited(bare)).accuracy == 1
    assert Scorer().accuracy_of_text(done, recited(done)).accuracy == 0


def test_loading_leaves_alone_what_has_an_aside_and_what_is_for_a_judge() -> None:
    own = _sample(validator={"all_of": [["长沙"]], "aside": [["医生"]]})
    assert completed(own) is own
    assert completed(open_ended := _sample(keywords=[])) is open_ended


def test_terms_of_question_reference_and_keywords_stay_out() -> None:
    asked = _sample(question="24岁的你，家乡在哪里？", answer="我是长沙的医生。")
    assert completed(asked).validator.aside == (("李梅",), ("围棋", "钓鱼"))


def test_the_columns_carry_it(tmp_path: Path) -> None:
    """What TRL is handed is protected without anything else of raiden's."""
    path = tmp_path / "train.json"
    path.write_text(json.dumps([_sample().model_dump(mode="json")]), "utf-8")
    table = RAIDENDataAdapter().load_raiden_dataset(path)
    columns = table.to_dict()
    says = [f"<think>?</think><answer>{recited(_sample())}</answer>"]
    assert accuracy_reward(says, **columns) == [0.0]
    assert accuracy_reward(says, **{**columns, "validator": [None]}) == [1.0]


def test_a_validator_without_aside_is_written_as_before() -> None:
    validator = {"all_of": [["长沙"]], "none_of": [], "min_groups": None}
    assert json.loads(table_row(_sample(validator=validator))["validator"]) == validator


def _generated() -> list[tuple[str, list[Sample]]]:
    groups = {"shipped": list(read_characters(["shipped"]).characters)}
    groups["composed"] = compose(60, language="zh", facts=(3, 8), seed=3)
    made = {
        name: generate(
            characters,
            teacher=OfflineTeacher(0),
            samples_per_character=8,
            include_cm=True,
            cm_share=0.2,
            seed=0,
            scorer=Scorer(),
        ).samples
        for name, characters in groups.items()
    }
    by_language = [
        (code, [one for one in made["shipped"] if one.language == code]) for code in ("zh", "en", "ja", "ko")
    ]
    return [*by_language, ("composed", list(made["composed"]))]


def _guide_layout(sample: Sample) -> Sample:
    """The four fields of the OpenR1 guide, and no validator."""
    name, *rest = sample.character_profile.items()
    *facts, (_, prose) = rest
    lines = "\n".join(f"{key}: {value}" for key, value in facts)
    profile = {"Name": name[1], "Gender": facts[0][1], "Introduction": prose, "Detailed Description": lines}
    return sample.model_copy(update={"character_profile": profile, "validator": None})


def test_the_recited_profile_earns_next_to_nothing() -> None:
    scorer = Scorer()
    for name, samples in _generated():
        answers = [(sample, recited(sample)) for sample in samples]
        assert sum(scorer.accuracy_of_text(sample, text).accuracy for sample, text in answers) <= 0.05 * len(samples), (
            name
        )
        if name == "composed":
            continue
        guide = [completed(_guide_layout(sample)) for sample, _ in answers]
        assert all(scorer.check(sample) is None for sample in guide), name
        won = sum(
            scorer.accuracy_of_text(sample, text).accuracy for sample, (_, text) in zip(guide, answers, strict=True)
        )
        assert won <= 0.05 * len(guide), name


def test_long_profiles_stay_fast() -> None:
    """Ten times the groups and ten times the text cost no more than a hundred times and a little."""
    aside = [[f"thing number{number}x"] for number in range(1000)]
    sample = {
        "keywords": ["Leeds"],
        "question": "?",
        "answer": "Leeds",
        "validator": json.dumps({"all_of": [["Leeds"]], "aside": aside}),
    }
    scorer = Scorer(min_length_bound=10**9)
    scorer.accuracy_of_text(sample, "Leeds")
    start = time.perf_counter()
    assert scorer.accuracy_of_text(sample, "Leeds " + "so it goes " * 10_000).accuracy == 1
    assert time.perf_counter() - start < 2
