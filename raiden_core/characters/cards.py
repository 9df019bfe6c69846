"""Tavern cards inside images: the text chunks of a PNG.

Only the card is read: pixels are skipped, and what decompresses to more than a card can hold is refused. Chunk layout:
the PNG specification, sections 5 and 11.3.4; ``chara`` (V1, V2) and ``ccv3`` (V3, which wins): the character card
specifications.
"""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from collections.abc import Iterator
from typing import IO

from raiden_core.characters.rows import MAX_CARD_BYTES, Note, Rows, Unreadable
from raiden_core.characters.structured import json_rows

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


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
        card = _decoded(payloads[keyword]).decode("utf-8")
        rows = list(json_rows(card, card=True))
    except (binascii.Error, UnicodeDecodeError, Unreadable) as error:
        reason = f"the {keyword} chunk holds no readable card: {error}"
        if keyword == "ccv3" and "chara" in payloads:
            yield Note(None, f"{reason}; its chara chunk was read instead")
            yield from _card_rows("chara", payloads)
            return
        raise Unreadable(reason) from None
    yield from rows


def _decoded(payload: bytes) -> bytes:
    """The bytes of a chunk's base64, as lenient as browsers are: wrapped lines, no padding, the URL-safe alphabet.

    Raises:
        binascii.Error: it is something else.
    """
    plain = b"".join(payload.split()).strip(b"\0")
    if plain.startswith(b"{"):
        # A few programs store the card as it is.
        return payload.strip(b"\0 \t\r\n")
    plain = plain.translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=")
    return base64.b64decode(plain + b"=" * (-len(plain) % 4), validate=True)


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
