"""Cards inside archives: ``card.json`` of a CharX (also behind a JPEG, as Risu writes it), characters of a ``.byaf``.

Nothing is unpacked to disk: assets are skipped, and what decompresses to more than a card can hold is refused.
"""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from typing import IO

from raiden_core.characters.rows import MAX_CARD_BYTES, BadRow, Row, Rows, Unreadable, Value
from raiden_core.characters.structured import json_rows

MAX_DIRECTORY_BYTES = 4 * 1024 * 1024
"""The list of an archive's members."""
MAX_MEMBERS = 20_000
JPEG_SIGNATURE = b"\xff\xd8\xff"
ZIP_SIGNATURE = b"PK\x03\x04"


def kind_of_archive(stream: IO[bytes]) -> str:
    """What a zip archive holds: ``charx``, ``byaf`` or ``excel``.

    Raises:
        Unreadable: no zip archive, or a hostile one.
    """
    with open_archive(stream) as archive:
        names = archive.namelist()
    if "card.json" in names:
        return "charx"
    return "byaf" if "manifest.json" in names and "[Content_Types].xml" not in names else "excel"


def jpeg_rows(stream: IO[bytes]) -> Rows:
    """The row of the CharX that follows the picture in a JPEG.

    Raises:
        Unreadable: nothing follows it, or no card.
    """
    try:
        _check_directory_size(stream)
    except Unreadable:
        raise Unreadable(
            "a JPEG image without a card; PNG cards are read, and JPEG images with a CharX behind them"
        ) from None
    yield from charx_rows(stream)


def byaf_rows(stream: IO[bytes]) -> Rows:
    """The rows of the characters that a Backyard archive's manifest names.

    Raises:
        Unreadable: no such archive, a hostile one, or one without characters.
    """
    with open_archive(stream) as archive:
        names = set(archive.namelist())
        if "manifest.json" not in names:
            raise Unreadable("no manifest.json at the root of this archive")
        manifest = _object(archive, "manifest.json")
        listed = manifest.get("characters")
        paths = [path for path in listed if isinstance(path, str)] if isinstance(listed, list) else []
        if not paths:
            raise Unreadable("its manifest names no characters")
        for number, path in enumerate(paths, 1):
            place = number if len(paths) > 1 else None
            if path not in names:
                yield BadRow(place, f"the manifest names {path[:80]!r}, which is not in the archive")
                continue
            yield Row(place, {key: value for key, value in _object(archive, path).items() if key not in _BYAF_OTHER})


_BYAF_OTHER = frozenset(
    ("schemaVersion", "$schema", "id", "displayName", "isNSFW", "createdAt", "updatedAt", "images", "loreItems")
)
"""Fields of a Backyard character that are not about it."""


def _object(archive: zipfile.ZipFile, name: str) -> dict[str, Value]:
    data = read_member(archive, name, MAX_CARD_BYTES)
    try:
        value = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"its {name} is no readable JSON: {str(error).splitlines()[0]}") from None
    if not isinstance(value, dict):
        raise Unreadable(f"its {name} is not an object")
    return value


def charx_rows(stream: IO[bytes]) -> Rows:
    """The row of ``card.json`` in a ``.charx`` archive.

    Raises:
        Unreadable: no zip archive, a hostile one, or one without a card.
    """
    with open_archive(stream) as archive:
        names = [info.filename for info in archive.infolist()]
        if "card.json" not in names:
            raise Unreadable("no card.json at the root of this archive")
        card = read_member(archive, "card.json", MAX_CARD_BYTES)
    try:
        text = card.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"its card.json is not UTF-8 at byte {error.start}") from None
    yield from json_rows(text, card=True)


def open_archive(stream: IO[bytes]) -> zipfile.ZipFile:
    """A zip archive whose list of members is small enough to load and points nowhere outside.

    Raises:
        Unreadable: it is not that.
    """
    _check_directory_size(stream)
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise Unreadable(f"not a readable zip archive: {error}") from None
    for info in archive.infolist():
        # orig_filename: zipfile itself cuts names at NUL and turns separators.
        parts = info.orig_filename.replace("\\", "/").split("/")
        if ".." in parts or parts[0] == "" or parts[0].endswith(":"):
            archive.close()
            raise Unreadable(f"a hostile archive: its member {info.orig_filename[:60]!r} points outside of it")
    return archive


def read_member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """The bytes of one member.

    Raises:
        Unreadable: it is encrypted, broken, or larger than ``limit``.
    """
    try:
        with archive.open(name) as member:
            data = member.read(limit + 1)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError, ValueError) as error:
        raise Unreadable(f"{name} in the archive cannot be read: {error}") from None
    if len(data) > limit:
        raise Unreadable(f"{name} in the archive decompresses to more than {limit >> 20} MiB: a zip bomb, or no card")
    return data


def _check_directory_size(stream: IO[bytes]) -> None:
    """Look at the end of the archive, where the size of its directory stands, before zipfile loads that."""
    stream.seek(0, 2)
    size = stream.tell()
    back = min(size, 65_557)
    stream.seek(size - back)
    tail = stream.read(back)
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or len(tail) < place + 22:
        raise Unreadable("not a zip archive, or one that is cut off; fetch it again")
    members, directory = struct.unpack("<10xHI", tail[place : place + 16])
    if tail[max(0, place - 20) : place].startswith(b"PK\x06\x07"):
        # ZIP64: the true numbers stand in a record of its own, just before its locator.
        large = tail.rfind(b"PK\x06\x06", 0, place - 20)
        if large < 0 or len(tail) < large + 48:
            raise Unreadable("a ZIP64 archive whose end is damaged; fetch it again")
        members, directory = struct.unpack("<32xQQ", tail[large : large + 48])
    if members > MAX_MEMBERS or directory > MAX_DIRECTORY_BYTES:
        raise Unreadable(f"an archive of more than {MAX_MEMBERS:,} members; no character file is")
    stream.seek(0)
