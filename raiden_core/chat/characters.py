"""Whom to talk to: one of the shipped characters by name, or one of a file in any format that raiden reads."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from raiden_core.characters import Character, labels, read_characters
from raiden_core.errors import DataError, UsageError
from raiden_core.text.plain import one_line

SHOWN = 10
"""So many names are listed in an error."""


def find_character(wanted: str, name: str | None = None) -> Character:
    """The character that a user means.

    Args:
        wanted: a file, a folder, ``shipped:zh``, or the name of a shipped character (or a part of it that fits only one).
        name: which one, where the file holds several.

    Raises:
        DataError: the file cannot be read, or its character has no name.
        UsageError: there is no such character, or more than one.
    """
    if Path(wanted).exists() or wanted == "shipped" or wanted.startswith("shipped:"):
        result = read_characters([wanted])
        if not result.characters:
            reason = str(result.refused[0]) if result.refused else f"{wanted}: holds no character"
            raise DataError(reason)
        character = _one(result.characters, name, wanted, "--name")
    else:
        if "/" in wanted or Path(wanted).suffix:
            raise DataError(f"{wanted}: no such file")
        character = _one(read_characters(["shipped"]).characters, wanted, "the shipped characters", "--character")
    if not character.name:
        raise DataError(f"{character.source}: this character has no name; add one to its file")
    return character


def _one(characters: Sequence[Character], name: str | None, where: str, option: str) -> Character:
    """The one character of that name; a part of a name will do where it fits only one."""
    names = labels(characters)
    if name is None:
        if len(characters) == 1:
            return characters[0]
        raise UsageError(f"{where}: holds {len(characters)} characters; choose with {option}: {_listed(names)}")
    folded = name.casefold()
    for fits in (
        [place for place, label in enumerate(names) if label.casefold() == folded],
        [place for place, label in enumerate(names) if folded in label.casefold()],
    ):
        if len(fits) == 1:
            return characters[fits[0]]
        if fits:
            raise UsageError(f"{option} {name}: several of {where} fit: {_listed([names[place] for place in fits])}")
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.4)
    hint = f"did you mean {_listed(near)}?" if near else f"there are: {_listed(names)}"
    raise UsageError(f"{option} {name}: no such name among {where}; {hint}")


def _listed(names: Sequence[str]) -> str:
    rest = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(one_line(name) for name in names[:SHOWN]) + rest
