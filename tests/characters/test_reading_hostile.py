"""What is broken or hostile is refused with file, place and reason; the rest goes on, and memory stays bounded."""

import base64
import io
import json
import os
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from raiden_core.characters import read_characters, rows, structured
from tests.support.tables import table

GOOD = {"name": "Ann", "description": "Ann bakes bread."}


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


SIGNATURE = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", b"\0" * 13)
END = chunk(b"IEND", b"")


def zipped(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def lying_zip() -> bytes:
    """A card whose directory entry says that it is small."""
    data = bytearray(zipped(("card.json", b" " * 20_000_000)))
    place = data.rfind(b"PK\x01\x02")
    data[place + 24 : place + 28] = struct.pack("<I", 100)
    return bytes(data)


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(b"A" * 1_000_000) for _ in range(size // 1_000_000)) + packer.flush()


def laughs(levels: int) -> str:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 10) + "]" for n in range(1, levels)]
    return "\n".join(lines)


def merged_laughs(levels: int) -> str:
    lines = ["a0: &a0 {k0: " + "v" * 1000 + "}"]
    lines += [f"a{n}: &a{n} {{<<: *a{n - 1}, x: *a{n - 1}, y: *a{n - 1}}}" for n in range(1, levels)]
    return "\n".join(lines)


CARD = json.dumps(GOOD).encode()
REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty.json": (lambda: b"", "empty"),
    "blank.txt": (lambda: b" \r\n\t", "empty"),
    "empty.jsonl": (lambda: b"\n\n", "empty"),
    "empty.yaml": (lambda: b"# nothing\n", "empty"),
    "header.csv": (lambda: b"name,description\n", "without rows"),
    "truncated.json": (lambda: b'{"name": "Ann",\n "description": "She', "line 2, column 17 (offset 32)"),
    "garbage.json": (lambda: b"{]", "line 1, column 2"),
    "number.json": (lambda: b"42", "neither an object nor a list"),
    "digits.json": (lambda: b'{"name": ' + b"1" * 5_000 + b"}", "broken JSON"),
    "deep.json": (lambda: b"[" * 200_000, "nested"),
    "deep_whole.json": (lambda: b'{"a":' * 500 + b"1" + b"}" * 500, "nested"),
    "deep_loose.json": (lambda: b"{a:" * 5_000 + b"1" + b"}" * 5_000, "JSON"),
    "tag.yaml": (lambda: b"name: x\njob: !!python/object/apply:os.system ['touch /tmp/raiden-was-here']\n", "line 2"),
    "own_tag.yaml": (lambda: b"name: !thing x\n", "!thing"),
    "laughs.yaml": (lambda: laughs(9).encode(), "aliases"),
    "merged.yaml": (lambda: merged_laughs(30).encode(), "aliases"),
    "circle.yaml": (lambda: b"name: &a [*a]\n", "contains itself"),
    "deep.yaml": (lambda: b"[" * 100_000, "nested"),
    "deep_blocks.yaml": (lambda: b"".join(b" " * n + b"-\n" for n in range(500)), "nested"),
    "broken.yaml": (lambda: b"name: x\njob: [a, b\n", "line"),
    "key.yaml": (lambda: b"? [a, b]\n: c\n", "key"),
    "page.png": (lambda: b"<!DOCTYPE html><html></html>", "web page"),
    "text.png": (lambda: b"hello", "signature"),
    "no_card.png": (lambda: SIGNATURE + END, "no character card"),
    "cut.png": (lambda: SIGNATURE + chunk(b"tEXt", b"chara\0e30=")[:12], "cut off at byte"),
    "cut_header.png": (lambda: SIGNATURE + b"\0\0", "cut off at byte 35"),
    "bomb.png": (lambda: SIGNATURE + chunk(b"zTXt", b"chara\0\0" + bomb(40_000_000)) + END, "decompresses to more"),
    "ibomb.png": (
        lambda: SIGNATURE + chunk(b"iTXt", b"ccv3\0\1\0\0\0" + bomb(40_000_000)) + END,
        "decompresses to more",
    ),
    "base64.png": (lambda: SIGNATURE + chunk(b"tEXt", b"chara\0???") + END, "no readable card"),
    "binary_card.png": (
        lambda: SIGNATURE + chunk(b"tEXt", b"chara\0" + base64.b64encode(b"\xff\xfe{")) + END,
        "no readable card",
    ),
    "list_card.png": (lambda: SIGNATURE + chunk(b"tEXt", b"chara\0" + base64.b64encode(b"[1]")) + END, "not an object"),
    "claims.png": (
        lambda: SIGNATURE + struct.pack(">I", 0x7FFFFFFF) + b"tEXtchara\0",
        "text chunk of 2,147,483,647 bytes",
    ),
    "bomb.charx": (lambda: zipped(("card.json", b" " * 40_000_000)), "zip bomb"),
    "lying.charx": (lying_zip, "card.json"),
    "climbing.charx": (lambda: zipped(("card.json", CARD), ("../../evil.sh", b"x")), "points outside"),
    "absolute.charx": (lambda: zipped(("card.json", CARD), ("/etc/evil", b"x")), "points outside"),
    "windows.charx": (lambda: zipped(("card.json", CARD), ("..\\evil", b"x")), "points outside"),
    "no_card.charx": (lambda: zipped(("readme.md", b"x")), "no card.json"),
    "no_zip.charx": (lambda: b"hello", "not a zip"),
    "members.charx": (lambda: zipped(*((f"f{n}", b"") for n in range(20_500))), "members"),
    "no_zip.xlsx": (lambda: b"hello", "not a zip"),
    "other.xlsx": (lambda: zipped(("card.json", CARD)), "not a readable Excel workbook"),
    "none.parquet": (lambda: b"PAR1 hello PAR1", "Parquet"),
    "old.xls": (lambda: b"\xd0\xcf\x11\xe0", "save it as .xlsx"),
    "binary.txt": (lambda: b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0\x01\0\0\0" * 40, "not a text file"),
    "wide.csv": (lambda: b"name," + b"x," * 2_000 + b"\n1\n", "columns"),
    "card_data.json": (lambda: b'{"spec": "chara_card_v2", "data": "gone"}', "not an object"),
}


