"""Several fields on one line, each brought to a line of its own."""

from __future__ import annotations

import re

from raiden_core.characters.attributes import is_known
from raiden_core.characters.lines import BLANKS, field_of_line
from raiden_core.characters.owners import MARK, PATH, is_other

_SEPARATORS = "[,，;；、|｜／/。\t\u3000]"
COLON = re.compile("[:：]")
_CANDIDATE = re.compile(r"[^,，;；、|｜／/。\t\u3000:：()（）]{1,40}$")


def several(line: str) -> list[str]:
    """The fields of one line, a line each; the line itself where it holds no more than one."""
    if (
        len(line) > 2000
        or len(COLON.findall(line)) < 2
        or ("//" in line and line.count("://") == len(COLON.findall(line)))
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
    starts = field_starts(line)
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


def field_starts(line: str) -> list[tuple[int, str]]:
    """Where the known keys of a line begin, each with the key."""
    found: list[tuple[int, str]] = []
    for colon in COLON.finditer(line):
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
