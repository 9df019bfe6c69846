"""Putting keys and values into templates: possessives, articles and particles.

Each language needs one thing that plain substitution cannot do: Chinese drops 的 before a key that is a clause, English
wants *a* or *an* and *is* or *are*, Japanese the speaker's own pronoun, Korean particles that follow the last sound.
"""

from __future__ import annotations

import re

from raiden_core.generation.offline.catalogue import plain_key

_ARTICLED = re.compile(
    r"^(?:an?|the|my|his|her|their|its|our|your|some|no|one|two|three|four|five|six|seven|eight|nine|ten|many|several"
    r"|all|every|twin)\b|^\d",
    re.IGNORECASE,
)
_SILENT_H = re.compile(r"^(?:hour|honest|honou?r|heir)", re.IGNORECASE)
_CONSONANT_U = re.compile(r"^(?:uni(?![nm])|us[eu]|ut[ie]|eu|ewe|one\b|once|ukulele)", re.IGNORECASE)
_MASS = frozenset(
    (
        "tea",
        "coffee",
        "milk",
        "water",
        "rice",
        "bread",
        "music",
        "money",
        "hair",
        "luck",
        "chalk",
        "string",
        "sand",
        "paper",
        "ink",
        "wool",
        "soap",
        "jewellery",
        "luggage",
    )
)
"""Nouns without a plural: they take no *a*."""
_PARTICLE = re.compile(r"\[([가-힣]+)/([가-힣]+)\]")
_KO_CLAUSE = re.compile(
    r"^(?:가장|제일|늘|항상|자주|즐겨|못|안|꼭|처음|\S+(?:하는|되는|가는|먹는|마시는|입는|싶은|아끼는|듣는|보는)) "
)
_DIGIT_HAS_FINAL = {"0": True, "1": True, "3": True, "6": True, "7": True, "8": True}
_FINAL_L = frozenset("178lL")
_JA_VERB = re.compile(r"(?<=[をにがでとへはもく]).*[うくぐすつぬぶむる]$")
_JA_PAST = re.compile(r"(?<=[をにがでとへはもく]).*[^た]た$")


def fill(template: str, language: str, **words: str) -> str:
    """The template with its placeholders replaced and its Korean particles chosen."""
    text = re.sub(r"\{(\w+)\}", lambda match: words[match.group(1)], template)
    return choose_particles(text) if language == "ko" else text


def key_words(key: str, language: str, phrase: str | None = None, pronoun: str = "私") -> dict[str, str]:
    """The placeholders that depend on the key: ``key``, ``your_key``, ``my_key``, ``My_key``, ``is``."""
    noun = phrase or plain_key(key)
    if language == "zh":
        link = "" if "的" in noun else "的"
        your, mine = f"你{link}{noun}", f"我{link}{noun}"
    elif language == "ja":
        your, mine = noun, f"{pronoun}の{noun}"
    elif language == "ko":
        your, mine = noun, f"{'제가' if _KO_CLAUSE.match(noun) else '제'} {noun}"
    else:
        noun = _lower_words(noun)
        your, mine = f"your {noun}", f"my {noun}"
    be = "are" if language == "en" and _is_plural(noun) else "is"
    return {"key": noun, "your_key": your, "my_key": mine, "My_key": capitalised(mine), "is": be, "me": pronoun}


def value_words(value: str, language: str, proper: bool) -> dict[str, str]:
    """The placeholders that depend on the value: ``value``, ``Value``, ``a_value``, ``n_value``."""
    if language == "en" and not proper:
        value = _lower_first(value)
    with_article = value if language != "en" or proper else with_indefinite_article(value)
    nominal = nominalised(value) if language == "ja" else value
    return {"value": value, "Value": capitalised(value), "a_value": with_article, "n_value": nominal}


def capitalised(text: str) -> str:
    """The text as a sentence begins."""
    return text[:1].upper() + text[1:]


def with_indefinite_article(noun: str) -> str:
    """``a`` or ``an`` before an English noun phrase that can take it."""
    head = re.split(r" (?:of|in|at|on|for|with|from|who|that|named|called|and|to)\b|,", noun)[0]
    last = head.split()[-1].lower() if head.split() else ""
    if (
        not noun
        or _ARTICLED.match(noun)
        or last in _MASS
        or _is_plural(head)
        or last.endswith("ing")
        or "'s" in noun.split()[0]
    ):
        return noun
    words = noun.split()
    if noun[0].isupper() and not words[0].isupper() and (len(words) == 1 or " the " in noun):
        return noun
    vowel = (noun[0].lower() in "aeiou" and not _CONSONANT_U.match(noun)) or _SILENT_H.match(noun)
    return f"{'an' if vowel else 'a'} {noun}"


def nominalised(value: str) -> str:
    """A Japanese value that is a clause becomes a noun with こと."""
    return value + "こと" if _JA_VERB.search(value) or _JA_PAST.search(value) else value


def choose_particles(text: str) -> str:
    """Replace every ``[은/는]`` by the form that the sound before it asks for.

    The first form follows a final consonant, the second a vowel; [으로/로] takes the second after ㄹ too.
    """
    while match := _PARTICLE.search(text):
        with_final, without = match.groups()
        final, is_l = _final_sound(text[: match.start()])
        chosen = with_final if final and not (is_l and with_final.startswith("으로")) else without
        text = text[: match.start()] + chosen + text[match.end() :]
    return text


def _final_sound(text: str) -> tuple[bool, bool]:
    """Whether the last sound is a consonant, and whether that consonant is ㄹ."""
    text = re.sub(r"\s*[(（][^)）]*[)）]$", "", text).rstrip(" \"'”’」』》.!?…~")
    if not text:
        return False, False
    last = text[-1]
    if "가" <= last <= "힣":
        jongseong = (ord(last) - 0xAC00) % 28
        return jongseong != 0, jongseong == 8
    if last.isdigit():
        return _DIGIT_HAS_FINAL.get(last, False), last in _FINAL_L
    return last.lower() in "lmnkpbc", last in _FINAL_L


def _is_plural(noun: str) -> bool:
    head = noun.split(" of ")[0].split()
    last = head[-1].lower() if head else ""
    return last in {"children", "people", "men", "women", "feet", "geese", "mice", "siblings"} or (
        len(last) > 3
        and last.endswith("s")
        and not last.endswith(("ss", "us", "is", "'s"))
        and last not in {"status", "series", "chess"}
    )


def _lower_words(noun: str) -> str:
    """An English key inside a sentence: lower case, acronyms kept."""
    return " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in noun.split())


def _lower_first(value: str) -> str:
    """An English value inside a sentence: ``Baking bread`` loses its capital, ``Chopin Nocturnes`` and ``NASA`` do not."""
    words = value.split()
    if not words or not words[0][0].isupper():
        return value
    plain = words[0] == "A" or (words[0][1:].islower() and words[0] not in {"Mr", "Mrs", "Miss", "Dr"})
    return value[0].lower() + value[1:] if plain and not any(word[0].isupper() for word in words[1:]) else value
