"""Every container that characters come in yields the same character."""

import base64
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from raiden_core.characters import labels, read_characters
from raiden_core.errors import DataError
from tests.support.tables import table

NAME, JOB, AGE = "林晚秋", "中学历史老师", "34岁"
STORY = "她在长沙长大，大学毕业后回到母校教书。"
RECORD = {"姓名": NAME, "职业": JOB, "年龄": AGE, "简介": STORY}
CARD = {
    "name": NAME,
    "description": f"姓名: {NAME}\n职业: {JOB}\n年龄: {AGE}\n简介: {STORY}",
    "first_mes": "你好，{{user}}。",
}


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of the given chunks, between its header and its end."""
    head = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", head), *chunks, (b"IEND", b"")]
    body = b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts)
    return b"\x89PNG\r\n\x1a\n" + body


def card_chunk(card: object, keyword: bytes = b"chara") -> tuple[bytes, bytes]:
    return b"tEXt", keyword + b"\0" + base64.b64encode(json.dumps(card).encode())


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def excel() -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(list(RECORD))
    sheet.append(list(RECORD.values()))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def parquet() -> bytes:
    import pyarrow
    from pyarrow import parquet as pq

    out = io.BytesIO()
    pq.write_table(pyarrow.Table.from_pylist([RECORD]), out)
    return out.getvalue()


V2 = {"spec": "chara_card_v2", "spec_version": "2.0", "data": CARD}
V3 = {"spec": "chara_card_v3", "spec_version": "3.0", "data": CARD}
LINES = CARD["description"]
BLOCK = f"扮演她。\n<Character Setting>\n{LINES}"
CSV = ",".join(RECORD) + "\n" + ",".join(RECORD.values()) + "\n"
FILES: dict[str, Callable[[], bytes]] = {
    "flat.yaml": lambda: f"姓名: {NAME}\n职业: {JOB}\n年龄: {AGE}\n简介: |-\n  {STORY}\n".encode(),
    "list.yml": lambda: f"- 姓名: {NAME}\n  职业: {JOB}\n  年龄: {AGE}\n  简介: {STORY}\n".encode(),
    "documents.yaml": lambda: f"---\n姓名: {NAME}\n职业: {JOB}\n年龄: {AGE}\n简介: {STORY}\n---\n".encode(),
    "object.json": lambda: json.dumps(RECORD).encode(),
    "array.json": lambda: json.dumps([RECORD]).encode(),
    "wrapped.json": lambda: json.dumps({"version": 1, "characters": [RECORD]}).encode(),
    "keyed.json": lambda: json.dumps({NAME: {k: v for k, v in RECORD.items() if k != "姓名"}}).encode(),
    "nested.json": lambda: json.dumps({"character_name": NAME, "character_profile": RECORD}).encode(),
    "string_profile.json": lambda: json.dumps({"name": NAME, "profile": json.dumps(RECORD)}).encode(),
    "loose.json": lambda: f"{{ // by hand\n 姓名: '{NAME}', 职业: '{JOB}', 年龄: '{AGE}', 简介: '{STORY}', }}".encode(),
    "lines_called.json": lambda: (json.dumps(RECORD) + "\n" + json.dumps(RECORD)).encode(),
    "lines.jsonl": lambda: b"\n" + json.dumps(RECORD, ensure_ascii=False).encode() + b"\r\n\r\n",
    "prompt.jsonl": lambda: json.dumps({"prompt": BLOCK + "\n</Character Setting>\n开始。"}).encode(),
    "open_prompt.jsonl": lambda: json.dumps({"prompt": BLOCK}).encode(),
    "chat_prompt.jsonl": lambda: json.dumps({"messages": [{"role": "system", "content": BLOCK}]}).encode(),
    "comma.csv": lambda: CSV.encode(),
    "semicolon.csv": lambda: CSV.replace(",", ";").encode(),
    "tab.tsv": lambda: CSV.replace(",", "\t").encode(),
    "hinted.csv": lambda: b"sep=|\r\n" + CSV.replace(",", "|").encode(),
    "plain.txt": LINES.encode,
    "fullwidth.txt": lambda: LINES.replace(": ", "：").replace("\n", "，\r\n").encode(),
    "block.txt": BLOCK.encode,
    "json_called.txt": lambda: json.dumps(RECORD).encode(),
    "heading.md": lambda: f"# {NAME}\n\n- **职业**: {JOB}\n- **年龄**: {AGE}\n\n## 简介\n\n{STORY}\n".encode(),
    "front_matter.md": lambda: f"---\n姓名: {NAME}\n职业: {JOB}\n年龄: {AGE}\n---\n\n# 简介\n\n{STORY}\n".encode(),
    "book.xlsx": excel,
    "table.parquet": parquet,
    "v1.json": lambda: json.dumps({**CARD, "personality": "", "scenario": "", "mes_example": ""}).encode(),
    "v2.json": lambda: json.dumps(V2).encode(),
    "v3.json": lambda: json.dumps(V3).encode(),
    "v2.png": lambda: png((b"IDAT", b"x" * 100), card_chunk(V2)),
    "v3.png": lambda: png(card_chunk({"name": "another", "description": "old"}), card_chunk(V3, b"ccv3")),
    "compressed.png": lambda: png((b"zTXt", b"chara\0\0" + zlib.compress(card_chunk(V2)[1].partition(b"\0")[2]))),
    "international.png": lambda: png((b"iTXt", b"ccv3\0\0\0\0\0" + card_chunk(V3)[1].partition(b"\0")[2])),
    "archive.charx": lambda: zipped({"card.json": json.dumps(V3).encode(), "assets/icon.png": b"\x89PNG"}),
    "no_suffix_card": lambda: png(card_chunk(V2)),
    "no_suffix_json": lambda: json.dumps(RECORD).encode(),
}


@table("file", FILES)
def test_every_format_yields_the_same_character(tmp_path: Path, file: str) -> None:
    path = tmp_path / file
    path.write_bytes(FILES[file]())
    result = read_characters([path])
    assert result.refused == ()
    assert len(result.characters) == 1
    character = result.characters[0]
    assert character.name == NAME
    assert character.language == "zh"
    assert character.facts == {"职业": JOB, "年龄": AGE}
    assert STORY in character.text
    assert STORY in "\n".join(character.profile.values())
    assert NAME in character.profile.values()
    assert character.source == str(path)


def test_a_card_keeps_what_is_for_the_chat_program_apart(tmp_path: Path) -> None:
    card = {
        "name": "Mina",
        "description": "{{char}} bakes bread; {{user}} is a guest. <BOT> likes <USER>.",
        "personality": "calm",
        "scenario": "At the bakery of {{Char}}.",
        "first_mes": "Hello {{user}}!",
        "mes_example": "<START>\n{{char}}: hm",
        "system_prompt": "Write as {{char}}.",
        "creator_notes": "have fun",
        "tags": ["food"],
        "character_book": None,
    }
    path = tmp_path / "card.json"
    path.write_text(json.dumps({"spec": "chara_card_v2", "data": card}), encoding="utf-8")
    (mina,) = read_characters([path]).characters
    assert mina.profile == {
        "Name": "Mina",
        "Description": "Mina bakes bread; the user is a guest. Mina likes the user.",
        "Personality": "calm",
        "Scenario": "At the bakery of Mina.",
    }
    assert "{{char}} bakes bread; {{user}} is a guest. <BOT> likes <USER>." in mina.text, "the text stays verbatim"
    assert mina.card is not None
    assert mina.card.as_json() == {
        "description": "Mina bakes bread; the user is a guest. Mina likes the user.",
        "personality": "calm",
        "scenario": "At the bakery of Mina.",
        "system_prompt": "Write as Mina.",
        "greetings": ["Hello the user!"],
        "examples": [[{"role": "assistant", "content": "hm"}]],
    }
    assert "have fun" not in mina.text + str(mina.card), "notes for the user of a card are no part of it"


def test_a_nickname_stands_for_the_character_in_version_3(tmp_path: Path) -> None:
    data = {"name": "Lyra Moss", "nickname": "Ly", "description": "{{char}} climbs."}
    path = tmp_path / "card.json"
    path.write_text(json.dumps({"spec": "chara_card_v3", "data": data}), encoding="utf-8")
    (lyra,) = read_characters([path]).characters
    assert (lyra.name, lyra.profile["Description"]) == ("Lyra Moss", "Ly climbs.")


def test_a_broken_version_3_chunk_leaves_the_older_one_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "card.png"
    path.write_bytes(png(card_chunk(V2), (b"tEXt", b"ccv3\0!!!")))
    result = read_characters([path])
    assert [character.name for character in result.characters] == [NAME]
    assert "ccv3" in str(result.warnings[0])


def test_folders_globs_and_repeated_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "b.json").write_text(json.dumps({"name": "B", "description": "a baker"}), encoding="utf-8")
    (tmp_path / "deep" / "er" / "a.txt").write_text("Name: A\nJob: actor\n", encoding="utf-8")
    (tmp_path / "deep" / ".hidden.json").write_text("{", encoding="utf-8")
    (tmp_path / "deep" / "photo.jpg").write_bytes(b"\xff\xd8")
    (tmp_path / "deep" / "loop").symlink_to(tmp_path / "deep")
    monkeypatch.chdir(tmp_path)
    result = read_characters(["deep", "deep/*.json", Path("deep/b.json")])
    assert [character.name for character in result.characters] == ["B", "A"], "each file once"
    assert [(refusal.source, "JPEG" in refusal.reason) for refusal in result.refused] == [("deep/photo.jpg", True)]
    assert [c.name for c in read_characters(["deep/**/*.txt"]).characters] == ["A"]


@pytest.mark.parametrize("missing", ["nothing.json", "*.nothing", "shipped:xx", "no/such/folder"])
def test_what_does_not_exist_is_an_error_of_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as caught:
        read_characters([missing])
    assert missing in str(caught.value)
    assert "\n" not in str(caught.value)


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BytesIO(json.dumps(RECORD).encode() + b"\n" + json.dumps({"name": "B", "bio": "x"}).encode())

    monkeypatch.setattr("sys.stdin", Stdin)
    result = read_characters(["-"])
    assert [(c.name, c.source, c.row) for c in result.characters] == [(NAME, "-", 1), ("B", "-", 2)]


def test_a_hugging_face_dataset_folder(tmp_path: Path) -> None:
    import datasets

    rows = [{"name": f"N{n}", "description": f"Person {n} is here."} for n in range(5)]
    datasets.Dataset.from_list(rows).save_to_disk(str(tmp_path / "set"), num_shards=2)
    datasets.DatasetDict({"train": datasets.Dataset.from_list(rows[:1])}).save_to_disk(str(tmp_path / "dict"))
    result = read_characters([tmp_path / "set"])
    assert [(c.name, c.row) for c in result.characters] == [(f"N{n}", n + 1) for n in range(5)]
    assert [c.name for c in read_characters([tmp_path / "dict"]).characters] == ["N0"]
    (tmp_path / "set" / "state.json").write_text(
        '{"_data_files": [{"filename": "../dict/train/x.arrow"}]}', encoding="utf-8"
    )
    assert "not in the folder" in str(read_characters([tmp_path / "set"]).refused[0])


def test_sheets_and_cells_of_a_workbook(tmp_path: Path) -> None:
    import datetime

    import openpyxl

    book = openpyxl.Workbook()
    first = book.worksheets[0]
    first.title = "first"
    for row in (
        ["Name", "Age", "Born", None],
        [],
        ["Ann", 34.0, datetime.datetime(1991, 2, 3), None],
        ["Bob", None, None, "?"],
    ):
        first.append(row)
    second = book.create_sheet("second")
    second.append(["Name", "Job"])
    second.append(["Cid", "smith"])
    book.create_sheet("blank")
    book.save(tmp_path / "book.xlsx")
    result = read_characters([tmp_path / "book.xlsx"])
    ann, cid = result.characters
    assert ann.profile == {"Name": "Ann", "Age": "34", "Born": "1991-02-03"}
    assert (ann.source.rpartition("#")[2], ann.row, cid.source.rpartition("#")[2], cid.row) == ("first", 1, "second", 1)
    assert result.refused[0].row == 2


def test_csv_cells_keep_line_ends_quotes_and_delimiters(tmp_path: Path) -> None:
    text = 'Name;Description\r\n"Kim ""K"", the ""Fox""";"One; two\nthree"\r\nLea;plain;torn\r\n'
    (tmp_path / "a.csv").write_bytes(text.encode())
    result = read_characters([tmp_path / "a.csv"])
    assert [(c.name, c.text) for c in result.characters] == [('Kim "K", the "Fox"', "One; two\nthree")]
    assert (result.refused[0].row, "3 cells" in result.refused[0].reason) == (2, True)