@table("file", REFUSED)
def test_refused_with_a_reason(tmp_path: Path, file: str) -> None:
    make, reason = REFUSED[file]
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / file).write_bytes(make())
    (folder / "zz.json").write_bytes(CARD)
    result = read_characters([folder])
    assert [character.name for character in result.characters] == ["Ann"], "the rest goes on"
    assert len(result.refused) == 1
    refusal = result.refused[0]
    assert refusal.source == str(folder / file)
    assert reason in refusal.reason
    assert "\n" not in str(refusal)
    assert len(refusal.reason) < 400
    assert sorted(path.name for path in tmp_path.rglob("*")) == sorted(["in", file, "zz.json"]), "nothing was written"
    assert not Path("/tmp/raiden-was-here").exists()


@pytest.mark.parametrize("file", ["bomb.png", "bomb.charx", "laughs.yaml", "merged.yaml"])
def test_bombs_stay_small_in_memory(tmp_path: Path, file: str) -> None:
    (tmp_path / file).write_bytes(REFUSED[file][0]())
    tracemalloc.start()
    try:
        read_characters([tmp_path / file])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 * rows.MAX_CARD_BYTES


def test_a_line_beyond_all_measure_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structured, "MAX_LINE_BYTES", 1_000)
    long = json.dumps({"name": "Long", "description": "x" * 5_000})
    lines = [CARD.decode(), long, long, '{"name": "B", "bio": "y"}']
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    result = read_characters([tmp_path / "a.jsonl"])
    assert [(c.name, c.row) for c in result.characters] == [("Ann", 1), ("B", 4)]
    assert [(r.row, f"{len(long) + 1:,} bytes" in r.reason) for r in result.refused] == [(2, True), (3, True)]


