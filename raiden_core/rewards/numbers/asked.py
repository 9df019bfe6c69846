"""What a question asks for, so that a number without a unit can be an answer: "How old are you?" "Eighteen."."""

from __future__ import annotations

import re
from functools import lru_cache

from raiden_core.rewards.folding import fold

_ASKED = {
    "age": (
        "几岁|多大|多少岁|年龄|贵庚|芳龄|how old|what(?:'s| is)? (?:your|his|her) age|your age|おいくつ|何歳|"
        "年齢|何才|몇 ?살|나이|연세|몇 ?세"
    ),
    "length": "多高|身高|多长|how tall|how high|your height|how long is|身長|背は|背の高さ|키가|키는|키 ?몇|신장",
    "weight": "多重|体重|how heavy|how much do you weigh|your weight|몸무게|체중|何キロ|몇 ?킬로",
    "money": (
        "多少钱|几块|几元|什么价|价格|工资|薪|how much|what(?:'s| is) the price|cost|pay|salary|いくら|値段|"
        "おいくら|얼마|가격|월급"
    ),
    "date": (
        "生日|几月|几号|哪天|哪一天|哪年|哪一年|何时|什么时候|when|birthday|what (?:day|date|year)|"
        "which (?:day|year)|いつ|何年|何月|何日|誕生日|언제|생일|몇 ?년|며칠|몇 ?월"
    ),
    "time": "几点|什么时间|什么时候|when|what time|何時|いつ|몇 ?시|언제",
    "ordinal": "第几|什么名次|(?:what|which) place|rank|which (?:born|child)|何番|何位|몇 ?등|몇 ?째|몇 ?번째|몇 ?위",
    "floor": "几楼|几层|what floor|which floor|何階|몇 ?층",
    "ratio": "百分之几|几成|多少比例|percent|per cent|what share|何割|何パーセント|몇 ?퍼센트|몇 ?프로|몇 ?할",
    "months": (
        "几年|多少年|几个月|多久|多长时间|how long|how many (?:years|months)|何年間|何ヶ月|何か月|どのくらい|"
        "どれくらい|몇 ?년|몇 ?개월|몇 ?달|얼마나"
    ),
    "seconds": (
        "几天|多少天|几小时|几个小时|几分钟|多久|how long|how many (?:weeks|days|hours|minutes)|何日間|"
        "何時間|何分|どのくらい|며칠|몇 ?시간|몇 ?분|얼마나"
    ),
    "count": (
        "几[个只位名口匹本条头]|多少[个只位名人匹本]|how many|何人|何匹|何本|いくつ|何個|何冊|"
        "몇 ?(?:명|개|마리|분|권)|몇이"
    ),
}


@lru_cache(maxsize=65536)
def asked_for(question: str) -> frozenset[str]:
    """The kinds of value that a question asks for; empty for most questions.

    >>> sorted(asked_for("How tall are you?")), sorted(asked_for("你几岁了？")), asked_for("Who are you?")
    (['length'], ['age'], frozenset())
    """
    text = fold(question)
    return frozenset(kind for kind, pattern in _patterns().items() if pattern.search(text))


@lru_cache(maxsize=1)
def _patterns() -> dict[str, re.Pattern[str]]:
    return {kind: re.compile(fold(pattern)) for kind, pattern in _ASKED.items()}
