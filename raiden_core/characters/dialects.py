"""The ways in which people write fields, all turned into ``key: value`` lines: W++, Boostyle, PList, ``【key】value``,
tables, JSON inside a text, Ali:Chat interviews, and several fields on one line.

Each way is looked for only where its marks stand, and a text without any of them comes back as it is.
"""

from __future__ import annotations

import re
from functools import lru_cache

from raiden_core.characters.attributes import is_known
from raiden_core.characters.brackets import BLOCK, block, boostyle_in, json_in, wpp_in
from raiden_core.characters.keys import NAME_KEYS, fold_key, folded
from raiden_core.characters.lines import units
from raiden_core.characters.markup import plain_markup
from raiden_core.characters.several_fields import COLON, several

_HEADED = re.compile(
    r"[【〖［](?P<key>[^【】〖〗［］\n]{1,24})[】〗］][ \t\u3000]*[:：]?[ \t\u3000]*(?P<value>[^【〖［\n]*)"
)
_SQUARE_HEAD = re.compile(r"^[ \t]*\[(?P<key>[^\[\]\n:：]{1,24})\][ \t]*[:：]?[ \t]*(?P<value>[^\n]+)$")
_PARTED = re.compile(
    r"^[ \t\u3000]*(?:[-*+•・●◆■□◇○▼▶★☆※][ \t\u3000]*)?(?:\*\*|__)?(?P<key>[^\n\-–—=→⇒>…:：|,，。\t\u3000]{1,24}?)(?:\*\*|__)?"
    r"(?:[ \t\u3000]*(?:–|—{1,2}|-{2}|→|=>|->|⇒|…{1,3}|=)[ \t\u3000]*|[ \t\u3000]+-[ \t\u3000]+"
    r"|\t+|\u3000+| {2,}|[ ](?=\S+$))(?P<value>\S[^\n]*)$"
)
_MARKED = re.compile(r"^[ \t\u3000]*[■□◆◇●○▼▶★☆※]")
_FRAMED = re.compile(
    r"^[ \t]*(?P<mark>[◆■●▼★☆※◇□])[ \t]*(?P<key>[^\n◆■●▼★☆※◇□]{1,20}?)[ \t]*(?P=mark)[ \t:：]*(?P<value>\S[^\n]*)$"
)
_PIPE_ROW = re.compile(r"^[ \t]*\|?(?P<cells>[^\n|]*(?:\|[^\n|]*)+)$")
_RULE_CELL = re.compile(r"[ \t]*:?-{1,}:?[ \t]*")
_HEADER_WORDS = folded(
    "key|field|attribute|property|item|trait|category|info|detail|项目|属性|字段|类别|信息|内容|項目|設定|항목|속성"
    "|구분"
)
_ASKED = re.compile(
    r"^[ \t]*(?:\{\{user\}\}|<user>|user|you|interviewer|用户|ユーザー|사용자)[ \t]*[:：][ \t]*"
    r"(?P<question>[^\n]{1,80}?)[?？][\"”]?[ \t]*$",
    re.IGNORECASE,
)
_REPLIED = re.compile(r"^[ \t]*(?:\{\{char\}\}|<bot>|<char>|[^\n:：]{1,40})[ \t]*[:：][ \t]*(?P<reply>[^\n]{1,200})$")
_YOUR = re.compile(r"^(?:what(?:'s| is| are)\s+)?(?:your\s+)|^(?:你的|您的|あなたの|당신의\s*|너의\s*)", re.IGNORECASE)
_PLAIN_REPLY = re.compile(
    r"(?:I'm|I’m|I am|It's|It is|That's|I work as|I live in|I come from|I'm from|My [\w ]{2,20} is)?\s*"
    r"(?P<value>[^.!?\n]{1,60})[.!]?"
    r"|我(?:今年|是|来自|住在|出生在|的[^，。]{1,6}是)?(?P<zh>[^，。！？\n]{1,20})[。！]?",
    re.IGNORECASE,
)


@lru_cache(maxsize=32)
def in_lines(text: str) -> str:
    """The text with every field on a line of its own, as ``key: value``; the same text where that is so already."""
    text = plain_markup(text)
    if "{" in text or "[" in text:
        text = json_in(text)
    if "(" in text and ('("' in text or "(“" in text or "{" in text):
        text = wpp_in(text)
    if "=" in text and ('"' in text or "“" in text):
        text = boostyle_in(text)
    if "[" in text or "{" in text or "(" in text or "（" in text:
        text = BLOCK.sub(block, text)
    if "【" in text or "〖" in text or "［" in text:
        text = _headed_in(text)
    if "|" in text:
        text = _tables_in(text)
    if "?" in text or "？" in text:
        text = _interview_in(text)
    text = _parted_in(text)
    lines = text.split("\n")
    if any(line.count(":") + line.count("：") > 1 for line in lines):
        return "\n".join(piece for line in lines for piece in several(line))
    return text


