"""Facts of relatives, friends and pets are never the character's own, however the file is nested."""

import json
from pathlib import Path
from typing import Any

from raiden_core.characters import read_characters
from raiden_core.characters.character import Character
from tests.support.tables import table

ORLA = {"name": "Orla Fenwick", "occupation": "net mender"}
JOB = {"occupation": "net mender"}


def read_one(tmp_path: Path, content: object, suffix: str = ".json") -> Character:
    path = tmp_path / f"a{suffix}"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    result = read_characters([path])
    assert result.refused == ()
    (character,) = result.characters
    return character


RECORDS: list[tuple[dict[str, Any], dict[str, str], dict[str, str]]] = [
    (
        ORLA | {"family": {"father": {"name": "Ulf", "age": 61}}},
        JOB,
        {"father: name": "Ulf", "father: age": "61"},
    ),
    (ORLA | {"pet": {"species": "dog", "age": 5}}, JOB, {"pet: species": "dog", "pet: age": "5"}),
    (ORLA | {"pets": [{"name": "Rex", "age": 4}]}, JOB, {"pets: Rex: age": "4"}),
    (
        ORLA | {"relations": [{"type": "rival", "name": "Odd", "hometown": "Tarn"}]},
        JOB,
        {"rival: name": "Odd", "rival: hometown": "Tarn"},
    ),
    (ORLA | {"house": {"age": 120}}, JOB, {"house: age": "120"}),
    (
        ORLA | {"father_occupation": "sailor", "motherAge": 60},
        JOB,
        {"father: occupation": "sailor", "mother: age": "60"},
    ),
    # What merely groups fields is the character's own.
    (ORLA | {"basic_info": {"age": 29}, "appearance": {"hair": "red"}}, JOB | {"age": "29", "hair": "red"}, {}),
    (ORLA | {"favorites": {"food": "herring"}}, JOB | {"favourite food": "herring"}, {}),
    (ORLA | {"persona": {"kind": "boostyle", "attributes": {"age": ["29"]}}}, JOB | {"age": "29"}, {}),
    (ORLA | {"details": [{"key": "age", "value": 29}]}, JOB | {"age": "29"}, {}),
    (ORLA | {"mother": "Una, a weaver"}, JOB | {"mother": "Una, a weaver"}, {}),
    (
        {"이름": "한지우", "직업": "재봉사", "가족": {"어머니": {"직업": "의사"}}},
        {"직업": "재봉사"},
        {"어머니: 직업": "의사"},
    ),
    (
        {"名前": "佐藤健", "職業": "会社員", "家族": [{"続柄": "母", "職業": "看護師"}]},
        {"職業": "会社員"},
        {"母: 職業": "看護師"},
    ),
    (
        {"姓名": "林小雨", "基本信息": {"年龄": 24}, "宠物": {"品种": "柴犬"}},
        {"年龄": "24"},
        {"宠物: 品种": "柴犬"},
    ),
]


@table(("record", "own", "others"), RECORDS)
def test_nested_fields_keep_their_path(
    tmp_path: Path, record: dict[str, Any], own: dict[str, str], others: dict[str, str]
) -> None:
    character = read_one(tmp_path, record)
    assert character.facts == own
    assert character.others == others
    assert others.items() <= character.profile.items(), "prompts show whose they are"


TEXTS = [
    (".txt", "Name: Orla\nFather:\n  Name: Ulf\n  Age: 61\nTown: Oslo\n", {"Town": "Oslo"}, "Father: Age"),
    (
        ".txt",
        "Name: Orla\nAge: 29\nFather: Ulf\n  Age: 61\nTown: Oslo\n",
        {"Age": "29", "Father": "Ulf", "Town": "Oslo"},
        "Father: Age",
    ),
    (
        ".txt",
        "Name: Orla\nTown: Oslo\n\nFather:\nName: Ulf\nAge: 61\n\nAge: 29\n",
        {"Town": "Oslo", "Age": "29"},
        "Father: Age",
    ),
    (".txt", "- **Name:** Orla\n- **Brother:**\n    - **Age:** 35\n- **Job:** cook\n", {"Job": "cook"}, "Brother: Age"),
    (
        ".txt",
        "姓名：林小雨\n\n【父亲】\n职业：铁匠\n年龄：61\n\n【基本信息】\n年龄：24\n家乡：徽州\n",
        {"年龄": "24", "家乡": "徽州"},
        "父亲: 职业",
    ),
    (".txt", "姓名：林小雨，家乡：徽州，父亲：林大山，职业：铁匠", {"家乡": "徽州", "父亲": "林大山"}, "父亲: 职业"),
    (".txt", "名前：佐藤健\n出身：大阪\n\n父：\n名前：佐藤一\n職業：鍛冶屋\n", {"出身": "大阪"}, "父: 職業"),
    (".txt", "이름: 한지우\n고향: 부산\n아버지:\n  이름: 한대산\n  직업: 대장장이\n", {"고향": "부산"}, "아버지: 직업"),
    (
        ".md",
        "# Orla\n\n- Age: 29\n\n## Family\n\n### Mother\n- Name: Una\n- Job: weaver\n",
        {"Age": "29"},
        "Mother: Job",
    ),
    (
        ".md",
        "# 林小雨\n\n- 家乡：徽州\n\n## 家庭\n\n### 父亲\n- 姓名：林大山\n- 职业：铁匠\n",
        {"家乡": "徽州"},
        "父亲: 职业",
    ),
    (".md", "# 佐藤健\n\n- 出身：大阪\n\n## ペット\n- 名前：ポチ\n- 種類：柴犬\n", {"出身": "大阪"}, "ペット: 種類"),
    (
        ".md",
        "# Mara\n\n- Age: 29\n\n## Husband\n| Field | Value |\n|---|---|\n| Job | sailor |\n",
        {"Age": "29"},
        "Husband: Job",
    ),
    (".yaml", "name: Orla\nage: 29\nspouse:\n  name: Karl\n  job: sailor\n", {"age": "29"}, "spouse: job"),
]


@table(("suffix", "text", "own", "other"), TEXTS)
def test_sections_and_indented_lines_belong_to_whom_they_stand_under(
    tmp_path: Path, suffix: str, text: str, own: dict[str, str], other: str
) -> None:
    character = read_one(tmp_path, text, suffix)
    assert character.name is not None and character.name in text.split("\n\n")[0], "not a relative's name"
    assert character.facts == own
    assert other in character.others


def test_somebody_elses_possessive_is_a_path_and_the_own_one_goes(tmp_path: Path) -> None:
    text = "[Orla's age: 29; Orla's job: cook]\nBram's age: 50\n"
    character = read_one(tmp_path, {"name": "Orla Fenwick", "description": text})
    assert character.facts == {"age": "29", "job": "cook"}
    assert character.others == {"Bram: age": "50"}
