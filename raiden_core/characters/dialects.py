"""The ways in which people write fields, all turned into ``key: value`` lines: W++, Boostyle, PList, ``【key】value``,
tables, JSON inside a text, Ali:Chat interviews, and several fields on one line.

Each way is looked for only where its marks stand, and a text without any of them comes back as it is.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache

from raiden_core.characters.attributes import is_known
from raiden_core.characters.keys import NAME_KEYS, fold_key, folded
from raiden_core.characters.lines import BLANKS, Field, field_of_line, units
from raiden_core.characters.markup import plain_markup
from raiden_core.characters.nested import fields_of
from raiden_core.characters.owners import MARK, PATH, is_other
from raiden_core.characters.rows import Value

_QUOTE = "[\"“”'‘’]"
_WPP = re.compile(
    r"(?P<key>[^\W\d][^()\n\"“”{}\[\]+=:：;]{0,40}?)[ \t]*\((?P<value>[ \t\n]*[\"“][^()]{0,2000}?[\"”][ \t\n]*)\)"
)
_WPP_BARE = re.compile(
    r"^[ \t]*(?P<key>[^\W\d][^()\n\"“”{}\[\]+=:：;]{0,40}?)[ \t]*\((?P<value>[^()\n\"“”]{1,200})\)[ \t]*$", re.MULTILINE
)
_BOOSTYLE = re.compile(
    r"(?P<key>[^\W\d][^\[\]\n=\"“”:：;,{}()]{0,40}?)[ \t]*=[ \t]*"
    r"(?P<value>[\"“][^\"“”\n]{1,300}[\"”](?:[ \t]*[+,][ \t]*[\"“][^\"“”\n]{1,300}[\"”])*)"
)
_BLOCK = re.compile(
    r"^(?P<before>[ \t]*(?:[^\[\]{}()\n:=]{1,60}[:=：][ \t]*)?)"
    r"(?:\[(?P<square>[^\[\]]{3,6000})\]|\{(?P<curly>[^{}]{3,6000})\}"
    r"|[(（](?P<round>[^()（）\n]{3,2000})[)）])[ \t]*$",
    re.MULTILINE,
)
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
_BLOCK_HEAD = re.compile(r"(?P<whose>[^:：=;]{1,40})[:：][ \t]*(?P<rest>[^:：=;]{1,30}=.*)$", re.DOTALL)
_FRAMED = re.compile(
    r"^[ \t]*(?P<mark>[◆■●▼★☆※◇□])[ \t]*(?P<key>[^\n◆■●▼★☆※◇□]{1,20}?)[ \t]*(?P=mark)[ \t:：]*(?P<value>\S[^\n]*)$"
)
_SEPARATORS = "[,，;；、|｜／/。\t\u3000]"
_COLON = re.compile("[:：]")
_CANDIDATE = re.compile(r"[^,，;；、|｜／/。\t\u3000:：()（）]{1,40}$")
_PIPE_ROW = re.compile(r"^[ \t]*\|?(?P<cells>[^\n|]*(?:\|[^\n|]*)+)$")
_RULE_CELL = re.compile(r"[ \t]*:?-{1,}:?[ \t]*")
_HEADER_WORDS = folded(
    "key|field|attribute|property|item|trait|category|info|detail|项目|属性|字段|类别|信息|内容|項目|設定|항목|속성"
    "|구분"
)
_WPP_NAMES = frozenset(
    ("character", "char", "characters", "name", "bot", "persona", "角色", "人物", "キャラクター", "캐릭터")
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
        text = _json_in(text)
    if "(" in text and ('("' in text or "(“" in text or "{" in text):
        text = _wpp_in(text)
    if "=" in text and ('"' in text or "“" in text):
        text = _boostyle_in(text)
    if "[" in text or "{" in text or "(" in text or "（" in text:
        text = _BLOCK.sub(_block, text)
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


def several(line: str) -> list[str]:
    """The fields of one line, a line each; the line itself where it holds no more than one."""
    if (
        len(line) > 2000
        or len(_COLON.findall(line)) < 2
        or ("//" in line and line.count("://") == len(_COLON.findall(line)))
    ):
        return [line]
    for strong in ("|", "｜", ";", "；", "\t", " / ", " • ", " · "):
        if strong in line:
            pieces = [piece.strip(BLANKS) for piece in line.split(strong) if piece.strip(BLANKS)]
            found = [field_of_line(piece) for piece in pieces]
            if (
                len(pieces) > 1
                and all(item is not None and item.value for item in found)
                and any(item is not None and is_known(item.key) for item in found)
            ):
                return _owned([inner for piece in pieces for inner in several(piece)], scoped=True)
    starts = _starts(line)
    if len(starts) < 2 or starts[0][0] != 0:
        return [line]
    edges = [start for start, _ in starts] + [len(line)]
    pieces = [
        line[edges[n] : edges[n + 1]].strip(BLANKS).rstrip(",，;；、|｜／/。 \t\u3000") for n in range(len(starts))
    ]
    fields = [field_of_line(piece) for piece in pieces]
    if any(item is None or not item.value for item in fields):
        return [line]
    return _owned(pieces, scoped=False)


def _starts(line: str) -> list[tuple[int, str]]:
    """Where the known keys of a line begin, each with the key."""
    found: list[tuple[int, str]] = []
    for colon in _COLON.finditer(line):
        before = line[max(0, colon.start() - 40) : colon.start()]
        match = _CANDIDATE.search(before)
        if match is None:
            continue
        words = match.group()
        offset = colon.start() - len(words)
        first = not found and not line[:offset].strip(BLANKS)
        if first:
            found.append((0, words.strip('-*+• \t\u3000【】[]"“”')))
            continue
        # The longest ending of what stands before the colon that is a known key: "29 Eye color" ends in one.
        for space in [0, *(blank.end() for blank in re.finditer(r"\s+", words))]:
            key = words[space:].strip('-*+•【】[]"“” ')
            place = offset + space
            if (
                key
                and is_known(key)
                and (place == 0 or line[place - 1].isspace() or re.match(_SEPARATORS, line[place - 1]))
            ):
                found.append((place, key))
                break
    return found


def _owned(pieces: list[str], scoped: bool) -> list[str]:
    """The pieces of one line; what follows ``Father: Ulf`` on it tells about the father."""
    owner = ""
    kept = []
    for piece in pieces:
        item = field_of_line(piece)
        if item is not None and PATH not in item.key and is_other(item.key) and not scoped:
            owner = item.key
            kept.append(piece)
        elif owner and item is not None:
            kept.append(f"{owner}{MARK}{piece.strip('-*+• ')}")
        else:
            kept.append(piece)
    return kept


def _line(field: Field) -> str:
    """A field as a line of its own that `field_of_line` reads again."""
    value = " ".join(field.value.split()) if "\n" in field.value else field.value
    return f"{field.key.replace(PATH, MARK)}: {value}"


def _json_in(text: str) -> str:
    """JSON objects inside a text, or a text that is one, as lines."""
    decoder = json.JSONDecoder()
    parts: list[str] = []
    found: list[str] = []
    place = 0
    for _ in range(20):
        match = re.compile(r"[{\[]\s*[{\"]").search(text, place)
        if match is None:
            break
        try:
            value, end = decoder.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            value, end = _loose(text[match.start() :]), len(text)
            if value is None:
                break
        items: list[Value] = value if isinstance(value, list) else [value]
        if not any(isinstance(item, dict) for item in items):
            break
        lines = [
            _line(item)
            for inner in items
            if isinstance(inner, dict)
            for key, entry in inner.items()
            for item in fields_of(key, entry)
        ]
        parts.append(text[place : match.start()])
        found += lines
        place = end
    if not found:
        return text
    # The prose around the object comes first, lest it continue the object's last field.
    prose = "".join((*parts, text[place:])).strip()
    return "\n".join([*([prose, ""] if prose else []), *found])


def _loose(text: str) -> Value:
    """An object that is JSON but for a trailing comma or bare keys."""
    if not re.match(r"\{\s*[\"'\w]+\s*:", text) or len(text) > 100_000:
        return None
    import pyjson5

    try:
        value = pyjson5.decode(text, 20)
    except (pyjson5.Json5DecoderException, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _wpp_in(text: str) -> str:
    """W++: ``[Character("Orla") { Age("29") Likes("rain" + "salt") }]``."""
    found = list(_WPP.finditer(text))
    opened = re.search(r"\(\s*[\"“]?[^()\n]{1,60}[\"”]?\s*\)\s*\{", text) is not None
    if opened:
        found = sorted(
            {match.start(): match for match in (*_WPP_BARE.finditer(text), *found)}.values(),
            key=lambda match: match.start(),
        )
    if len(found) < 2:
        return text
    lines: list[str] = []
    rest: list[str] = []
    place, whose, first = 0, "", ""
    for match in found:
        rest.append(text[place : match.start()])
        place = match.end()
        key = match["key"].strip(" \t-*+•,;\n")
        values = re.findall(r"[\"“]([^\"“”]+)[\"”]", match["value"]) or [match["value"].strip()]
        value = ", ".join(item.strip() for item in values if item.strip())
        if fold_key(key) in _WPP_NAMES:
            whose = value if first and value != first else ""
            key, first = "Name", first or value
            if whose:
                continue
        lines.append(f"{whose}{MARK if whose else ''}{key}: {value}")
    rest.append(text[place:])
    left = re.sub(r"[\[\]{}]", "", "".join(rest)).strip(" \t\n+,;")
    return "\n".join(lines) + (f"\n\n{left}" if left else "")


def _boostyle_in(text: str) -> str:
    """Boostyle: ``[ Character= "Orla" ] Age= "29" Likes= "rain" + "salt"``."""
    found = list(_BOOSTYLE.finditer(text))
    known = sum(is_known(_bare_key(match["key"])) for match in found)
    # Attributes of tags and lines of code are written so too.
    if len(found) < 2 or known * 2 < len(found):
        return text
    lines: list[str] = []
    rest: list[str] = []
    place = 0
    for match in found:
        rest.append(text[place : match.start()])
        place = match.end()
        key = match["key"].strip(" \t-*+•")
        value = ", ".join(item.strip() for item in re.findall(r"[\"“]([^\"“”\n]+)[\"”]", match["value"]))
        lines.append(f"{'Name' if fold_key(key) in _WPP_NAMES else key}: {value}")
    rest.append(text[place:])
    left = re.sub(r"[\[\]{}]", "", "".join(rest)).strip(" \t\n+,;")
    return "\n".join(lines) + (f"\n\n{left}" if left else "")


def _bare_key(key: str) -> str:
    """``Orla's Age`` as ``Age``."""
    return key.strip(" \t-*+•").rpartition("'s ")[2]


