"""Measures: which word behind a number makes it an age, a length, a price, and how much one of it is.

A measure is a kind and a factor to the kind's base unit; all factors are exact, so that 1.65 m equals 165 cm and 5'5"
equals neither. A word with two readings (キロ, pound, 분) has both. Words are spelled as folding leaves them.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from raiden_core.rewards.folding import SPACELESS
from raiden_core.rewards.numbers.units import HAN_UNITS, KOREAN_UNITS


class Measure(NamedTuple):
    """What one of a unit is."""

    kind: str
    factor: Fraction


_TABLE = (
    ("age", "1", "岁 周岁 才 살 세 yo y/o year-old"),
    ("age", "1", "years_old year_old yrs_old years_of_age years-old"),
    ("length", "0.001", "mm 毫米 公厘 ミリ ミリメートル 밀리 밀리미터 millimeter millimetre"),
    ("length", "0.01", "cm 厘米 公分 センチ センチメートル 센티 센티미터 cms centimeter centimetre"),
    ("length", "1", "m 米 公尺 メートル 미터 meter metre"),
    ("length", "1000", "km 公里 千米 キロ キロメートル 킬로 킬로미터 kms kilometer kilometre"),
    ("length", "500", "里"),
    ("length", "0.0254", "in inch 英寸 インチ 인치"),
    ("length", "0.3048", "ft foot feet 英尺 フィート 피트"),
    ("length", "1609.344", "mile 英里 マイル 마일"),
    ("weight", "0.001", "mg 毫克 ミリグラム 밀리그램 milligram"),
    ("weight", "1", "g 克 グラム 그램 gram gramme"),
    ("weight", "1000", "kg 公斤 千克 キロ キログラム 킬로 킬로그램 kgs kilo kilogram kilogramme"),
    ("weight", "500", "斤 市斤"),
    ("weight", "50", "两"),
    ("weight", "1000000", "吨 トン 톤 tonne"),
    ("weight", "453.59237", "lb lbs pound 磅 ポンド 파운드"),
    ("cny", "1", "元 块 块钱 元钱 圆 元人民币 块人民币 人民币 rmb yuan 위안 人民元"),
    ("cny", "0.1", "毛 角 毛钱"),
    ("jpy", "1", "円 圆 日元 日圆 yen 엔"),
    ("krw", "1", "원 韩元 韩圆 won ウォン krw"),
    ("usd", "1", "美元 美金 ドル 달러 dollar buck usd 美刀"),
    ("eur", "1", "欧元 ユーロ 유로 euro eur"),
    ("gbp", "1", "英镑 镑 ポンド 파운드 pound quid gbp"),
    ("ratio", "0.01", "% パーセント 퍼센트 프로 percent per_cent 个百分点"),
    ("ratio", "0.1", "成 割 할"),
    ("months", "12", "年 年间 년 년간 year yr"),
    ("months", "1", "个月 か月 ヶ月 カ月 ケ月 ヵ月 か月间 ヶ月间 개월 달 month"),
    ("seconds", "604800", "周 星期 礼拜 个星期 个礼拜 周间 주 주일 주간 week"),
    ("seconds", "86400", "天 日 日间 일 일간 day"),
    ("seconds", "3600", "小时 个小时 钟头 个钟头 时间 시간 hour hr"),
    ("seconds", "60", "分钟 分 分间 분 분간 minute min"),
    ("seconds", "1", "秒 秒钟 초 second sec"),
    ("ordinal", "1", "番目 번째 째 等 등 위 st nd rd th st_place nd_place rd_place th_place"),
    ("floor", "1", "楼 层 阶 층 st_floor nd_floor rd_floor th_floor"),
    ("things", "1", "个 つ 개"),
    ("people", "1", "个 个人 人 名 位 口 口人 명 사람 인 분 にん people person"),
    ("animals", "1", "只 匹 头 条 마리 ひき びき ぴき"),
    ("books", "1", "本 册 권 本书"),
)
KINDS_OF_MONEY = frozenset({"cny", "jpy", "krw", "usd", "eur", "gbp"})
COUNTS = frozenset({"things", "people", "animals", "books"})
SIGNS = {
    "$": ("usd",),
    "us$": ("usd",),
    "¥": ("cny", "jpy"),
    "₩": ("krw",),
    "€": ("eur",),
    "£": ("gbp",),
}
"""Signs that stand before an amount."""


def _measures() -> dict[str, tuple[Measure, ...]]:
    table: dict[str, tuple[Measure, ...]] = {}
    for kind, factor, words in _TABLE:
        for word in words.split():
            spelled = word.replace("_", " ")
            plural = [f"{spelled}s", f"{spelled}es"] if spelled.isascii() and spelled[-1].isalpha() else []
            for one in (spelled, *plural):
                table[one] = (*table.get(one, ()), Measure(kind, Fraction(factor)))
    for word in (*HAN_UNITS.split("|"), *KOREAN_UNITS.split("|")):
        # Other units measure nothing that converts: 三班 equals 3班 only.
        table.setdefault(word, (Measure(f"unit {word}", Fraction(1)),))
    return table


MEASURES = _measures()
"""Unit → its readings."""
KINDS = {unit: frozenset(measure.kind for measure in measures) for unit, measures in MEASURES.items()}
"""Unit → the kinds that it may measure."""
TAKES_HALF = frozenset(unit for unit, kinds in KINDS.items() if kinds.isdisjoint(COUNTS | {"ordinal", "floor"}))
"""Units behind which 半 adds half of one: 三斤半."""


def _by_first_letter() -> dict[str, tuple[str, ...]]:
    words: dict[str, list[str]] = {}
    for word in sorted(MEASURES, key=len, reverse=True):
        words.setdefault(word[0], []).append(word)
    return {letter: tuple(some) for letter, some in words.items()}


_BY_FIRST_LETTER = _by_first_letter()
_LETTER = re.compile(f"[^\\W\\d_{SPACELESS}]")


def unit_at(text: str, place: int) -> tuple[str, int]:
    """The longest unit at ``place``, a blank or hyphen before it skipped, and where it ends; ("", place) if none is."""
    start = place + 1 if text[place : place + 1] in _SKIPPED else place
    for word in _BY_FIRST_LETTER.get(text[start : start + 1], ()):
        if text.startswith(word, start):
            end = start + len(word)
            is_word = word[-1].isascii() and word[-1].isalpha() and _LETTER.match(text, end)
            is_preposition = word == "in" and start > place and _WORD_AFTER.match(text, end)
            if not is_word and not is_preposition:
                return word, end
    return "", place


_WORD_AFTER = re.compile(" [a-z]")
"""Five in the morning are no five inches."""
_SKIPPED = (" ", "-")
