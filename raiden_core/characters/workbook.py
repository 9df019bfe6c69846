"""Excel workbooks to rows, sheet by sheet, as they are: whatever size a sheet claims to have, what is in it is read."""

from __future__ import annotations

import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import IO, Protocol, cast

from raiden_core.characters.archives import open_archive
from raiden_core.characters.rows import Rows, Unreadable, Value
from raiden_core.characters.table_layout import MAX_COLUMNS, table_rows
from raiden_core.characters.tables import cell_value

MAX_SHEET_BYTES = 256 * 1024 * 1024
"""What a workbook may decompress to."""
_RETURN = "_x000D_"
"""A carriage return as Excel escapes it; openpyxl decodes the other escapes."""


class _Sheet(Protocol):
    """What is used of openpyxl's read-only sheets."""

    def reset_dimensions(self) -> None: ...

    def iter_rows(self, *, max_col: int, values_only: bool) -> Iterator[tuple[object, ...]]: ...


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
        # Its warnings are about styles and extensions, which nobody who reads characters has asked for.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
            lines = {
                sheet.title: _lines(cast("_Sheet", sheet)) for sheet in book.worksheets if hasattr(sheet, "iter_rows")
            }
            book.close()
    except broken as error:
        raise Unreadable(f"not a readable Excel workbook: {error}") from None
    full = {title: rows for title, rows in lines.items() if any(any(cell is not None for cell in row) for row in rows)}
    if not full:
        raise Unreadable("an empty workbook")
    for title, rows in full.items():
        yield (title if len(full) > 1 else None), table_rows(rows)


def _lines(sheet: _Sheet) -> list[list[Value]]:
    # Some programs state a sheet of one cell (A1) whatever is in it, and openpyxl would read no more than that.
    sheet.reset_dimensions()
    return [_cells(row) for row in sheet.iter_rows(max_col=MAX_COLUMNS, values_only=True)]


def _cells(row: Sequence[object]) -> list[Value]:
    cells = [_without_returns(cell_value(value)) for value in row]
    while cells and cells[-1] is None:
        cells.pop()
    return cells


def _without_returns(value: Value) -> Value:
    if not isinstance(value, str) or _RETURN not in value:
        return value
    return value.replace(f"{_RETURN}\n", "\n").replace(_RETURN, "\n").strip("\n")
