"""``{{char}}``, ``{{user}}`` and their older forms, as chat programs replace them before a model sees the text."""

from __future__ import annotations

import re

_CHARACTER = re.compile(r"\{\{\s*(?:char|bot|character)\s*\}\}|<\s*(?:bot|char)\s*>", re.IGNORECASE)
_USER = re.compile(r"\{\{\s*user\s*\}\}|<\s*user\s*>", re.IGNORECASE)
_COMMENT = re.compile(r"\{\{//[^{}\n]*\}\}|\{\{comment:[^{}]*\}\}", re.IGNORECASE)
USER_WORDS = {"zh": "用户", "en": "the user", "ja": "ユーザー", "ko": "사용자"}
"""Who ``{{user}}`` is, where nobody in particular talks to the character."""


def resolve(text: str, name: str | None, language: str) -> str:
    """The text with the character's name and a word for the user in place of the placeholders.

    Without a name the character's placeholders stay; card comments (``{{// …}}``) go.
    """
    if "{{" not in text and "<" not in text:
        return text
    text = _COMMENT.sub("", text)
    # Functions, because a name may hold a backslash, which a replacement string would read as an escape.
    if name is not None:
        stand_in = name
        text = _CHARACTER.sub(lambda _: stand_in, text)
    return _USER.sub(lambda _: USER_WORDS.get(language, "User"), text)
