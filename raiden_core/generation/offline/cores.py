"""The core of a value: the words of it that a right answer cannot do without.

A profile says "studying contract law", 踢足球 or 얼음 장수 판돌이, and whoever answers says "I study contract law", 我爱足球 or
판돌이예요. What is asked for is the noun (RAIDEN-R1, section 3.2: a keyword is one noun or entity), so the core comes first
in a group and the whole value stays beside it. Where nothing certain can be left out, there is no core. A core may not be
a word that stands in answers of every kind: those are listed as generic.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from raiden_core.generation.offline.catalogue import Shape

_KEPT_WHOLE: frozenset[Shape] = frozenset({"quote", "date", "number", "name"})

# Words that tell too little alone stand in lists below, apart by blanks.

# Chinese: the object of a verb, the noun behind 的, the place within a province, the name behind a trade.
_ZH_VERB = re.compile(
    r"^(?:收集|研究|钻研|欣赏|练习|学习|制作|观察|修理|[踢打下弹拉吹跳唱听看玩练写画做修种逛学读骑织绣编拍养开造])"
    r"(?:一[台只条个张把块支本])?(?=[\u4e00-\u9fff]{2})"
)
_ZH_OF = re.compile(r"^.{2,}的(?=[\u4e00-\u9fff]{2,8}$)")
_ZH_PLACE = re.compile(
    r"^(?:黑龙江|内蒙古|新疆|西藏|宁夏|广西|香港|澳门|台湾|河北|山西|辽宁|吉林|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南"
    r"|四川|贵州|云南|陕西|甘肃|青海|北京|天津|上海|重庆|澎湖|高雄|台北|台中|台南|昆明|成都|广州|深圳|杭州|南京|苏州|武汉|西安|汴京)"
    r"(?:省|市)?(?=[\u4e00-\u9fff]{2,})"
)
_ZH_PLACE_END = re.compile(r"(?<=[\u4e00-\u9fff]{2})[省市县区镇乡]$")
_ZH_TRADE_NAME = re.compile(
    r"^.+(?:[人员匠师工夫兵贩]|保安|老板|司机|医生|护士|老师|船长|姐姐|哥哥|弟弟|妹妹|邻居|同学)([\u4e00-\u9fff]{2,3})$"
)
_ZH_TRADE = re.compile(
    r"^[\u4e00-\u9fff]{2,}(船长|医生|老师|司机|厨师|画家|作家|歌手|记者|律师|研究生|工程师|修理工|设计师)$"
)
# What a trade or a pair of children is about: 雪地摩托修理工 says "I mend 雪地摩托".
_ZH_ABOUT = re.compile(r"^([\u4e00-\u9fff]{3,})(?:修理工|维修工|饲养员|驾驶员|讲解员)$|^(?:一对)?(双胞胎|龙凤胎)")
_ZH_WHERE = re.compile(r"^在[\u4e00-\u9fff]{1,4}[上里下中](?=[\u4e00-\u9fff]{4,})")

# English: what is done to, and the noun phrases between prepositions.
_EN_LEAD = re.compile(r"^(?:to )?(?:an?|the|his|her|my|their|some|one|about|old)\s+", re.IGNORECASE)
_EN_GERUND = re.compile(r"^[a-z]{2,}ing\s+(?=\S)", re.IGNORECASE)
_EN_INFINITIVE = re.compile(r"^to\s+[a-z]+\s+(?=\S)", re.IGNORECASE)
_EN_PARTS = re.compile(
    r"\s+(?:for|with|of|in|at|by|from|on|under|near|before|to|into|over|through|who|that|which|named|called)\s+",
    re.IGNORECASE,
)
_EN_COMMON = """
board book books box child children course covers day friend girl group guard guy home house job kind life lot man men
night part people person piece place room school set side square stuff thing things time town way woman women work world
year years father mother brother sister son daughter husband wife grandmother grandfather
"""

_EN_PASTIME = re.compile(r"^([a-z]{4,}) [a-z]{2,}ing$", re.IGNORECASE)
_EN_ABOUT = re.compile(r"^([a-z]+ [a-z]+) [a-z]+(?:keeper|maker|cleaner|driver|mender)$", re.IGNORECASE)
_EN_TOWN = re.compile(r"\b(?:in|at|near) ([A-Z][\w'’-]+(?: [A-Z][\w'’-]+)+)$")
_EN_TRADE = re.compile(r"(?:er|or|ist|man|ing)$", re.IGNORECASE)

# Japanese: the noun behind の or a clause, without a noun of action.
_JA_OF = re.compile(r"^.*[^\s]の(?=[^のをがに]{2,}$)")
_JA_ACTION = re.compile(r"(?<=..)(?:集め|作り|巡り|めぐり|観察|鑑賞|収集|づくり|いじり|磨き|探し)$")
_JA_PLACE = re.compile(r"^(?:北海道|東京都|大阪府|京都府|[\u4e00-\u9fff]{2,3}県|[\u4e00-\u9fff]{2,3}市)の?(?=.{2,})")
_JA_PLACE_END = re.compile(r"(?<=..)[市区町村]$")
_JA_CLAUSE = re.compile(r"^.*[をがに].*[るうくすつぶむた]([\u30a1-\u30fa\u30fc]{2,}|[\u4e00-\u9fff]{2,})$")
_JA_OBJECT = re.compile(r"([\u30a1-\u30fa\u30fc\u4e00-\u9fff]{2,})を.*こと$")
_JA_ADJECTIVE = re.compile(r"^[\u4e00-\u9fff]+(?:しい|い)(?=[\u3041-\u30ff\u4e00-\u9fff]{2,}$)")
_JA_ABOUT = re.compile(
    r"^([\u4e00-\u9fff\u30a1-\u30fa\u30fc]{4,})(?:職人|技師)$|^([\u4e00-\u9fff\u30a1-\u30fc]{2,})を.*する[\u4e00-\u9fff]$"
)
_JA_COMMON = "こと もの ところ 一つ 二つ 時間 場所 人間 子供 男性 女性"

# Korean: the last word, where it is no verb made a noun; else what stands before it.
_KO_ACTION = re.compile(r"\s+(?:\S*(?:하기|되기|(?<!이야)기)|수집|촬영|관측|수리|감상|관찰)$")
_KO_COMMON = """
사람 사내 여자 남자 아이 어머니 아버지 할머니 할아버지 언니 오빠 누나 동생 상자 물건 시간 조각 하나 것
주인 기사 직원 선생님 이야기
"""
_KO_ABOUT = re.compile(r"^(\S{2,}) \S+ (?:아르바이트생|점원|경비원)$")
_KO_PARTICLE = re.compile(r"(?:을|를|으로|로|까지|에서|에)$")


class Core(NamedTuple):
    """What is left of a value."""

    keywords: tuple[str, ...] = ()
    """Words that stand in its place, the keyword first; () where nothing can be left out."""
    others: tuple[str, ...] = ()
    """Words that are accepted beside it."""


def core_of(value: str, language: str, shape: Shape) -> Core:
    """The core of a value.

    Args:
        value: one term, cleaned.
        language: one of the catalogue's.
        shape: how the attribute's values are read; quotes, dates, numbers and names stay whole.
    """
    if shape in _KEPT_WHOLE or any(character.isdigit() or character in ",、，" for character in value):
        return Core()
    keywords, others = _FINDERS[language](value, shape)
    return Core(
        tuple(core for core in dict.fromkeys(keywords) if core != value),
        tuple(core for core in dict.fromkeys(others) if core != value and core not in keywords),
    )


Found = tuple[list[str], list[str]]


def _chinese(value: str, shape: Shape) -> Found:
    if shape == "place":
        inner = _ZH_PLACE.sub("", value)
        return ([_ZH_PLACE_END.sub("", inner), inner] if inner != value else []), []
    if shape == "person" and (name := _ZH_TRADE_NAME.match(value)):
        return [name.group(1)], []
    noun = _ZH_OF.sub("", _ZH_VERB.sub("", value))
    trade = _ZH_TRADE.match(noun)
    return [noun], [*([trade.group(1)] if trade else []), *_about(_ZH_ABOUT, noun), _ZH_WHERE.sub("", noun)]


def _english(value: str, shape: Shape) -> Found:
    if (pastime := _EN_PASTIME.match(value)) is not None:
        return [pastime.group(1)], []
    rest = _EN_INFINITIVE.sub("", _EN_GERUND.sub("", value))
    parts = [_EN_LEAD.sub("", part.strip()) for part in _EN_PARTS.split(rest)]
    phrases = [part for part in parts if len(part.split()) > 1]
    if shape == "place":
        return [], [*([parts[0]] if len(parts) > 1 and parts[0] in phrases else []), *_about(_EN_TOWN, value)]
    heads = [part.split()[-1] for part in parts if part and part.split()[-1].isalpha()]
    telling = [head for head in heads if len(head) > 4 and head.lower() not in _COMMON and not _EN_TRADE.search(head)]
    single = telling if len(value.split()) > 1 else []
    others = [*single, *_about(_EN_ABOUT, value)]
    return (phrases, others) if rest != value else ([], [*phrases, *others])


def _japanese(value: str, shape: Shape) -> Found:
    if shape == "place":
        inner = _JA_PLACE.sub("", value)
        return ([_JA_PLACE_END.sub("", inner), inner] if inner != value else []), []
    if (wish := _JA_OBJECT.search(value)) is not None:
        return [wish.group(1)], []
    clause = _JA_CLAUSE.match(value)
    noun = clause.group(1) if clause else _JA_OF.sub("", value)
    kept = _JA_ACTION.sub("", noun)
    others = (_JA_ADJECTIVE.sub("", kept), re.sub("(?<=..)(?:さん|ちゃん|くん)$", "", kept), *_about(_JA_ABOUT, value))
    return [core for core in (kept, noun) if core not in _COMMON], [core for core in others if core not in _COMMON]


def _korean(value: str, shape: Shape) -> Found:
    words = value.split()
    left = _KO_ACTION.sub("", value).split()
    if len(words) < 2 or not left:
        return [], []
    is_action = len(left) < len(words)
    last = _KO_PARTICLE.sub("", left[-1]) if is_action else left[-1]
    pair = " ".join([*left[-2:-1], last])
    found = [core for core in (last, pair) if len(core) > 1 and core not in _COMMON]
    return (found, []) if is_action or shape in ("place", "person") else ([], [*found, *_about(_KO_ABOUT, value)])


def _about(pattern: re.Pattern[str], value: str) -> list[str]:
    """What a value is about, by a pattern that captures it in one of its groups."""
    found = pattern.search(value)
    return [found.group(found.lastindex)] if found and found.lastindex else []


_COMMON = frozenset(" ".join((_EN_COMMON, _JA_COMMON, _KO_COMMON)).split())
_FINDERS = {"zh": _chinese, "en": _english, "ja": _japanese, "ko": _korean}