def _block(match: re.Match[str]) -> str:
    """A PList or a bracketed line: ``[Age: 29; Occupation: net mender]``."""
    inner = match["square"] or match["curly"] or match["round"]
    pieces = [piece.strip(" \t\n,") for piece in re.split(r"[;；\n]", inner) if piece.strip(" \t\n,")]
    lines: list[str] = []
    if called := _called(inner):
        return "\n".join(called)
    for piece in pieces:
        headed = _BLOCK_HEAD.match(piece)
        if headed is not None and not lines and not is_other(headed["whose"]):
            piece = headed["rest"]
        if "=" in piece and not _COLON.search(piece):
            piece = piece.replace("=", ":", 1)
        piece = re.sub(r"^([^:：=]{1,60}[:：])\s*=", r"\1", piece)
        item = field_of_line(piece)
        if item is None or not item.value or (len(pieces) == 1 and not (is_known(item.key) or _starts(piece)[1:])):
            return match.group()
        lines += several(re.sub(r"(?<=[,，])(\s*[^,，:：=]{1,40})=", r"\1:", piece))
    before = match["before"].strip(" \t:：=")
    # What stands in front of the bracket is a heading of the list, or the character's name.
    if before and is_other(before):
        return "\n".join(f"{before}{MARK}{line}" for line in lines)
    first = field_of_line(lines[0])
    if first is not None and is_other(first.key):
        lines = [lines[0], *(f"{first.key}{MARK}{line}" for line in lines[1:])]
    return "\n".join(
        "Name" + line[len(key) :] if fold_key(key := re.split("[:：]", line, maxsplit=1)[0]) in _WPP_NAMES else line
        for line in lines
    )


def _called(inner: str) -> list[str]:
    """``Mara: age(29), species(human)`` inside brackets."""
    bare = re.sub(r"^[^():;,]{1,40}:\s*(?=[^():;,]{1,40}\()", "", inner.strip())
    if not re.fullmatch(r"(?:[^():;,\n]{1,40}\([^()\n]{1,200}\)[\s,;]*){2,60}", bare):
        return []
    found = re.findall(r"([^():;,\n]{1,40})\(([^()\n]{1,200})\)", bare)
    return [f"{key.strip()}: {value.strip()}" for key, value in found] if any(is_known(key) for key, _ in found) else []


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
    if not rows or any(_COLON.search(row[0]) for row in rows):
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
