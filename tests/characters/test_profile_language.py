"""The language of a profile, told by the names of its fields and by their values together."""

import json
import random
from pathlib import Path

import pytest

from raiden_core.characters import read_characters
from raiden_core.characters.language import detect_language
from tests.support.tables import table

PROFILES: list[tuple[str, dict[str, object]]] = [
    ("en", {"name": "Orla Fenwick", "age": 29}),
    ("en", {"name": "Orla", "age": "29", "occupation": "net mender", "hometown": "Mumbai", "likes": "hiking, photography"}),
    ("en", {"name": "Kwame Mensah", "occupation": "griot", "hometown": "Kumasi", "likes": "fufu, highlife"}),
    ("en", {"Name": "Zoë", "Job": "barista", "Town": "Málaga"}),
    ("en", {"name": "José", "description": "Name: José\nAge: 40\nHometown: São Paulo"}),
    ("zh", {"姓名": "林小雨", "年龄": 24, "身高": 165}),
    ("zh", {"姓名": "Alice", "职业": "Doctor"}),
    ("zh", {"name": "林小雨", "occupation": "裁缝"}),
    ("zh", {"姓名": "田中", "性别": "男", "职业": "社员"}),
    ("ja", {"名前": "佐藤健", "年齢": 24}),
    ("ja", {"名前": "佐藤健", "性別": "男", "職業": "会社員", "出身地": "大阪", "趣味": "登山、写真"}),
    ("ja", {"氏名": "田中一郎", "職業": "教師"}),
    ("ja", {"Character": "佐藤健", "職業": "会社員"}),
    ("ja", {"name": "佐藤健", "好きな食べ物": "寿司"}),
    ("ko", {"이름": "Kim", "나이": 24}),
    ("ko", {"이름": "金哲洙", "나이": 24}),
    # Sentences speak for themselves, whatever the fields are called.
    ("es", {"name": "José", "description": "Es un pescador que vive en la costa y le gusta el mar."}),
    ("no", {"name": "Ingrid", "beskrivelse": "Hun er en fisker som bor i Bergen og liker å gå tur på fjellet med hunden sin."}),
    ("fr", {"name": "Léa", "personality": "Elle est calme et aime les livres et la mer.", "age": 30}),
    ("en", {"姓名": "Alice", "简介": "She is a doctor who lives in a small house by the sea with her two dogs."}),
]  # fmt: skip


@table(("code", "record"), PROFILES)
def test_keys_and_values_together(tmp_path: Path, code: str, record: dict[str, object]) -> None:
    (tmp_path / "a.json").write_text(json.dumps(record), encoding="utf-8")
    (character,) = read_characters([tmp_path / "a.json"]).characters
    assert character.language == code


WORDS = {
    "name": "Orla Fenwick|Bram Oakes|Ngozi Umeh|Siân Rees|Kaleo Nakamura|Zoë Marchetti|Ivo Petrov|Anahera Tane",
    "age": "19|29|41|67|twenty-two",
    "occupation": "net mender|luthier|sous-chef|barista|judoka|beekeeper|tram driver|gaucho|farrier|sommelier",
    "hometown": "Mumbai|Skerry Bay|Kraków|São Paulo|Tarn|Nuuk|Ōtautahi|Zagreb|Ljubljana|Aix-en-Provence",
    "likes": "hiking, photography|herring, rain|salsa, tango|udon, sake|gouache|chai, ragas|samba",
    "personality": "brave, loyal|stern|sanguine|laconic, dry|genial|mercurial, vain",
    "weapon": "kukri|a hook|katana|none|machete|atlatl",
    "pet": "axolotl|a gull called Pip|corgi|iguana|Bruno the mastiff",
    "favorite food": "pierogi|goulash|tagliatelle|pad thai|fondue|pho|borscht",
    "species": "human|selkie|elf|kobold",
}


def test_no_composed_english_profile_is_misread(tmp_path: Path) -> None:
    rng = random.Random(7)
    rows = []
    for _ in range(300):
        keys = ["name", *rng.sample([key for key in WORDS if key != "name"], 5)]
        rows.append({key: rng.choice(WORDS[key].split("|")) for key in keys})
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    found = read_characters([path]).characters
    assert [(c.language, c.profile) for c in found if c.language != "en"] == []
    assert len(found) > 290, "some are twice the same"


@pytest.mark.parametrize(
    ("text", "keys", "code"),
    [
        ("24", ["年龄"], "zh"),
        ("24", [], "und"),
        ("大阪", ["出身地", "名前"], "ja"),
        ("大阪", ["家乡", "姓名"], "zh"),
        ("他是一名医生，住在东京的一家医院里。", ["名前"], "zh"),
        ("ポケットに本を入れて歩く。", ["姓名"], "ja"),
        ("김치", ["name"], "ko"),
    ],
)
def test_detection_with_keys(text: str, keys: list[str], code: str) -> None:
    assert detect_language(text, None, keys) == code
