"""What is never taken out of a file: secrets (keys, tokens, passwords) and images that are written out in base64.

A secret is told by the name of its field or by its shape. It must reach neither a profile nor a prompt nor a teacher,
so it goes before anything else looks at the row; the warning names the field and never the value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from raiden_core.characters.keys import folded
from raiden_core.characters.rows import Value
from raiden_core.text.secrets import SECRET_SHAPES, holds_any, may_hold_secret, names_secret, squeezed

LEFT_OUT = "[left out]"
"""What stands in a sentence in place of a secret."""

_MAYBE_SECRET_KEYS = folded(
    "secret|secrets|token|tokens|key|keys|cookie|cookies|session|auth|webhook|env|credential|令牌|トークン|토큰"
)
"""Names that hold a secret only where the value looks like one: a character may have a secret, or carry a token."""
_SECRET_CONTAINERS = folded("secrets|credentials|credential|auth|env|environment|apikeys|tokens|cookies")
"""Names of objects of which nothing is read."""
_OPAQUE = re.compile(r"(?=.*\d)[A-Za-z0-9_\-+/=.:~!@#$%^&*]{10,}")
_ASSIGNED = re.compile(
    r"(?P<key>[^\s\"'`=:：,;{(\[]{2,40})[\"']?[ \t]{0,4}(?:=|:|：)[ \t]{0,4}[\"']?(?P<value>[^\s\"',;)}\]]{4,})"
)
"""``api_key = …`` inside a line."""
_LINE_KEY = re.compile(r"[ \t\u3000>*\-•#\"'`【\[]*(?P<key>[^\n:：=]{1,60}?)[\"'`*】\]]*[ \t]*[:：=](?P<value>[^\n]*)")
_IMAGE = re.compile(
    r"!\[[^\]\n]{0,300}\]\(\s*<?data:image/[^)\s]*[^)]{0,200}\)"
    r"|<img\b[^<>]{0,300}\bsrc\s*=\s*[\"']?data:image/[^>]*>"
    r"|url\(\s*[\"']?data:image/[^)\s]*\)"
    r"|data:image/[a-zA-Z.+-]{1,20}(?:;[\w=-]{1,40}){0,4},[A-Za-z0-9+/=%_-]*"
)
_BARE_BASE64 = re.compile(
    r"(?:iVBORw0KGgo|/9j/4|R0lGOD|UklGR|PHN2Zy)[A-Za-z0-9+/=_-]{60,}|(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/_-]{600,}={0,2}"
)


@dataclass
class Found:
    """The fields of one row of which something was left out, in order."""

    secrets: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)

    def warnings(self) -> list[str]:
        """What to tell the user."""
        lines = []
        if self.secrets:
            lines.append(f"{_named(self.secrets)}: left out, for it looks like a secret (a key, token or password)")
        if self.images:
            lines.append(f"{_named(self.images)}: an image in base64 was left out")
        return lines


def scrub_row(value: Value, found: Found) -> Value:
    """A row without secrets and images; the names of their fields are added to ``found``."""
    texts: list[str] = []
    if not _collect(value, texts):
        # Nearly all rows hold neither: one look at all of their text together tells.
        text = "\n".join(texts)
        if not (may_hold_secret(text) or _may_name(text) or "data:image" in text or _may_hold_base64(text)):
            return value
    return scrub_value(value, found)


def _collect(value: Value, texts: list[str]) -> bool:
    """Gather all text of a row; whether the name of one of its fields says that a secret is in it."""
    if isinstance(value, str):
        texts.append(value)
        return False
    told = False
    if isinstance(value, dict):
        for key, item in value.items():
            told |= _kind_of_key(key) is not None and is_secret(key, item)
            told |= item.__class__ in _HOLD_TEXT and _collect(item, texts)
    elif isinstance(value, list):
        for item in value:
            told |= _collect(item, texts)
    return told


_HOLD_TEXT = (str, dict, list)


def scrub_value(value: Value, found: Found, path: str = "", text_key: str = "the text") -> Value:
    """The same for a part of a row, at ``path`` within it."""
    if isinstance(value, str):
        return scrub_text(value, found, path or text_key)
    if isinstance(value, list):
        return [scrub_value(item, found, path, text_key) for item in value]
    if not isinstance(value, dict):
        return value
    kept: dict[str, Value] = {}
    for key, item in value.items():
        inner = f"{path}.{key}" if path else key
        if is_secret(key, item):
            found.secrets.append(inner)
        else:
            kept[key] = scrub_value(item, found, inner, text_key)
    return kept


def scrub_text(text: str, found: Found, name: str = "the text") -> str:
    """A text without secrets and images: lines of fields that hold one go, in a sentence `LEFT_OUT` stands for it."""
    if "data:image" in text or _may_hold_base64(text):
        cleaned, count = _IMAGE.subn("", text)
        cleaned, more = _BARE_BASE64.subn("", cleaned)
        if count or more:
            found.images.append(name)
            text = cleaned
    if may_hold_secret(text):
        cleaned = SECRET_SHAPES.sub(LEFT_OUT, text)
        if cleaned != text:
            # A field that holds nothing but the secret is named itself, and goes.
            lines = []
            for before, after in zip(text.split("\n"), cleaned.split("\n"), strict=False):
                line = _LINE_KEY.match(after)
                if before != after and line is not None and line["value"].strip(" \t\"'`,;") == LEFT_OUT:
                    found.secrets.append(line["key"].strip())
                    continue
                lines.append(after)
            if cleaned.count("\n") != text.count("\n"):
                lines = cleaned.split("\n")
            if not found.secrets or LEFT_OUT in "\n".join(lines):
                found.secrets.append(name)
            text = "\n".join(lines)
            if text.strip(" \t\n\"'`,;") == LEFT_OUT:
                return ""
    if _may_name(text):
        return _without_named(text, found)
    return text


_NAMED = re.compile(
    r"(?:[Kk][Ee][Yy]|[Tt][Oo][Kk][Ee][Nn]|[Ss][Ee][Cc][Rr][Ee][Tt]|[Pp][Aa][Ss][Ss]|[Pp][Ww][Dd]|[Pp][Ii][Nn]|[Cc]redential|CREDENTIAL"
    r"|[Aa]uthorization|[Dd][Ss][Nn]|[Mm]nemonic|[Cc][Vv][VvCc]|[Jj][Ww][Tt]|[Pp]hrase|[Nn]umber|[Cc]onnection|密码|密碼|口令|密钥|密鑰|秘钥|私钥"
    r"|令牌|パスワード|番号|キー|秘密鍵|トークン|비밀번호|패스워드|키|토큰)[\w \"'*`】\]]{0,12}[:=：]"
)
"""A name of a field, in a text, that may say that a secret follows."""


_NAME_MARKS = (
    *(
        "key",
        "token",
        "secret",
        "pass",
        "pwd",
        "pin",
        "credential",
        "authoriz",
        "dsn",
        "mnemonic",
        "cvv",
        "cvc",
        "jwt",
        "phrase",
        "number",
    ),
    *(
        "connection",
        "密",
        "口令",
        "钥",
        "令牌",
        "パスワード",
        "番号",
        "キー",
        "鍵",
        "トークン",
        "비밀번호",
        "패스워드",
        "키",
        "토큰",
    ),
)


def _may_name(text: str) -> bool:
    """Whether a text may have a field whose name says that a secret follows."""
    if ":" not in text and "=" not in text and "：" not in text:
        return False
    return holds_any(text.lower(), _NAME_MARKS) and _NAMED.search(text) is not None


def _without_named(text: str, found: Found) -> str:
    """The text without fields whose name says that a secret is in them."""
    kept: list[str] = []
    for line in text.split("\n"):
        if not _NAMED.search(line):
            kept.append(line)
            continue
        whole = _LINE_KEY.match(line)
        if whole is not None and is_secret(whole["key"].strip(), whole["value"].strip(" \t\"'`,;")):
            found.secrets.append(whole["key"].strip())
            continue
        for inner in list(_ASSIGNED.finditer(line))[::-1]:
            if not LEFT_OUT.startswith(inner["value"]) and is_secret(inner["key"], inner["value"]):
                found.secrets.append(inner["key"])
                line = line[: inner.start("value")] + LEFT_OUT + line[inner.end("value") :]
        kept.append(line)
    return "\n".join(kept)


def is_secret(key: str, value: Value) -> bool:
    """Whether a field holds a secret, by its name; by its shape `scrub_text` tells."""
    kind = _kind_of_key(key)
    if kind is None or value in (None, "", [], {}) or isinstance(value, bool):
        return False
    if kind == "secret":
        return True
    if isinstance(value, (dict, list)):
        return kind == "container" and not all(isinstance(item, str) and " " in item for item in value)
    return _OPAQUE.fullmatch(str(value).strip()) is not None


@lru_cache(maxsize=4096)
def _kind_of_key(key: str) -> str | None:
    """``secret``, ``container`` (of secrets) or ``maybe``; None for any other name."""
    if names_secret(key):
        return "secret"
    folded = squeezed(key)
    if folded in _SECRET_CONTAINERS:
        return "container"
    return "maybe" if folded in _MAYBE_SECRET_KEYS else None


def _may_hold_base64(text: str) -> bool:
    """Whether a text has a word as long as an image is in base64."""
    words = text.split() if len(text) > 70 else []
    if max(map(len, words), default=0) <= 70:
        return False
    return any(len(word) > 70 and _BARE_BASE64.search(word) for word in words)


def _named(names: list[str]) -> str:
    """The names of fields as a message shows them, each once."""
    distinct = [f'"{name[:60]}"' for name in dict.fromkeys(names)]
    return ", ".join(distinct[:6]) + (", …" if len(distinct) > 6 else "")