def test_a_csv_without_header_is_name_and_description(tmp_path: Path) -> None:
    long = "A keeper of a lighthouse who has read every book on the island at least twice."
    (tmp_path / "a.csv").write_text(f'Ida,"{long}"\nOle,"{long} Twice."\n', encoding="utf-8")
    assert [(c.name, c.text) for c in read_characters([tmp_path / "a.csv"]).characters] == [
        ("Ida", long),
        ("Ole", long + " Twice."),
    ]
    (tmp_path / "b.csv").write_text("1,2,3\n4,5,6\n", encoding="utf-8")
    assert "header" in read_characters([tmp_path / "b.csv"]).refused[0].reason


def test_duplicates_are_kept_or_merged_and_said(tmp_path: Path) -> None:
    rows = [
        ("Apollo", "a god"),
        ("Apollo", "a thief"),
        ("Apollo", "a god\r\n"),
        ("Apollo (2)", "a copy"),
        ("Apollo", "x"),
    ]
    lines = [json.dumps({"name": name, "description": text}) for name, text in rows]
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    result = read_characters([tmp_path / "a.jsonl"])
    assert [(c.name, c.text, c.row) for c in result.characters] == [
        ("Apollo", "a god", 1),
        ("Apollo", "a thief", 2),
        ("Apollo (2)", "a copy", 4),
        ("Apollo", "x", 5),
    ]
    assert [(w.row, "kept once" in w.reason) for w in result.warnings] == [(2, False), (3, True), (5, False)]
    shown = labels(result.characters)
    assert len(set(shown)) == 4
    assert shown[0] == "Apollo"


