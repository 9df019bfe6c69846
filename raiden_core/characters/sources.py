"""From what a user names (files, folders, globs, ``-``, ``shipped:zh``) to files, each with the format it is in.

The suffix says the format; content says it where there is no suffix, and corrects it where programs are careless
(a JSONL file called ``.json``, a card called ``.txt``).
"""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from raiden_core.characters.rows import MAX_FILE_BYTES, Unreadable
from raiden_core.characters.tables import dataset_files
from raiden_core.errors import DataError

SHIPPED = Path(__file__).parent / "shipped"
"""The built-in collection, a folder a language."""
FORMATS = {
    ".json": "json", ".json5": "json", ".card": "json", ".jsonl": "jsonl", ".ndjson": "jsonl",
    ".yaml": "yaml", ".yml": "yaml", ".csv": "csv", ".tsv": "csv", ".tab": "csv",
    ".txt": "text", ".text": "text", ".prompt": "text", ".md": "markdown", ".markdown": "markdown",
    ".xlsx": "excel", ".xlsm": "excel", ".parquet": "parquet", ".arrow": "arrow", ".png": "png", ".apng": "png",
    ".charx": "charx", ".byaf": "byaf", ".jpg": "jpeg", ".jpeg": "jpeg",
}  # fmt: skip
HINTS = {
    ".xls": "an old Excel workbook; save it as .xlsx",
    ".ods": "an OpenDocument sheet; save it as .xlsx or .csv",
    ".docx": "a Word document; save it as plain text",
    ".doc": "a Word document; save it as plain text",
    ".pdf": "a PDF; save its text as .txt",
    ".webp": "a WebP image; only PNG cards are read",
    ".zip": "an archive; unpack it and name the folder",
    ".gz": "a compressed file; unpack it first",
}


@dataclass(frozen=True)
class Source:
    """One file to read."""

    name: str
    """How it is called in results."""
    path: Path | None
    """None for standard input."""
    format: str | None
    """None where content must tell."""
    language: str | None = None
    """The language of a built-in collection."""
    problem: str | None = None
    """Why it cannot be read, where that is known already."""
    parts: tuple[Path, ...] = ()
    """The files of a Hugging Face dataset folder."""


def find_sources(paths: Sequence[str | Path]) -> Iterator[Source]:
    """The files behind what a user named, each once, in order; a folder's files by name.

    Raises:
        DataError: a path does not exist, or a glob or a collection matches nothing.
    """
    if isinstance(paths, (str, Path)):
        paths = [paths]
    found = [source for path in paths for source in _sources_of(path)]
    seen: set[str] = set()
    for source in found:
        key = os.path.realpath(source.path) if source.path is not None else source.name
        if key not in seen:
            seen.add(key)
            yield source


def _sources_of(given: str | Path) -> Iterator[Source]:
    text = str(given)
    if text == "-":
        yield Source("-", None, None)
    elif isinstance(given, str) and (text == "shipped" or text.startswith("shipped:")):
        yield from _shipped(text)
    elif Path(text).is_dir():
        yield from _in_folder(Path(text))
    elif Path(text).exists():
        yield _file(Path(text), named=True)
    elif any(mark in text for mark in "*?["):
        matches = sorted(glob.glob(text, recursive=True))
        if not matches:
            raise DataError(f"{text}: no file matches this pattern")
        for match in matches:
            yield from _in_folder(Path(match)) if Path(match).is_dir() else [_file(Path(match), named=False)]
    else:
        raise DataError(f"{text}: no such file or folder")


def _shipped(text: str) -> Iterator[Source]:
    languages = sorted(folder.name for folder in SHIPPED.iterdir() if folder.is_dir()) if SHIPPED.is_dir() else []
    wanted = text.removeprefix("shipped").removeprefix(":")
    if wanted and wanted not in languages:
        raise DataError(
            f"{text}: no such collection; there are {', '.join(f'shipped:{name}' for name in languages) or 'none'}"
        )
    files = [
        (name, path) for name in languages if wanted in ("", name) for path in sorted((SHIPPED / name).glob("*.yaml"))
    ]
    if not files:
        raise DataError(f"{text}: the collection is empty")
    for language, path in files:
        yield Source(f"shipped:{language}/{path.name}", path, "yaml", language)


def _in_folder(folder: Path) -> Iterator[Source]:
    try:
        parts = dataset_files(folder)
    except Unreadable as error:
        yield Source(str(folder), folder, None, problem=str(error))
        return
    if parts is not None:
        yield Source(str(folder), folder, "dataset", parts=tuple(parts))
        return
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        yield Source(str(folder), folder, None, problem=f"cannot be listed: {error.strerror}")
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            # A link to a folder may lead back here, or out of what the user named.
            if not entry.is_symlink():
                yield from _in_folder(entry)
        elif entry.is_file():
            yield _file(entry, named=False)


def _file(path: Path, named: bool) -> Source:
    suffix = path.suffix.lower()
    format_ = FORMATS.get(suffix)
    if format_ is None and suffix in HINTS:
        return Source(str(path), path, None, problem=HINTS[suffix])
    if format_ is None and not named:
        kinds = ", ".join(sorted(FORMATS))
        return Source(str(path), path, None, problem=f"not a kind of file that holds characters ({kinds})")
    return Source(str(path), path, format_)


def read_bytes(source: Source) -> bytes:
    """The content of a file or of standard input, up to the limit; nothing but regular files is read to the end.

    Raises:
        Unreadable: it is too large, or the system does not let us.
    """
    try:
        if source.path is None:
            data = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
        else:
            with source.path.open("rb") as file:
                # A pipe has no size; a file is not given more memory than it needs.
                size = source.path.stat().st_size if source.path.is_file() else MAX_FILE_BYTES
                data = file.read(min(size, MAX_FILE_BYTES) + 1)
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror}") from None
    if len(data) > MAX_FILE_BYTES:
        size = source.path.stat().st_size if source.path is not None else 0
        told = f"{size >> 20:,} MiB" if size > MAX_FILE_BYTES else f"more than {MAX_FILE_BYTES >> 20} MiB"
        raise Unreadable(
            f"{told}, at most {MAX_FILE_BYTES >> 20} MiB of this format are read; use JSONL, one character a line"
        )
    return data
