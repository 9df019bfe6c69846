"""The contract of whoever answers: what stores of earlier builds hold is still found and believed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from raiden_core.models.answering import Reply, Request
from raiden_core.models.replies import append_replies, read_replies


@pytest.mark.parametrize(
    ("request_", "model", "key"),
    [
        (
            Request("teacher", ({"role": "user", "content": "你好"},), "facts/3", {"type": "object"}, 0.8, 64, 2),
            "glm-4.6",
            "03d4561bfb3069988708e96fbf33cab5b0b750555194342c07159d41fbfc9802",
        ),
        (
            Request("model", ({"role": "user", "content": "q"},), "evaluation", None, 0.0, 50, 0),
            "m (thinking: default) as is",
            "3661e7f192323bff19c8e4fb34e3b06df846a7ce1ee3e6a00b73b7b3f54d34c1",
        ),
    ],
)
def test_keys_are_those_under_which_replies_have_been_paid_for(request_: Request, model: str, key: str) -> None:
    assert request_.key(model) == key


def test_lines_of_earlier_builds_are_read_and_new_ones_look_the_same(tmp_path: Path) -> None:
    store = tmp_path / "answers.jsonl"
    rows = [
        {"key": "a", "text": "<think>想</think>", "tokens": 3, "finished": True, "note": ""},
        {"key": "b", "text": "", "tokens": 0, "finished": False, "note": "too long"},
        {"key": "c", "text": "of a build without notes", "tokens": 1, "finished": True},
    ]
    store.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert read_replies(store) == {
        "a": Reply("<think>想</think>", 3, True),
        "b": Reply("", 0, False, "too long"),
        "c": Reply("of a build without notes", 1, True),
    }
    again = tmp_path / "again.jsonl"
    append_replies(again, read_replies(store).items())
    assert again.read_text().splitlines()[:2] == store.read_text().splitlines()[:2]


def test_where_a_reply_came_from_makes_it_no_other_reply() -> None:
    assert Reply("a", cached=True) == Reply("a") != Reply("a", 1)
