"""Chinese and Japanese numerals: 十七, 一百零五, 二〇二四, 两, 廿一, 壹拾."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from functools import lru_cache

from raiden_core.rewards.folding import SPACELESS
from raiden_core.rewards.numbers.units import HAN_UNIT, HAN_UNITS
from raiden_core.rewards.numbers.values import LONGEST, Number, canonical

DIGITS = {
    **dict(zip("零一二三四五六七八九", range(10), strict=True)),
    **dict(zip("壹贰叁肆伍陆柒捌玖", range(1, 10), strict=True)),
    **{"〇": 0, "○": 0, "两": 2},
}
SCALES = {"十": 10, "百": 100, "千": 1000, "拾": 10, "佰": 100, "仟": 1000}
MYRIADS = {"万": 10**4, "亿": 10**8, "兆": 10**12}
HAN_NUMERALS = "".join([*DIGITS, *SCALES, *MYRIADS, "廿", "卅"])

_RUN = re.compile(f"[{HAN_NUMERALS}]+")
_OTHER_LETTER = f"[^\\W{SPACELESS}]"
_ALONE_BEFORE = re.compile(f"[\\W是叫为等有才刚满共约加减へはがをも]|{_OTHER_LETTER}")
_ALONE_AFTER = re.compile(f"[\\W了啦呢吧的呀哦啊嘛哟でとのがはをだ]|{_OTHER_LETTER}")
_WEEKDAY = frozenset("周期拜曜")
_NO_NUMBER_AFTER = frozenset("初统唯专单划逐万老小阿不独张李王赵刘陈")
"""统一, 初一, 老三, 张三: the numeral belongs to the word that this letter begins."""
_VAGUE_BEFORE = frozenset("几数")
_NEVER = frozenset({"万一", "一一", "万万", "千千", "百", "千", "万", "千万", "百万", "亿万", "亿"})
"""Numerals that mostly are other words (千万 "by all means"); before a unit the well-formed ones are numbers."""
_MORE = re.compile(f"[多余几]|[来数](?={HAN_UNITS})")
_RANGE_AFTER = re.compile(f"(?:[到至或、,~-]|或者|から|か)[{HAN_NUMERALS}]{{1,8}}(?:{HAN_UNITS})")
"""四到五年: the unit of the second numeral is that of the first."""
_PAIRS = re.compile("[俩仨]")
_FIRST_YEAR = re.compile("(?<=令和|平成|昭和|大正|明治|民国)元年")
_TIME_AFTER = frozenset("分刻半")


def find(text: str, taken: frozenset[int]) -> list[Number]:
    """The numerals of a text; a run that begins in ``taken`` belongs to digits before it (3万)."""
    found: list[Number] = []
    for run in _RUN.finditer(text):
        start, end = run.span()
        if start in taken:
            continue
        before = text[start - 1] if start else " "
        if before in _WEEKDAY:
            # 周三十点 is Wednesday at ten.
            start += 1
        if text[end - 1] == "千" and text[end : end + 1] in ("克", "米") and end - start > 1:
            # 六十千克 are sixty kilograms.
            end -= 1
        value = han_value(text[start:end])
        if value is None:
            continue
        if found and found[-1].end == start - 1 and text[start - 1] in "点" and _is_fraction(text, start, end):
            found[-1] = Number(found[-1].start, end, canonical(f"{found[-1].value}.{_digits(text[start:end])}"))
        elif _is_number(text, start, end, before):
            vague = text[end - 1] not in DIGITS and _MORE.match(text, end)
            found.append(Number(start, end, f"{value}+" if vague else value))
    if "俩" in text or "仨" in text or "元年" in text:
        found += _odd_ones(text)
    return found


def _odd_ones(text: str) -> Iterator[Number]:
    """俩 and 仨, which hold their unit, and the first year of an era (令和元年)."""
    for word in _PAIRS.finditer(text):
        yield Number(*word.span(), "2" if word.group() == "俩" else "3")
    for year in _FIRST_YEAR.finditer(text):
        yield Number(year.start(), year.end() - 1, "1")


def _is_number(text: str, start: int, end: int, before: str) -> bool:
    numeral = text[start:end]
    after = text[end] if end < len(text) else " "
    if before in _VAGUE_BEFORE or text.startswith("分之", end):
        return False
    if before == "第":
        return True
    unit = (
        HAN_UNIT.match(text, end)
        or _RANGE_AFTER.match(text, end)
        or (numeral[-1] not in DIGITS and _MORE.match(text, end))
    )
    if numeral == "十" and after == "分":
        # 十分 is "very"; 十分钟 are ten minutes.
        return text.startswith("钟", end + 1)
    if unit and not (len(numeral) == 1 and before in _NO_NUMBER_AFTER):
        return True
    if numeral in _NEVER:
        return False
    if len(numeral) > 1 and (not all(letter in DIGITS for letter in numeral) or len(numeral) > 3 or "〇" in numeral):
        return True
    return bool(_ALONE_BEFORE.match(before) and _ALONE_AFTER.match(after))


def _is_fraction(text: str, start: int, end: int) -> bool:
    """Whether a numeral after 点 is a decimal fraction (三点五公里) and not minutes (三点五分)."""
    if not all(letter in DIGITS for letter in text[start:end]) or text[end : end + 1] in _TIME_AFTER:
        return False
    return HAN_UNIT.match(text, end) is not None or _ALONE_AFTER.match(text[end : end + 1] or " ") is not None


def _digits(numeral: str) -> str:
    return "".join(str(DIGITS[letter]) for letter in numeral)


@lru_cache(maxsize=65536)
def han_value(numeral: str) -> str | None:
    """The value of a numeral; None where it is not well formed.

    >>> [han_value(numeral) for numeral in ("一百零五", "二〇二四", "一万二", "十七八", "三三")]
    ['105', '2024', '12000', '17~18', '33']
    """
    if not numeral or len(numeral) > LONGEST:
        return None
    numeral = numeral.replace("廿", "二十").replace("卅", "三十")
    if all(letter in DIGITS for letter in numeral):
        return _positional(_digits(numeral))
    for place, (left, right) in enumerate(itertools.pairwise(numeral)):
        if DIGITS.get(left) and DIGITS.get(right):
            # 十七八, 二三十: two digits in one place mean "one or the other".
            low = _composed(numeral[: place + 1] + numeral[place + 2 :])
            high = _composed(numeral[:place] + numeral[place + 1 :])
            return f"{low}~{high}" if low is not None and high is not None and low < high else None
    value = _composed(numeral)
    return None if value is None else str(value)


def _positional(digits: str) -> str:
    if len(digits) == 2 and digits[0] != "0" and (int(digits[1]) - int(digits[0]) == 1 or digits == "35"):
        return f"{digits[0]}~{digits[1]}"
    return canonical(digits)


def _composed(numeral: str) -> int | None:
    """A numeral with scales: 一万二千三百零五, 百五, 两千三."""
    total = section = 0
    digit: int | None = None
    zero = False
    scale = last_scale = last_myriad = 10**16
    for letter in numeral:
        if letter in DIGITS:
            if digit is not None:
                return None
            zero = zero or DIGITS[letter] == 0
            digit = DIGITS[letter] or None
            continue
        if letter in SCALES:
            scale = SCALES[letter]
            if scale >= last_scale:
                return None
            section += (1 if digit is None else digit) * scale
            last_scale = scale
        else:
            scale = MYRIADS[letter]
            section += digit or 0
            if section == 0 or scale >= last_myriad:
                return None
            total, section = total + section * scale, 0
            last_scale, last_myriad = 10**16, scale
        digit, zero = None, False
    if digit is not None:
        # 三百五 is 350, but 三百零五 is 305, and so is 百五 105, as Japanese has it.
        short = not zero and scale >= 100 and len(numeral) > 2 and numeral[-3] in DIGITS
        section += digit * (scale // 10 if short else 1)
    return total + section
