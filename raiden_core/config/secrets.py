"""Secrets stand in the environment, never in settings: whatever a configuration holds is repeated in job files, manifests,
run records and Prefect's parameters, which others can read.

A value is refused by the name of its field (``hub_token``), of the option before it (``--api-key …``) or of the variable
that it is given to, by the query or the user part of an address, or by its own shape. The message names the place and
what to use instead, and never repeats the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from raiden_core.text.secrets import SECRET_SHAPES, may_hold_secret, names_secret, squeezed

_WORDS_OF_TOKENIZERS = frozenset(
    ["bostoken", "eostoken", "padtoken", "unktoken", "septoken", "clstoken", "masktoken", "stoptoken"]
)
_SHORT_NAMES = frozenset(["token", "key", "password", "secret", "passphrase"])
_BY_ENVIRONMENT = "give it by an environment variable"
_INSTEAD = {
    **dict.fromkeys(("hubtoken", "hftoken", "token"), "set the environment variable HF_TOKEN"),
    "apikey": "name the environment variable that holds it in api_key_env",
}
REFERENCE = re.compile(r"\$(?:\{[A-Za-z_][A-Za-z0-9_]*\}|[A-Za-z_][A-Za-z0-9_]*)")
"""A whole argument that stands for a variable of the environment."""
_ASSIGNMENT = re.compile(r"(--?)?([A-Za-z][\w-]*)=(.+)", re.DOTALL)
_CREDENTIALS = re.compile(r"\w[\w+.-]*://[^/?#\s]*:[^/?#\s]*@")
_QUERY = re.compile(r"[?&]([A-Za-z_-]{2,40})=([^&\s#]+)")


def secret_place(tree: Any) -> tuple[str, str] | None:
    """Where in a tree of plain settings a secret stands, as a dotted place, and what to do instead; None: nowhere."""
    return next(_places(tree, ""), None)


def _places(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            inner = f"{place}.{key}" if place else str(key)
            if str(key).endswith("_env") and isinstance(item, str):
                continue  # the name of a variable; the field itself refuses anything else
            if isinstance(item, str) and item and _named_secret(str(key)):
                yield inner, _INSTEAD.get(squeezed(str(key)), _BY_ENVIRONMENT)
            else:
                yield from _places(item, inner)
    elif isinstance(value, (list, tuple)):
        yield from _in_command(value, place)
        for number, item in enumerate(value):
            yield from _places(item, f"{place}.{number}")
    elif isinstance(value, str) and _looks_secret(value):
        yield place, _BY_ENVIRONMENT


def _in_command(words: Sequence[Any], place: str) -> Iterator[tuple[str, str]]:
    """Options of a command line whose value is a secret; ``$NAME`` is none."""
    before = ""
    for number, word in enumerate(words):
        if not isinstance(word, str):
            continue
        assigned = _ASSIGNMENT.fullmatch(word)
        name, value = (assigned[2], assigned[3]) if assigned else (before.lstrip("-"), word)
        if (assigned or before.startswith("-")) and _named_secret(name) and not REFERENCE.fullmatch(value):
            variable = re.sub(r"\W", "_", name).upper()
            yield f"{place}.{number}", f"write ${variable} there and set that environment variable"
        before = word


def _named_secret(name: str) -> bool:
    if squeezed(name) in _WORDS_OF_TOKENIZERS:
        return False
    return squeezed(name) in _SHORT_NAMES or names_secret(name)


def _looks_secret(text: str) -> bool:
    if _CREDENTIALS.search(text) or any(_named_secret(found[1]) for found in _QUERY.finditer(text)):
        return True
    # A folder may be called sk-learn; a key has figures.
    return may_hold_secret(text) and any(
        re.search(r"\d", found[0]) or found[0].startswith("-----") for found in SECRET_SHAPES.finditer(text)
    )
