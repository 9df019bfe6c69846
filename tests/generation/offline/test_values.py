"""Which terms a right answer must contain, for values as people write them."""

import pytest

from raiden_core.generation.offline.catalogue import Attribute
from raiden_core.generation.offline.values import read_value
from tests.support.tables import table


def attribute(**fields: object) -> Attribute:
    return Attribute.model_validate(
        {"keys": ["k"], "questions": ["{key}?", "{key}!"], "answers": ["{value}"], **fields}
    )


def keywords(raw: str, language: str, shape: str = "text") -> list[str]:
    return [group[0] for group in read_value(raw, language, attribute(shape=shape)).groups]


@table(
    ("language", "shape", "raw", "expected"),
    [
        ("zh", "text", "厨师", ["厨师"]),
        ("zh", "text", "男,", ["男"]),
        ("zh", "text", "钓鱼、下棋、画画和书法", ["钓鱼", "下棋", "画画", "书法"]),
        ("zh", "text", "厨师，店长", ["厨师", "店长"]),
        ("zh", "text", "单身（暂时）", ["单身"]),
        ("zh", "place", "海边，灯塔旁", ["海边，灯塔旁"]),
        ("zh", "quote", "“走，吃饭去！”", ["走，吃饭去"]),
        ("en", "text", "regal and merciless", ["regal", "merciless"]),
        ("en", "text", "chess, tea, and rowing", ["chess", "tea", "rowing"]),
        ("en", "place", "Cork, Ireland", ["Cork, Ireland"]),
        ("en", "number", "1,904", ["1,904"]),
        ("en", "text", "1,904", ["1,904"]),
        ("en", "text", "**Sandcastles**", ["Sandcastles"]),
        ("ja", "text", "将棋、釣り", ["将棋", "釣り"]),
        ("ja", "person", "うどん屋の女将、節子", ["節子"]),
        ("ko", "text", "낚시, 바둑", ["낚시", "바둑"]),
        ("ko", "text", "낚시 그리고 바둑", ["낚시", "바둑"]),
    ],
)
def test_keywords(language: str, shape: str, raw: str, expected: list[str]) -> None:
    assert keywords(raw, language, shape) == expected


@table(
    ("language", "raw"),
    [
        ("zh", "他小时候在海边长大，后来跟着舅舅去了北方，再也没有回来"),
        ("zh", "涵盖多个领域，以支持各种论点"),
        ("zh", "爱笑。也爱哭"),
        ("zh", "一二三四五六七八九十一二三四五六七八九十一"),
        ("zh", "你是一名工程师"),
        ("zh", "没有"),
        ("zh", "  "),
        ("en", "a man who has spent most of his life at sea"),
        ("en", "You are a helpful butler"),
        ("en", "10, including 3 working from home"),
        ("en", "unknown"),
        ("en", "a, b, c, d, e, f, g"),
        ("ja", "現在に集中し、不安を管理する"),
        ("ja", "海で育ちました。"),
        ("ko", "다양한 분야를 지원합니다"),
        ("ko", "《책》)이나 다른 책"),
    ],
)
def test_what_nobody_repeats_word_for_word_is_unverifiable(language: str, raw: str) -> None:
    reading = read_value(raw, language, attribute())
    assert reading.groups == ()
    assert reading.unverifiable


@table(
    ("language", "shape", "raw", "accepted"),
    [
        ("zh", "number", "17岁", "17"),
        ("zh", "number", "182 cm", "182厘米"),
        ("zh", "number", "182cm", "1米82"),
        ("zh", "date", "1986年7月14日", "7月14日"),
        ("zh", "place", "长沙市", "长沙"),
        ("zh", "named", "一只叫豆包的橘猫", "豆包"),
        ("zh", "text", "一枚旧铜钱", "旧铜钱"),
        ("zh", "person", "庙公阿坤伯", "阿坤伯"),
        ("en", "text", "the sea", "sea"),
        ("en", "named", "a three-legged kelpie named Bogey", "Bogey"),
        ("en", "person", "the opal buyer Stavros Kotsis", "Stavros Kotsis"),
        ("en", "date", "March 5, 1986", "5th of March"),
        ("en", "date", "21 June", "June 21st"),
        ("en", "place", "Cork, Ireland", "Cork"),
        ("en", "number", "77 years old", "77"),
        ("ja", "place", "長崎県", "長崎"),
        ("ko", "place", "부산광역시", "부산"),
    ],
)
def test_equivalents(language: str, shape: str, raw: str, accepted: str) -> None:
    (group,) = read_value(raw, language, attribute(shape=shape)).groups
    assert accepted in group


@pytest.mark.parametrize(
    ("language", "shape", "raw", "refused"),
    [
        ("zh", "number", "3个", "3"),  # one digit stands in too much
        ("zh", "text", "一只猫", "猫"),  # so does one character
        ("en", "named", "a Persian cat", "Persian"),  # a capital is not a name
        ("en", "person", "Ana or Bob", "Ana"),  # two names: neither is the answer alone
    ],
)
def test_no_equivalent_that_could_be_wrong(language: str, shape: str, raw: str, refused: str) -> None:
    assert all(refused not in group for group in read_value(raw, language, attribute(shape=shape)).groups)


def test_closed_values_bring_their_group() -> None:
    gender = attribute(values=[["男", "男性"], ["女", "女性"]])
    assert read_value("男性", "zh", gender).groups == (("男性", "男"),)
    assert read_value("其他性别", "zh", gender).groups == (("其他性别",),)


@table(
    ("language", "raw", "said"),
    [
        ("zh", "1986年7月14日", ["7月14日", "7月14号", "1986年7月14号", "1986-07-14", "1986/7/14"]),
        ("zh", "7月14日", ["7月14号"]),
        ("zh", "7月14号", ["7月14日"]),
        ("zh", "七月十四日", ["七月十四号"]),
        ("zh", "1986-07-14", ["1986年7月14日", "7月14日", "7月14号"]),
        ("zh", "1986.7.14", ["1986年7月14日", "1986-07-14"]),
        ("en", "1986-07-14", ["July 14", "14th of July", "July 14th"]),
        ("en", "14 July 1986", ["July 14", "1986-07-14"]),
        ("ja", "1986/7/14", ["1986年7月14日", "7月14日", "1986-07-14"]),
        ("ko", "1986년 7월 14일", ["7월 14일", "1986-07-14"]),
        ("ko", "1986-07-14", ["1986년 7월 14일", "7월 14일"]),
    ],
)
def test_dates_said_otherwise(language: str, raw: str, said: list[str]) -> None:
    (group,) = read_value(raw, language, attribute(shape="date")).groups
    assert group[0] == raw, "the keyword is what the profile says"
    assert set(said) <= set(group)


@pytest.mark.parametrize(
    ("language", "raw"), [("zh", "农历五月初三"), ("zh", "腊月廿三"), ("en", "13/13/1986"), ("ja", "春分の日")]
)
def test_no_other_date_is_made_up(language: str, raw: str) -> None:
    assert read_value(raw, language, attribute(shape="date")).groups == ((raw,),)
