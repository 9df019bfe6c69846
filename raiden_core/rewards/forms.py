"""Word forms: other spellings of a term that say the same.

English words are inflected (mice, knives, berries, ran, playing) and spelled the British and the American way, by the
dictionary of `simplemma`; a capitalised term is taken for a name and left alone (Will is not would). Korean compounds
are written with blanks and without, 하다 verbs are conjugated, and so are Japanese verbs that end in kana. All forms
are plain strings that are worked out once a term, so that matching needs no grammar.
"""

from __future__ import annotations

import itertools
import re
from functools import cache, lru_cache

from raiden_core.text.scripts import IDEOGRAPHS, SYLLABLES

_ENGLISH = re.compile("[a-z]{3,20}(?: [a-z]{2,20}){0,3}")
_KOREAN = re.compile(f"[{SYLLABLES}]+(?: [{SYLLABLES}]+){{0,3}}")
_JAPANESE_VERB = re.compile(f"[\u3041-\u3096{IDEOGRAPHS}]*[{IDEOGRAPHS}][\u3041-\u3096]{{0,3}}[うくぐすつぬぶむる]")
_MOST = 48
_KEPT = frozenset(
    [
        "the",
        "and",
        "for",
        "with",
        "from",
        "into",
        "over",
        "near",
        "about",
        "of",
        "in",
        "on",
        "at",
        "to",
        "a",
        "an",
        "my",
        "your",
        "his",
        "her",
        "our",
        "their",
    ]
)
"""Words of a term that have no forms."""
_SPELLINGS = (
    "grey gray",
    "tyre tire",
    "pyjama pajama",
    "doughnut donut",
    "aeroplane airplane",
    "plough plow",
    "moustache mustache",
    "jewellery jewelry",
    "jeweller jeweler",
    "kerb curb",
    "mum mom",
    "mummy mommy",
    "aluminium aluminum",
    "sceptic skeptic",
    "cosy cozy",
    "whisky whiskey",
    "yoghurt yogurt",
    "omelette omelet",
    "manoeuvre maneuver",
    "mould mold",
    "woollen woolen",
    "carburettor carburetor",
    "draughty drafty",
    "gaol jail",
    "liquorice licorice",
    "programme program",
    "chilli chili",
    "pedlar peddler",
    "storey story",
    "artefact artifact",
    "archaeology archeology",
    "archaeologist archeologist",
    "axe ax",
    "encyclopaedia encyclopedia",
    "paediatrician pediatrician",
    "gynaecologist gynecologist",
    "anaesthetist anesthetist",
    "diarrhoea diarrhea",
    "manoeuvres maneuvers",
    "ok okay",
)
"""Words whose British and American spellings differ by no common rule."""
_SUFFIXES = (
    ("our", "or"),
    ("tre", "ter"),
    ("ise", "ize"),
    ("yse", "yze"),
    ("ogue", "og"),
    ("ence", "ense"),
    ("lling", "ling"),
    ("ller", "ler"),
    ("lled", "led"),
)
"""British and American ends of words; a pair counts where the dictionary knows both."""
_SHORTEST_SPELLED_TWICE = 6
_ROWS = (
    "うわいえおっ",
    "くかきけこい",
    "ぐがぎげごい",
    "すさしせそし",
    "つたちてとっ",
    "ぬなにねのん",
    "ぶばびべぼん",
    "むまみめもん",
)
_KEEPS_ITS_END = re.compile("(?:[aeiou]{2}[^aeiou]|[^aeiou]{2}|[ywx])$")
"""Such words double no letter before -ing, so what begins with one and -ing is its form: playing, but not staring."""
_GODAN = {row[0]: tuple(row[1:]) for row in (*_ROWS, "るらりれろっ")}
"""Ending → its a-, i-, e- and o-row and the form before て."""
_ICHIDAN_BEFORE = frozenset("いきしちにひみりぎじびえけせてねへめれげぜでべ")
_AFTER_STEM = ("ま", "た", "て", "ちゃ", "な", "よう", "られ", "ず", "れば", "そう")
_HADA = ("하", "해", "했", "합", "한", "할", "함")
_SHORTEST_COMPOUND = 4


@lru_cache(maxsize=65536)
def forms_of(folded: str, is_name: bool) -> tuple[str, ...]:
    """The other forms of a folded term, without the term itself.

    Args:
        folded: the folded term.
        is_name: whether it was written with a capital letter.

    >>> "mice" in forms_of("mouse", False), forms_of("will", True), forms_of("택시 기사", False)
    (True, (), ('택시기사',))
    """
    forms: list[str] = []
    if folded.isascii():
        if not is_name and _ENGLISH.fullmatch(folded):
            forms = _english(folded)
    elif _KOREAN.fullmatch(folded):
        forms = _korean(folded)
    elif _JAPANESE_VERB.fullmatch(folded):
        forms = _japanese(folded)
    return tuple(form for form in dict.fromkeys(forms) if form != folded)[:_MOST]


def _english(term: str) -> list[str]:
    first, *rest = term.split(" ")
    forms = [(first,) if first in _KEPT else _inflected(first, bool(rest))]
    forms += [(word,) if word in _KEPT else _inflected(word, False) for word in rest]
    return [" ".join(choice) for choice in itertools.islice(itertools.product(*forms), _MOST)]


