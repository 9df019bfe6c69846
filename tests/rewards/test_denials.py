"""What a denial is: it depends on what is asked for, and no soft ending or stage direction hides it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from raiden_core.errors import DataError
from raiden_core.rewards import Scorer
from raiden_core.rewards.negation.topic import topic_of
from raiden_core.samples import Sample, Validator
from tests.support.tables import table

CASES = [json.loads(line) for line in (Path(__file__).parent / "cases.jsonl").read_text("utf-8").splitlines()]
ANSWERS = [case for case in CASES if case.get("says") and case["rule"] != "length"]
PET = ("你养了什么宠物？", "我养了一只叫小葱的猫。", "小葱")
CAT = ("ペットは飼っていますか？", "小鉄という猫を飼っています。", "小鉄")
FEAR = ("What are you afraid of?", "Spiders.", "spiders")
CANNOT = ("What can't you do?", "I can't swim.", "swim")
JOB = ("무슨 일을 하세요?", "저는 의사예요.", "의사")


def earned(sample: tuple[str, str, str], says: str, **validator: Any) -> float:
    question, answer, keyword = sample
    row: dict[str, Any] = {"question": question, "answer": answer, "keywords": [keyword]}
    if validator:
        row["validator"] = {"all_of": [[keyword]], **validator}
    return Scorer().accuracy_of_text(row, says).accuracy


@table(
    ("sample", "says", "right"),
    [
        (CAT, "小鉄は魚を食べません。", 1),
        (CAT, "小鉄なんていません。", 0),
        (PET, "小葱从不抓老鼠。", 1),
        (PET, "我没有叫小葱的猫。", 0),
        (FEAR, "I'm not afraid of spiders.", 0),
        (FEAR, "I can't sleep when there are spiders.", 1),
        (FEAR, "I laugh at spiders.", 0),
        (CANNOT, "I never learned to swim.", 1),
        (CANNOT, "Swim.", 1),
        (CANNOT, "I can swim.", 0),
        (JOB, "의사? (쓴웃음) 하하, 아니요.", 0),
        (JOB, "의사는 쉬는 날이 없어요.", 1),
        (JOB, "의사예요. 농담이에요.", 0),
        (JOB, "의사인가요?", 0),
        (JOB, "간호사... 아니, 의사예요.", 1),
        (JOB, "의사... 아니, 간호사예요.", 0),
    ],
)
def test_the_question_says_what_denies(sample: tuple[str, str, str], says: str, right: int) -> None:
    assert earned(sample, says) == right


HOME = ("Where are you from?", "I'm from Oslo.", "Oslo")
GO = ("趣味は何ですか？", "将棋です。", "将棋")
BOATS = ("你会什么运动？", "我会划船。", "划船")
ARCHERY = ("취미가 뭐예요?", "국궁이에요.", "국궁")
BAKER = ("What do you do for a living?", "I'm a baker.", "baker")
DOCTOR = ("你是做什么工作的？", "我是医生。", "医生")
DUMPLINGS = ("你最喜欢吃什么？", "我最爱吃饺子。", "饺子")
TORTOISE = ("你养了什么宠物？", "我养了一只乌龟。", "乌龟")
CARPENTER = ("お仕事は何ですか？", "大工です。", "大工")


@table(
    ("sample", "says", "right"),
    [
        (HOME, "Oslo? Bergen, rain and all.", 0),
        (HOME, "Oslo? Born and raised.", 1),
        (HOME, "Oslo? Guilty as charged!", 1),
        (HOME, "Oslo? Yes, by the harbour.", 1),
        (HOME, "Where else but Oslo?", 1),
        (HOME, "You take me for somebody from Oslo? I grew up in Bergen.", 0),
        (GO, "将棋？駒の並べ方も怪しい。", 0),
        (GO, "将棋？五歳から指してます。", 1),
        (ARCHERY, "국궁? 활이 제 키보다 커요.", 0),
        (ARCHERY, "국궁? 매일 쏴요.", 1),
        (BOATS, "划船？我晕水。", 0),
        (BOATS, "划船？天天划。", 1),
        (BOATS, "是划船吧？", 1),
        (BAKER, "Looking for a baker? Here I am!", 1),
        (BAKER, "The baker? That would be me.", 1),
        (BAKER, "A baker? You're looking at a cook!", 0),
        (BAKER, "A baker? That would be my brother.", 0),
        (DOCTOR, "我不就是个医生吗？", 1),
        (DOCTOR, "我不就是不想当医生吗？", 0),
        (DUMPLINGS, "还有比饺子更香的吗？", 1),
        (TORTOISE, "看见那只乌龟了吗？我养的。", 1),
        (TORTOISE, "乌龟？我养的是猫。", 0),
        (CARPENTER, "大工が必要ですか？私です。", 1),
        (CARPENTER, "大工？私は料理人です。", 0),
        (CARPENTER, "大工？私のことですか？", 0),
        (JOB, "의사 찾으세요? 저예요.", 1),
        (JOB, "의사? 나야 모르지.", 0),
    ],
)
def test_a_mention_in_a_question_is_claimed_if_what_follows_keeps_it(
    sample: tuple[str, str, str], says: str, right: int
) -> None:
    assert earned(sample, says) == right


@table(
    ("sample", "says", "right"),
    [
        (BOATS, "划船那都是队里小伙子的事，船桨我一次也没摸过。", 0),
        (BOATS, "划船我最拿手，从没翻过。", 1),
        (GO, "将棋、駒は磨くけど指せません。", 0),
        (GO, "将棋、得意なほうで、まず負けません。", 1),
        (GO, "将棋、まだ弱くて勝てないけど続けてます。", 1),
        (ARCHERY, "국궁은 보기는 하는데 쏠 줄은 몰라요.", 0),
        (ARCHERY, "국궁은 제일 좋아하는데 요즘은 시간이 없어요.", 1),
    ],
)
def test_the_end_of_a_sentence_denies_its_topic(sample: tuple[str, str, str], says: str, right: int) -> None:
    assert earned(sample, says) == right


@table(
    ("sample", "says", "right"),
    [
        (BOATS, "划船那是隔壁村的营生，我顶多在岸上看。", 0),
        (BOATS, "划船我天天练，我是队里的老手。", 1),
        (GO, "将棋は町内の年寄りがやるもので、僕は見てるだけだ。", 0),
        (GO, "将棋が好きで、僕は毎日指してます。", 1),
        (ARCHERY, "국궁은 동네 젊은이들이 하는 거고 저는 차나 날라요.", 0),
        (ARCHERY, "국궁을 제일 좋아해서 저는 매일 활터에 가요.", 1),
    ],
)
def test_what_others_do_is_told_by_the_turn_to_oneself(sample: tuple[str, str, str], says: str, right: int) -> None:
    assert earned(sample, says) == right


def test_about_and_polarity_go_before_the_question() -> None:
    plain = ("Well?", "Spiders.", "spiders")
    assert earned(plain, "I can't sleep when there are spiders.", about="fear") == 1
    assert earned(plain, "Spiders don't scare me.", about="fear") == 0
    assert earned(plain, "I have never seen spiders.", polarity="denied") == 1
    assert earned(plain, "I love spiders.", polarity="denied") == 0


@table(
    ("question", "about"),
    [
        ("你最怕什么？", "fear"),
        ("What's your favourite food?", "taste"),
        ("お仕事は何ですか？", "identity"),
        ("반려동물 키우세요?", "possession"),
        ("你会哪些语言？", "activity"),
        ("Why did you leave home?", "event"),
        ("How old are you?", "other"),
        ("", ""),
    ],
)
def test_topics(question: str, about: str) -> None:
    assert topic_of(question).about == about


@table(
    ("fields", "reason"),
    [
        ({"all_of": [["a"]], "denied": [["a"]]}, "'a' stands in all_of and in denied"),
        ({"all_of": [["a"]], "polarity": "no"}, "validator.polarity is 'no'; it must be one of affirmed, denied"),
        ({"all_of": [["a"]], "about": "love"}, "validator.about is 'love'; it must be one of identity"),
        ({"all_of": [["a"]], "denied": [[]]}, "validator.denied[0] is empty"),
        ({"all_of": [["a"]], "aside_limit": -1}, "validator.aside_limit is -1"),
        ({"all_of": [["a"]], "abstains": 1}, "validator.abstains is 1; it must be true or false"),
        ({"all_of": [["a"]], "asides": []}, "validator has the unknown key 'asides'"),
        ({"all_of": []}, "all_of is empty"),
    ],
)
def test_a_validator_out_of_order_is_refused(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(DataError) as error:
        Scorer().accuracy_of_text({"validator": fields}, "a")
    assert reason in str(error.value)


def test_a_polarity_that_the_reference_contradicts_fails_the_check() -> None:
    sample = {"question": "What do you eat?", "answer": "I love soup.", "validator": {"all_of": [["soup"]]}}
    assert Scorer().check(sample) is None
    assert "affirmed: soup" in str(
        Scorer().check({**sample, "validator": {"all_of": [["soup"]], "polarity": "denied"}})
    )


@pytest.mark.parametrize(
    ("says", "right"),
    [("不，我是长沙人。", 1), ("我不是武汉人，我是长沙人。", 1), ("我是武汉人，住在长沙。", 0), ("对，武汉。", 0)],
)
def test_what_is_to_be_denied_is_denied_or_corrected(says: str, right: int) -> None:
    sample = {"question": "听说你是武汉人？", "validator": {"all_of": [["长沙"]], "denied": [["武汉"]]}}
    assert Scorer().accuracy_of_text(sample, says).accuracy == right


@pytest.mark.parametrize(("says", "right"), [("No, never.", 1), ("I have never been to Oslo.", 1), ("Yes, Oslo!", 0)])
def test_a_plain_no_denies_where_nothing_else_is_asked(says: str, right: int) -> None:
    assert Scorer().accuracy_of_text({"validator": {"denied": [["Oslo"]]}}, says).accuracy == right


@pytest.mark.parametrize(("says", "right"), [("I don't know.", 1), ("I don't know, maybe Oslo.", 0), ("It's late.", 0)])
def test_abstaining_is_saying_that_one_does_not_know(says: str, right: int) -> None:
    sample = {"validator": {"abstains": True, "none_of": ["Oslo"]}}
    assert Scorer().accuracy_of_text(sample, says).accuracy == right


def test_the_later_fields_travel_and_leave_old_files_as_they_are() -> None:
    old = {"all_of": (("a",),), "none_of": (), "min_groups": None}
    assert Validator.model_validate(old).model_dump() == old
    full = {**old, "aside": (("b",),), "aside_limit": 1, "polarity": "denied", "about": "fear", "denied": (("c",),)}
    assert Validator.model_validate(full).model_dump() == {**full}
    row = {"character_name": "A", "character_profile": {}, "question": "q", "answer": "a", "keywords": ["a"]}
    assert Sample.model_validate({**row, "validator": full}).validator == Validator.model_validate(full)


FULL_STOP = re.compile("(?<!\\.)[.。]$")
WRAPPERS: dict[str, Callable[[str, str], str]] = {
    "bold": lambda text, _: f"**{text}**",
    "wave": lambda text, _: FULL_STOP.sub("～", text),
    "emoji": lambda text, _: FULL_STOP.sub("😊", text),
    "note": lambda text, _: FULL_STOP.sub("♪", text),
    "heart": lambda text, _: FULL_STOP.sub("♡", text),
    "smile": lambda text, code: (
        {"zh": "（微笑）", "ja": "（微笑んで）", "ko": "(웃으며) ", "en": "*smiles* "}[code] + text
    ),
    "interjection": lambda text, code: {"zh": "嗯，", "ja": "ええと、", "ko": "음, ", "en": "Well, "}[code] + text,
    "honestly": lambda text, code: (
        {"zh": "不瞒你说，", "ja": "正直に言うと、", "ko": "솔직히 말해서, ", "en": "To be honest, "}[code] + text
    ),
    "gesture": lambda text, code: (
        text + {"zh": "（挠挠头）", "ja": "（頭をかく）", "ko": " (고개를 끄덕이며)", "en": " *scratches head*"}[code]
    ),
}


@table("name", WRAPPERS)
def test_what_keeps_the_truth_keeps_the_verdict(name: str) -> None:
    scorer = Scorer(min_length_bound=10_000)
    changed = []
    for case in ANSWERS:
        wrapped = WRAPPERS[name](str(case["says"]), case["language"])
        if scorer.accuracy_of_text(case, wrapped).accuracy != case["accuracy"]:
            changed.append(wrapped)
    assert changed == []


@pytest.mark.parametrize(
    ("sample", "says"),
    [
        (("你做什么工作？", "我是裁缝。", "裁缝"), "我是裁缝。不，我不是裁缝。"),
        (("What do you do?", "I'm a tailor.", "tailor"), "I'm a tailor. No, I'm not a tailor."),
        (("お仕事は何ですか？", "大工です。", "大工"), "大工です。いいえ、大工ではありません。"),
        (("무슨 일을 하세요?", "저는 목수입니다.", "목수"), "목수입니다. 아니요, 목수가 아닙니다."),
    ],
)
def test_what_is_said_and_then_denied_in_so_many_words_is_not_claimed(sample: tuple[str, str, str], says: str) -> None:
    assert earned(sample, says) == 0
    assert earned(sample, sample[1]) == 1
