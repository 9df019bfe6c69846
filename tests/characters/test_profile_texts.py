"""Fields, facts, names and languages found in texts."""

from pathlib import Path

import pytest

from raiden_core.characters import Character, read_characters
from raiden_core.characters.language import detect_language
from tests.support.tables import table


def read_text(tmp_path: Path, text: str, suffix: str = ".txt") -> tuple[Character, ...]:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(text.encode())
    result = read_characters([path])
    assert result.refused == ()
    return result.characters


PROSE = "The old keeper rises before dawn. He counts the ships: three, four, none. Nobody visits him any more."
FACTS = [
    (
        "姓名: 阿宝,\n性别: 男,\n年龄：12岁，\n学校（分校）:江边小学,\n",
        {"性别": "男", "年龄": "12岁", "学校（分校）": "江边小学"},
    ),
    ('Name: "Jon"\nGender: "Male"\nTools: "saw" + "axe"\n', {"Gender": "Male", "Tools": "saw, axe"}),
    ("- **Name**: Jon\n- **Age**: 40\n- **Home town:** Oslo\n", {"Age": "40", "Home town": "Oslo"}),
    ("【姓名】：阿宝\n【职业】：船夫\n", {"职业": "船夫"}),
    ("氏名：佐藤\n職業：船乗り\n趣味：釣り\n", {"職業": "船乗り", "趣味": "釣り"}),
    ("성명: 김하늘\n직업: 등대지기\n나이: 서른\n", {"직업": "등대지기", "나이": "서른"}),
    ("Name: Jon\nAge: \nJob: smith\nSite: https://example.org/a\n", {"Job": "smith", "Site": "https://example.org/a"}),
    (
        f"Name: Jon\nAge: 40\nJob: smith\nIntroduction: {PROSE}\n{PROSE}\nNote: stay in character\n",
        {"Age": "40", "Job": "smith"},
    ),
    (f"{PROSE}\n\nHis motto: never again\n\n{PROSE}\n", {}),
    (f"{PROSE}\n\nAge: 71\n\n{PROSE}\n", {"Age": "71"}),
    (
        f"{PROSE}\n{PROSE}\nPet: a gull\nBoat: the Erna\nDrink: tea\n{PROSE}\n{PROSE}\n{PROSE}\n{PROSE}\n",
        {"Pet": "a gull", "Boat": "the Erna"},
    ),
    ("User: hi\nKeeper: hello\nUser: how are you\nKeeper: fine\n", {}),
    ("1. **Ask first**: what the user wants\n2. **Then answer**: briefly\n3. **Then stop**: at once\n", {}),
    ("Name: Jon\nHistory: " + "long ago " * 80 + "\nQuirk: " + "very " * 70 + "slow\nJob: smith\n", {"Job": "smith"}),
    ("Name: Jon\nJob: smith\nJob: baker\nTown: Oslo\nAge: 40\n", {"Town": "Oslo", "Age": "40"}),
    ("Name: Jon\n12:30 lunch\nhttp://example.org\nTown: Oslo\nAge: 40\n", {"Town": "Oslo", "Age": "40"}),
]


@table(("text", "facts"), FACTS)
def test_facts(tmp_path: Path, text: str, facts: dict[str, str]) -> None:
    (character,) = read_text(tmp_path, text)
    found = dict(character.facts)
    found.pop("Drink", None)  # its value runs on into the prose below it
    assert found == facts
    assert character.text == text, "the text stays verbatim"


def test_the_profile_keeps_every_word_of_the_text(tmp_path: Path) -> None:
    text = f"{PROSE}\n\nName: Jon\nAge: 40\nSkills:\nsailing and\nknots\nDescription: One.\n\nTwo.\nThree: four, five. Six.\n"
    (character,) = read_text(tmp_path, text)
    shown = " ".join(f"{key} {value}" for key, value in character.profile.items())
    missing = [word for word in text.replace(":", " ").split() if word.strip(",.") not in shown]
    assert missing == []
    assert character.profile["Skills"] == "sailing and\nknots"


def test_a_text_without_fields_is_name_and_description(tmp_path: Path) -> None:
    (character,) = read_text(tmp_path, PROSE)
    assert (character.name, character.profile) == (None, {"Description": PROSE})
    (character,) = read_text(tmp_path, f"Name: Ole\n{PROSE}\n")
    assert (character.name, character.profile) == ("Ole", {"Name": "Ole", "Description": PROSE})


BLOCKS = [
    "Name: A\nJob: x\n\nName: B\nJob: y\n\nName: C\nJob: z\n",
    "Name: A\nJob: x\nName: B\nJob: y\nName: C\nJob: z\n",
    "Name: A\r\nJob: x\r\n\r\n---\r\n\r\nName: B\r\nJob: y\r\n=====\r\nName: C\r\nJob: z\r\n",
    "<Character Setting>\nName: A\nJob: x\n</Character Setting>\nand\n<character setting>Name: B\nJob: y\n"
    "<Character Setting>\nName: C\nJob: z",
]