@lru_cache(maxsize=65536)
def _inflected(word: str, is_verb: bool) -> tuple[str, ...]:
    """A word, its forms and their other spellings, the word itself first.

    A word alone is taken for a noun ("boxing" is not about a box) unless it has irregular forms (swim, swam); the first
    word of a phrase may be a verb (play chess).
    """
    lemma_of, forms_of_lemma = _dictionary()
    base = word if word in forms_of_lemma else lemma_of.get(word, word)
    listed = forms_of_lemma.get(base, ())
    is_verb = is_verb or word != base or not all(_is_regular(base, form) for form in listed)
    forms = [word, base, *(form for form in listed if is_verb or not form.endswith(("ed", "ing")))]
    if is_verb:
        for stem in (base, base + base[-1], base.removesuffix("e")):
            # The dictionary takes playing for a word of its own; staring belongs to stare, not to star.
            ending = (f"{stem}ing", f"{stem}ed")
            forms += [form for form in ending if _may_be_form(form, base, lemma_of)]
    forms += _with_final_e(word, forms_of_lemma)
    forms += [other for form in forms for other in _spelled_otherwise(form, lemma_of)]
    return tuple(dict.fromkeys(forms))


def _with_final_e(word: str, forms_of_lemma: dict[str, tuple[str, ...]]) -> list[str]:
    """Dancing is to dance and hitchhiking to hitchhike: where the verb ends in e, no noun is mistaken for it."""
    if word.endswith("ing") and len(word) >= _SHORTEST_SPELLED_TWICE and f"{word[:-3]}e" in forms_of_lemma:
        verb = f"{word[:-3]}e"
        return [verb, f"{verb}s", f"{verb}d"]
    if word.endswith("e") and len(word) >= _SHORTEST_SPELLED_TWICE:
        return [f"{word[:-1]}ing"]
    return []


def _may_be_form(form: str, base: str, lemma_of: dict[str, str]) -> bool:
    lemma = lemma_of.get(form)
    is_whole = _KEEPS_ITS_END.search(base) is not None and form.startswith(base)
    return lemma is not None and (is_whole or lemma in (base, form))


def _is_regular(base: str, form: str) -> bool:
    stem = base.rstrip("ey")
    return form.startswith(stem) and form.endswith(("s", "ed", "ing", "er", "est"))


def _spelled_otherwise(word: str, known: dict[str, str]) -> list[str]:
    found = [other + end for end in ("", "s") for other in _pairs().get(word.removesuffix(end), ())]
    if len(word) < _SHORTEST_SPELLED_TWICE - 1 or word not in known:
        return found
    for british, american in _SUFFIXES:
        for old, new in ((british, american), (american, british)):
            stem, end, rest = word.rpartition(old)
            other = stem + new + rest
            is_long = max(len(word), len(other)) >= _SHORTEST_SPELLED_TWICE
            if end and len(rest) <= 3 and is_long and other in known:
                found.append(other)
    return found


@cache
def _pairs() -> dict[str, tuple[str, ...]]:
    """Word → how it is spelled on the other side of the ocean."""
    pairs = [pair.split(" ") for pair in _SPELLINGS]
    return {
        word: tuple(pair[1 - place] for pair in pairs for place in (0, 1) if pair[place] == word)
        for pair in pairs
        for word in pair
    }


@cache
def _dictionary() -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """English word → its lemma, and lemma → its forms."""
    from simplemma.strategies.dictionaries.dictionary_factory import DefaultDictionaryFactory

    words = DefaultDictionaryFactory().get_dictionary("en")
    lemma_of = {word: lemma for word, lemma in words.items() if word.isalpha() and word.isascii() and word.islower()}
    forms: dict[str, list[str]] = {}
    for word, lemma in lemma_of.items():
        if word != lemma:
            forms.setdefault(lemma, []).append(word)
    return lemma_of, {lemma: tuple(some) for lemma, some in forms.items()}


def _korean(term: str) -> list[str]:
    joined = term.replace(" ", "")
    forms = [joined]
    if " " not in term and len(term) >= _SHORTEST_COMPOUND:
        # Shorter parts would be found across two words: 의 사람 holds 의 사.
        forms += [f"{term[:place]} {term[place:]}" for place in range(2, len(term) - 1)]
    stem = term.removesuffix("다")
    if stem.endswith("하") and len(stem) > 2:
        forms += [stem[:-1] + end for end in _HADA]
    return forms


def _japanese(verb: str) -> list[str]:
    stem, end = verb[:-1], verb[-1]
    if verb.endswith("する"):
        return [verb[:-2] + form for form in ("し", "さ", "せ", "すれ")]
    a, i, e, o, before_te = _GODAN[end]
    forms = [stem + e + after for after in ("ば", "る", "な", "た", "て", "ま")]
    forms += [stem + a + after for after in ("な", "れ", "せ", "ず")]
    forms += [stem + i + after for after in ("ま", "た", "な", "そう")]
    forms += [stem + o + "う", *(stem + before_te + after for after in ("て", "た", "で", "だ", "ちゃ", "じゃ", "と"))]
    if end == "る" and stem[-1] in _ICHIDAN_BEFORE:
        forms += [stem + after for after in _AFTER_STEM]
    return forms
