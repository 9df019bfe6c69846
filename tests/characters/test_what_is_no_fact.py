"""Bookkeeping, places that a template left, and marks of missing values are no facts, in any container."""

import json
from pathlib import Path
from typing import Any

import pytest

from raiden_core.characters import read_characters
from raiden_core.characters.bookkeeping import is_bookkeeping
from raiden_core.characters.missing import has_macro, is_missing
from tests.support.tables import table

BOOKKEEPING: list[tuple[str, Any]] = [
    ("id", "a1"),
    ("external_id", "abc"),
    ("user__id", 1),
    ("participant__num_interactions", 12),
    ("visibility", "PUBLIC"),
    ("copyable", False),
    ("is_public", True),
    ("hasAvatar", 1),
    ("avatar_file_name", "x.webp"),
    ("voiceDisabled", False),
    ("visualType", "avatar"),
    ("kind", "character"),
    ("culture", "en-us"),
    ("npc_type", "虚拟IP"),
    ("upvotes", 0),
    ("score", 4.5),
    ("gold_label", "happy"),
    ("predicted_label", "sad"),
    ("created_at", "2024-01-01"),
    ("last seen", "2024-02-02T10:00:00Z"),
    ("ref", "123e4567-e89b-12d3-a456-426614174000"),
    ("portrait", "mara.png"),
    ("编号", "17"),
    ("是否公开", "是"),
    ("创建时间", "昨天"),
    ("ファイル名", "x"),
    ("作成日", "昨日"),
    ("공개 여부", "공개"),
    ("생성일", "어제"),
]
PERSONAL: list[tuple[str, Any]] = [
    ("title", "Baroness"),
    ("status", "widowed"),
    ("kind", "elf"),
    ("blood_type", "O"),
    ("body_type", "slim"),
    ("culture", "Viking"),
    ("birth_date", "1990-05-03"),
    ("favorite_song", "Row the Boat"),
    ("kind regards to", "Bram"),
    ("武器类型", "长枪"),
    ("性格タイプ", "慎重"),
    ("성격 유형", "신중함"),
]


@table(("key", "value"), BOOKKEEPING)
def test_bookkeeping_of_other_tools_is_no_fact(tmp_path: Path, key: str, value: Any) -> None:
    assert is_bookkeeping(key, value)
    (tmp_path / "a.json").write_text(json.dumps({"name": "Mara", "job": "baker", key: value}), encoding="utf-8")
    (mara,) = read_characters([tmp_path / "a.json"]).characters
    assert (mara.facts, mara.others, mara.profile) == ({"job": "baker"}, {}, {"name": "Mara", "job": "baker"})


@table(("key", "value"), PERSONAL)
def test_what_a_person_has_stays(tmp_path: Path, key: str, value: Any) -> None:
    assert not is_bookkeeping(key, value)
    (tmp_path / "a.json").write_text(json.dumps({"name": "Mara", key: value}), encoding="utf-8")
    (mara,) = read_characters([tmp_path / "a.json"]).characters
    assert mara.facts == {key: value}


def test_an_envelope_is_about_the_record(tmp_path: Path) -> None:
    dump = {"character": {"name": "Mara", "age": 29, "title": "baker"}, "status": "OK", "version": 3, "request": "r"}
    (tmp_path / "a.json").write_text(json.dumps(dump), encoding="utf-8")
    (mara,) = read_characters([tmp_path / "a.json"]).characters
    assert mara.facts == {"age": "29", "title": "baker"}


def test_a_flag_is_shown_and_not_asked(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"name": "Mara", "job": "baker", "married": True}), encoding="utf-8")
    (mara,) = read_characters([tmp_path / "a.json"]).characters
    assert (mara.profile["married"], mara.facts) == ("true", {"job": "baker"})


