"""Parts of a large file of samples, for processes that each read their own.

A part is a stretch of whole lines. Only JSON Lines can be divided; any other file, and a small one, is a single part.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from raiden_core.samples import HEAD, Sample, iter_samples, lines_of_samples
from raiden_core.text.json_values import spans_lines

PART_BYTES = 1 << 24
"""Long enough for what starting a process costs, short enough that a part's samples may be held."""


@dataclass(frozen=True)
class Part:
    """Some of a file's lines, or all of the file."""

    path: Path
    start: int = 0
    """The byte where its first line begins."""
    end: int | None = None
    """The byte after its last line; None: the whole file, whatever its kind."""
    lines: int = 0
    """How many lines stand before it."""

    def samples(self) -> Iterator[Sample]:
        """Its samples, in their order.

        Raises:
            DataError: the file or one of its rows cannot be read; the message names row and field.
        """
        if self.end is None:
            return iter_samples(self.path)
        return lines_of_samples(self.path, self.start, self.end, self.lines)


def parts_of(path: Path, size: int = PART_BYTES) -> list[Part]:
    """The parts of a file, of about ``size`` bytes each."""
    if path.suffix != ".jsonl" or not path.is_file() or path.stat().st_size < 2 * size:
        return [Part(path)]
    with path.open("rb") as file:
        if spans_lines(file.read(4 * HEAD).decode("utf-8", "replace")[:HEAD]):
            return [Part(path)]
        file.seek(0)
        parts: list[Part] = []
        start = lines = 0
        while block := file.read(size):
            block += file.readline()
            # Text files are read with any of three line ends, but bytes are divided at one of them.
            if b"\r" in block:
                return [Part(path)]
            parts.append(Part(path, start, start + len(block), lines))
            start += len(block)
            lines += block.count(b"\n")
    return parts
