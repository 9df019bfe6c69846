"""Terms that may stand in a keyword's place, and that cannot be wrong.

The noun without its article or measure word, the name inside "a cat called Tom", the number without its unit, the
place without its suffix, the day without its year or in another order. Anything less certain stays out: an equivalent
that is wrong rewards wrong answers (RAIDEN-R1, section 3.2, expands keywords with a model and then has it judged).
"""

from __future__ import annotations

import re

from raiden_core.generation.offline.catalogue import Shape
from raiden_core.generation.offline.cores import core_of
from raiden_core.generation.teacher import TermGroup

ARTICLE = re.compile(r"^(?:an?|the|some|my|his|her|their)\s+(?=\S)", re.IGNORECASE)
_MEASURE = re.compile(
    r"^[一两二三几][小大整]?(?:[只条个名位匹头把台辆本支枚面张副件块卷套盆缸罐串封顶双对幅盏壶瓶杯座间家口部架艘盒包袋根朵棵颗])(?=..)"
)
CALLED = {
    "zh": re.compile(r"(?:名叫|叫做|叫作|叫|名为|唤作)“?([^的，、“”]{2,6})(?:”?的|”?$)"),
    "en": re.compile(r"\b(?:called|named)\s+((?:[A-Z][\w.'’-]*\s?)+)"),
    "ja": re.compile(r"「([^」]{2,})」(?:という|って|と名付け)"),
    "ko": re.compile(r"[‘“'\"]([^’”'\"]{2,})[’”'\"](?:이라는|라는)"),
}
_EN_NAME = re.compile(r"(?:(?:Mr|Mrs|Ms|Dr|St)\.\s+)?[A-Z][\w'’-]*(?:\s+(?:(?:Mr|Mrs|Ms|Dr|St)\.\s+)?[A-Z][\w'’-]*)*")
_ZH_PET_NAME = re.compile(r"[老小阿][\u4e00-\u9fff]{1,2}$")
APPOSITION = re.compile(r"^(.*[のるたいうくぐむぶ].{1,4})、(\S{1,5})$")
_PLACE_SUFFIX = {
    "zh": re.compile(r"(?<=..)(?:省|市)$"),
    "ja": re.compile(r"(?<=..)(?:都|府|県|市)$"),
    "ko": re.compile(r"(?<=..)(?:특별자치도|특별시|광역시|시)$"),
    "en": re.compile(r"(?!)"),
}
_NUMBER = re.compile(r"^(?:约|大约|about\s+|around\s+|約|약\s*)?(\d[\d,]*(?:\.\d+)?)\s*(\D{0,12})$")
_CENTIMETRES = re.compile(r"^(\d{2,3})\s*(?:cm|厘米|公分|センチ|センチメートル|센티미터|센티)$", re.IGNORECASE)
_CM_WORDS = {"zh": ("厘米", "公分"), "en": (" cm", " centimetres"), "ja": ("cm", "センチ"), "ko": ("cm", "센티미터")}
_CJK_DATE = re.compile(
    r"^(?:\d{2,4}|[〇零一二三四五六七八九]{2,4})\s*[年년]\s*((?:\d{1,2}|[一二三四五六七八九十]{1,3})\s*[月월]\s*.+)$"
)
_FIGURES = re.compile(r"^(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})$")
_CJK_FIGURES = re.compile(
    r"^(?:(?P<year>\d{4})\s*[年년]\s*)?(?P<month>\d{1,2})\s*[月월]\s*(?P<day>\d{1,2})\s*[日号號일]$"
)
_HAN_DAY = re.compile(r"月[一二三四五六七八九十]{1,3}日$")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_EN_DATE = re.compile(
    rf"^(?:({'|'.join(_MONTHS)})\s+(\d{{1,2}})(?:st|nd|rd|th)?|(\d{{1,2}})(?:st|nd|rd|th)?(?:\s+of)?\s+({'|'.join(_MONTHS)}))"
    r"(?:,?\s+\d{2,4})?$",
    re.IGNORECASE,
)


