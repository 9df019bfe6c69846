"""`find_numbers`: digits, and what all scripts together yield."""

from __future__ import annotations

import re
from collections.abc import Iterator

from raiden_core.rewards.folding import SPACELESS
from raiden_core.rewards.numbers import english, han, korean
from raiden_core.rewards.numbers.units import HAN_UNITS, KOREAN_UNITS, SUFFIX, UNIT_AFTER
from raiden_core.rewards.numbers.values import LONGEST, Number, canonical, plus, times
from raiden_core.text.scripts import HANGUL

_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_PLAIN = re.compile(r"\d+(?:\.\d+)?")
_DATE = re.compile(r"[12]\d{3}(?:\.\d{1,2}){1,2}")
_LETTERS = re.compile(f"[^\\W\\d{SPACELESS}]+")
_SCALES = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "亿": 10**8, "백": 100, "천": 1000}
_SCALES |= {"만": 10**4, "억": 10**8}
_MAY_SCALE = frozenset([*_SCALES, " ", "k"])
_SCALES_AFTER = re.compile(f"[{''.join(_SCALES)}]{{1,3}}")
_ENGLISH_SCALE_AFTER = re.compile(r" (thousand|million|billion|trillion)\b|(k)(?![a-z])")
_VAGUE_AFTER = re.compile(f"[多余]|[几来](?={HAN_UNITS})|여(?= ?(?:{KOREAN_UNITS}))")
_RANGE = re.compile(" ?[-~–—] ?|[到至或か]|或者|から| to | or |에서 |이나 |나 ")
_RANGE_LENGTH = 4
_DEGREES_AFTER = re.compile(r"\d+(?:\.\d+)? ?[度°도]")
"""昨天是-5度: of what is written without blanks only a temperature has a sign."""
_NUMBER_BEFORE = re.compile(f"[\\d{han.HAN_NUMERALS}]\\D?$")
_CLOSING = frozenset(")]}%°”’」』》】_-")
_QUOTES = frozenset("'\"")
"""Either opens or closes; 5'-6' is a range."""
_LATIN = re.compile("[a-z]")
_HANGUL = re.compile(f"[{HANGUL}]")
_HAN = re.compile(f"[{han.HAN_NUMERALS}俩仨元]")
_ANY = re.compile(f"[\\d{han.HAN_NUMERALS}俩仨元a-z{HANGUL}]")


def may_hold_numbers(text: str) -> bool:
    """A quick look: False means that `find_numbers` will find nothing."""
    return _ANY.search(text) is not None


def find_numbers(text: str) -> list[Number]:
    """All numbers of a folded text, from left to right, none inside another.

    >>> [number.value for number in find_numbers("十七岁,1,000 miles in twenty-one days")]
    ['17', '1000', '21']
    """
    found = _in_digits(text)
    if _HAN.search(text):
        scaled = [number.end for number in found if text[number.end - 1] in _SCALES]
        found += han.find(text, frozenset(place for end in scaled for place in range(end - 3, end)))
    if _LATIN.search(text):
        found += english.find(text)
    if _HANGUL.search(text):
        found += korean.find(text)
    if len(found) < 2:
        return found
    found.sort(key=_place)
    return _approximate(text, found)


def _place(number: Number) -> tuple[int, int]:
    return number.start, -number.end


def _in_digits(text: str) -> list[Number]:
    found: list[Number] = []
    for match in _DIGITS.finditer(text):
        start, end = match.span()
        before, after = text[start - 1] if start else " ", text[end : end + 1]
        if before.isalpha() and _LETTERS.match(before):
            continue
        if after.isalpha() and not "\u3041" <= after <= "\u9fff":
            glued = _LETTERS.match(text, end)
            if glued and not SUFFIX.fullmatch(glued.group()):
                continue
        token = match.group()
        for number in (Number(start, end, canonical(token)),) if token.isdecimal() else _parts(match):
            if before == "-" and number.start == start and _is_minus(text, start):
                number = Number(start, number.end, f"-{number.value}")
            if number.end == end and after in _MAY_SCALE:
                number = _scaled(text, number)
            if found and _adds_to(text, found[-1], number) and len(number.value) < LONGEST:
                # 3万5千, 1만 5천: the second half adds to the first.
                first = found.pop()
                number = Number(first.start, number.end, plus(first.value, number.value))
            found.append(number)
    return [_vague(text, number) if number.value[-1] == "0" else number for number in found]