MISSING = [
    ("Job", "[JOB]"),
    ("职业", "[职业]"),
    ("Job", "{job}"),
    ("Occupation", "<occupation>"),
    ("Name", "[Your name here]"),
    ("姓名", "<请输入姓名>"),
    ("家乡", "（此处填写）"),
    ("Age", "[insert age]"),
    ("취미", "[취미 입력]"),
    ("年齢", "{年齢}"),
    ("Job", "**[JOB]**"),
    ("Name", "%NAME%"),
    ("Age", "${age}"),
    ("Hometown", "[city], [country]"),
    ("w", "{{getvar::w}}"),
    ("Age", "{{random:29,30}}"),
    ("Job", "{{pick::a::b}}"),
    ("x", "TODO"),
    ("x", "TODO: decide"),
    ("x", "TBD"),
    ("x", "待补充"),
    ("x", "未设定"),
    ("x", "未定"),
    ("x", "暂无设定"),
    ("x", "準備中"),
    ("x", "未入力"),
    ("x", "미정"),
    ("x", "추후 공개"),
    ("x", "nan"),
    ("x", "NaN"),
    ("x", "NULL"),
    ("x", "#N/A"),
    ("x", "\\N"),
    ("x", "undefined"),
    ("x", "<NA>"),
    ("x", "None"),
    ("x", "[object Object]"),
    ("x", "N/A"),
    ("x", "____"),
    ("x", "???"),
    ("x", "..."),
    ("x", "-"),
    ("x", "〇〇"),
    ("x", "[]"),
]
SAID = [
    ("Job", "[baker]"),
    ("爱好", "[钓鱼]"),
    ("Age", "[29]"),
    ("Number", "<3"),
    ("Hometown", "Nan"),
    ("x", "None of your business"),
    ("书", "《红楼梦》"),
    ("Job", "(retired)"),
    ("Blood", "X"),
    ("Friend", "{{char}}"),
    ("Weapon", "a hook & line"),
    ("Name", "Todor"),
    ("武功", "空手道"),
    ("好物", "未来"),
    ("Employer", "Wipro"),
    ("x", "(unknown to all but her)"),
    ("x", "29"),
    ("好きな映画", "《名前》"),
]


@table(("key", "value"), MISSING)
def test_what_nobody_filled_in_is_missing(tmp_path: Path, key: str, value: str) -> None:
    assert is_missing(value, key)
    (tmp_path / "a.json").write_text(json.dumps({"Character": "Mara", "town": "Tarn", key: value}), encoding="utf-8")
    (mara,) = read_characters([tmp_path / "a.json"]).characters
    assert mara.facts == {"town": "Tarn"}


@table(("key", "value"), SAID)
def test_what_is_said_is_not_missing(key: str, value: str) -> None:
    assert not is_missing(value, key)


def test_a_macro_inside_a_value_makes_it_no_fact() -> None:
    assert has_macro("a {{random:red,blue}} coat")
    assert not has_macro("the friend of {{user}} and {{char}}")


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (
            ".md",
            "# 角色档案：[CHARACTER_NAME]\n\n## 基本信息\n\n- **姓名**：[NAME]\n- **职业**：[JOB]\n- **家乡**：[HOME]\n",
        ),
        (".txt", "Name: {name}\nAge: {age}\nJob: TODO\n"),
        (".yaml", "名前: <名前>\n職業: <職業>\n"),
        (".json", '{"이름": "[이름 입력]", "직업": "[직업 입력]"}'),
    ],
)
def test_a_template_is_refused_as_one(tmp_path: Path, suffix: str, text: str) -> None:
    (tmp_path / f"a{suffix}").write_text(text, encoding="utf-8")
    result = read_characters([tmp_path / f"a{suffix}"])
    assert result.characters == ()
    assert "template" in result.refused[0].reason


def test_missing_cells_of_a_table(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("name,age,job,town\nMara,nan,baker,\\N\nOdd,NaN,NULL,#N/A\n", encoding="utf-8")
    result = read_characters([tmp_path / "a.csv"])
    assert [(c.name, c.facts) for c in result.characters] == [("Mara", {"job": "baker"})]
    assert [(r.row, r.reason) for r in result.refused] == [(2, "nothing but a name")]


def test_a_name_that_is_missing_is_none(tmp_path: Path) -> None:
    rows = [{"name": None, "bio": "Sings."}, {"name": "nan", "bio": "Fishes."}, {"name": "Nan", "bio": "Knits."}]
    (tmp_path / "a.json").write_text(json.dumps(rows), encoding="utf-8")
    assert [c.name for c in read_characters([tmp_path / "a.json"]).characters] == [None, None, "Nan"]
