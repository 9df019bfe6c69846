"""Soft endings and stage directions: what ends a sentence in a chat, written as the stops that the rules know.

``~``, ``♪``, ``♡``, emoji, ㅎㅎ and the like end a clause as a full stop does, and ``*shrugs*``, ``（苦笑）`` and ``[sighs]``
stand between brackets. The text keeps its length, so that every place in it stays where it is.
"""

from __future__ import annotations

import re

STOP = "。"

_SOFT = re.compile(
    "[\u2600-\u27bf\u2b50\u2b55\U0001f000-\U0001faff\u203b\u2605\u2606\u266a-\u266f]+"  # ♪ ♡ ✨ 😊
    "|(?<!\\d)~+|~+(?!\\d)"
    # ㅎㅎ, ㅠㅠ: letters of Hangul that form no syllable.
    "|[\u1100-\u1112\u1161-\u1175]+(?![\u1161-\u11ff])"
    "|<3|\\^_?\\^|[:;]-?[)d](?![a-z])|\\b(?:lol|xd|ha(?:ha)+|he(?:he)+)\\b|哈哈+|嘻嘻+|嘿嘿+|呵呵+|w{2,}(?![a-z.])"
)
_STAGE = re.compile(r"\*(?![\s*])([^*\n]{1,120})(?<!\s)\*|\[([^\[\]\n]{1,120})\]|\(([^()\n]{1,120})\)")
_MARKS = re.compile(
    "[~*\\[(<^:;\u2600-\u27bf\u2b50\u2b55\U0001f000-\U0001faff\u203b\u1100-\u1112\u1161-\u1175哈嘻嘿呵]"
)
_LAUGHS = re.compile("lol|xd|haha|hehe|ww")
_WORD_BEFORE = re.compile(r"[\w'\"]\s*$")
_ONE_WORD = 4
"""Emphasis rather than a stage direction: *not*, *不是*."""


def soften(text: str) -> str:
    """A folded text with soft endings as full stops and stage directions in round brackets."""
    if not (_MARKS.search(text) or _LAUGHS.search(text)):
        return text
    text = _SOFT.sub(_stop, text)
    return _STAGE.sub(_bracket, text) if "*" in text or "[" in text else text


def _stop(match: re.Match[str]) -> str:
    return STOP * len(match.group())


def _bracket(match: re.Match[str]) -> str:
    content = match.group(1)
    if content is not None:
        inside_a_sentence = _WORD_BEFORE.search(match.string, max(0, match.start() - 3), match.start()) is not None
        short = " " not in content and (content.isascii() or len(content) <= _ONE_WORD)
        if inside_a_sentence and short:
            return f" {content} "
    return f"({match.group()[1:-1]})"