def equivalents(value: str, language: str, shape: Shape) -> TermGroup:
    """The keyword, first, and its equivalents."""
    called = CALLED[language].search(value) if shape in ("person", "named") else None
    names = [called.group(1).strip()] if called else []
    if shape == "person":
        names[:0] = _names(value, language)
    core = core_of(value, language, shape)
    terms = [*names, *core.keywords, value, *core.others]
    if language == "zh" and (measure := _MEASURE.match(value)):
        terms.append(value[measure.end() :])
    if language == "en" and (article := ARTICLE.match(value)):
        terms.append(value[article.end() :])
    if shape == "place":
        terms.append(_PLACE_SUFFIX[language].sub("", value))
        terms.append(value.split(",")[0].strip() if language == "en" else value)
    elif shape == "date":
        terms.extend(_dates(value, language))
    terms.extend(_measures(value, language))
    return tuple(term for term in dict.fromkeys(terms) if term)


def _names(value: str, language: str) -> list[str]:
    """The one proper name in a description of a person, if it can be told."""
    if language == "en":
        names = _EN_NAME.findall(ARTICLE.sub("", value))
        return names if len(names) == 1 and len(names[0]) > 2 and names[0] != value else []
    if language == "zh" and len(value) > 4 and (name := _ZH_PET_NAME.search(value)):
        return [name.group()]
    if language == "ja" and (apposition := APPOSITION.match(value)):
        return [apposition.group(2)]
    return []


def _dates(value: str, language: str) -> list[str]:
    """The day without its year, in the other usual orders, as a calendar has it (ISO) and as people say it (号)."""
    whole = _CJK_DATE.match(value)
    terms = [whole.group(1).strip()] if whole and language != "en" else []
    date = _parsed(value)
    if date is None:
        # The day in Chinese numerals; those of the old calendar (初三) have no 日.
        return [*terms, *(f"{term[:-1]}号" for term in (value, *terms) if language == "zh" and _HAN_DAY.search(term))]
    year, month, day = date
    terms += [_said(month, day, language)] if language != "en" else _english(month, day)
    if language == "zh":
        terms += [f"{month}月{day}号"]
    if year is not None:
        full = {"zh": "年", "ja": "年", "ko": "년 "}.get(language)
        terms += [f"{year}{full}{_said(month, day, language)}"] if full else []
        terms += [f"{year}年{month}月{day}号"] if language == "zh" else []
        terms += [f"{year}-{month:02}-{day:02}", f"{year}/{month}/{day}"]
    return terms


def _said(month: int, day: int, language: str) -> str:
    return f"{month}월 {day}일" if language == "ko" else f"{month}月{day}日"


def _english(month: int, day: int) -> list[str]:
    name = _MONTHS[month - 1]
    suffix = "th" if 11 <= day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return [
        f"{name} {day}",
        f"{name} {day}{suffix}",
        f"{day} {name}",
        f"{day}{suffix} of {name}",
        f"{day}{suffix} {name}",
    ]


def _parsed(value: str) -> tuple[int | None, int, int] | None:
    """Year (None where it is not said), month and day of a date in figures, or in English; None for anything else."""
    if match := _FIGURES.match(value) or _CJK_FIGURES.match(value):
        year = match["year"]
        month, day = int(match["month"]), int(match["day"])
        return (int(year) if year else None, month, day) if 1 <= month <= 12 and 1 <= day <= 31 else None
    if match := _EN_DATE.match(value):
        name = (match.group(1) or match.group(4)).capitalize()
        tail = re.search(r"\d{4}$", value)
        return int(tail.group()) if tail else None, _MONTHS.index(name) + 1, int(match.group(2) or match.group(3))
    return None


def _measures(value: str, language: str) -> list[str]:
    """The number without its unit, and a height in centimetres the way others write it."""
    terms = []
    number = _NUMBER.match(value)
    if number and number.group(2).strip() and len(number.group(1)) >= 2:
        terms.append(number.group(1))
    if height := _CENTIMETRES.match(value):
        terms.extend(height.group(1) + unit for unit in _CM_WORDS[language])
        if language == "zh" and len(height.group(1)) == 3:
            terms.append(f"{height.group(1)[0]}米{height.group(1)[1:]}")
    return terms