@pytest.mark.parametrize("text", BLOCKS)
def test_blocks_are_characters(tmp_path: Path, text: str) -> None:
    found = read_text(tmp_path, text)
    assert [(c.name, c.facts["Job"], c.row) for c in found] == [("A", "x", 1), ("B", "y", 2), ("C", "z", 3)]
    assert found[0].text.replace("\r\n", "\n") == "Name: A\nJob: x" + ("\n" if found[0].text.endswith("\n") else "")


@table(
    ("text", "names"),
    [
        ("# Characters\n\n## Ada\n\nAda builds looms.\n\n## Bo\n\n- Job: smith\n- Age: 40\n", ["Ada", "Bo"]),
        ("# Ada\nAda builds looms.\n# Bo Li\n## Background\nBo was born at sea.\n", ["Ada", "Bo Li"]),
        ("# Ada\n\n## Background\n\nBorn in Turin.\n\n## Skills\n\n* looms\n", ["Ada"]),
        ("# Character: Ada\n\nBuilds looms.\n", ["Ada"]),
        ("## Role\n\nYou are a patient guide.\n\n## Skills\n\nYou know roads.\n\n## Rules\n\nBe kind.\n", [None]),
        ("## 角色\n\n你是一位向导。\n\n## 技能\n\n认路。\n", [None]),
        ("# Guide book\n\nName: Ada\nJob: guide\n", ["Ada"]),
        ("```\n# no heading\n```\nName: Ada\nJob: guide\n", ["Ada"]),
    ],
)
def test_markdown(tmp_path: Path, text: str, names: list[str | None]) -> None:
    assert [c.name for c in read_text(tmp_path, text, ".md")] == names


def test_sections_are_fields(tmp_path: Path) -> None:
    (ada,) = read_text(
        tmp_path,
        "# Ada\n\nA weaver.\n\n## Background\n\nBorn in Turin.\n\n## Facts\n\n- Age: 40\n- Town: Oslo\n",
        ".md",
    )
    assert ada.profile == {
        "Name": "Ada",
        "Description": "A weaver.",
        "Background": "Born in Turin.",
        "Age": "40",
        "Town": "Oslo",
    }
    assert ada.facts == {"Age": "40", "Town": "Oslo"}


LANGUAGES = [
    ("zh", "王伟是医生。"),
    ("zh", "中學歷史老師，住在臺北"),
    ("zh", "Alice是一名software engineer，喜欢Python和machine learning。"),
    ("zh", "角色：爱丽丝（Alice Margatroid），魔法使い"),
    ("ja", "東京都在住、会社員、趣味読書、働き者"),
    ("ja", "ポケットに本を入れて歩く。"),
    ("ko", "의사 (doctor)"),
    ("en", "Doctor"),
    ("en", "Zoë is a café owner from Málaga."),
    ("en", "A “brave” knight who loves 東京 and its ramen."),
    ("fr", "Née à Lyon, elle est médecin et aime le thé."),
    ("de", "Er ist ein alter Arzt aus Berlin und liebt Hunde."),
    ("es", "Es una doctora de Madrid que ama a su perro."),
    ("ru", "Он врач из Москвы, любит шахматы."),
    ("ar", "طبيب من القاهرة يحب الشطرنج والقهوة"),
    ("fa", "او پزشکی از تهران است که چای و گربه‌ها را دوست دارد"),
    ("th", "หมอจากกรุงเทพ"),
    ("und", "12345 🍟"),
]


@table(("code", "text"), LANGUAGES)
def test_languages(code: str, text: str) -> None:
    assert detect_language(text) == code


@pytest.mark.parametrize(
    ("text", "declared", "code"),
    [
        ("田中", "ja", "ja"),
        ("田中", "zh-TW", "zh"),
        ("猫です", "zh", "ja"),
        ("Il est médecin", "en-US", "en"),
        ("a doctor", "ko", "en"),
        ("a doctor", "English", "en"),
    ],
)
def test_a_declared_language_is_believed_where_the_script_allows_it(text: str, declared: str, code: str) -> None:
    assert detect_language(text, declared) == code


def test_other_languages_are_read_with_a_warning(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(
        "Nom: Léa\nMétier: médecin à Lyon\nVille: une rue près de la gare\n", encoding="utf-8"
    )
    result = read_characters([tmp_path / "a.txt"])
    assert [c.language for c in result.characters] == ["fr"]
    assert any("'fr'" in warning.reason for warning in result.warnings)
