"""JSON under the wrong name, cards as programs write them, and tables as people lay them out."""

import base64
import io
import json
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from raiden_core.characters import read_characters
from raiden_core.text.json_values import spans_lines, values_in
from tests.support.tables import table

MARA = {"name": "Mara", "job": "baker"}
ODD = {"name": "Odd", "job": "cook"}
LINES = [json.dumps(MARA), json.dumps(ODD)]
BOTH = [("Mara", {"job": "baker"}), ("Odd", {"job": "cook"})]
CONTAINERS = {
    "lines.json": "\n".join(LINES),
    "pretty.json": "\n".join(json.dumps(row, indent=2) for row in (MARA, ODD)),
    "pretty.jsonl": "\n".join(json.dumps(row, indent=2) for row in (MARA, ODD)) + "\n",
    "commas.jsonl": ",\n".join(json.dumps(row, indent=2) for row in (MARA, ODD)),
    "array.jsonl": json.dumps([MARA, ODD]),
    "array_lines.jsonl": "[\n" + ",\n".join(LINES) + "\n]\n",
    "array_pretty.jsonl": json.dumps([MARA, ODD], indent=1),
    "wrapped.jsonl": json.dumps({"characters": [MARA, ODD]}, indent=1),
    "marked.jsonl": "\ufeff" + "\n\n".join(LINES) + "\n",
}