def _headed_in(text: str) -> str:
    """``【职业】裁缝``, also several on a line."""
    lines: list[str] = []
    for line in text.split("\n"):
        found = list(_HEADED.finditer(line))
        lead = line[: found[0].start()].strip(" \t\u3000-*•#") if found else ""
        if not found or lead or not all(re.search(r"[^\W\d_]", match["key"]) for match in found):
            lines.append(line)
            continue
        for match in found:
            value = match["value"].strip(" \t\u3000,，;；、|")
            lines.append(f"{match['key'].strip()}: {value}" if value else f"{match['key'].strip()}:")
    return "\n".join(lines)


def _tables_in(text: str) -> str:
    """Tables of Markdown (and of HTML, which became such) that hold one person: two columns, pairs, or one row."""
    lines = text.split("\n")
    out: list[str] = []
    start = 0
    while start < len(lines):
        end = start
        while end < len(lines) and "|" in lines[end] and _PIPE_ROW.match(lines[end]):
            end += 1
        if end == start:
            out.append(lines[start])
            start += 1
            continue
        out += _table(lines[start:end]) or lines[start:end]
        start = end
    return "\n".join(out)


def _table(lines: list[str]) -> list[str]:
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    ruled = any(all(_RULE_CELL.fullmatch(cell) for cell in row) for row in rows)
    rows = [row for row in rows if not all(_RULE_CELL.fullmatch(cell) for cell in row)]
    if not rows or any(COLON.search(row[0]) for row in rows):
        return []
    width = len(rows[0])

    def plain(cell: str) -> str:
        return cell.strip("*_` ")

    if (
        len(rows) == 2
        and width > 1
        and len(rows[1]) == width
        and sum(is_known(plain(cell)) for cell in rows[0]) * 2 > width
        and not (width == 2 and is_known(plain(rows[1][0])))
    ):
        return [f"{plain(key)}: {value}" for key, value in zip(*rows, strict=True) if value]
    pairs = [(plain(row[n]), row[n + 1]) for row in rows for n in range(0, len(row) - 1, 2)]
    if width % 2 or any(len(row) != width for row in rows):
        return []
    known = sum(is_known(key) for key, _ in pairs)
    headed = fold_key(plain(rows[0][0])) in _HEADER_WORDS or not rows[0][0]
    if headed and width == 2:
        pairs = pairs[1:]
    if (
        known * 2 >= len(pairs) + (0 if headed else 1)
        or (headed and ruled and width == 2)
        or (len(pairs) == 1 and known and ruled)
    ):
        return [f"{key}: {value}" for key, value in pairs if key and value]
    return []


def _interview_in(text: str) -> str:
    """Ali:Chat: ``{{user}}: Occupation?`` and a reply that is no more than the answer."""
    lines = text.split("\n")
    out: list[str] = []
    for number, line in enumerate(lines):
        asked = _ASKED.match(line)
        key = _YOUR.sub("", asked["question"].strip(' "“”')).strip() if asked else ""
        reply = _REPLIED.match(lines[number + 1]) if asked and number + 1 < len(lines) and is_known(key) else None
        if reply is not None:
            bare = re.sub(r"\*[^*\n]*\*", "", reply["reply"]).strip(' \t"“”「」')
            told = _PLAIN_REPLY.fullmatch(bare)
            value = (told["value"] or told["zh"] or "").strip() if told else ""
            if value and units(value) <= 6 and not re.search(r"\b(?:I|you|we|it|that)\b", value):
                out.append(f"{key}: {re.sub(r'^(?:an?|the) ', '', value)}")
                lines[number + 1] = ""
                continue
        out.append(line)
    return "\n".join(out)


def _parted_in(text: str) -> str:
    """``Age - 29``, ``年龄——24``, ``■性別　女``, ``[姓名] 林小雨``: at least two lines with names that are known."""
    lines = text.split("\n")
    found: dict[int, str] = {}
    spaced: dict[int, str] = {}
    for number, line in enumerate(lines):
        if not 2 < len(line) < 300 or ((":" in line or "：" in line) and not line.lstrip().startswith("[")):
            continue
        match = _SQUARE_HEAD.match(line) or _FRAMED.match(line) or _PARTED.match(line)
        if match is None or not is_known(match["key"]):
            continue
        single = line[match.end("key") : match.start("value")] == " "
        if single and not _MARKED.match(line):
            spaced[number] = f"{match['key'].strip()}: {match['value'].strip()}"
        else:
            found[number] = f"{match['key'].strip()}: {match['value'].strip()}"
    # A mere blank parts name and value where every line is so.
    if len(spaced) >= 3 and len(spaced) == sum(bool(line.strip()) for line in lines):
        found |= spaced
    if len(found) < 2 and not any(fold_key(text_.partition(":")[0]) in NAME_KEYS for text_ in found.values()):
        return text
    return "\n".join(found.get(number, line) for number, line in enumerate(lines))
