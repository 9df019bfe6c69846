"""Seeds: whose they are, what is refused and why, and what is mined from them."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from raiden_core.characters import Character
from raiden_core.config.sections.data import GenerationConfig
from raiden_core.config.sections.teacher import TeacherConfig
from raiden_core.errors import DataError
from raiden_core.generation import Generated
from raiden_core.generation.mining import mine, read_seeds, reasons
from raiden_core.rewards import Scorer
from tests.support.scripted_teacher import ScriptedTeacher
from tests.support.tables import table

SHARED = Path(__file__).parents[4] / "shared" / "data"
LIN = Character("林晚", "zh", {"姓名": "林晚", "家乡": "长沙"}, {}, "家乡: 长沙", "people.txt")
TURNS = ["我最近有了雪球，心里很高兴。", "替你高兴。", "今天天气不错。", "是啊，适合出门。", "我有点累。", "歇一会儿。"]


def messages(*texts: str, first: str = "user") -> list[dict[str, str]]:
    roles = ("user", "assistant") if first == "user" else ("assistant", "user")
    return [{"role": roles[place % 2], "content": text} for place, text in enumerate(texts)]


def file_of(tmp_path: Path, rows: list[Any]) -> str:
    path = tmp_path / "seeds.jsonl"
    lines = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return str(path)


def run(tmp_path: Path, rows: list[Any], characters: list[Character], **twists: Any) -> Generated:
    return asyncio.run(
        mine(
            characters,
            asker=ScriptedTeacher(**twists),
            teacher=TeacherConfig(kind="llm"),
            generation=GenerationConfig(samples_per_character=1, include_cm=False),
            scorer=Scorer(),
            seed=1,
            seeds=read_seeds([file_of(tmp_path, rows)], characters),
        )
    )


def test_questions_and_conversations_are_mined_like_the_teachers_own(tmp_path: Path) -> None:
    rows = [
        {"name": "林晚", "question": "请问你的家乡在哪里？", "reference": "我是长沙人，家里开茶馆。"},
        {"name": "林晚", "messages": messages(*TURNS)},
    ]
    made = run(tmp_path, rows, [LIN])
    seeded = {sample.dimension: sample for sample in made.samples if "seed" in sample.metadata}
    assert len(made.samples) == 3 and set(seeded) == {"SBK", "CM"}
    assert seeded["SBK"].answer == "我是长沙人，家里开茶馆。" and seeded["SBK"].keywords == ("长沙",)
    assert seeded["SBK"].question_type == "where" and seeded["SBK"].metadata["answers"] == 5
    assert seeded["SBK"].metadata["seed"].endswith("seeds.jsonl: row 1")
    assert [turn.content for turn in seeded["CM"].conversation_history] == TURNS
    assert seeded["CM"].keywords == ("雪球",)
    assert all(Scorer().check(sample) is None for sample in made.samples)


def test_a_reference_that_lacks_the_keyword_is_dropped(tmp_path: Path) -> None:
    rows = [{"name": "林晚", "question": "请问你的家乡在哪里？", "reference": "我是湖南人，家里开茶馆。"}]
    made = run(tmp_path, rows, [LIN])
    assert len(made.samples) == 1 and made.dropped == {reasons.NOT_IN_EVERY_ANSWER: 1}


def test_who_is_known_from_seeds_only_gets_no_other_questions(tmp_path: Path) -> None:
    rows = [
        {
            "name": "阿山",
            "profile_text": "姓名: 阿山\n职业: 渔夫\n宠物: 白鹅",
            "question": "你的职业是什么？",
            "answer": "我是渔夫。",
        },
        {"name": "周姐", "question": "你的宠物叫什么：旺财？", "answer": "它叫旺财，是只土狗。", "language": "zh"},
    ]
    seeds = read_seeds([file_of(tmp_path, rows)], [LIN])
    fisher, aunt = seeds.characters.values()
    assert fisher.own and fisher.character.profile["职业"] == "渔夫"
    # Nothing but her answers is known of her, so they are her profile.
    assert aunt.own and "它叫旺财，是只土狗。" in aunt.character.profile["问答"]
    made = run(tmp_path, rows[:1], [])
    assert [(sample.character_name, sample.keywords) for sample in made.samples] == [("阿山", ("渔夫",))]


@table(
    ("row", "words"),
    [
        ("{broken", "broken JSON"),
        ([1], "not an object"),
        ({"question": "你是谁？", "reference": "我是我。"}, "no name"),
        ({"name": "林晚", "question": "你是谁？"}, "no reference or answer"),
        ({"name": "林晚", "reference": "我是我。"}, "no question"),
        ({"name": "林晚", "messages": messages("你好", "你好")}, "fewer than 4 turns"),
        ({"name": "林晚", "messages": "你好"}, "no list of turns"),
        ({"name": "林晚", "messages": [{"role": "wizard", "content": "x"}]}, "without a known role"),
        ({"name": "无名氏", "messages": messages(*TURNS)}, "nothing is known of '无名氏'"),
        (
            {
                "name": "Anne",
                "question": "Où es-tu née, ma chère ?",
                "reference": "Je suis née à Lyon.",
                "language": "fr",
            },
            "'fr'",
        ),
    ],
)
def test_rows_that_cannot_be_used_are_refused_with_place_and_reason(tmp_path: Path, row: Any, words: str) -> None:
    good = {"name": "林晚", "question": "你的家乡在哪里？", "reference": "我是长沙人。"}
    path = file_of(tmp_path, [good, row])
    seeds = read_seeds([path], [LIN])
    assert [str(refusal).partition(": ")[2][:5] for refusal in seeds.refused] == ["row 2"]
    assert words in str(seeds.refused[0]) and str(seeds.refused[0]).startswith(path)
    assert [len(one.questions) for one in seeds.characters.values()] == [1]


def test_real_conversations_are_made_to_alternate(tmp_path: Path) -> None:
    turns = [*messages("来了？", *TURNS[:2], first="assistant"), *messages(*TURNS[2:3]), *messages(*TURNS[2:5])]
    seeds = read_seeds([file_of(tmp_path, [{"name": "林晚", "messages": turns}])], [LIN])
    (talk,) = next(iter(seeds.characters.values())).talks
    assert [turn.role for turn in talk.history] == ["user", "assistant", "user", "assistant"]
    assert talk.history[2].content == f"{TURNS[2]}\n{TURNS[2]}"


def test_a_missing_file_is_named() -> None:
    with pytest.raises(DataError, match=r"none\.jsonl: no such file"):
        read_seeds(["none.jsonl"], [])


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data is not there")
def test_the_shared_files_are_read_row_by_row() -> None:
    questions = read_seeds([str(SHARED / "gold_qa.jsonl")], [])
    rows = sum(len(one.questions) for one in questions.characters.values())
    assert rows + len(questions.refused) == 367 and rows > 350
    talks = read_seeds([str(SHARED / "dialogues.jsonl")], [])
    read = sum(len(one.talks) for one in talks.characters.values())
    assert read + len(talks.refused) == 224 and read >= 10
    assert sum("no name" in str(refusal) for refusal in talks.refused) == 200
