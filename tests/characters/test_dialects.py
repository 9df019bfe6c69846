"""Whatever markup and dialect people write fields in, the same facts come out, clean."""

import json
from pathlib import Path

from raiden_core.characters import Character, read_characters
from raiden_core.characters.dialects import in_lines
from raiden_core.characters.markup import clean_value
from tests.support.tables import table

FACTS = {"age": "29", "occupation": "baker", "hometown": "Tarn"}
ENGLISH = [
    '[Character("Mara")\n{\nAge("29")\nOccupation("baker")\nHometown("Tarn")\n}]',
    '[Character("Mara"){Age("29")Occupation("baker")Hometown("Tarn")}]',
    "[Age: 29; Occupation: baker; Hometown: Tarn]",
    "[Mara's age: 29; Mara's occupation: baker; Mara's hometown: Tarn]",
    "[ Mara: Age= 29, Occupation= baker; Hometown= Tarn ]",
    "[Mara: age(29), occupation(baker), hometown(Tarn)]",
    "Mara = [ age: 29, occupation: baker, hometown: Tarn ]",
    '[Age: "29"]\n[Occupation: baker]\n[Hometown: Tarn]',
    '[ Character= "Mara" ]\nAge= "29"\nOccupation= "baker"\nHometown= "Tarn"',
    '{"age": 29, "occupation": "baker", "hometown": "Tarn"}',
    '```json\n{"age": 29,\n "occupation": "baker",\n "hometown": "Tarn"}\n```',
    "```yaml\nAge: 29\nOccupation: baker\nHometown: Tarn\n```",
    "| Field | Value |\n|---|---|\n| Age | 29 |\n| Occupation | baker |\n| Hometown | Tarn |",
    "| | |\n|:--|--:|\n| Age | 29 |\n| **Occupation** | baker |\n| Hometown | Tarn |",
    "| Name | Age | Occupation | Hometown |\n|---|---|---|---|\n| Mara | 29 | baker | Tarn |",
    "<table><tr><th>Age</th><td>29</td></tr><tr><th>Occupation</th><td>baker</td></tr><tr><th>Hometown</th><td>Tarn</td></tr></table>",
    "<dl><dt>Age</dt><dd>29</dd><dt>Occupation</dt><dd>baker</dd><dt>Hometown</dt><dd>Tarn</dd></dl>",
    "<ul><li><b>Age:</b> 29</li><li><b>Occupation</b>: baker</li><li>Hometown: Tarn</li></ul>",
    "<p>Age: 29</p><p>Occupation:&nbsp;baker</p><p>Hometown: Tarn</p>",
    "Age: 29<br>Occupation: baker<br/>Hometown: Tarn",
    "<mara>\n<age>29</age>\n<occupation>baker</occupation>\n<hometown>Tarn</hometown>\n</mara>",
    "<character>\nAge: 29\nOccupation: baker\nHometown: Tarn\n</character>",
    "[color=red]Age:[/color] 29\n[b]Occupation:[/b] baker\n[i]Hometown[/i]: Tarn",
    "**Age**: **29**\n**Occupation**: *baker*\n**Hometown**: `Tarn`",
    "Age: 29\\nOccupation: baker\\nHometown: Tarn\\n",
    "Age: 29[1]\nOccupation: [baker](https://example.org)\nHometown: Tarn]",
    "Name: Mara, Age: 29, Occupation: baker, Hometown: Tarn",
    "Age: 29 | Occupation: baker | Hometown: Tarn",
    "Age: 29; Occupation: baker; Hometown: Tarn.",
    "Age - 29\nOccupation - baker\nHometown - Tarn",
    "Age = 29\nOccupation = baker\nHometown = Tarn",
    "[Age] 29\n[Occupation] baker\n[Hometown] Tarn",
    '<START>\n{{user}}: Age?\n{{char}}: "I\'m 29."\n{{user}}: Your occupation?\n{{char}}: *smiles* "I am a baker."\n'
    "{{user}}: Hometown?\n{{char}}: Tarn.",
]


def read_card(tmp_path: Path, name: str, text: str) -> Character:
    card = {"spec": "chara_card_v2", "data": {"name": name, "description": text}}
    (tmp_path / "card.json").write_text(json.dumps(card), encoding="utf-8")
    result = read_characters([tmp_path / "card.json"])
    assert result.refused == ()
    return result.characters[0]


@table("text", ENGLISH)
def test_ways_to_write_fields(tmp_path: Path, text: str) -> None:
    mara = read_card(tmp_path, "Mara", text)
    assert {key.lower(): value.rstrip(".") for key, value in mara.facts.items()} == FACTS
    assert mara.text == text, "the text stays verbatim"