def _adds_to(text: str, first: Number, second: Number) -> bool:
    if first.end == second.start:
        return True
    parted = first.end == second.start - 1 and text[first.end] == " " and text[first.end - 1] in "만억"
    return parted and (text[second.end - 1] in "십백천" or text.startswith("원", second.end))


def _parts(match: re.Match[str]) -> Iterator[Number]:
    token = match.group()
    if _GROUPED.fullmatch(token):
        yield Number(*match.span(), canonical(token.replace(",", "")))
        return
    place = match.start()
    for part in token.split(","):
        if _PLAIN.fullmatch(part):
            yield Number(place, place + len(part), canonical(part))
        elif _DATE.fullmatch(part):
            for figure in part.split("."):
                yield Number(place, place + len(figure), canonical(figure))
                place += len(figure) + 1
            place -= len(part) + 1
        place += len(part) + 1


def _is_minus(text: str, start: int) -> bool:
    """Whether the hyphen before a number is its sign; behind a letter, a number or a closing mark it joins the two."""
    if start == 1:
        return True
    before = text[start - 2]
    if before.isalnum():
        is_degree = not before.isascii() and _DEGREES_AFTER.match(text, start) is not None
        return is_degree and not _NUMBER_BEFORE.search(text, max(0, start - 4), start - 1)
    if before in _QUOTES:
        return start == 2 or not text[start - 3].isalnum()
    return before not in _CLOSING


def _scaled(text: str, number: Number) -> Number:
    """The number with what multiplies it: 3.5万, 2 million."""
    scale = _SCALES_AFTER.match(text, number.end)
    factor = 1
    if scale:
        for letter in scale.group():
            factor *= _SCALES[letter]
    else:
        scale = _ENGLISH_SCALE_AFTER.match(text, number.end)
        if not scale:
            return number
        factor = english.SCALES[scale[1] or "thousand"]
    value = times(number.value, factor)
    return number if value is None else Number(number.start, scale.end(), value)


def _vague(text: str, number: Number) -> Number:
    vague = _VAGUE_AFTER.match(text, number.end)
    return Number(number.start, number.end, f"{number.value}+") if vague else number


def _approximate(text: str, found: list[Number]) -> list[Number]:
    """Numbers without those inside another one, and with neighbours that mean "one or the other" made one.

    17-18岁, 十七、八岁, 3到5个 and four or five years hold one approximate number each.
    """
    result: list[Number] = []
    for number in found:
        last = result[-1] if result else None
        if last and number.start < last.end:
            continue
        value = _range_value(text, last, number) if last and number.start - last.end <= _RANGE_LENGTH else None
        if last and value:
            result[-1] = Number(last.start, number.end, value)
        else:
            result.append(number)
    return result


def _range_value(text: str, low: Number, high: Number) -> str | None:
    gap = text[low.end : high.start]
    if not (low.value.isdecimal() and high.value.isdecimal()):
        return None
    if len(high.value) > LONGEST or len(low.value) > LONGEST or not UNIT_AFTER.match(text, high.end):
        return None
    if gap in ("、", ",") and len(high.value) == 1 and int(high.value) == int(low.value[-1]) + 1:
        return f"{low.value}~{low.value[:-1]}{high.value}"
    is_date = low.start and text[low.start - 1] in "-/.~"
    if gap in (" or ", "或", "或者", "か", "이나 ", "나 ") and int(low.value) + 1 != int(high.value):
        return None
    if _RANGE.fullmatch(gap) and not is_date and int(low.value) < int(high.value):
        return f"{low.value}~{high.value}"
    return None
