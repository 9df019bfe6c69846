"""The ``@@`` lines that open an entry of a lorebook (V3 specification, "Decorators").

``@@name value`` is a decorator; ``@@@name value`` below it counts where the one above is unknown or has no valid value.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from raiden_core.cards.card import Decorator

_LINE = re.compile(r"(?P<marks>@@@?)(?P<name>[A-Za-z_]+)(?:[ \t]+(?P<value>[^\n]*?))?[ \t]*")


def _number(value: str) -> bool:
    return re.fullmatch(r"-?\d{1,9}(?:\.0+)?", value) is not None


def _nothing(value: str) -> bool:
    return value in ("", "true")


def _something(value: str) -> bool:
    return bool(value)


KNOWN: dict[str, Callable[[str], bool]] = {
    "activate_only_after": _number,
    "activate_only_every": _number,
    "depth": _number,
    "reverse_depth": _number,
    "role": frozenset(("assistant", "system", "user")).__contains__,
    "scan_depth": _number,
    "is_greeting": _number,
    "position": frozenset(("after_desc", "before_desc", "personality", "scenario")).__contains__,
    "additional_keys": _something,
    "exclude_keys": _something,
    "dont_activate": _nothing,
    "activate": _nothing,
}
"""Decorators that raiden follows, and what their values must be. The others of the specification speak of what a prompt
without a running chat does not have (earlier matches, tokens, user icons, prefill): they are ignored, as it allows."""
REPEATED = frozenset(("additional_keys", "exclude_keys"))
"""Decorators that count more than once."""


def split_decorators(content: str) -> tuple[tuple[Decorator, ...], str]:
    """The decorators at the beginning of an entry's content, and the content without any decorator line."""
    if "@@" not in content:
        return (), content.strip()
    found: list[Decorator] = []
    kept: list[str] = []
    settled = True
    for line in content.replace("\r\n", "\n").split("\n"):
        match = _LINE.fullmatch(line.strip()) if line.lstrip().startswith("@@") else None
        if match is None:
            kept.append(line)
            continue
        name, value = match["name"].casefold(), (match["value"] or "").strip()
        if match["marks"] == "@@@" and settled:
            continue
        settled = name in KNOWN and KNOWN[name](value)
        if settled and (name in REPEATED or all(item.name != name for item in found)):
            found.append(Decorator(name=name, value=value))
    return tuple(found), "\n".join(kept).strip()
