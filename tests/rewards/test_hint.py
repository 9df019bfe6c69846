"""``hint``: cues that the reasoning takes up pay, reciting the prompt does not; and data in VeriRole's layout has them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from raiden_core.errors import DataError
from raiden_core.prompts import build_prompt
from raiden_core.rewards.hint import evidence_of, hint_reward
from raiden_core.rewards.scorer import Scorer
from raiden_core.samples import Sample, parse_sample, read_samples

ZH = Sample.model_validate(
    {
        "character_name": "李四",
        "character_profile": {
            "家乡": "湖南省长沙市岳麓区",
            "职业": "外科医生，在省立医院工作",
            "爱好": "下围棋，收集旧邮票",
            "宠物": "一只叫豆包的橘猫",
            "性格": "话不多，但是很有耐心，对病人尤其如此",
        },
        "conversation_history": [
            {"role": "user", "content": "你昨天去了哪里？"},
            {"role": "assistant", "content": "昨天我去江边散步，捡到一把旧雨伞。"},
        ],
        "question": "你的家乡在哪里？",
        "answer": "我的家乡是长沙。",
        "keywords": ["长沙"],
        "metadata": {"evidence": "家乡：湖南省长沙市岳麓区"},
    }
)
EN = Sample.model_validate(
    {
        "character_name": "Ann",
        "character_profile": {
            "Home": "a small house in the north of Leeds",
            "Job": "repairs clocks and barometers for the university",
            "Likes": "strong tea, wet weather and long novels",
            "Fears": "deep water since a summer at the coast",
        },
        "question": "Where do you live?",
        "answer": "In the north of Leeds.",
        "keywords": ["Leeds"],
        "metadata": {"evidence": ["in the north of Leeds"]},
    }
)


def earned(sample: Sample, thought: str, **more: Any) -> float | None:
    completion = [{"role": "assistant", "content": f"<think>{thought}</think><answer>{sample.answer}</answer>"}]
    metadata = json.dumps(sample.metadata, ensure_ascii=False)
    return hint_reward([completion], metadata=[metadata], prompts=[build_prompt(sample)], **more)[0]


def recited(sample: Sample) -> str:
    return build_prompt(sample)[0]["content"]


@pytest.mark.parametrize(
    ("sample", "thought", "low", "high"),
    [
        (ZH, "他问家乡。资料里写着家乡：湖南省长沙市岳麓区。", 0.99, 1.0),
        (ZH, "资料说我来自湖南省长沙市。", 0.5, 0.95),
        (ZH, "他问家乡，我想想。", 0.0, 0.15),
        (ZH, "", 0.0, 0.0),
        (EN, "She asks where I live: the profile says in the north of Leeds.", 0.99, 1.0),
        (EN, "She wants to know about my job.", 0.0, 0.0),
    ],
)
def test_what_the_reasoning_holds_of_the_evidence_pays(sample: Sample, thought: str, low: float, high: float) -> None:
    value = earned(sample, thought)
    assert value is not None and low <= value <= high


@pytest.mark.parametrize("sample", [ZH, EN], ids=["zh", "en"])
def test_quoting_the_whole_profile_earns_nothing_and_half_of_it_less_than_the_cue(sample: Sample) -> None:
    assert earned(sample, recited(sample)) == 0.0
    cue = evidence_of(sample.metadata)[0]
    half = recited(sample)[: len(recited(sample)) * 2 // 3]
    assert (earned(sample, f"{cue} {half}") or 0.0) < 0.7 < (earned(sample, cue) or 0.0)


def test_what_stands_in_the_answer_does_not_count() -> None:
    completion = "<think>?</think><answer>家乡：湖南省长沙市岳麓区</answer>"
    assert hint_reward([completion], metadata=[ZH.metadata]) == [0.0]
    assert hint_reward(
        ["家乡：湖南省长沙市岳麓区</think><answer>长沙</answer>"], metadata=[ZH.metadata], prefilled_think=[True]
    ) == [1.0]


@pytest.mark.parametrize(
    ("metadata", "cues"),
    [
        (None, ()),
        ({}, ()),
        ("{broken", ()),
        ({"evidence": " … "}, ()),
        ({"evidence": "a b"}, ("a b",)),
        ('{"evidence": ["a", "b"]}', ("a", "b")),
        ({"evidence": {"profile": ["a"], "history": "b"}}, ("a", "b")),
    ],
)
def test_evidence_is_a_text_a_list_or_an_object_and_without_it_nothing_is_said(metadata: Any, cues: Any) -> None:
    assert evidence_of(metadata) == cues
    assert (hint_reward(["<think>x</think>"], metadata=[metadata])[0] is None) is not bool(cues)


ROW: dict[str, Any] = {
    "problem": {
        "system_prompt": "You are Ann Miller, a clockmaker in Leeds.\nUse <hint> and <think> tags.\nYou fear deep water.",
        "history": [
            {"role": "user", "content": "Hello!"},
            {"role": "assistant", "content": "Good day."},
            {"role": "user", "content": "Where do you live?"},
        ],
    },
    "hint": {"character_profile": ["a clockmaker in Leeds"]},
    "data_type": "raiden",
    "extra_info": {"keywords": ["Leeds"]},
}


def test_a_row_in_verirole_layout_is_a_sample() -> None:
    sample = parse_sample(ROW, "row 1")
    assert (sample.character_name, sample.question, sample.dimension) == ("Ann Miller", "Where do you live?", "SBK")
    assert [turn.content for turn in sample.conversation_history] == ["Hello!", "Good day."]
    assert sample.character_profile == {
        "Introduction": "You are Ann Miller, a clockmaker in Leeds.\nYou fear deep water."
    }
    assert evidence_of(sample.metadata) == ("a clockmaker in Leeds",)
    assert sample.language == "en" and Scorer().check(sample) is None


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"hint": {"dialogue_history": ["x"]}}, "dimension", "CM"),
        ({"extra_info": {"keywords": [["Leeds", "Yorkshire"], ["clock"]]}}, "keywords", ("Leeds", "clock")),
        ({"extra_info": {"keywords": "Leeds", "character_name": "Bob"}}, "character_name", "Bob"),
        ({"data_type": "haiguitang", "extra_info": {}}, "keywords", ()),
        ({"hint": '{"profile": "x"}'}, "dimension", "SBK"),
        (
            {"problem": {"system_prompt": "角色名：小明\n性格：爱笑", "history": ["你好", "你好呀", "你叫什么？"]}},
            "character_name",
            "小明",
        ),
        (
            {"problem": {"system_prompt": "You are a mask of many faces.", "history": ["Hi"]}},
            "character_name",
            "unnamed " + hashlib.sha256(b"You are a mask of many faces.").hexdigest()[:8],
        ),
        ({"problem": {"system_prompt": "Be brief.", "history": ["Hi"]}}, "character_name", "unnamed 213c22ed"),
    ],
)
def test_other_shapes_of_the_layout_are_read_too(changes: dict[str, Any], field: str, value: object) -> None:
    assert getattr(parse_sample({**ROW, **changes}, "row"), field) == value


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ({"history": ["x"]}, "problem.system_prompt: must be a text"),
        ({"system_prompt": "x"}, "problem.history: must be a list"),
        ({"system_prompt": "x", "history": []}, "problem.history: must end with what the user says"),
        ({"system_prompt": "x", "history": [{"role": "tool", "content": ""}]}, "problem.history.0: must be a turn"),
        ({"system_prompt": "x", "history": [{"role": "assistant", "content": "a"}]}, "problem.history: must end with"),
    ],
)
def test_a_row_that_is_not_whole_is_named(problem: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=f"^row 7: {words}"):
        parse_sample({**ROW, "problem": problem}, "row 7")


def test_a_file_in_that_layout_can_be_split_and_trained_on(tmp_path: Path) -> None:
    file = tmp_path / "verirole.json"
    file.write_text(json.dumps([ROW, {**ROW, "extra_info": {"keywords": ["Leeds"], "name": "Carl"}}]), "utf-8")
    assert [one.character_name for one in read_samples(file)] == ["Ann Miller", "Carl"]
