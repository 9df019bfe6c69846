"""Fields inside brackets: W++, Boostyle, PList, and JSON within a text, each a line of its own."""

from __future__ import annotations

import json
import re

from raiden_core.characters.attributes import is_known
from raiden_core.characters.keys import fold_key
from raiden_core.characters.lines import Field, field_of_line
from raiden_core.characters.nested import fields_of
from raiden_core.characters.owners import MARK, PATH, is_other
from raiden_core.characters.rows import Value
from raiden_core.characters.several_fields import COLON, field_starts, several

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
BLOCK = re.compile(
    r"^(?P<before>[ \t]*(?:[^\[\]{}()\n:=]{1,60}[:=：][ \t]*)?)"
    r"(?:\[(?P<square>[^\[\]]{3,6000})\]|\{(?P<curly>[^{}]{3,6000})\}"
    r"|[(（](?P<round>[^()（）\n]{3,2000})[)）])[ \t]*$",
    re.MULTILINE,
)
_BLOCK_HEAD = re.compile(r"(?P<whose>[^:：=;]{1,40})[:：][ \t]*(?P<rest>[^:：=;]{1,30}=.*)$", re.DOTALL)
_WPP_NAMES = frozenset(
    ("character", "char", "characters", "name", "bot", "persona", "角色", "人物", "キャラクター", "캐릭터")
)


def _line(field: Field) -> str:
    """A field as a line of its own that `field_of_line` reads again."""
    value = " ".join(field.value.split()) if "\n" in field.value else field.value
    return f"{field.key.replace(PATH, MARK)}: {value}"


def json_in(text: str) -> str:
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


def wpp_in(text: str) -> str:
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


def boostyle_in(text: str) -> str:
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


def block(match: re.Match[str]) -> str:
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
        if "=" in piece and not COLON.search(piece):
            piece = piece.replace("=", ":", 1)
        piece = re.sub(r"^([^:：=]{1,60}[:：])\s*=", r"\1", piece)
        item = field_of_line(piece)
        if item is None or not item.value or (len(pieces) == 1 and not (is_known(item.key) or field_starts(piece)[1:])):
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
