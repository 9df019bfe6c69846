"""What holds no character is refused as what it is; rows of role-play data sets that hold one are read."""

import json
from pathlib import Path
from typing import Any

import pytest

from raiden_core.characters import read_characters
from tests.support.tables import table

ENTRY = {"keys": ["bay"], "content": "The bay is old.", "insertion_order": 1}
STRANGERS: list[tuple[str, Any]] = [
    ("chat log", [{"user_name": "Sam", "character_name": "Orla", "create_date": "2024-01-01"}]),
    ("chat log", [{"name": "Orla", "is_user": False, "send_date": "Jan 1", "mes": "Hi", "extra": {}}]),
    ("lorebook", {"entries": {"0": {"uid": 0, "key": ["bay"], "content": "Old.", "order": 100}}}),
    ("lorebook", {"name": "Bay", "entries": [ENTRY]}),
    ("lorebook", {"type": "risu", "ver": 1, "data": [{"key": "bay", "content": "Old."}]}),
    ("raiden split", [{"character_name": "A", "question": "q", "answer": "a", "keywords": ["x"]}]),
    ("raiden score", [{"keywords": ["x"], "completion": "<answer>x</answer>"}]),
    ("teacher.seeds", [{"messages": [{"role": "user", "content": "hi"}]}]),
    ("teacher.seeds", [{"conversations": [{"from": "human", "value": "hi"}], "lang": "en"}]),
    ("teacher.seeds", [{"dialogue": [{"speaker": "A", "utterance": "hi"}], "emotion": "joy"}]),
    ("benchmark", [{"question": "2+2?", "choices": ["3", "4"], "answer": "B"}]),
    ("benchmark", [{"query": "?", "options": {"A": "x"}, "label": "A", "subject": "history"}]),
    ("training data", [{"instruction": "do", "input": "", "output": "x"}]),
    ("training data", [{"prompt": "x", "chosen": "a", "rejected": "b"}]),
    ("sampling settings", {"temp": 1, "top_p": 0.9, "top_k": 40, "rep_pen": 1.1}),
    ("regex script", {"scriptName": "x", "findRegex": "/a/", "replaceString": ""}),
]  # fmt: skip


@table(("what", "content"), STRANGERS)
@table("suffix", [".json", ".jsonl"])
def test_what_is_no_character_is_named(tmp_path: Path, what: str, content: Any, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    rows = content if isinstance(content, list) else [content]
    text = json.dumps(content) if suffix == ".json" else "\n".join(map(json.dumps, rows))
    path.write_text(text, encoding="utf-8")
    result = read_characters([path])
    assert result.characters == ()
    assert [what in refusal.reason for refusal in result.refused] == [True]


ROWS: list[tuple[dict[str, Any], list[tuple[str, dict[str, str]]]]] = [
    (
        {
            "bot_id": "b",
            "bot_name": "Mara",
            "bot_greeting": "Hi",
            "bot_definitions": "{{char}}: hm",
            "bot_description": "Age: 29\nJob: baker",
            "categories": ["Game"],
            "conversation": [{"message": "hi", "is_human": True}],
        },
        [("Mara", {"Age": "29", "Job": "baker"})],
    ),
    (
        {
            "scenario": "s",
            "book": "B",
            "dialogues": [{"character": "Mara", "message": "hi"}],
            "character_profiles": {"Mara": "**Name:** Mara\n**Job:** baker", "Odd": "**Name:** Odd\n**Job:** cook"},
        },
        [("Mara", {"Job": "baker"}), ("Odd", {"Job": "cook"})],
    ),
    (
        {
            "character_id": "c",
            "persona": "A baker from Tarn",
            "character": "Name: Mara Voss\nAge: 29\nJob: baker\nMara has lived in Tarn for as long as anybody remembers.",
        },
        [("Mara Voss", {"Age": "29"})],
    ),
    (
        {
            "character_name": "佐藤健",
            "character_profile": "職業：会社員\n出身地：大阪",
            "user_name": "用户",
            "user_profile": "N/A",
            "greeting": "hi",
            "dialogue": [{"turn": 1, "speaker": "user", "utterance": "年齢は？"}],
            "annotation_score": 4,
            "translation_en": {"character_name": "Ken", "occupation": "clerk"},
        },
        [("佐藤健", {"職業": "会社員", "出身地": "大阪"})],
    ),
    (
        {
            "dialogue": [{"from": "Mara", "value": "hi"}],
            "instruction": "",
            "choices": {"A": "x"},
            "label": ["A"],
            "meta": {"name": "Mara", "lang": "en", "profile": {"Mara": "Name: Mara\nAge: 29\nJob: baker"}},
        },
        [("Mara", {"Age": "29", "Job": "baker"})],
    ),
    (
        {"npc_type": "虚拟IP", "npc_setting": "姓名: 林小雨,\n职业: 裁缝,"},
        [("林小雨", {"职业": "裁缝"})],
    ),
    (
        {"bot_name": "张三", "bot_info": "姓名：张三\n职业：木匠", "user_name": "u", "user_info": ""},
        [("张三", {"职业": "木匠"})],
    ),
]


@pytest.mark.parametrize(("row", "expected"), ROWS)
def test_rows_of_role_play_data_sets(
    tmp_path: Path, row: dict[str, Any], expected: list[tuple[str, dict[str, str]]]
) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    result = read_characters([tmp_path / "a.jsonl"])
    assert result.refused == ()
    assert [c.name for c in result.characters] == [name for name, _ in expected]
    for character, (_, facts) in zip(result.characters, expected, strict=True):
        assert facts.items() <= character.facts.items()
        assert not set(character.facts) & {"annotation_score", "npc_type", "occupation"}
        assert character.row == 1


def test_a_long_chat_log_is_one_refusal(tmp_path: Path) -> None:
    head = {"user_name": "You", "character_name": "Mina", "create_date": "2026-01-01", "chat_metadata": {}}
    lines = [head, *({"name": "Mina", "is_user": False, "mes": f"line {n}", "send_date": "x"} for n in range(500))]
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    (refusal,) = read_characters([path]).refused
    assert refusal.row is None
    assert refusal.reason.startswith("501 rows from row 1 on: a chat log")


def test_few_rows_and_other_reasons_stay_apart(tmp_path: Path) -> None:
    log = {"name": "Mina", "is_user": False, "mes": "hello", "send_date": "x"}
    rows: list[Any] = [*[log] * 9, 5, {"name": "Ann", "job": "nurse"}]
    path = tmp_path / "few.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    result = read_characters([path])
    assert [refusal.row for refusal in result.refused] == list(range(1, 11))
    assert [character.name for character in result.characters] == ["Ann"]
