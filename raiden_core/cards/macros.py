"""Macros in the text of a card: ``{{char}}``, ``{{random:A,B}}`` and the others of the V3 specification.

What is left to chance there is drawn from a seed here, so that a character reads the same every time: ``{{pick:…}}``
depends on the character and the list alone, ``{{random:…}}`` and ``{{roll:…}}`` also on the text and the place in it. Macros
that the specification does not know stay as they are, and so does ``{{original}}``, which only a prompt can resolve.
"""

from __future__ import annotations

import random
import re

USER_WORDS = {"zh": "用户", "en": "the user", "ja": "ユーザー", "ko": "사용자"}
"""Who ``{{user}}`` is, where nobody in particular talks to the character."""
MAX_SIDES = 1_000_000
"""Of a die."""
MAX_NESTED = 5
"""Macros inside macros are resolved from the inside out, so many levels of them."""

_CHARACTER = re.compile(r"\{\{\s*(?:char|bot|character)\s*\}\}|<\s*(?:bot|char)\s*>", re.IGNORECASE)
_USER = re.compile(r"\{\{\s*user\s*\}\}|<\s*user\s*>", re.IGNORECASE)
_SILENT = re.compile(r"\{\{\s*(?://[^{}]*|(?:comment|hidden_key)\s*:[^{}]*)\}\}", re.IGNORECASE)
_HIDDEN = re.compile(r"\{\{\s*hidden_key\s*:([^{}]*)\}\}", re.IGNORECASE)
_CHANCE = re.compile(r"\{\{\s*(?P<kind>random|pick|roll|reverse)\s*:(?P<what>[^{}]*)\}\}", re.IGNORECASE)
_COMMA = re.compile(r"(?<!\\),")


def resolve(text: str, name: str | None, language: str, seed: str = "") -> str:
    """The text as a prompt holds it.

    Args:
        text: as the card has it.
        name: what ``{{char}}`` stands for; None leaves it.
        language: of the word for ``{{user}}``.
        seed: whose text it is; with the same seed, chance decides the same.
    """
    if "{{" not in text and "<" not in text:
        return text
    if "{{" in text:
        text = _SILENT.sub("", text)
        if _CHANCE.search(text):
            text = _drawn(text, seed or name or "")
    # Functions, because a name may hold a backslash, which a replacement string would read as an escape.
    if name is not None:
        stand_in = name
        text = _CHARACTER.sub(lambda _: stand_in, text)
    return _USER.sub(lambda _: USER_WORDS.get(language, "User"), text)


def hidden_keys(text: str) -> tuple[str, ...]:
    """The words of ``{{hidden_key:…}}``, which call up entries where a lorebook is scanned recursively."""
    return tuple(word.strip() for word in _HIDDEN.findall(text) if word.strip()) if "{{" in text else ()


def fill_original(text: str, original: str) -> str:
    """Instructions of a card with what they replace in the place of ``{{original}}``."""
    return re.sub(r"\{\{\s*original\s*\}\}", lambda _: original, text, flags=re.IGNORECASE)


def _drawn(text: str, seed: str) -> str:
    whole = text
    count = 0

    def draw(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        kind, what = match["kind"].casefold(), match["what"]
        if kind == "reverse":
            return what.strip()[::-1]
        if kind == "roll":
            sides = re.fullmatch(r":?\s*[dD]?(\d{1,7})\s*", what)
            if sides is None or not 1 <= int(sides[1]) <= MAX_SIDES:
                return match.group()
            return str(random.Random(f"{seed}:{whole}:{count}").randint(1, int(sides[1])))
        options = _options(what)
        # A pick is the same wherever the same list stands; every other draw is one of its own.
        source = f"{seed}:{what}" if kind == "pick" else f"{seed}:{whole}:{count}"
        return random.Random(source).choice(options)

    for _ in range(MAX_NESTED):
        drawn = _CHANCE.sub(draw, text)
        if drawn == text:
            break
        text = drawn
    return text


def _options(what: str) -> list[str]:
    """The list of ``:A,B`` (a comma after a backslash belongs to its option) or of ``::A::B``."""
    if what.startswith(":"):
        what = what[1:]
        if "::" in what:
            return [option.strip() for option in what.split("::")]
    return [option.replace("\\,", ",").strip() for option in _COMMA.split(what)]
