"""Emphasis: Markdown and HTML that stress words are taken off, so that **长沙** and 长**沙** are 长沙.

Doubled asterisks, underscores and backticks at the edge of a word and inline HTML go; what is struck out (~~…~~,
<s>…</s>) goes with its text, because it is what the speaker does not say. A single asterisk stays: `*laughs*` is a stage
direction as often as an emphasis, and only a term that is being looked for can tell (see `matching`).

One application is enough: nothing that is taken off brings two marks together that would be emphasis in turn. Each
expression is bounded, so all of it is linear.
"""

from __future__ import annotations

import re

_MOST = 2000
"""No answer has more marks of a kind; a text that has keeps them."""
_STRUCK_LENGTH = 80
_INLINE = "b|i|u|em|strong|mark|code|kbd|small|big|sup|sub|span|font|q|cite"
_TAG = f"</?(?:{_INLINE})(?: [^<>]{{0,120}})?>"
_TAGS = re.compile(f"(?:{_TAG})+|<+|>")
_HAS_TAG = re.compile(f"{_TAG}|<(?:s|del|strike)>|<br ?/?>")
_STRUCK_HTML = re.compile(rf"<(s|del|strike)>[^<>。.!?]{{0,{_STRUCK_LENGTH}}}</\1>")
_LINE_BREAK = re.compile("<br ?/?>")
_STRUCK_TEXT = rf"~~(?=[^\s~])[^~\n。.!?]{{1,{_STRUCK_LENGTH}}}~~"
_STRUCK = re.compile(rf"(?<![\w~]){_STRUCK_TEXT}(?!~)|(?<=\w){_STRUCK_TEXT}(?=\w)")
"""Between letters ~~ may be two drawn-out endings as well (好呀~~我来~~), so there both sides must be letters."""
_MARKS = re.compile(r"[*_]{2,}|(?<![a-z0-9*_])_(?![*_])|(?<![*_])_(?![a-z0-9*_])")
_CODE = re.compile("(?<![A-Za-z])`|`(?![A-Za-z])")
_TOUCHING = frozenset("*_~")


def without_code_marks(text: str) -> str:
    """The text without backticks, but for those between letters, which are apostrophes (don`t)."""
    return _CODE.sub("", text) if "`" in text and text.count("`") <= _MOST else text


def without_emphasis(text: str) -> str:
    """The folded text without emphasis, and without what is struck out."""
    if "~~" in text and text.count("~~") <= _MOST:
        text = _STRUCK.sub(" ", text)
    if ("**" in text or "_" in text) and text.count("*") + text.count("_") <= _MOST:
        text = _MARKS.sub("", text)
    if ">" in text and "<" in text and text.count("<") <= _MOST and _HAS_TAG.search(text):
        text = _without_tags(_LINE_BREAK.sub("\n", _STRUCK_HTML.sub(" ", text)))
    return text


def _without_tags(text: str) -> str:
    # A tag behind an angle bracket that nothing closes stays: without it the bracket might begin a tag itself.
    is_open = False

    def replacement(match: re.Match[str]) -> str:
        nonlocal is_open
        found = match.group()
        if found[0] == ">" or found[-1] == "<":
            is_open = found[0] == "<"
            return found
        start, end = match.span()
        joins = text[start - 1 : start] in _TOUCHING and text[end : end + 1] in _TOUCHING
        keep = is_open or joins
        is_open = False
        return found if keep else ""

    return _TAGS.sub(replacement, text)
