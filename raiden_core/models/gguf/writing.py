"""The maintainers' GGUF writer, with long lists packed at once.

    writer = gguf_writer(Path("mine.gguf"), "llama")

A vocabulary is three lists of tens of thousands of values, and the package packs each value by a call of its own, which
takes longer than writing the weights of a small model. Only lists of text and of whole numbers are packed here, into the same
bytes; everything else is the package's.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import gguf

LENGTH = struct.Struct("<Q")
KIND = struct.Struct("<I")


def gguf_writer(path: Path, architecture: str) -> gguf.GGUFWriter:
    """A writer for a file in little-endian order.

    Args:
        path: of the file.
        architecture: as llama.cpp calls it.
    """
    import gguf

    text, whole = gguf.GGUFValueType.STRING, gguf.GGUFValueType.INT32

    class Writer(gguf.GGUFWriter):
        def _pack_val(
            self,
            val: Any,
            vtype: gguf.GGUFValueType,
            add_vtype: bool,
            sub_type: gguf.GGUFValueType | None = None,
        ) -> bytes:
            kind = _kind_of(val, str, text) or _kind_of(val, int, whole) if vtype == gguf.GGUFValueType.ARRAY else None
            if kind is None:
                return super()._pack_val(val, vtype, add_vtype, sub_type)
            head = KIND.pack(vtype) if add_vtype else b""
            return head + KIND.pack(kind) + LENGTH.pack(len(val)) + (_texts(val) if kind == text else _numbers(val))

    return Writer(path, architecture)


def _kind_of(values: object, wanted: type, kind: gguf.GGUFValueType) -> gguf.GGUFValueType | None:
    """The kind where a list holds values of one type and no other."""
    return kind if isinstance(values, list) and set(map(type, values)) == {wanted} else None


def _texts(values: Sequence[str]) -> bytes:
    encoded = list(map(str.encode, values))
    return b"".join(chain.from_iterable(zip(map(LENGTH.pack, map(len, encoded)), encoded, strict=True)))


def _numbers(values: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(values)}i", *values)
