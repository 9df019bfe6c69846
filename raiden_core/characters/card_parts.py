"""The parts of a card that are not its profile: raw fields, under the names that programs give them, to a `Card`.

V1 to V3 cards, SillyTavern's own lorebook form (``key``, ``keysecondary``, ``order``, ``disable``; entries in an object) and
the older names of other programs (``char_greeting``, ``world_scenario``, ``example_dialogue``) are read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from raiden_core.cards.card import Card, Entry, Lorebook, Position
from raiden_core.cards.decorators import split_decorators
from raiden_core.cards.macros import hidden_keys, resolve
from raiden_core.characters.keys import fold_key, folded
from raiden_core.characters.nested import as_text
from raiden_core.characters.rows import Value
from raiden_core.samples import Turn

_TEXTS = {
    "description": folded("description|char persona|persona text|context|bot info|bot persona|char description"),
    "personality": folded("personality"),
    "scenario": folded("scenario|world scenario"),
    "system_prompt": folded("system prompt|系统提示词|システムプロンプト|시스템 프롬프트"),
    "post_history_instructions": folded("post history instructions|jailbreak"),
}
_FIRST = folded(
    "first mes|first message|greeting|char greeting|bot greeting|first chat|opening|start message|default message"
    "|welcome message|opening line|opening message|开场白|開場白|问候语|挨拶|最初のメッセージ|인사말|첫 메시지"
)
_ALTERNATE = folded("alternate greetings|alternative greetings|greetings")
_GROUP_ONLY = folded("group only greetings")
_EXAMPLES = folded(
    "mes example|example dialogue|example dialogs|example dialogues|example messages|dialogue examples|sample chat"
    "|sample dialogue|sample dialogues|message examples|example conversation|example conversations"
    "|对话示例|示例对话|会話例|대화 예시"
)
_BOOK = folded("character book")
_SPOKEN = frozenset().union(*_TEXTS.values(), _FIRST, _ALTERNATE, _GROUP_ONLY, _EXAMPLES, _BOOK) - _TEXTS["description"]
CARD_TEXTS = frozenset().union(*_TEXTS.values())
"""Names of a card's texts, which count as a card where something that is spoken stands beside them."""
_START = re.compile(r"<\s*START\s*>|\{\{\s*start\s*\}\}", re.IGNORECASE)
_SPEAKER = re.compile(r"[ \t]*(?:\*\*)?(?P<who>[^:：\n*]{1,80}?)(?:\*\*)?[ \t]*[:：][ \t]*")
_USERS = frozenset(("{{user}}", "<user>", "you", "user", "anon"))
_CHARACTERS = frozenset(("{{char}}", "{{bot}}", "<bot>", "<char>"))
_POSITIONS: dict[str | int, Position] = {
    **{"before_char": "before_char", "after_char": "after_char"},
    **{0: "before_char", 1: "after_char"},
}
"""SillyTavern's own lorebooks number their positions; the other numbers are places that raiden's prompts do not have."""
_Said = Callable[[str], str]
"""Resolves the macros of a text."""
MAX_ENTRIES = 5_000
"""Of a lorebook; a card has hundreds at most."""


def card_of(raw: Mapping[str, Value], name: str | None, char: str | None, language: str) -> Card | None:
    """The card of raw fields; None where they say nothing beside a profile.

    Args:
        raw: the fields of a card, or of any record that has a greeting and the like.
        name: of the character, which seeds what is left to chance.
        char: what ``{{char}}`` stands for.
        language: of the word for ``{{user}}``.
    """
    by_name = {fold_key(key): value for key, value in raw.items() if value not in (None, "", [], {})}
    if not by_name.keys() & _SPOKEN:
        return None

    def said(text: str) -> str:
        return resolve(text, char, language, name or "").strip()

    def first(names: frozenset[str]) -> Value:
        return next((value for key, value in by_name.items() if key in names), None)

    greetings = [*_texts(first(_FIRST)), *_texts(first(_ALTERNATE))]
    examples = first(_EXAMPLES)
    blocks = examples if isinstance(examples, list) else [examples]
    card = Card(
        **{part: said(as_text(first(names), prose=True)) for part, names in _TEXTS.items()},
        greetings=tuple(dict.fromkeys(said(text) for text in greetings)),
        group_only_greetings=tuple(said(text) for text in _texts(first(_GROUP_ONLY))),
        examples=tuple(
            tuple(Turn(role=turn.role, content=said(turn.content)) for turn in turns)
            for block in blocks
            for turns in example_turns(as_text(block, prose=True), char)
        ),
        lorebook=_lorebook(first(_BOOK), said),
    )
    return None if card == Card(description=card.description) else card