def test_a_huge_line_takes_little_memory(tmp_path: Path) -> None:
    with (tmp_path / "a.jsonl").open("wb") as file:
        file.write(b'{"name": "' + b"x" * 100_000)
        file.seek(150_000_000)
        file.write(b'"}\n' + CARD)
    tracemalloc.start()
    try:
        result = read_characters([tmp_path / "a.jsonl"])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [(c.name, c.row) for c in result.characters] == [("Ann", 2)]
    assert "150,000,003 bytes" in str(result.refused[0])
    assert peak < 80 * 1024 * 1024


def test_a_file_beyond_all_measure_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.json").open("wb") as file:
        file.truncate(3_000_000_000)
    assert "2,861 MiB" in str(read_characters([tmp_path / "a.json"]).refused[0])


def test_broken_lines_do_not_stop_a_jsonl(tmp_path: Path) -> None:
    lines = [
        CARD,
        b'{"name": "Cut',
        b"[1]",
        b'"Name: Kit\\nJob: smith"',
        b"\xff\xfe",
        b'{"name": "B", "bio": "y"}',
        b"{]",
    ]
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(lines))
    result = read_characters([tmp_path / "a.jsonl"])
    assert [(c.name, c.row) for c in result.characters] == [("Ann", 1), ("Kit", 4), ("B", 6)]
    assert [r.row for r in result.refused] == [2, 3, 5, 7]


def test_a_card_before_the_cut_is_read_with_a_warning(tmp_path: Path) -> None:
    payload = chunk(b"tEXt", b"chara\0" + base64.b64encode(CARD))
    (tmp_path / "a.png").write_bytes(SIGNATURE + payload + chunk(b"IDAT", b"x" * 500)[:50])
    result = read_characters([tmp_path / "a.png"])
    assert [c.name for c in result.characters] == ["Ann"]
    assert "cut off" in str(result.warnings[0])


def test_a_text_beyond_all_measure_is_one_refused_row(tmp_path: Path) -> None:
    rows_ = [GOOD, {"name": "Big", "description": "x" * (rows.MAX_CHARACTER_CHARS + 1)}]
    (tmp_path / "a.json").write_text(json.dumps(rows_), encoding="utf-8")
    result = read_characters([tmp_path / "a.json"])
    assert ([c.name for c in result.characters], [r.row for r in result.refused]) == (["Ann"], [2])


def test_an_unfinished_quotation_in_a_csv(tmp_path: Path) -> None:
    lines = 'name,description\nAnn,bakes\nBo,"open\n' + "x" * (rows.MAX_CHARACTER_CHARS + 10)
    (tmp_path / "a.csv").write_text(lines, encoding="utf-8")
    result = read_characters([tmp_path / "a.csv"])
    assert [c.name for c in result.characters] == ["Ann"]
    assert "after row 1" in result.refused[0].reason


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(CARD)
    (tmp_path / "a.json").chmod(0)
    assert "cannot be read" in str(read_characters([tmp_path / "a.json"]).refused[0])


LONG = 100_000
SLOW = [
    " " * LONG + "x",
    "a" * LONG + ": b",
    "# " + "#" * LONG + " x",
    "# a\n" * (LONG // 10),
    "<character setting>" * (LONG // 20),
    "- " * LONG,
    "a:" * LONG,
    "{{" * LONG + "{{ char" + " " * LONG,
    "<" + " " * LONG + "<BOT" + " " * LONG,
    "**" * LONG + ":",
    "Name: A\n" * (LONG // 10),
    "a: b\n" * (LONG // 10),
]


@table("text", SLOW, ids=range(len(SLOW)))
@table("suffix", [".md", ".txt"])
def test_texts_made_to_be_slow_are_read_at_once(tmp_path: Path, text: str, suffix: str) -> None:
    """None of these ends within a test run where reading takes more than linear time."""
    (tmp_path / f"a{suffix}").write_text(text, encoding="utf-8")
    result = read_characters([tmp_path / f"a{suffix}"])
    assert len(result.characters) + len(result.refused) >= 1
