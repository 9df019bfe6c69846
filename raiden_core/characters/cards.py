"""Tavern cards inside images and archives: the text chunks of a PNG, ``card.json`` of a ``.charx``.

Only the card is read: pixels and assets are skipped, nothing is unpacked to disk, and what decompresses to more than
a card can hold is refused. Chunk layout: the PNG specification, sections 5 and 11.3.4; ``chara`` (V1, V2) and
``ccv3`` (V3, which wins): the character card specifications.
"""

from __future__ import annotations

import base64
import binascii
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

from raiden_core.characters.rows import MAX_CARD_BYTES, Note, Rows, Unreadable
from raiden_core.characters.structured import json_rows

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_DIRECTORY_BYTES = 4 * 1024 * 1024
"""The list of an archive's members."""
MAX_MEMBERS = 20_000


def png_rows(stream: IO[bytes]) -> Rows:
    """The row of the card in a PNG.

    Raises:
        Unreadable: no PNG, no card in it, or a broken one.
    """
    start = stream.read(64)
    if not start.startswith(PNG_SIGNATURE):
        looks = start.lstrip()[:20].lower()
        if looks.startswith((b"<!doctype", b"<html", b"<?xml")):
            raise Unreadable("not a PNG image but a web page: a failed download; fetch the image again")
        raise Unreadable("not a PNG image: the file does not begin with the PNG signature")
    stream.seek(len(PNG_SIGNATURE))
    payloads: dict[str, bytes] = {}
    broken = ""
    try:
        for keyword, payload in _text_chunks(stream):
            payloads.setdefault(keyword, payload)
    except Unreadable as error:
        broken = str(error)
    if not payloads:
        raise Unreadable(
            broken or "no character card in this image (neither a chara nor a ccv3 text chunk); export it as a card"
        )
    if broken:
        yield Note(None, f"{broken}; its card was whole and was read")
    yield from _card_rows("ccv3" if "ccv3" in payloads else "chara", payloads)


def _card_rows(keyword: str, payloads: dict[str, bytes]) -> Rows:
    try:
        card = base64.b64decode(payloads[keyword].strip(), validate=True).decode("utf-8")
        rows = list(json_rows(card, card=True))
    except (binascii.Error, UnicodeDecodeError, Unreadable) as error:
        reason = f"the {keyword} chunk holds no readable card: {error}"
        if keyword == "ccv3" and "chara" in payloads:
            yield Note(None, f"{reason}; its chara chunk was read instead")
            yield from _card_rows("chara", payloads)
            return
        raise Unreadable(reason) from None
    yield from rows


def _text_chunks(stream: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    """Keyword and base64 payload of the chunks that hold a card, in order."""
    offset = len(PNG_SIGNATURE)
    while True:
        header = stream.read(8)
        if len(header) < 8:
            raise Unreadable(f"a PNG cut off at byte {offset + len(header):,}; fetch it again")
        length, kind = struct.unpack(">I4s", header)
        if kind == b"IEND":
            return
        if kind in (b"tEXt", b"zTXt", b"iTXt"):
            if length > MAX_CARD_BYTES:
                raise Unreadable(
                    f"a text chunk of {length:,} bytes at byte {offset:,}; at most {MAX_CARD_BYTES >> 20} MiB are read"
                )
            body = stream.read(length)
            if len(body) < length:
                raise Unreadable(f"a PNG cut off at byte {offset + 8 + len(body):,}; fetch it again")
            keyword, _, rest = body.partition(b"\0")
            name = keyword.decode("latin-1").lower()
            if name in ("chara", "ccv3"):
                yield name, _payload(kind, rest, offset)
            stream.seek(4, 1)
        else:
            stream.seek(length + 4, 1)
        offset += length + 12


def _payload(kind: bytes, rest: bytes, offset: int) -> bytes:
    if kind == b"tEXt":
        return rest
    if kind == b"zTXt":
        return _inflated(rest[1:], offset)
    compressed = rest[:1] == b"\x01"
    # Compression flag, compression method, language tag \0, translated keyword \0, text.
    parts = rest[2:].split(b"\0", 2)
    if len(parts) < 3:
        raise Unreadable(f"a broken iTXt chunk at byte {offset:,}")
    return _inflated(parts[2], offset) if compressed else parts[2]


def _inflated(data: bytes, offset: int) -> bytes:
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(data, MAX_CARD_BYTES)
    except zlib.error as error:
        raise Unreadable(f"the text chunk at byte {offset:,} does not decompress: {error}") from None
    if inflater.unconsumed_tail:
        raise Unreadable(f"the text chunk at byte {offset:,} decompresses to more than {MAX_CARD_BYTES >> 20} MiB")
    if not inflater.eof:
        raise Unreadable(f"the text chunk at byte {offset:,} is cut off")
    return text


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
    if (
        tail[max(0, place - 20) : place].startswith(b"PK\x06\x07")
        or members > MAX_MEMBERS
        or directory > MAX_DIRECTORY_BYTES
    ):
        raise Unreadable(f"an archive of more than {MAX_MEMBERS:,} members; no character file is")
    stream.seek(0)
