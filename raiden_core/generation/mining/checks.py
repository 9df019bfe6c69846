"""What any text of the teacher must be: something, in the right language, free of tags, and no loop."""

from __future__ import annotations

import re

from raiden_core.generation.mining import reasons
from raiden_core.generation.mining.reasons import Dropped
from raiden_core.rewards.extras import language_consistency, repetition_penalty
from raiden_core.rewards.folding import fold, has_ink, units

MIN_LANGUAGE_SHARE = 0.5
"""Share of a text's words that must be in the character's language; names and titles of others are common."""
MAX_REPETITION = 0.3
"""Share of a text's four-word runs that may have occurred before in it."""
SHORT = 16
"""A text of fewer units cannot loop."""
_TAG = re.compile(r"</?(?:think|answer|data-[0-9a-f]*|reasoning|tool_call)\b[^>]*>|<\|[^|<>]{1,40}\|>", re.IGNORECASE)


def check_text(text: str, language: str) -> None:
    """Pass a text or give it up.

    Raises:
        Dropped: it is blank, holds tags, repeats itself or is in another language.
    """
    if not has_ink(text):
        raise Dropped(reasons.BLANK)
    if _TAG.search(text):
        raise Dropped(reasons.LEAKED_TAGS)
    if units(fold(text)) >= SHORT and -repetition_penalty([text])[0] > MAX_REPETITION:
        raise Dropped(reasons.REPETITION)
    # A short Japanese text can do without kana; anything longer that has none is Chinese.
    if language == "ja" and units(fold(text)) < 8:
        return
    if any(letter.isalpha() for letter in text):
        share = language_consistency([f"<answer>{text}</answer>"], language=language)[0]
        if share < MIN_LANGUAGE_SHARE:
            raise Dropped(reasons.WRONG_LANGUAGE)
