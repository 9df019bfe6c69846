"""Tables to rows: CSV and TSV, Excel, Parquet, and the folders that Hugging Face ``datasets`` writes.

A CSV's delimiter is the one under which its header names a column that we know; without a header, two columns are
name and description. Cells are text: a whole number loses its ``.0``, a date is written as ISO.
"""

from __future__ import annotations

import csv
import datetime
import io
import json
import math
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from raiden_core.characters.archives import open_archive
from raiden_core.characters.keys import DESCRIPTION_KEYS, NAME_KEYS, WEAK_NAME_KEYS, fold_key
from raiden_core.characters.rows import MAX_CHARACTER_CHARS, BadRow, Row, Rows, Unreadable, Value

DELIMITERS = (",", ";", "\t", "|")
MAX_COLUMNS = 500
MAX_SHEET_BYTES = 256 * 1024 * 1024
"""What a workbook may decompress to."""
MAX_GROUP_BYTES = 1024 * 1024 * 1024
"""One row group of a Parquet file."""
BATCH_ROWS = 64
"""Rows of a Parquet or Arrow file in memory at a time: a dictionary makes long texts cheap to repeat."""
_KNOWN = NAME_KEYS | DESCRIPTION_KEYS | WEAK_NAME_KEYS


def csv_rows(text: str) -> Rows:
    """The rows of a CSV or TSV text, numbered without the header.

    Raises:
        Unreadable: it is empty, or no column can be told to hold names or descriptions.
    """
    if not text.strip():
        raise Unreadable("an empty file")
    # Excel's own hint, as the first line.
    hint = re.match(r"sep=(.)\r?\n", text, re.IGNORECASE)
    if hint is not None:
        text = text[hint.end() :]
    delimiter = hint[1] if hint is not None else _delimiter(text)
    yield from _table_rows(_csv_lines(text, delimiter))


def _csv_lines(text: str, delimiter: str) -> Iterator[list[str]]:
    before = csv.field_size_limit(MAX_CHARACTER_CHARS)
    try:
        # newline="": line ends inside quoted cells are part of the text.
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    except csv.Error as error:
        raise Unreadable(f"broken CSV: {error}; is a quotation mark left open?") from None
    finally:
        csv.field_size_limit(before)


def _delimiter(text: str) -> str:
    """The delimiter that finds most known columns in the header; by count where the header is missing."""
    head = text[:1_000_000]

    def known_columns(delimiter: str) -> tuple[int, int]:
        try:
            header = next(iter(_csv_lines(head, delimiter)), [])
        except Unreadable:
            return 0, 0
        return sum(fold_key(cell) in _KNOWN for cell in header), len(header)

    return max(DELIMITERS, key=known_columns)


def _table_rows(lines: Iterable[Sequence[Value]]) -> Rows:
    """Rows of a table whose first line may be a header."""
    header: list[str] | None = None
    number = 0
    for cells in lines:
        if not any(cell is not None and str(cell).strip() for cell in cells):
            continue
        if header is None:
            header, is_header = _header(cells)
            if is_header:
                continue
        number += 1
        extra = [cell for cell in cells[len(header) :] if cell is not None and str(cell).strip()]
        if extra:
            yield BadRow(
                number,
                f"{len(cells)} cells under {len(header)} columns; put texts with delimiters into quotation marks",
            )
            continue
        yield Row(number, {key: cell for key, cell in zip(header, cells, strict=False) if key})
    if header is None or not number:
        raise Unreadable("an empty table" if header is None else "a header without rows")


def _header(cells: Sequence[Value]) -> tuple[list[str], bool]:
    """The names of the columns, and whether the table's first line is what gave them."""
    if len(cells) > MAX_COLUMNS:
        raise Unreadable(f"{len(cells):,} columns; at most {MAX_COLUMNS} are read")
    names = [str(cell).strip() if cell is not None else "" for cell in cells]
    if any(fold_key(name) in _KNOWN or fold_key(name) in ("prompt", "messages") for name in names):
        return names, True
    if len(names) == 2 and 0 < len(names[0]) <= 60 < len(names[1]):
        return ["Name", "Description"], False
    shown = ", ".join(json.dumps(name[:30], ensure_ascii=False) for name in names[:5])
    raise Unreadable(
        f"no column is called name or description (its first line begins {shown}); give the table a header"
    )


