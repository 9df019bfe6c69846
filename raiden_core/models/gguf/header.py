"""What stands before the weights of a GGUF file: metadata, and where each tensor lies.

    header = read_header(Path("model.gguf"))
    header.text("general.architecture"), header.tensors["token_embd.weight"].shape

The maintainers' reader makes an array object of each string, which takes 5 s for a vocabulary of 49,152 and 15 s for one
of 151,936; this one takes a tenth of a second, and says where a file was cut short. Weights are unpacked by their package.
Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import math
import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raiden_core.errors import DataError

if TYPE_CHECKING:
    import numpy as np

MAGIC = b"GGUF"
VERSIONS = (2, 3)
DEFAULT_ALIGNMENT = 32
SCALARS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
"""Types of values -> their letter in `struct`."""
STRING, ARRAY = 8, 9
MOST_DIMENSIONS = 4


@dataclass(frozen=True)
class TensorPlace:
    """One tensor of the file."""

    name: str
    shape: tuple[int, ...]
    """Rows first, as torch counts."""
    kind: int
    """How its numbers are packed (`gguf.GGMLQuantizationType`)."""
    start: int
    """Its first byte in the file."""
    size: int
    """Bytes."""


@dataclass(frozen=True)
class Header:
    """Metadata and places of all tensors."""

    path: Path
    metadata: Mapping[str, Any]
    tensors: Mapping[str, TensorPlace]

    def text(self, key: str) -> str:
        """A string of the metadata.

        Raises:
            DataError: it is missing or no string.
        """
        value = self.metadata.get(key)
        if not isinstance(value, str):
            raise DataError(f"{self.path}: {key}: missing; this is no language model's GGUF")
        return value

    def number(self, key: str, default: float | None = None) -> float:
        """A number of the metadata.

        Raises:
            DataError: it is missing and has no default, or is no single number.
        """
        value = self.metadata.get(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise DataError(
                f"{self.path}: {key}: {'missing' if value is None else 'not one number'}; cannot be unpacked"
            )
        return value

    def integer(self, key: str, default: int | None = None) -> int:
        """A whole number of the metadata; raises like `number`."""
        return int(self.number(key, default))

    def weights(self, name: str) -> np.ndarray[Any, Any]:
        """A tensor's numbers as float32, in its shape."""
        import gguf
        import numpy as np

        place = self.tensors[name]
        packed = np.memmap(self.path, np.uint8, "r", place.start, (place.size,))
        kind = gguf.GGMLQuantizationType(place.kind)
        rows = packed.reshape(-1, place.size // max(1, math.prod(place.shape[:-1])))
        plain: Any = gguf.quants.dequantize(_typed(rows, kind), kind)
        return np.asarray(plain, np.float32).reshape(place.shape)


def read_header(path: Path) -> Header:
    """Read a file's header.

    Raises:
        DataError: no such file, no GGUF, a version that is not known, or cut short.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise DataError(f"{path}: not a GGUF file (it does not begin with GGUF)")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                return _Reading(path, content, size).header()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}; give a GGUF file that can be read") from None


class _Reading:
    """Walks through the header once."""

    def __init__(self, path: Path, content: mmap.mmap, size: int) -> None:
        self.path = path
        self.content = content
        self.size = size
        self.at = len(MAGIC)

    def header(self) -> Header:
        version = self.one("I")
        if version not in VERSIONS:
            raise DataError(f"{self.path}: GGUF version {version} is not known; versions 2 and 3 are read")
        tensors, values = self.one("Q"), self.one("Q")
        metadata = {}
        for _ in range(self.checked(values)):
            key = self.string()
            metadata[key] = self.value(self.one("I"))
        found = [self.place() for _ in range(self.checked(tensors))]
        alignment = metadata.get("general.alignment", DEFAULT_ALIGNMENT)
        if not isinstance(alignment, int) or alignment < 1:
            raise DataError(f"{self.path}: general.alignment: {alignment!r} is none; copy the file again")
        start = -(-self.at // alignment) * alignment
        places = {
            name: TensorPlace(name, shape, kind, start + offset, self.bytes_of(name, shape, kind))
            for name, shape, kind, offset in found
        }
        end = max((place.start + place.size for place in places.values()), default=0)
        if end > self.size:
            raise DataError(f"{self.path}: was cut short: {self.size:,} of {end:,} bytes are there; copy it again")
        return Header(self.path, metadata, places)

    def checked(self, count: int) -> int:
        """A count of things that take at least a byte each, so that a broken one is no endless loop."""
        if count > self.size - self.at:
            raise self.cut()
        return count

    def take(self, length: int) -> bytes:
        piece = self.content[self.at : self.at + length]
        if len(piece) < length:
            raise self.cut()
        self.at += length
        return piece

    def one(self, letter: str) -> Any:
        layout = f"<{letter}"
        return struct.unpack(layout, self.take(struct.calcsize(layout)))[0]

    def string(self) -> str:
        return self.take(self.checked(self.one("Q"))).decode("utf-8", "surrogateescape")

    def value(self, kind: int) -> Any:
        if kind == STRING:
            return self.string()
        if kind == ARRAY:
            inner, count = self.one("I"), self.checked(self.one("Q"))
            if inner in SCALARS:
                layout = f"<{count}{SCALARS[inner]}"
                return list(struct.unpack(layout, self.take(struct.calcsize(layout))))
            return [self.value(inner) for _ in range(count)]
        if kind not in SCALARS:
            raise DataError(f"{self.path}: a value of the unknown type {kind}: damaged, or newer than GGUF version 3")
        return self.one(SCALARS[kind])

    def place(self) -> tuple[str, tuple[int, ...], int, int]:
        name, dimensions = self.string(), self.one("I")
        if dimensions > MOST_DIMENSIONS:
            raise DataError(f"{self.path}: {name}: {dimensions} dimensions: damaged; copy the file again")
        shape = tuple(self.one("Q") for _ in range(dimensions))[::-1]
        return name, shape, self.one("I"), self.one("Q")

    def bytes_of(self, name: str, shape: tuple[int, ...], kind: int) -> int:
        import gguf

        try:
            block, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType(kind)]
        except (ValueError, KeyError):
            raise DataError(
                f"{self.path}: {name}: packed in a way (number {kind}) that the package gguf does not know; use another "
                "quantisation of the model, such as Q8_0"
            ) from None
        return math.prod(shape) // block * size

    def cut(self) -> DataError:
        return DataError(f"{self.path}: was cut short: its header ends after {self.size:,} bytes; copy it again")


def _typed(rows: np.ndarray[Any, Any], kind: Any) -> np.ndarray[Any, Any]:
    """Bytes as what they are, where they are plain numbers: the package expects those unpacked."""
    import gguf
    import numpy as np

    plain = {gguf.GGMLQuantizationType.F32: np.float32, gguf.GGMLQuantizationType.F16: np.float16}
    return rows.view(plain[kind]) if kind in plain else rows
