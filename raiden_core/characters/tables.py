"""Tables to rows: CSV and TSV, Parquet, and the folders that Hugging Face ``datasets`` writes.

A CSV's delimiter is the one under which its header names a column that we know; without a header, two columns are
name and description. Cells are text: a whole number loses its ``.0``, a date is written as ISO.
"""

from __future__ import annotations

import csv
import datetime
import io
import itertools
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

from raiden_core.characters.keys import fold_key
from raiden_core.characters.rows import MAX_CHARACTER_CHARS, Row, Rows, Unreadable, Value
from raiden_core.characters.table_layout import COLUMNS_NAMED, MAX_TITLE_LINES, table_rows

DELIMITERS = (",", ";", "\t", "|")
MAX_GROUP_BYTES = 1024 * 1024 * 1024
"""One row group of a Parquet file."""
BATCH_ROWS = 64
"""Rows of a Parquet or Arrow file in memory at a time: a dictionary makes long texts cheap to repeat."""


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
    yield from table_rows(_csv_lines(text, delimiter))


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
            lines = list(itertools.islice(_csv_lines(head, delimiter), MAX_TITLE_LINES))
        except Unreadable:
            lines = []
        # The header may stand below a title.
        found = [(sum(fold_key(cell) in COLUMNS_NAMED for cell in cells), len(cells)) for cells in lines[:1]]
        found += [(sum(fold_key(cell) in COLUMNS_NAMED for cell in cells), 0) for cells in lines[1:] if len(cells) > 1]
        return max(found, default=(0, 0))

    return max(DELIMITERS, key=known_columns)


def cell_value(value: object) -> Value:
    """A cell or column value as JSON would hold it."""
    if value is None or isinstance(value, (str, bool, int, float)):
        return None if isinstance(value, float) and math.isnan(value) else value
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, (datetime.date, datetime.datetime, datetime.time)):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): cell_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [cell_value(item) for item in value]
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
                    yield Row(number, cell_value(record))
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
                        yield Row(number, cell_value(record))
    except (pyarrow.ArrowException, OSError) as error:
        raise Unreadable(f"not a readable Arrow file: {str(error).splitlines()[0]}") from None
