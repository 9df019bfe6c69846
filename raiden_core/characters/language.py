"""Which language a profile is written in: by its script and letters first, by a library where those do not tell.

Kana and Hangul decide at once. Text in Han characters alone is Chinese, unless it uses the forms of Japanese. Latin
text is English when its commonest words are, and goes to py3langid otherwise; so do Cyrillic and the other scripts
that several languages share. The names of a profile's fields decide where its values are numbers, names and short
lists: ``性别`` and ``職業`` say more than ``24`` and ``大阪``, and a library's statistics need sentences.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from raiden_core.characters.attributes import language_of_key
from raiden_core.characters.lines import units
from raiden_core.text.scripts import HALF_WIDTH_KANA, HANGUL, IDEOGRAPHS, KANA_LETTERS

SUPPORTED = ("zh", "en", "ja", "ko")
"""The languages that raiden generates for."""
UNKNOWN = "und"
"""The code for a text without letters (ISO 639-2)."""
_SAMPLE_CHARS = 300
_REGIONAL = {"wuu": "zh", "yue": "zh", "nb": "no", "nn": "no"}
"""Codes of the library for what the profile's reader knows under a wider one."""
_HAN = re.compile(f"[{IDEOGRAPHS}]+")
_KANA = re.compile(f"[{KANA_LETTERS}{HALF_WIDTH_KANA}]+")
_HANGUL = re.compile(f"[{HANGUL}]+")
_ARABIC = re.compile("[\u0600-\u06ff\u0750-\u077f]+")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]+")
_SINGLE_SCRIPTS = (
    (re.compile("[\u0e00-\u0e7f]+"), "th"),
    (re.compile("[\u0370-\u03ff\u1f00-\u1fff]+"), "el"),
    (re.compile("[\u0590-\u05ff]+"), "he"),
    (re.compile("[\u0530-\u058f]+"), "hy"),
    (re.compile("[\u10a0-\u10ff]+"), "ka"),
    (re.compile("[\u0b80-\u0bff]+"), "ta"),
    (re.compile("[\u0c00-\u0c7f]+"), "te"),
    (re.compile("[\u0980-\u09ff]+"), "bn"),
    (re.compile("[\u1780-\u17ff]+"), "km"),
    (re.compile("[\u0e80-\u0eff]+"), "lo"),
    (re.compile("[\u1000-\u109f]+"), "my"),
)
"""Scripts that are as good as one language's own."""
_PERSIAN_ONLY = re.compile("[\u067e\u0686\u0698\u06af\u06cc\u06a9]")
_URDU_ONLY = re.compile("[\u0679\u0688\u0691\u06ba\u06d2\u06be]")
_JAPANESE_FORMS = re.compile("[働込峠畑辻榊栃匂枠塀円図売駅黒桜渋沢浜広斉恵読関竜辺歳団実変戦検験険壱弐気楽徳稲鉄]")
"""Characters that only Japanese writes so."""
_CHINESE_FORMS = re.compile("[的是了们这吗呢吧么她你您说对时过给让还个为业别历简职爱龄岁]")
"""Characters that Chinese uses all the time and Japanese without kana does not."""
_OLD_FORMS = re.compile("[業員長東馬時間電車門開話語職親愛樹絵織線習級約組終結給緑縁編練縄総興楽趣]")
_NEW_FORMS = re.compile("[会国学体台当点声医区双虫万与号写昼旧届乱辞余]")
"""Characters that Japanese shares with traditional, and with simplified Chinese; only Japanese has both."""
_WORD = re.compile(r"[^\W\d_]+")
_ENGLISH = (
    "the a an and of to in is was are he she his her him with for who that this you your my it as on from by at not has have"
    " name gender age male female occupation description personality profession hometown born loves likes"
)
_FOREIGN = (
    "el la los las de del que y es un una con por su para le les des du et est une dans qui der die das und ist ein eine mit"
    " von nicht zu il lo gli di che è per non sono o os um uma não da na em het een van en niet nombre nom nome edad alter âge"
    " och att är på ja ei się jest w z że je se bir ve bu için yang dan dengan untuk"
)
_ENGLISH_WORDS = frozenset(_ENGLISH.split())
_FOREIGN_WORDS = frozenset(_FOREIGN.split())


def detect_language(text: str, declared: str | None = None, keys: Sequence[str] = ()) -> str:
    """The ISO 639-1 code of the language of ``text``; `UNKNOWN` where it has no letters.

    ``declared`` is what the source says (``zh``, ``zh-CN``, ``en_US``); it is believed where the script allows it.
    ``keys`` are the names of the fields whose values the text is, a line each.
    """
    sample = text[:_SAMPLE_CHARS]
    code = (declared or "").strip().lower().replace("_", "-").split("-")[0]
    guess = _by_script(sample)
    if code and re.fullmatch("[a-z]{2}", code) and _compatible(code, guess, sample):
        return code
    by_keys = _by_keys(tuple(keys)) if keys else None
    if guess == "zh" and by_keys is None and keys:
        # Kanji in the names of fields and in their values speak together.
        guess = _by_script("\n".join((*keys, sample)))
    if by_keys is not None and by_keys != guess and _keys_decide(by_keys, guess, sample):
        return by_keys
    return guess or _by_library(sample)


