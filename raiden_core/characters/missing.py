"""Values that say nothing: marks of a missing value, templates that nobody filled in, macros that only a chat resolves.

None of them is a fact, and what is missing altogether does not stand in a profile either.
"""

from __future__ import annotations

import re
from functools import lru_cache

from raiden_core.characters.keys import fold_key, folded

_MISSING = {
    *(
        "nan",
        "NaN",
        "NAN",
        "-nan",
        "null",
        "Null",
        "NULL",
        "nil",
        "NIL",
        "None",
        "NaT",
        "undefined",
        "UNDEFINED",
        "missing",
    ),
    *("n/a", "N/A", "n.a.", "N.A.", "NA", "<NA>", "\\N", "inf", "-inf", "Infinity", "-Infinity", "1.#IND", "1.#QNAN"),
    *("#N/A", "#NA", "#NULL!", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#ERROR!", "#N/A N/A"),
    *(
        "(null)",
        "(none)",
        "(empty)",
        "<null>",
        "<none>",
        "<nil>",
        "<empty>",
        "[]",
        "{}",
        "[object Object]",
        "[left out]",
    ),
    *("not set", "not available"),
}
"""What programs write where there is no value; ``Nan`` with one capital is a name and a town."""
_TO_DO = folded(
    "todo|tbd|tba|tbc|fixme|to do|to be determined|to be decided|to be announced|to be added|to be filled"
    "|to be written|to be filled in|fill in|fill me in|fill this in|fill in later|coming soon|work in progress|wip"
    "|placeholder|lorem ipsum|not specified|unspecified|unset|not provided|not yet decided|undecided|insert here"
    "|pending|blank|empty|xxx|xxxx|xx|???|??|待补充|待填|待填写|待定|待完善|待设定|待更新|待添加|待续|未设定|未设置"
    "|未定|未填写|未填|未提供|未指定|未定义|尚未设定|尚未填写|暂未设定|暂缺|暂定|暂无设定|敬请期待|请填写|请输入"
    "|此处填写|自行填写|自定义|待補充|未設定|未設置|待填寫|空白|缺失|占位符|未定|未入力|未記入|未登録|未決定|未詳"
    "|未公開|準備中|作成中|執筆中|後で記入|後日追加|要記入|要入力|ここに記入|ここに入力|検討中|追記予定|記入予定"
    "|미정|미설정|미입력|미기입|미작성|작성 예정|추후 작성|추후 추가|추후 공개|추후 결정|준비 중|준비중|작성 중"
    "|입력 필요|입력 예정|여기에 입력|해당 없음|비공개|설정 예정|빈칸"
)
_TO_DO_START = re.compile(
    r"(?:TODO|TBD|TBA|FIXME|WIP|XXX)\b|(?:待补充|待填写|待定|未定|未設定|未设定|미정)(?=[\s（(:：,，。!！…]|$)"
)
_MACRO = re.compile(r"\{\{[^{}]*\}\}|\$\{[^{}]*\}|<%.*?%>|\{%.*?%\}|<<[^<>\s][^<>]*>>")
_NAMES = re.compile(r"\{\{\s*(?:char|bot|character|user)\s*\}\}", re.IGNORECASE)
_HOLDER = re.compile(
    r"(?P<square>\[[^\[\]\n]{1,60}\]|［[^［］\n]{1,60}］|〔[^〔〕\n]{1,60}〕)|(?P<curly>\{[^{}\n]{1,60}\}|｛[^｛｝\n]{1,60}｝)"
    r"|(?P<angle><[^<>\n/]{1,60}>|＜[^＜＞\n]{1,60}＞|《[^《》\n]{1,60}》)|(?P<round>[(（][^()（）\n]{1,60}[)）])|(?P<percent>%[A-Za-z_]{2,40}%)|(?P<dollar>\$[A-Za-z_]{2,40})"
    r"|(?P<under>__[A-Za-z_]{2,40}__)"
)
_BLANK = re.compile(r"[_＿\-–—.…·•?？*×✕xX○〇◯□■△●＊/\\\s~～]+")
_INVITES = re.compile(
    r"(?i:\b(?:your|insert|enter|fill|type|write|choose|select|put|add|replace|specify|describe|e\.?g|example|optional|required|here|placeholder"
    r"|todo|tbd|unknown|name|character|char|value|text|number|something|some|user|first|last)\b)"
    r"|填|输入|輸入|此处|这里|請|请|例如|例：|选填|必填|可选|可填|描述|说明|角色|记入|記入|入力|ここ|任意|必須|選択|例|입력|기입|여기|작성|선택|필수|예시|적어"
)  # fmt: skip
_KEY_WORD = re.compile(r"[A-Z][A-Z0-9]*(?:[_ -][A-Z0-9]+)*|[a-z]+(?:_[a-z]+)+|[a-z]+(?:[A-Z][a-z]+)+")


@lru_cache(maxsize=16384)
def is_missing(value: str, key: str = "") -> bool:
    """Whether there is no value: a mark of a missing one, ``TODO``, or a template's place that nobody filled in.

    ``key`` is the field's name: ``Job: [job]`` is a template, ``Job: [baker]`` a job in brackets.
    """
    bare = value.strip().strip("*`\"'“”").strip()
    if bare in _MISSING or value.strip() in _MISSING or not bare:
        return True
    if fold_key(bare.strip("()（）[]<>.。!！…")) in _TO_DO or _TO_DO_START.match(bare):
        return True
    if len(bare) > 80 or "](" in bare:
        return False
    if _BLANK.fullmatch(bare):
        return len(bare) > 1 or bare in "-–—…?？_*＿"
    if _MACRO.match(bare):
        return not _NAMES.search(bare) and not _MACRO.sub("", bare).strip(" ,，、;；/|")
    return _is_holder(bare, key)


def _is_holder(bare: str, key: str) -> bool:
    match = _HOLDER.fullmatch(bare)
    if match is None:
        # Several places in one value, nothing else: "[city], [country]".
        rest = _HOLDER.sub("", bare) if bare[:1] in "[{<％%$" else bare
        holders = list(_HOLDER.finditer(bare)) if rest != bare else []
        return len(holders) > 1 and not rest.strip(" ,，、;；/|-")
    if match.lastgroup in ("percent", "dollar", "under"):
        return True
    inside = bare.strip("[]［］〔〕{}｛｝<>＜＞《》()（） ")
    same = bool(key) and (
        fold_key(inside) == fold_key(key) or (fold_key(key) in fold_key(inside) and len(inside) < len(key) + 12)
    )
    if match.lastgroup == "curly":
        return same or "," not in inside
    if match.lastgroup == "angle":
        return bare[0] != "《" or same
    if match.lastgroup == "round":
        return same or (bool(_INVITES.search(inside)) and len(inside) < 20 and not re.search(r"\d", inside))
    return (
        same
        or _KEY_WORD.fullmatch(inside) is not None
        or bool(_INVITES.search(inside))
        or bool(_BLANK.fullmatch(inside))
    )


def has_macro(value: str) -> bool:
    """Whether a part of the value is decided only when a chat begins (``{{random:29,30}}``)."""
    if "{{" not in value and "${" not in value and "<%" not in value and "{%" not in value:
        return False
    return any(not _NAMES.fullmatch(macro.group()) for macro in _MACRO.finditer(value))


def is_unfilled(value: str, key: str = "") -> bool:
    """Whether a value is the place that a template left for it, rather than a mark of a missing value."""
    bare = value.strip().strip("*`\"'“”").strip()
    return bool(bare) and bare not in _MISSING and is_missing(value, key)
