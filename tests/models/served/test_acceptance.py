"""Which replies count, and by what word the others are counted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from raiden_core.models.answering import Refused
from raiden_core.models.served.acceptance import (
    REASONS,
    Accepted,
    Answer,
    accept,
    accept_as_is,
    is_loop,
    parse_json,
    read_answer,
)
from tests.support.tables import table

SCHEMA = {
    "type": "object",
    "properties": {"facts": {"type": "array", "items": {"type": "string"}}, "sure": {"type": "boolean"}},
    "required": ["facts"],
    "additionalProperties": False,
}
GOOD = '{"facts": ["住在长沙", "是医生"], "sure": true}'
STORY = (
    "我在长沙长大，后来在省立医院当了医生，每天都很忙，不过我很喜欢这份工作，也喜欢这里的人和这里的天气。小时候家门口有一条河，"
    "夏天我们整天在河里游泳，母亲站在岸上喊我们回家吃饭，父亲则坐在门槛上抽烟，看着太阳慢慢落到山后面去。那时候谁也没有想到，"
    "几年以后我会一个人坐火车去北方念书，更没有想到会在雪地里遇见后来教我一辈子本事的老师。他说话很慢，脾气却急。"
)


def body(**changes: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": changes.pop("content", GOOD), **changes.pop("message", {})}
    choice = {"message": message, "finish_reason": changes.pop("finish_reason", "stop")}
    return {"choices": [choice], "usage": {"prompt_tokens": 3, "completion_tokens": 5}} | changes


@table(
    ("answer", "reason"),
    [
        ("<html>", "server"),
        (None, "server"),
        ([], "server"),
        ({"choices": "yes"}, "server"),
        ({"choices": [None]}, "server"),
        ({"choices": [{"message": "hello"}]}, "server"),
        (body(content=[{"type": "text", "text": "hello"}]), "server"),
        ({"choices": []}, "empty"),
        ({"choices": None}, "empty"),
        ({"error": {"message": "out of memory"}}, "empty"),
    ],
)
def test_what_is_no_answer(answer: object, reason: str) -> None:
    read = read_answer(answer)
    assert isinstance(read, Refused) and read.reason == reason


def test_an_answer_with_its_tokens() -> None:
    assert read_answer(body()) == Answer(GOOD, "stop", 3, 5)
    assert read_answer(body(usage=None)) == Answer(GOOD, "stop", 0, 0)
    assert read_answer(body(usage={"prompt_tokens": None, "completion_tokens": "many"})) == Answer(GOOD, "stop", 0, 0)


CASES = [
    # finish reason comes first, whatever the text
    (GOOD, "length", "length"),
    ("", "length", "length"),
    (GOOD, "content_filter", "unfinished"),
    (GOOD, "None", "unfinished"),
    # then the text
    ("", "stop", "empty"),
    (" \n", "stop", "empty"),
    ('{"facts": ["\ud83d"]}', "stop", "encoding"),
    (f"<think>well</think>{GOOD}", "stop", "tags"),
    (f"</think>\n{GOOD}", "stop", "tags"),
    ('{"facts": ["< THINK >"]}', "stop", "tags"),
    ('{"facts": ["好<|im_end|>"]}', "stop", "tags"),
    ('{"facts": ["好<｜end▁of▁sentence｜>"]}', "stop", "tags"),
    ('{"facts": ["<tool_call>"]}', "stop", "tags"),
    # then JSON
    ('{"facts": ["住在', "stop", "not json"),
    (f"Here you are: {GOOD}", "stop", "not json"),
    (f"{GOOD}\nIs that all right?", "stop", "not json"),
    (f"{GOOD}{GOOD}", "stop", "not json"),
    ('{"facts": [], "sure": NaN}', "stop", "not json"),
    ("{'facts': []}", "stop", "not json"),
    ("[" * 100_000, "stop", "not json"),
    ("9" * 5000, "stop", "not json"),
    (f"```json\n{GOOD}\n```\n```json\n{GOOD}\n```", "stop", "not json"),
    (f"```json\n{GOOD}\n``` done", "stop", "not json"),
    # then the schema
    ("{}", "stop", "schema"),
    ("[]", "stop", "schema"),
    ('{"facts": "住在长沙"}', "stop", "schema"),
    ('{"facts": [], "extra": 1}', "stop", "schema"),
    # what only the parsed value shows
    ('{"facts": ["\\u003cthink\\u003e"]}', "stop", "tags"),
    ('{"facts": ["\\ud83d"]}', "stop", "encoding"),
    # then repetition
    (json.dumps({"facts": ["哈" * 300]}, ensure_ascii=False), "stop", "repetition"),
    (json.dumps({"facts": [STORY + "我是医生。" * 60]}), "stop", "repetition"),
]


@table(("text", "finish_reason", "reason"), CASES, ids=[f"{case[2]}-{n}" for n, case in enumerate(CASES)])
def test_what_is_refused_and_why(text: str, finish_reason: str, reason: str) -> None:
    assert reason in REASONS
    refused = accept(Answer(text, finish_reason), SCHEMA)
    assert isinstance(refused, Refused)
    assert refused.reason == reason, refused.detail


@table(
    "text",
    [
        GOOD,
        f"\n {GOOD} ",
        f"```json\n{GOOD}\n```",
        f"```\n{GOOD}\n```",
        json.dumps(json.loads(GOOD)),
        GOOD.replace("长沙", "长沙\n\t河边"),
        json.dumps({"facts": ["😀", STORY]}),
        json.dumps({"facts": [f"第{n}件事：{STORY[n : n + 12]}" for n in range(100)]}, indent=8),
        json.dumps({"facts": ["a < b", "x > y", "I think so", "1<|2"]}),
        json.dumps({"facts": ["right"] * 200}),
    ],
)
def test_what_counts(text: str) -> None:
    accepted = accept(Answer(text, "stop"), SCHEMA)
    assert isinstance(accepted, Accepted), accepted
    assert accepted.text == text.strip()
    assert isinstance(accepted.data["facts"], list)


def test_plain_text_is_not_parsed() -> None:
    assert accept(Answer(' {"a": ', "stop"), None) == Accepted('{"a":')
    refused = accept(Answer("no no " * 80, "stop"), None)
    assert isinstance(refused, Refused) and refused.reason == "repetition"


def test_a_list_of_the_same_objects_is_a_loop() -> None:
    schema = {"type": "array", "items": {"type": "object"}}
    facts = [{"attribute": "home", "value": "Changsha"}] * 40
    refused = accept(Answer(json.dumps(facts), "stop"), schema)
    assert isinstance(refused, Refused) and refused.reason == "repetition"
    different = [{"attribute": f"a{n}", "value": f"v{n}"} for n in range(40)]
    assert isinstance(accept(Answer(json.dumps(different), "stop"), schema), Accepted)


@table(
    ("text", "expected"),
    [
        (STORY, False),
        (STORY * 2, False),
        ("-" * 120 + STORY, False),
        ("哈哈哈" * 20 + STORY, False),
        ("la " * 70, True),
        (STORY + "我不知道，我真的不知道。" * 40, True),
        ("我不知道，我真的不知道。" * 40 + STORY, True),
        ("short " * 10, False),
    ],
)
def test_loops(text: str, expected: bool) -> None:
    assert is_loop(text) is expected


def test_one_json_value_and_nothing_else() -> None:
    assert parse_json("```json\n[1]\n```") == [1]
    with pytest.raises(ValueError):
        parse_json("```json\n[1]\n[2]\n```")


def test_as_it_is_keeps_what_a_student_says() -> None:
    text = "<think>…</think><answer>la la " + "la " * 200
    assert accept_as_is(Answer(text, "length")) == Accepted(text)
    refused = accept_as_is(Answer("  ", "stop"))
    assert isinstance(refused, Refused) and refused.reason == "empty"