def excel_sheets(stream: IO[bytes]) -> Iterator[tuple[str | None, Rows]]:
    """The sheets of a workbook that are not empty; the sheet's name is None where there is only one.

    Raises:
        Unreadable: no .xlsx workbook, or a hostile one.
    """
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    with open_archive(stream) as archive:
        total = sum(info.file_size for info in archive.infolist())
        if total > MAX_SHEET_BYTES:
            raise Unreadable(
                f"a workbook that decompresses to {total >> 20:,} MiB: a zip bomb, or no list of characters"
            )
    stream.seek(0)
    # A workbook that is broken inside fails in openpyxl wherever the damage happens to be, by these.
    broken = (
        InvalidFileException,
        zipfile.BadZipFile,
        zlib.error,
        SyntaxError,
        LookupError,
        ValueError,
        TypeError,
        OSError,
    )
    try:
        book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
        sheets = [sheet for sheet in book.worksheets if hasattr(sheet, "iter_rows")]
        lines = {
            sheet.title: [_cells(row) for row in sheet.iter_rows(max_col=MAX_COLUMNS, values_only=True)]
            for sheet in sheets
        }
        book.close()
    except broken as error:
        raise Unreadable(f"not a readable Excel workbook: {error}") from None
    full = {title: rows for title, rows in lines.items() if any(any(cell is not None for cell in row) for row in rows)}
    if not full:
        raise Unreadable("an empty workbook")
    for title, rows in full.items():
        yield (title if len(full) > 1 else None), _table_rows(rows)


def _cells(row: Sequence[object]) -> list[Value]:
    cells = [_cell(value) for value in row]
    while cells and cells[-1] is None:
        cells.pop()
    return cells


def _cell(value: object) -> Value:
    """A cell or column value as JSON would hold it."""
    if value is None or isinstance(value, (str, bool, int, float)):
        return None if isinstance(value, float) and math.isnan(value) else value
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, (datetime.date, datetime.datetime, datetime.time)):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): _cell(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_cell(item) for item in value]
    return None if isinstance(value, bytes) else str(value)


def parquet_rows(path: Path) -> Rows:
    """The rows of a Parquet file, a few at a time.

    Raises:
        Unreadable: it is none, or has row groups beyond all measure.
    """
    import pyarrow
    from pyarrow import parquet

    number = 0
    try:
        with parquet.ParquetFile(path, memory_map=True) as file:
            for group in range(file.metadata.num_row_groups):
                if file.metadata.row_group(group).total_byte_size > MAX_GROUP_BYTES:
                    raise Unreadable(f"row group {group} decompresses to more than {MAX_GROUP_BYTES >> 20} MiB")
            for batch in file.iter_batches(batch_size=BATCH_ROWS):
                for record in batch.to_pylist():
                    number += 1
                    yield Row(number, _cell(record))
    except (pyarrow.ArrowException, OSError) as error:
        raise Unreadable(f"not a readable Parquet file: {str(error).splitlines()[0]}") from None
    if not number:
        raise Unreadable("an empty table")


def dataset_files(folder: Path) -> list[Path] | None:
    """The Arrow files of a folder that ``Dataset.save_to_disk`` wrote, in order; None for any other folder.

    Raises:
        Unreadable: its state.json is broken or names a file elsewhere.
    """
    state = folder / "state.json"
    if not state.is_file() or not (folder / "dataset_info.json").is_file():
        return None
    try:
        names = [entry["filename"] for entry in json.loads(state.read_text(encoding="utf-8"))["_data_files"]]
    except (ValueError, KeyError, TypeError) as error:
        raise Unreadable(f"a broken state.json: {error!r}; save the dataset anew") from None
    for name in names:
        if not isinstance(name, str) or Path(name).name != name or not (folder / name).is_file():
            raise Unreadable(f"its state.json names {name!r}, which is not in the folder")
    return [folder / name for name in names]


def arrow_rows(path: Path, first: int = 1) -> Rows:
    """The rows of one Arrow stream file, numbered from ``first``.

    Raises:
        Unreadable: it is none.
    """
    import pyarrow

    number = first - 1
    try:
        with pyarrow.memory_map(str(path)) as source, pyarrow.ipc.open_stream(source) as batches:
            for batch in batches:
                for start in range(0, batch.num_rows, BATCH_ROWS):
                    for record in batch.slice(start, BATCH_ROWS).to_pylist():
                        number += 1
                        yield Row(number, _cell(record))
    except (pyarrow.ArrowException, OSError) as error:
        raise Unreadable(f"not a readable Arrow file: {str(error).splitlines()[0]}") from None
