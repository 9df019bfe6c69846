"""Markup off a text: HTML and XML tags, entities, code fences, escapes, Markdown and BBCode inside a value.

A text keeps its lines and gets no new words; what a tag says about layout becomes a line end or a table's ``|``. The
verbatim text of a character never passes through here, only what its fields are read from.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache

from raiden_core.characters.attributes import is_known
from raiden_core.characters.owners import MARK, is_group, is_other

_FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})[ \t]*[\w+-]*[ \t]*$\n?", re.MULTILINE)
_COMMENT = re.compile(r"<!--[^<>]{0,5000}-->|<(script|style)\b[^<>]{0,500}>[^<]{0,20000}</\1\s*>", re.IGNORECASE)
_BREAK = re.compile(
    r"[ \t]*<(?:br|hr)\b[^<>]{0,200}>[ \t]*|</(?:p|div|li|tr|h[1-6]|ul|ol|dd"
    r"|section|article|table|blockquote|center|details|summary|header|footer)\s*>"
    r"|<(?:p|div|ul|ol|section|article|table|blockquote|center|details|summary|header|footer)(?:\s[^<>]{0,500})?>",
    re.IGNORECASE,
)
_ITEM = re.compile(r"<li(?:\s[^<>]{0,500})?>\s*", re.IGNORECASE)
_TITLE = re.compile(r"<h([1-6])(?:\s[^<>]{0,500})?>\s*", re.IGNORECASE)
_ROW = re.compile(r"<tr(?:\s[^<>]{0,500})?>\s*", re.IGNORECASE)
_CELL = re.compile(r"<t[dh](?:\s[^<>]{0,500})?>\s*", re.IGNORECASE)
_CELL_END = re.compile(r"\s*</t[dh]\s*>\s*", re.IGNORECASE)
_TERM = re.compile(
    r"<dt(?:\s[^<>]{0,500})?>\s*(.{1,80}?)\s*[:：]?\s*</dt\s*>\s*<dd(?:\s[^<>]{0,500})?>\s*", re.IGNORECASE
)
_INLINE = re.compile(
    r"</?(?:a|abbr|b|big|body|caption|cite|code|col|colgroup|dd|dl|dt|em|font|head|html|i|img|ins|del|kbd|label|mark|meta|pre|q|s|samp|small|span"
    r"|strike|strong|sub|sup|tbody|td|tfoot|th|thead|tr|tt|u|var|wbr|ruby|rb|rp|title|link|figure|figcaption|main|nav|aside|picture|source|button|input"
    r"|iframe|video|audio|svg|path|form|nobr)(?:\s[^<>]{0,2000})?/?>",
    re.IGNORECASE,
)
_RUBY = re.compile(r"<rt>.*?</rt>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,15});")
_OPENING = re.compile(r"<(?P<tag>[^\s<>/!?=\"'][^<>/\n=\"']{0,40}?)>")
_KEPT_TAGS = frozenset(("char", "user", "bot", "start", "think", "answer"))
_UNICODE = re.compile(r"\\u([0-9a-fA-F]{4})")
_BACKSLASHED = re.compile(r"(?<!¯)\\([*_\[\]()#<>&+\-.!`~|{}\"'])")

_LINK = re.compile(r"!?\[([^\[\]\n]{0,200})\]\((?:[^()\s]{1,500}|<[^<>]{1,500}>)(?:\s+\"[^\"\n]*\")?\)")
_BBCODE = re.compile(
    r"\[/?(?:b|i|u|s|url|color|colour|size|font|quote|center|left|right|img|spoiler|code|list|\*)(?:=[^\[\]\n]{0,80})?\]",
    re.IGNORECASE,
)
_FOOTNOTE = re.compile(r"(?<=\S)\s*(?:\[\^?\d{1,3}\]|\[(?:citation needed|来源请求|要出典)\])")
_EMPHASIS = re.compile(r"(\*\*\*|\*\*|___|__|~~|==|\|\|)(?=\S)(.+?)(?<=\S)\1")
_WHOLE = re.compile(r"([*_`])(?=\S)([^*_`]+)(?<=\S)\1")
_CODE = re.compile(r"`([^`\n]{1,200})`")
_JOINED = re.compile(r"[\"“'‘]([^\"“”\n]+?)[\"”'’](?:\s*\+\s*[\"“'‘]([^\"“”\n]+?)[\"”'’])+")
_MARKS = re.compile(r"[\[\]{}()<>【】［］〔〕\"“”'‘’*_`~=|+]")
"""What a value has that may want cleaning."""
_END_MARKS = " \t\u3000,，;；|"
_PAIRS = (
    ("[", "]"),
    ("{", "}"),
    ("(", ")"),
    ("<", ">"),
    ("【", "】"),
    ("［", "］"),
    ("〔", "〕"),
    ('"', '"'),
    ("“", "”"),
    ("'", "'"),
)


MAX_VALUE_CHARS = 1000
"""A longer value is prose, whose marks stay."""
MAX_LAYERS = 10
"""Brackets around brackets that are taken off a value."""


def plain_markup(text: str) -> str:
    """The text without tags, entities, fences and escapes, its fields a line each."""
    if "```" in text or "~~~" in text:
        text = _FENCE.sub("", text)
    if "\\" in text:
        text = _unescaped(text)
    if "<" in text and ">" in text:
        text = _untagged(text)
    if "[/" in text:
        text = _BBCODE.sub("", text)
    if "&" in text and _ENTITY.search(text):
        text = _ENTITY.sub(lambda entity: html.unescape(entity.group()).replace("\xa0", " "), text)
        if "<" in text and (_BREAK.search(text) or _INLINE.search(text)):
            text = _untagged(text)
    return text


def _unescaped(text: str) -> str:
    r"""``\n`` that was escaped twice as a line end, ``\"`` as a quotation mark, ``\*`` as a star."""
    if re.search(r"(?<![A-Za-z]:)(?<!\\)\\(?:r\\)?n", text) and not re.search(r"\b[A-Za-z]:\\", text):
        text = re.sub(r"(?:\\r)?\\n(?!\w*\\)", "\n", text).replace("\\t", " ")
    text = _UNICODE.sub(
        lambda code: chr(int(code[1], 16)) if not 0xD800 <= int(code[1], 16) < 0xE000 else code[0], text
    )
    return _BACKSLASHED.sub(r"\1", text)


