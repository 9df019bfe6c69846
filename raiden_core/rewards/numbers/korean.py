"""Korean numerals: Sino-Korean 십칠, 이천이십사 and native 열일곱, 스물한."""

from __future__ import annotations

import re
from functools import lru_cache

from raiden_core.rewards.numbers import han
from raiden_core.rewards.numbers.units import KOREAN_UNIT
from raiden_core.rewards.numbers.values import Number
from raiden_core.text.scripts import HANGUL

_TENS = ("열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔")
_UNITS = ("하나", "둘", "셋", "넷", "다섯", "여섯", "일곱", "여덟", "아홉")
TENS = {
    **{word: 10 * value for value, word in enumerate(_TENS, 1)},
    "스무": 20,
}
ONES = {
    **{word: value for value, word in enumerate(_UNITS, 1)},
    **{"첫": 1, "한": 1, "두": 2, "세": 3, "석": 3, "네": 4, "넉": 4},
}
_SINO = "영공일이삼사오육륙칠팔구십백천만억조"
_AS_HAN = str.maketrans(_SINO, "零零一二三四五六六七八九十百千万亿兆")

_ONES = "|".join(sorted(ONES, key=len, reverse=True))
_NUMERAL = re.compile(
    f"(?<![{HANGUL}])(?:(?P<tens>{'|'.join(TENS)})(?P<more>{_ONES})?|(?P<ones>{_ONES})"
    f"|(?P<sino>(?:[{_SINO}]*[만억] (?=[{_SINO}]*[십백천]|[{_SINO}]+ ?원))?[{_SINO}]+))"
)
_ALONE_AFTER = re.compile(
    "$|[^\\w]|이에|이야|이고|이며|이다|입니|예요|이요|이라|이었|인|은|는|을|를|이|가|도|만|에|과|와|의|로|으로|정도|쯤|요(?![가-힣])"
)
_SHORT_ALONE = re.compile("이(?:요|에요|야|고|지|죠)|입니다|뿐")
"""셋이에요: behind a native numeral of one syllable the copula is enough."""
_GLUED_NATIVE = frozenset(
    ("살", "명", "개", "개월", "마리", "달", "시간", "시", "권", "잔", "병", "가지", "번", "번째", "사람", "째")
)
_GLUED_SINO = frozenset(["월", "년", "층", "학년", "개월", "호", "세기", "등"])
"""Units that may be glued to a numeral of one syllable; with others it mostly is another word (이번, 사회)."""
_OWN_MONTHS = re.compile(f"(?<![{HANGUL}])(?:(?P<june>유)|시)(?=월(?:$|[^{HANGUL}]|[에은는이의도엔]))")
"""유월 and 시월 are spelled unlike 육 and 십."""
_MONTH = re.compile("월 ?$")
_COPULA = ("에요", "었")
_OTHER_WORDS = frozenset(
    {"만일", "천만", "오만", "이만", "구구", "사사", "백만", "억만", "만", "천", "백", "일일", "사만"}
)


def find(text: str) -> list[Number]:
    """The Korean numerals of a text."""
    found = []
    for match in _NUMERAL.finditer(text):
        number = _sino(text, match) if match["sino"] else _native(text, match)
        if number:
            found.append(number)
    found += [Number(*month.span(), "6" if month["june"] else "10") for month in _OWN_MONTHS.finditer(text)]
    return found


def _native(text: str, match: re.Match[str]) -> Number | None:
    ones = match["more"] or match["ones"]
    value = TENS.get(match["tens"], 0) + ONES.get(ones, 0)
    unit = KOREAN_UNIT.match(text, match.end())
    short = len(match.group()) == 1
    if ones == "첫":
        fits = unit is not None and unit[2] in ("번째", "째")
    elif unit:
        fits = bool(unit[1]) or not short or unit[2] in _GLUED_NATIVE
    elif match.group() in ("둘", "셋", "넷"):
        fits = _SHORT_ALONE.match(text, match.end()) is not None
    else:
        fits = not short and match.group() != "스무" and _ALONE_AFTER.match(text, match.end()) is not None
    return Number(match.start(), match.end(), str(value)) if fits else None


def _sino(text: str, match: re.Match[str]) -> Number | None:
    numeral, start, end = match.group().replace(" ", ""), match.start(), match.end()
    if len(numeral) > 1 and numeral[-1] == "이" and text.startswith(_COPULA, end):
        # 오십이에요 says 50: behind a consonant 이 begins the copula (52 is 오십이예요).
        numeral, end = numeral[:-1], end - 1
    value = korean_value(numeral)
    dated = numeral.rfind("일") if _MONTH.search(text, max(0, start - 2), start) else -1
    if dated > 0 and (len(numeral) == dated + 1 or numeral[dated + 1 :] == "이"):
        # 삼일, 팔일이에요: behind a month 일 is the unit.
        end -= len(numeral) - dated
        return Number(start, end, day) if (day := korean_value(numeral[:dated])) else None
    if len(numeral) > 1 and numeral[-1] in "일조" and value is None:
        # 이십일일: the last syllable is the unit.
        return Number(start, end - 1, shorter) if (shorter := korean_value(numeral[:-1])) else None
    if value is None:
        return None
    unit = KOREAN_UNIT.match(text, end)
    if unit:
        fits = bool(unit[1]) or len(numeral) > 1 or unit[2] in _GLUED_SINO or (unit[2] == "원" and numeral in "백천만")
    else:
        compound = len(numeral) > 1 and any(letter in "십백천만" for letter in numeral) and numeral not in _OTHER_WORDS
        fits = compound and _ALONE_AFTER.match(text, end) is not None
    return Number(start, end, value) if fits else None


@lru_cache(maxsize=65536)
def korean_value(numeral: str) -> str | None:
    """The value of a Sino-Korean numeral; None where it is not well formed.

    >>> korean_value("십칠"), korean_value("이천이십사"), korean_value("백오")
    ('17', '2024', '105')
    """
    letters = numeral.translate(_AS_HAN)
    if letters[0] in han.MYRIADS:
        letters = "一" + letters
    if len(letters) > 1 and letters[-1] in han.DIGITS and letters[-2] in "百千万亿":
        # Korean has no short form as Chinese 三百五 for 350.
        letters = f"{letters[:-1]}零{letters[-1]}"
    value = han.han_value(letters)
    return None if value is None or "~" in value else value