def _texts(value: Value) -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str) and item.strip():
            yield item


def example_turns(text: str, char: str | None) -> Iterator[tuple[Turn, ...]]:
    """The conversations of ``mes_example``, macros unresolved: a block each, a turn for each speaker's mark.

    What stands before the first mark is the character's.
    """
    own = (char or "").casefold()
    for block in _START.split(text) if "<" in text or "{{" in text else [text]:
        turns: list[tuple[str, list[str]]] = []
        for line in block.replace("\r\n", "\n").split("\n"):
            match = _SPEAKER.match(line)
            role = _role(match["who"], own) if match is not None else None
            if match is not None and role is not None:
                turns.append((role, [line[match.end() :]]))
            elif turns:
                turns[-1][1].append(line)
            elif line.strip():
                turns.append(("assistant", [line]))
        told = [(role, "\n".join(lines).strip()) for role, lines in turns]
        if found := tuple(Turn.model_validate({"role": role, "content": said}) for role, said in told if said):
            yield found


def _role(who: str, own: str) -> str | None:
    """Whose turn a mark opens; None where it is no speaker's."""
    plain = who.strip().casefold()
    if plain == own and own:
        return "assistant"
    bare = plain if plain.isalnum() else "".join(plain.split())
    return "user" if bare in _USERS else "assistant" if bare in _CHARACTERS else None


def _lorebook(value: Value, said: _Said) -> Lorebook:
    if not isinstance(value, dict):
        return Lorebook()
    inner = value.get("data")
    if "entries" not in value and isinstance(inner, dict):
        value = inner
    entries = value.get("entries")
    listed = list(entries.values()) if isinstance(entries, dict) else entries if isinstance(entries, list) else []
    read = [_entry(entry, said) for entry in listed[:MAX_ENTRIES] if isinstance(entry, dict)]
    return Lorebook(
        entries=tuple(entry for entry in read if entry.content),
        scan_depth=_whole(value.get("scan_depth")),
        token_budget=_whole(value.get("token_budget")),
        recursive_scanning=value.get("recursive_scanning") is True,
    )


def _entry(raw: Mapping[str, Value], said: _Said) -> Entry:
    content = as_text(raw.get("content") or raw.get("entry") or raw.get("text"), prose=True)
    extensions = raw.get("extensions")
    more: Mapping[str, Value] = extensions if isinstance(extensions, dict) else {}
    decorators, text = split_decorators(content)
    order = raw.get("insertion_order", raw.get("insertionOrder", raw.get("order", 0)))
    return Entry(
        content=said(text),
        keys=_keys(raw.get("keys") or raw.get("key"), said),
        secondary_keys=_keys(raw.get("secondary_keys") or raw.get("keysecondary"), said),
        hidden_keys=hidden_keys(text),
        use_regex=raw.get("use_regex") is True,
        selective=raw.get("selective") is True,
        constant=raw.get("constant") is True,
        enabled=raw.get("enabled") is not False and raw.get("disable") is not True,
        case_sensitive=(raw.get("case_sensitive") or raw.get("caseSensitive") or more.get("case_sensitive")) is True,
        insertion_order=_number(order) or 0,
        priority=_number(raw.get("priority")),
        position=_position(raw.get("position")),
        name=as_text(raw.get("name") or raw.get("comment")).strip()[:200],
        decorators=decorators,
    )


def _keys(value: Value, said: _Said) -> tuple[str, ...]:
    """Keys of a list, or of a text with commas between them; a regular expression in a text keeps its commas."""
    if isinstance(value, str):
        value = [value] if value.startswith("/") else list(value.split(","))
    keys = [said(key) for key in value if isinstance(key, str)] if isinstance(value, list) else []
    return tuple(dict.fromkeys(key for key in keys if key))


def _position(value: Value) -> Position | None:
    return _POSITIONS.get(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else None


def _number(value: Value) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        return None
    return float(value) if abs(value) < 1e12 else None


def _whole(value: Value) -> int | None:
    number = _number(value)
    return None if number is None or number < 0 else int(number)
