"""Which entries of a lorebook a conversation calls up (V3 specification, "Lorebook Fields").

    triggered(card.lorebook, ["Do you know the Old Mill?"])

The rules decide from the messages alone, so that a prompt never depends on what was asked before. Keys that are regular
expressions come from strangers: those that could take exponential time, and those that are invalid, match nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from raiden_core.cards.card import Entry, Lorebook
from raiden_core.text.scripts import HAN, HANGUL, KANA

MAX_PATTERN_CHARS = 500
"""A longer regular expression matches nothing."""
MAX_SEARCHED_CHARS = 20_000
"""Regular expressions see the end of a longer conversation only."""
REGEX_SECONDS = 0.5
"""The last resort: a regular expression that takes longer on one text matches nothing."""
_CJK = re.compile(f"[{HAN}{KANA}{HANGUL}]")


def triggered(
    book: Lorebook, messages: Sequence[str], *, replies: int = 0, greeting: int | None = None
) -> tuple[Entry, ...]:
    """The entries that messages call up, in the order in which a prompt holds them.

    Args:
        book: of the card.
        messages: what was said, the oldest first, the question included.
        replies: how many of the messages are the character's.
        greeting: the number of the greeting that opened the conversation, from 0; None where none did.
    """
    found: dict[int, Entry] = {}
    added: list[str] = []
    for _ in range(len(book.entries) + 1):
        fresh = {
            number: entry
            for number, entry in enumerate(book.entries)
            if number not in found and _is_called(entry, book, messages, added, replies, greeting)
        }
        found |= fresh
        if not fresh or not book.recursive_scanning:
            break
        added += [text for entry in fresh.values() for text in (entry.content, *entry.hidden_keys)]
    kept = _within_budget([entry for _, entry in sorted(found.items())], book.token_budget)
    return tuple(sorted(kept, key=lambda entry: entry.insertion_order))


def _is_called(
    entry: Entry, book: Lorebook, messages: Sequence[str], added: Sequence[str], replies: int, greeting: int | None
) -> bool:
    if not entry.enabled or not entry.content:
        return False
    if entry.decorator("activate") is not None:
        return True
    if entry.decorator("dont_activate") is not None or not _in_time(entry, replies, greeting):
        return False
    depth = _whole(entry.decorator("scan_depth"), book.scan_depth)
    recent = list(messages) if depth is None else list(messages)[max(0, len(messages) - max(depth, 0)) :]
    text = "\n".join([*recent, *added])
    if not _says_one(entry, entry.values("additional_keys"), text, True):
        return False
    if not entry.use_regex and entry.values("exclude_keys") and _says_one(entry, entry.values("exclude_keys"), text):
        return False
    if entry.constant and not entry.use_regex:
        return True
    if not _says_one(entry, entry.keys, text):
        return False
    return not entry.selective or entry.use_regex or _says_one(entry, entry.secondary_keys, text, True)


def _in_time(entry: Entry, replies: int, greeting: int | None) -> bool:
    """Whether the conversation is as far, and opened, as the entry's decorators want it."""
    if (after := _whole(entry.decorator("activate_only_after"))) is not None and replies < after:
        return False
    if (every := _whole(entry.decorator("activate_only_every"))) and replies % every:
        return False
    opened = _whole(entry.decorator("is_greeting"))
    return opened is None or greeting is None or opened == greeting


def _whole(value: str | None, default: int | None = None) -> int | None:
    return default if value is None else int(float(value))


def _says_one(entry: Entry, keys: Sequence[str], text: str, without_keys: bool = False) -> bool:
    """Whether a text holds one of the keys; ``without_keys`` is the answer where there are none."""
    if not keys:
        return without_keys
    shown = text if entry.case_sensitive else text.casefold()
    for key in keys:
        if entry.use_regex or is_pattern(key):
            if _matches(key, text, entry.case_sensitive):
                return True
        elif (key if entry.case_sensitive else key.casefold()) in shown:
            return True
    return False


def is_pattern(key: str) -> bool:
    """Whether a key is a regular expression between slashes."""
    return len(key) > 2 and key[0] == "/" and key.rstrip("dgimsuvy")[-1:] == "/" and len(key.rstrip("dgimsuvy")) > 2


def _matches(key: str, text: str, case_sensitive: bool) -> bool:
    pattern = _compiled(key, case_sensitive)
    if pattern is None:
        return False
    try:
        return pattern.search(text[-MAX_SEARCHED_CHARS:], timeout=REGEX_SECONDS) is not None
    except TimeoutError:
        return False


@lru_cache(maxsize=1024)
def _compiled(key: str, case_sensitive: bool) -> Any:
    """The regular expression of a key; None where it is invalid or could take exponential time."""
    import regex

    body, flags = key, "" if case_sensitive else "i"
    if is_pattern(key):
        body, _, flags = key[1:].rpartition("/")
    if len(body) > MAX_PATTERN_CHARS or not _is_harmless(body):
        return None
    options = {"i": regex.IGNORECASE, "m": regex.MULTILINE, "s": regex.DOTALL}
    try:
        return regex.compile(body, sum(options[flag] for flag in set(flags) & options.keys()))
    except regex.error:
        return None


_ITEM = re.compile(r"\\.|\[(?:\\.|[^\\\]])*\]?|.", re.DOTALL)
"""An escape, a class or another letter of a pattern."""


def _is_harmless(body: str) -> bool:
    """Whether no repetition without bound stands inside another, nor goes over alternatives; no back references."""
    groups: list[bool] = []
    after_group = False
    for found in _ITEM.finditer(body):
        item, closed_open_ended = found.group(), False
        if item[0] == "\\" and item[1:].isdigit() and item != "\\0":
            return False
        if item == "(":
            groups.append(False)
        elif item == ")":
            closed_open_ended = groups.pop() if groups else False
            if groups and closed_open_ended:
                groups[-1] = True
        elif item == "|":
            groups[-1:] = [True] if groups else []
        elif item in ("*", "+") or (item == "{" and "," in body[found.start() : found.start() + 8]):
            if after_group:
                return False
            if groups:
                groups[-1] = True
        after_group = closed_open_ended
    return True


def _within_budget(entries: list[Entry], budget: int | None) -> list[Entry]:
    """The entries without those of the lowest priority that would exceed the budget."""
    if not budget or budget < 0:
        return entries
    left = budget
    kept: set[int] = set()
    for number, entry in sorted(enumerate(entries), key=lambda pair: -_priority(pair[1])):
        cost = _tokens(entry.content)
        if cost > left:
            break
        left -= cost
        kept.add(number)
    return [entry for number, entry in enumerate(entries) if number in kept]


def _priority(entry: Entry) -> float:
    return entry.insertion_order if entry.priority is None else entry.priority


def _tokens(text: str) -> int:
    """About how many tokens a text has: one for a CJK character, one for four other characters."""
    cjk = len(_CJK.findall(text))
    return cjk + -(-(len(text) - cjk) // 4)