@lru_cache(maxsize=1024)
def _by_keys(keys: tuple[str, ...]) -> str | None:
    """The language that the names of the fields speak, where most of those that are known agree."""
    votes = Counter(language for key in keys if (language := _language_of(key)) is not None)
    if not votes:
        return None
    (first, most), *others = votes.most_common(2)
    return first if not others or most > others[0][1] else None


def _language_of(key: str) -> str | None:
    if _KANA.search(key):
        return "ja"
    if _HANGUL.search(key):
        return "ko"
    return language_of_key(key)


def _keys_decide(by_keys: str, guess: str | None, sample: str) -> bool:
    """Whether values that read as ``guess`` can stand in a profile whose fields are named in ``by_keys``."""
    if guess == UNKNOWN:
        return True
    if by_keys == "en":
        # Sentences speak for themselves; a few names and nouns do not.
        return guess is None and not _is_foreign(sample)
    asian = _count(_HAN, sample) + _count(_KANA, sample) + _count(_HANGUL, sample)
    if by_keys in ("zh", "ja") and guess in ("zh", "ja"):
        return not _KANA.search(sample) if by_keys == "zh" else guess == "zh" and not _speaks_chinese(sample)
    if guess in ("zh", "ja", "ko"):
        return by_keys == "ko" and not asian
    # Latin values under Asian names: a foreign name, a type, a unit.
    return asian > 0 or not _has_sentences(sample)


def _has_sentences(sample: str) -> bool:
    return any(units(line) > 6 for line in sample.splitlines())


def _is_foreign(sample: str) -> bool:
    """Whether Latin values are told in another language than English: they say so by its commonest words."""
    words = set(_WORD.findall(sample.lower()))
    foreign, english = len(words & _FOREIGN_WORDS), len(words & _ENGLISH_WORDS)
    if _has_sentences(sample):
        return foreign > english or (not english and _by_library(sample) != "en")
    letters = _count(_WORD, sample)
    return foreign >= 2 > english or _count(_LATIN, sample) * 10 < 9 * letters


def _speaks_chinese(sample: str) -> bool:
    """Whether text in Han characters alone has words that only Chinese has."""
    return len(_CHINESE_FORMS.findall(sample)) > len(_JAPANESE_FORMS.findall(sample))


def _compatible(code: str, guess: str | None, sample: str) -> bool:
    """Whether text whose script says ``guess`` can be in the language ``code``."""
    if guess in ("zh", "ja") and code in ("zh", "ja"):
        return code == guess or not _KANA.search(sample)
    if guess in ("zh", "ja", "ko") or code in ("zh", "ja", "ko"):
        return guess == code
    if guess in (None, "en"):
        return True
    return guess == code or (guess in ("ar", "fa", "ur") and code in ("ar", "fa", "ur", "ps", "ckb", "ug"))


def _count(script: re.Pattern[str], sample: str) -> int:
    return sum(map(len, script.findall(sample)))


def _by_script(sample: str) -> str | None:
    """The language where script and words tell it; None where a library must."""
    if sample.isascii():
        return _english_or_none(sample)
    han, kana, hangul = _count(_HAN, sample), _count(_KANA, sample), _count(_HANGUL, sample)
    asian = han + kana + hangul
    # Names and terms in Latin letters are common in profiles of all three, and take many letters to say little.
    if asian and asian * 7 >= len(sample):
        if hangul >= kana and hangul * 2 >= han:
            return "ko"
        if kana * 2 >= han:
            return "ja"
        japanese, chinese = len(_JAPANESE_FORMS.findall(sample)), len(_CHINESE_FORMS.findall(sample))
        mixed = not chinese and _OLD_FORMS.search(sample) and _NEW_FORMS.search(sample)
        return "ja" if japanese + kana > chinese or mixed else "zh"
    letters = _count(_WORD, sample)
    if not letters:
        return UNKNOWN
    arabic = _count(_ARABIC, sample)
    if arabic * 2 > letters:
        if _URDU_ONLY.search(sample):
            return "ur"
        return "fa" if len(_PERSIAN_ONLY.findall(sample)) * 50 > arabic else "ar"
    for script, code in _SINGLE_SCRIPTS:
        if _count(script, sample) * 2 > letters:
            return code
    return _english_or_none(sample) if _count(_LATIN, sample) * 10 >= 9 * letters else None


def _english_or_none(sample: str) -> str | None:
    words = _WORD.findall(sample.lower())
    if not words:
        return UNKNOWN
    distinct = set(words)
    english, foreign = len(distinct & _ENGLISH_WORDS), len(distinct & _FOREIGN_WORDS)
    if english > 2 * foreign:
        return "en"
    # Too short for a library's statistics: a few plain words with nothing foreign about them.
    return "en" if len(words) < 6 and not foreign and sample.isascii() else None


def _by_library(sample: str) -> str:
    import py3langid

    code: str = py3langid.classify(sample)[0]
    return _REGIONAL.get(code, code)
