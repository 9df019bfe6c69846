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
    if _is_source(wanted):
        character = _one(_read(wanted), name, wanted, "--name")
    else:
        if "/" in wanted or Path(wanted).suffix:
            raise DataError(f"{wanted}: no such file")
        character = _one(read_characters(["shipped"]).characters, wanted, "the shipped characters", "--character")
    _check_named(character)
    return character


def find_characters(wanted: str, picks: Sequence[str] = ()) -> dict[str, Character]:
    """The characters that a user means, each under a name that only it has.

    Args:
        wanted: as for `find_character`; all characters of a file are meant where none is picked.
        picks: names of those of the file that are meant.

    Raises:
        DataError, UsageError: as `find_character`.
    """
    if not _is_source(wanted):
        if picks:
            raise UsageError("--pick: chooses among the characters of a file, and --character names none")
        characters: Sequence[Character] = [find_character(wanted)]
    else:
        characters = _read(wanted)
    chosen = [_one(characters, pick, wanted, "--pick") for pick in picks] or characters
    found = {}
    for label, character in zip(labels(characters), characters, strict=True):
        if any(character is one for one in chosen):
            _check_named(character)
            found[one_line(label)] = character
    return found


def _is_source(wanted: str) -> bool:
    return Path(wanted).exists() or wanted == "shipped" or wanted.startswith("shipped:")


def _read(wanted: str) -> Sequence[Character]:
    result = read_characters([wanted])
    if not result.characters:
        reason = str(result.refused[0]) if result.refused else f"{wanted}: holds no character"
        raise DataError(reason)
    return result.characters


def _check_named(character: Character) -> None:
    if not character.name:
        raise DataError(f"{character.source}: this character has no name; add one to its file")


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