def test_nameless_empty_and_foreign_rows(tmp_path: Path) -> None:
    rows: list[object] = [
        {"background": "Wanders about and sings."},
        {"name": "", "personality": ""},
        {"name": "Nobody"},
        {"file": "x.json", "bytes": 3},
        {"name": "Talker", "messages": [{"role": "user", "content": "hi"}], "source": "web"},
        {"question": "who?", "answer": "me", "name": "A"},
        {"prompt": "You are helpful."},
        17,
        None,
        {},
        "Name: Kit\nJob: fiddler",
        {"persona": ["I fish.", "I sing."]},
        {"name": 7, "bio": "A robot of few words."},
    ]
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    result = read_characters([path])
    assert [(c.row, c.name) for c in result.characters] == [(1, None), (11, "Kit"), (12, None), (13, "7")]
    assert result.characters[0].profile == {"Description": "Wanders about and sings."}
    assert result.characters[2].text == "I fish.\nI sing."
    assert [refusal.row for refusal in result.refused] == [2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert [w.row for w in result.warnings] == [1, 12]
    assert all(refusal.source == str(path) and "\n" not in str(refusal) for refusal in result.refused)


HOSTILE = [
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "[bold red]x[/]",
    "a\x00b\x1b[2J",
    " padded ",
    "👩‍👩‍👧‍👦\u200f",
    "محمد",
    "CON",
    "a" * 300,
]


def test_hostile_names_come_out_as_written(tmp_path: Path) -> None:
    rows = [{"name": name, "description": f"Number {n} of {{{{char}}}}."} for n, name in enumerate(HOSTILE)]
    (tmp_path / "a.json").write_text(json.dumps(rows), encoding="utf-8")
    result = read_characters([tmp_path / "a.json"])
    assert [c.name for c in result.characters] == HOSTILE
    assert result.characters[3].profile["Description"] == f"Number 3 of {HOSTILE[3]}."
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json"]


def test_half_a_surrogate_pair_is_mended_and_said(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(
        r'{"name": "Zoe \ud83d", "description": "likes \ud83c\udf5f and \udc00"}', encoding="utf-8"
    )
    result = read_characters([tmp_path / "a.json"])
    assert (result.characters[0].name, result.characters[0].text) == ("Zoe \ufffd", "likes 🍟 and \ufffd")
    assert len(result.warnings) == 1


def test_yaml_scalars_stay_as_written(tmp_path: Path) -> None:
    text = "Name: No\nBorn: 1986-07-14\nHeight: 012\nBedtime: 12:30\nMarried: no\nPet: ~\nCode: '~'\n"
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    (character,) = read_characters([tmp_path / "a.yaml"]).characters
    assert character.facts == {"Born": "1986-07-14", "Height": "012", "Bedtime": "12:30", "Married": "no"}
    assert character.profile == {"Name": "No"} | character.facts | {"Code": "~"}, "a bare tilde is nothing"


def test_shared_yaml_bases_are_merged(tmp_path: Path) -> None:
    text = "- &base\n  Name: Ann\n  Town: Bergen\n- <<: *base\n  Name: Bo\n"
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    ann, bo = read_characters([tmp_path / "a.yaml"]).characters
    assert (ann.facts, bo.name, bo.facts) == ({"Town": "Bergen"}, "Bo", {"Town": "Bergen"})


def test_a_very_long_description(tmp_path: Path) -> None:
    text = "She said: never mind. " * 3_000
    (tmp_path / "a.json").write_text(json.dumps({"name": "Long", "description": text}), encoding="utf-8")
    (character,) = read_characters([tmp_path / "a.json"]).characters
    assert character.text == text
    assert character.profile == {"Name": "Long", "Description": text.strip()}


def test_a_key_that_stands_twice_in_yaml_is_refused_with_both_lines(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("Ann:\n  bio: old\nBo:\n  bio: x\nAnn:\n  bio: new\n", encoding="utf-8")
    result = read_characters([tmp_path / "a.yaml"])
    assert not result.characters
    assert "lines 1 and 5: 'Ann' stands twice" in result.refused[0].reason


def test_a_key_that_stands_twice_in_json_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"Ann": {"bio": "old"}, "Ann": {"bio": "new"}}', encoding="utf-8")
    result = read_characters([tmp_path / "a.json"])
    assert [(c.name, c.text) for c in result.characters] == [("Ann", "new")]
    assert '"Ann" stands more than once' in result.warnings[0].reason
