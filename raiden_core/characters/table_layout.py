"""How a sheet or a CSV is laid out: which of its lines is the header, and whether its characters are lines or columns.

People put a title above the header, a second header in another language or of types below it, repeat it on every page,
or write one character a column. Cells are values already; tables.py and workbook.py read the files.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence

from raiden_core.characters.attributes import is_known
from raiden_core.characters.keys import DESCRIPTION_KEYS, NAME_KEYS, WEAK_NAME_KEYS, fold_key, folded
from raiden_core.characters.rows import BadRow, Row, Rows, Unreadable, Value

MAX_COLUMNS = 500
MAX_TITLE_LINES = 10
"""Lines above the header that may be a title."""
COLUMNS_NAMED = NAME_KEYS | DESCRIPTION_KEYS | WEAK_NAME_KEYS
"""Names of columns of which a table of characters has at least one."""
_CORNERS = folded("|field|key|attribute|property|item|属性|字段|项目|項目|キー|속성|항목|#|no|no.")
_VALUES = folded("value|values|content|text|值|内容|値|값|내용")
_TYPES = folded(
    "string|str|text|int|integer|number|float|bool|boolean|date|list|文本|字符串|数字|整数|日期|文字列|数値|문자열|숫자"
)


def table_rows(lines: Iterable[Sequence[Value]]) -> Rows:
    """Rows of a table, numbered without title and header.

    Raises:
        Unreadable: it is empty, or no column can be told to hold names or descriptions.
    """
    filled: Iterator[Sequence[Value]] = (cells for cells in lines if any(_text(cell) for cell in cells))
    first, filled = _begun(filled, MAX_TITLE_LINES + 1)
    if not first:
        raise Unreadable("an empty table")
    if _may_be_transposed(first):
        more, filled = _begun(filled, MAX_COLUMNS)
        if (turned := _turned(first + more)) is not None:
            yield from turned
            return
        filled = itertools.chain(more, filled)
    start, header, is_header = _header(first)
    body = itertools.chain(first[start:], filled)
    yield from _body(header, body, is_header)


def _begun(lines: Iterator[Sequence[Value]], most: int) -> tuple[list[Sequence[Value]], Iterator[Sequence[Value]]]:
    """The first lines, and the rest; where the table breaks off among the first, the rest begins with the break."""
    first: list[Sequence[Value]] = []
    try:
        for cells in itertools.islice(lines, most):
            first.append(cells)
    except Unreadable as error:
        return first, _broken(error)
    return first, lines


def _broken(error: Unreadable) -> Iterator[Sequence[Value]]:
    raise error
    yield ()


def _body(header: list[str], lines: Iterator[Sequence[Value]], is_header: bool) -> Rows:
    number = 0
    for place, cells in enumerate(lines):
        if is_header and _repeats_header(header, cells, place == 0):
            continue
        number += 1
        extra = [cell for cell in cells[len(header) :] if _text(cell)]
        if extra:
            yield BadRow(
                number,
                f"{len(cells)} cells under {len(header)} columns; put texts with delimiters into quotation marks",
            )
            continue
        yield Row(number, {key: cell for key, cell in zip(header, cells, strict=False) if key})
    if not number:
        raise Unreadable("a header without rows")


def _text(cell: Value) -> str:
    return "" if cell is None else str(cell).strip()


def _names(cells: Sequence[Value]) -> list[str]:
    return [_text(cell) for cell in cells]


def _repeats_header(header: list[str], cells: Sequence[Value], is_second: bool) -> bool:
    """Whether a line is the header once more, or its second form: the same names in another language, or types."""
    texts = [text for text in _names(cells) if text]
    if [text for text in header if text] == texts:
        return True
    if not is_second or len(texts) < 2:
        return False
    names = [fold_key(text) for text in texts]
    return all(name in _TYPES for name in names) or (
        all(is_known(text) or name in COLUMNS_NAMED for text, name in zip(texts, names, strict=True))
        and any(name in COLUMNS_NAMED for name in names)
    )


def _header(first: list[Sequence[Value]]) -> tuple[int, list[str], bool]:
    """Where the rows begin, the names of the columns, and whether a line of the table gave them."""
    for place, cells in enumerate(first):
        if len(cells) > MAX_COLUMNS:
            raise Unreadable(f"{len(cells):,} columns; at most {MAX_COLUMNS} are read")
        names = _names(cells)
        named = [name for name in names if fold_key(name) in COLUMNS_NAMED or fold_key(name) in ("prompt", "messages")]
        # A line below the first is the header only where what stands above it is narrower: a title.
        above = max((sum(map(bool, _names(line))) for line in first[:place]), default=0)
        if named and (place == 0 or (above < sum(map(bool, names)) and not any(map(_is_prose, names)))):
            return _grouped(first, place, names)
    names = _names(first[0])
    if len(names) == 2 and 0 < len(names[0]) <= 60 < len(names[1]):
        return 0, ["Name", "Description"], False
    shown = ", ".join(json.dumps(name[:30], ensure_ascii=False) for name in names[:5])
    raise Unreadable(
        f"no column is called name or description (its first line begins {shown}); give the table a header"
    )


def _is_prose(text: str) -> bool:
    return len(text) > 40


def _grouped(first: list[Sequence[Value]], place: int, names: list[str]) -> tuple[int, list[str], bool]:
    """A header of two lines: groups above (``Personal``, blank, blank), the names of their columns below."""
    below = _names(first[place + 1]) if place + 1 < len(first) else []
    gaps = [n for n, name in enumerate(below) if name and not (names[n] if n < len(names) else "")]
    if (
        gaps
        and all(is_known(name) for name in below if name)
        and not any(fold_key(name) in NAME_KEYS for name in below)
    ):
        width = max(len(names), len(below))
        names += [""] * (width - len(names))
        merged = [below[n] if n < len(below) and below[n] else names[n] for n in range(width)]
        return place + 2, merged, True
    return place + 1, names, True


def _may_be_transposed(first: list[Sequence[Value]]) -> bool:
    """Whether the first column names fields, and the first line does not."""
    column = [_text(cells[0]) if cells else "" for cells in first]
    line = [text for text in _names(first[0])[1:] if text]
    if len(first) < 2 or not line or sum(map(is_known, line)) * 2 >= len(line):
        return False
    fields = [text for text in column[1:] if text]
    corner = fold_key(column[0])
    if corner not in _CORNERS | NAME_KEYS and not any(fold_key(text) in NAME_KEYS for text in fields):
        return False
    return bool(fields) and sum(map(is_known, fields)) * 10 >= len(fields) * 6


def _turned(lines: list[Sequence[Value]]) -> list[Row] | None:
    """The characters of a table with one character a column; None where no line holds their names."""
    corner = fold_key(_text(lines[0][0]) if lines[0] else "")
    has_names = any(fold_key(_text(cells[0])) in NAME_KEYS for cells in lines if cells)
    width = max(len(cells) for cells in lines)
    rows: list[Row] = []
    for column in range(1, width):
        record: dict[str, Value] = {}
        for place, cells in enumerate(lines):
            key = _text(cells[0]) if cells else ""
            if place == 0 and corner in _CORNERS:
                # The corner is no field: its line holds the names, or just says "value".
                value = _text(cells[column]) if column < len(cells) else ""
                if not has_names and fold_key(value) not in _VALUES:
                    record["Name"] = value
                continue
            if key and column < len(cells) and _text(cells[column]):
                record[key] = cells[column]
        if record:
            rows.append(Row(len(rows) + 1, record))
    return rows or None