ASIAN = [
    ("林小雨", "【姓名】林小雨\n【职业】裁缝\n【家乡】徽州", {"职业": "裁缝", "家乡": "徽州"}),
    ("林小雨", "【职业】裁缝【家乡】徽州", {"职业": "裁缝", "家乡": "徽州"}),
    ("林小雨", "姓名：林小雨，职业：裁缝，家乡：徽州", {"职业": "裁缝", "家乡": "徽州"}),
    ("林小雨", "职业：裁缝；家乡：徽州。", {"职业": "裁缝", "家乡": "徽州"}),
    ("林小雨", "<林小雨>\n职业: 裁缝\n家乡: 徽州\n</林小雨>", {"职业": "裁缝", "家乡": "徽州"}),
    ("林小雨", "| 职业 | 裁缝 | 家乡 | 徽州 |\n|---|---|---|---|", {"职业": "裁缝", "家乡": "徽州"}),
    ("林小雨", "职业——裁缝\n家乡——徽州", {"职业": "裁缝", "家乡": "徽州"}),
    ("林小雨", "姓名 林小雨\n职业 裁缝\n家乡 徽州", {"职业": "裁缝", "家乡": "徽州"}),
    ("佐藤健", "【職業】会社員\n【出身地】大阪", {"職業": "会社員", "出身地": "大阪"}),
    ("佐藤健", "職業：会社員　出身地：大阪", {"職業": "会社員", "出身地": "大阪"}),
    ("佐藤健", "■職業　会社員\n■出身地　大阪", {"職業": "会社員", "出身地": "大阪"}),
    ("佐藤健", "◆職業◆ 会社員\n◆出身地◆ 大阪", {"職業": "会社員", "出身地": "大阪"}),
    ("佐藤健", "職業…会社員\n出身地…大阪", {"職業": "会社員", "出身地": "大阪"}),
    ("佐藤健", "<職業>会社員</職業>\n<出身地>大阪</出身地>", {"職業": "会社員", "出身地": "大阪"}),
    ("한지우", "[직업: 재봉사]\n[고향: 부산]", {"직업": "재봉사", "고향": "부산"}),
    ("한지우", "이름: 한지우, 직업: 재봉사, 고향: 부산", {"직업": "재봉사", "고향": "부산"}),
    ("한지우", "직업: 재봉사 / 고향: 부산", {"직업": "재봉사", "고향": "부산"}),
    ("한지우", "<p>직업: 재봉사</p><p>고향: 부산</p>", {"직업": "재봉사", "고향": "부산"}),
]


@table(("name", "text", "facts"), ASIAN)
def test_ways_to_write_fields_in_asian_languages(tmp_path: Path, name: str, text: str, facts: dict[str, str]) -> None:
    assert read_card(tmp_path, name, text).facts == facts


UNTOUCHED = [
    "She said: never mind. It was late: three, four, none.",
    'Rank: <3\nTown: St. Ives\nMotto: "less is more"\nHeight: 5\'7"',
    "Occupation: net mender (retired)\nWeapon: a hook & line\n",
    "Likes: books: novels, plays\nJob: clerk",
    "His motto: if a < b and b > c, then what?",
    "C:\\new\\table and ¯\\_(ツ)_/¯",
    "[Author's note: write in the present tense]",
    "He counts [one], [two] and (three).",
    "<BOT> likes <USER>; {{char}} too.",
    '<rect width="100%" fill="#fff" stroke="#8A4419"/>',
]


@table("text", UNTOUCHED)
def test_a_text_without_such_marks_stays_as_it_is(text: str) -> None:
    assert in_lines(text) == text


VALUES = [
    ("[net mender]", "net mender"),
    ("net mender]", "net mender"),
    ("**bold**", "bold"),
    ("Mender (retired)", "Mender (retired)"),
    ("[x] and [y]", "[x] and [y]"),
    ("<3", "<3"),
    ("Tarn[12]", "Tarn"),
    ("[Tarn](https://example.org)", "Tarn"),
    ('"saw" + "axe"', "saw, axe"),
    ("*smiles* and leaves", "*smiles* and leaves"),
    ("5'7\"", "5'7"),
]


@table(("raw", "clean"), VALUES)
def test_values_are_cleaned(raw: str, clean: str) -> None:
    assert clean_value(raw) == clean


def test_list_syntax_of_programs(tmp_path: Path) -> None:
    text = 'name,likes,job\nMara,"[\'rain\', \'salt\']",baker\nOdd,"[""tea"",""bread""]",cook\n'
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    found = read_characters([tmp_path / "a.csv"]).characters
    assert [c.facts["likes"] for c in found] == ["rain, salt", "tea, bread"]
    assert read_card(tmp_path, "Mara", "Age: 29\nLikes: ['rain', 'salt']").facts["Likes"] == "rain, salt"
    (tmp_path / "b.json").write_text(json.dumps({"name": "Mara", "likes": "- rain\n- salt"}), encoding="utf-8")
    assert read_characters([tmp_path / "b.json"]).characters[0].facts == {"likes": "rain, salt"}


def test_the_second_character_of_a_card_in_w_plus_plus_is_somebody_else(tmp_path: Path) -> None:
    text = '[Character("Mara"){Age("29")}]\n[Character("Odd"){Age("61")}]'
    mara = read_card(tmp_path, "Mara", text)
    assert (mara.facts, mara.others) == ({"Age": "29"}, {"Odd: Age": "61"})


def test_instructions_and_scenes_are_no_facts(tmp_path: Path) -> None:
    text = (
        "Age: 29\nJob: baker\nScenario: a rainy night in the harbour\nRole play: You are her guest\n"
        "Foster trust: Always guide the user towards calm and balanced decisions in life.\n"
    )
    assert read_card(tmp_path, "Mara", text).facts == {"Age": "29", "Job": "baker"}