def _untagged(text: str) -> str:
    text = _COMMENT.sub("", text)
    text = _TERM.sub(lambda term: f"\n{term[1]}: ", text)
    text = _RUBY.sub("", text)
    text = _CELL_END.sub(" | ", _CELL.sub("", _ROW.sub("\n| ", text)))
    text = _TITLE.sub(lambda title: "\n" + "#" * int(title[1]) + " ", text)
    text = _BREAK.sub("\n", _ITEM.sub("\n- ", text))
    text = _INLINE.sub("", text)
    return _without_elements(text, 0) if "</" in text else text


def _without_elements(text: str, depth: int) -> str:
    """Elements of an author's own making: ``<age>29</age>`` is a field, ``<林小雨>`` … ``</林小雨>`` a wrapper."""
    parts: list[str] = []
    place = 0
    while match := _OPENING.search(text, place):
        tag = match["tag"].strip()
        closing = f"</{tag}>"
        end = text.find(closing, match.end()) if depth < 20 and tag.lower() not in _KEPT_TAGS else -1
        if end < 0 or re.fullmatch(r"(?i)character[ _-]?setting", tag):
            parts.append(text[place : match.end()])
            place = match.end()
            continue
        parts.append(text[place : match.start()])
        inner = text[match.end() : end]
        own_line = not text[: match.start()].rpartition("\n")[2].strip() or parts[-1][-1:] in ("\n", "")
        if "<" not in inner and "\n" not in inner.strip() and inner.strip() and (own_line or is_known(tag)):
            parts.append(f"\n{tag.replace('_', ' ')}: {inner.strip()}\n")
        else:
            body = _without_elements(inner, depth + 1)
            if is_other(tag):
                body = prefixed(body, tag)
            parts.append(f"\n{body}\n" if own_line or is_group(tag) or is_other(tag) else body)
        place = end + len(closing)
    parts.append(text[place:])
    return "".join(parts)


def prefixed(text: str, owner: str) -> str:
    """The text whose lines of fields belong to ``owner``; other lines are left out."""
    lines = []
    for line in text.split("\n"):
        bare = line.strip(" \t\u3000-*•+")
        if bare and re.match(r"[^:：\n]{1,60}[:：]\s*\S", bare):
            lines.append(f"{owner}{MARK}{bare}")
    return "\n".join(lines)


@lru_cache(maxsize=8192)
def clean_value(value: str) -> str:
    """One short value without the marks of Markdown, BBCode and lists, and without brackets that only one side has."""
    text = value.strip()
    if len(text) > MAX_VALUE_CHARS or not _MARKS.search(text):
        return text.strip(_END_MARKS)
    if "[" in text:
        text = _FOOTNOTE.sub("", _BBCODE.sub("", _LINK.sub(r"\1", text)))
    if "*" in text or "_" in text or "~" in text or "`" in text or "==" in text or "||" in text:
        text = _CODE.sub(r"\1", _EMPHASIS.sub(r"\2", text))
        if whole := _WHOLE.fullmatch(text):
            text = whole[2]
    if "+" in text and _JOINED.fullmatch(text):
        text = ", ".join(part.strip().strip("\"“”'‘’") for part in text.split("+"))
    return _balanced(text.strip(_END_MARKS))


def _balanced(text: str) -> str:
    """``[net mender]`` and ``net mender]`` as ``net mender``; ``Mender (retired)`` stays."""
    for _ in range(MAX_LAYERS):
        changed = False
        for left, right in _PAIRS:
            if left == right:
                lone = text.count(left) == 1 and (text[0] == left or text[-1] == right) and left == '"'
                text, changed = (text.replace(left, "").strip(), True) if lone else (text, changed)
                continue
            if (
                len(text) > 1
                and text[0] == left
                and text[-1] == right
                and left in "[{【［〔"
                and left not in text[1:]
                and right not in text[:-1]
            ):
                text, changed = text[1:-1].strip(), True
            elif text[-1:] == right and text.count(right) > text.count(left):
                text, changed = text[:-1].rstrip(" ,，;；"), True
            elif (
                text[:1] == left and text.count(left) > text.count(right) and not (left == "<" and text[1:2].isdigit())
            ):
                text, changed = text[1:].lstrip(), True
        if not changed or len(text) < 2:
            break
    return text