@table("name", CONTAINERS)
def test_json_in_any_container(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(CONTAINERS[name], encoding="utf-8")
    result = read_characters([tmp_path / name])
    assert [(c.name, c.facts) for c in result.characters] == BOTH, result.refused
    assert result.refused == ()


def test_a_broken_line_does_not_take_the_others_along(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"name": "Bro\n' + "\n".join(LINES), encoding="utf-8")
    result = read_characters([tmp_path / "a.jsonl"])
    assert [(c.name, c.facts) for c in result.characters] == BOTH
    assert [refusal.row for refusal in result.refused] == [1]


def test_where_values_begin() -> None:
    assert list(values_in('{"a": 1}\n\n[2,\n3]\n4')) == [(1, {"a": 1}), (3, [2, 3]), (5, 4)]
    assert [
        spans_lines(text) for text in ('{"a": 1}\n{"b": 2}', "[\n1]", '{\n"a": 1}', '{"a": \n{"b": 2}', "x\ny")
    ] == [
        False,
        True,
        True,
        False,
        False,
    ]


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


CARD = {"spec": "chara_card_v2", "data": {"name": "Mara ~~~???", "description": "Age: 29\nJob: baker"}}
RAW = json.dumps(CARD).encode()


def png(payload: bytes) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"tEXt", b"chara\0" + payload) + chunk(b"IEND", b"")


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def as_zip64(data: bytes) -> bytes:
    """The same archive with its end written as ZIP64 writes it."""
    end = data.rfind(b"PK\x05\x06")
    members, size, offset = struct.unpack("<HII", data[end + 10 : end + 20])
    large = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, members, members, size, offset)
    locator = b"PK\x06\x07" + struct.pack("<IQI", 0, end, 1)
    full = struct.pack("<HHII", 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
    return data[:end] + large + locator + data[end : end + 8] + full + b"\0\0"


CHARX = zipped({"card.json": RAW, "assets/icon.png": b"x"})
BYAF = zipped(
    {
        "manifest.json": json.dumps({"schemaVersion": 1, "characters": ["characters/m/character.json"]}).encode(),
        "characters/m/character.json": json.dumps(
            {
                "name": "Mara ~~~???",
                "displayName": "M",
                "isNSFW": False,
                "persona": "Age: 29\nJob: baker",
                "loreItems": [],
            }
        ).encode(),
    }
)
CARDS: dict[str, Callable[[], bytes]] = {
    "wrapped.png": lambda: png(base64.encodebytes(RAW)),
    "unpadded.png": lambda: png(base64.b64encode(RAW).rstrip(b"=")),
    "url_safe.png": lambda: png(base64.urlsafe_b64encode(RAW)),
    "carriage_returns.png": lambda: png(base64.encodebytes(RAW).replace(b"\n", b"\r\n")),
    "as_it_is.png": lambda: png(RAW),
    "risu.jpeg": lambda: b"\xff\xd8\xff\xe0" + b"\0" * 99 + CHARX,
    "risu.jpg": lambda: b"\xff\xd8\xff\xe1" + b"x" * 999 + CHARX,
    "archive.byaf": lambda: BYAF,
    "no_suffix_byaf": lambda: BYAF,
    "no_suffix_jpeg": lambda: b"\xff\xd8\xff\xe0" + CHARX,
    "large.charx": lambda: as_zip64(CHARX),
}  # fmt: skip


@table("name", CARDS)
def test_cards_as_programs_write_them(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(CARDS[name]())
    result = read_characters([tmp_path / name])
    assert result.refused == ()
    assert [(c.name, c.facts) for c in result.characters] == [("Mara ~~~???", {"Age": "29", "Job": "baker"})]


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.jpg", b"\xff\xd8\xff\xe0" + b"x" * 99, "JPEG image without a card"),
        ("a.byaf", zipped({"x": b""}), "no manifest.json"),
        ("a.byaf", zipped({"manifest.json": b'{"characters": []}'}), "names no characters"),
        ("a.byaf", zipped({"manifest.json": b'{"characters": ["../x"]}'}), "not in the archive"),
        ("a.byaf", zipped({"manifest.json": b"{"}), "no readable JSON"),
        ("a.png", png(b"!!!!"), "no readable card"),
    ],
)
def test_broken_cards_are_refused_in_one_line(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(data)
    result = read_characters([tmp_path / name])
    assert result.characters == ()
    assert [(words in r.reason, "\n" in r.reason) for r in result.refused] == [(True, False)]


TABLES = {
    "title.csv": "Cast of the Bay\nname,job\nMara,baker\nOdd,cook\n",
    "title_semicolon.csv": "Cast of the Bay\n\nname;job\nMara;baker\nOdd;cook\n",
    "second_header.csv": "name,job\n姓名,职业\nMara,baker\nOdd,cook\n",
    "types.csv": "name,job\nstring,string\nMara,baker\nOdd,cook\n",
    "repeated.csv": "name,job\nMara,baker\nname,job\nOdd,cook\n",
    "transposed.csv": "name,Mara,Odd\njob,baker,cook\n",
    "corner.csv": ",Mara,Odd\njob,baker,cook\n",
    "named_corner.tsv": "Field\tMara\tOdd\njob\tbaker\tcook\n",
    "name_below.csv": "job,baker,cook\nname,Mara,Odd\n",
}


@table("file", TABLES)
@table("excel", [False, True])
def test_tables_as_people_lay_them_out(tmp_path: Path, file: str, excel: bool) -> None:
    path = tmp_path / file
    path.write_text(TABLES[file], encoding="utf-8")
    if excel:
        import openpyxl

        book = openpyxl.Workbook()
        for line in TABLES[file].splitlines():
            book.active.append([cell or None for cell in line.replace(";", ",").replace("\t", ",").split(",")])
        path = tmp_path / "book.xlsx"
        book.save(path)
    result = read_characters([path])
    assert [(c.name, c.facts) for c in result.characters] == BOTH, result.refused


def test_an_asian_table_with_a_character_a_column(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("姓名,林小雨,周大山\n性别,女,男\n职业,裁缝,船夫\n", encoding="utf-8")
    found = read_characters([tmp_path / "a.csv"]).characters
    assert [(c.name, c.facts["职业"], c.row) for c in found] == [("林小雨", "裁缝", 1), ("周大山", "船夫", 2)]


def test_one_character_in_two_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Field,Value\nName,Mara\nAge,29\nJob,baker\n", encoding="utf-8")
    assert [(c.name, c.facts) for c in read_characters([tmp_path / "a.csv"]).characters] == [
        ("Mara", {"Age": "29", "Job": "baker"})
    ]


def test_a_header_of_two_lines(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Name,Personal,,Home\n,age,job,town\nMara,29,baker,Tarn\n", encoding="utf-8")
    (mara,) = read_characters([tmp_path / "a.csv"]).characters
    assert mara.facts == {"age": "29", "job": "baker", "town": "Tarn"}


def workbook(tmp_path: Path, rows: list[list[str]], change: Callable[[bytes], bytes]) -> Path:
    """A workbook whose sheet's XML was changed after openpyxl wrote it."""
    import openpyxl

    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    with zipfile.ZipFile(out) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    sheet = next(name for name in members if name.startswith("xl/worksheets/"))
    members[sheet] = change(members[sheet])
    path = tmp_path / "book.xlsx"
    path.write_bytes(zipped(members))
    return path


@pytest.mark.parametrize("stated", [b'ref="A1"', b'ref="A1:B2"', b'ref="A1:A9"'])
def test_a_sheet_is_read_whatever_size_it_states(tmp_path: Path, stated: bytes) -> None:
    rows = [["name", "job"], ["Mara", "baker"], ["Odd", "cook"]]
    path = workbook(tmp_path, rows, lambda xml: xml.replace(b'<dimension ref="A1:B3"', b"<dimension " + stated))
    assert [(c.name, c.facts) for c in read_characters([path]).characters] == BOTH


def test_carriage_returns_of_excel_are_no_letters(tmp_path: Path) -> None:
    path = workbook(
        tmp_path,
        [["name", "job", "motto"], ["Mara", "bakerCR", "oneCR two"]],
        lambda xml: xml.replace(b"CR", b"_x000D_\n"),
    )
    (mara,) = read_characters([path]).characters
    assert (mara.facts["job"], mara.profile["motto"]) == ("baker", "one\n two")


def test_openpyxl_keeps_its_warnings(tmp_path: Path) -> None:
    path = workbook(
        tmp_path,
        [["name", "job"], ["Mara", "baker"]],
        lambda xml: xml.replace(b"</worksheet>", b'<extLst><ext uri="x"/></extLst></worksheet>'),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [c.name for c in read_characters([path]).characters] == ["Mara"]
