"""Templates without a system turn show the profile in the first user turn; all others stay as they are."""

from __future__ import annotations

import logging

import pytest

from raiden_core.models.templates import complete_template, joins_system_turn
from tests.support.tiny_models import TEMPLATE, tiny_tokenizer

TURNS = "{% for m in messages %}[{{ m['role'] }}]{{ m['content'] }}{% endfor %}"
REFUSES = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + TURNS
DROPS = (
    "{% for m in messages %}{% if m['role'] != 'system' %}[{{ m['role'] }}]{{ m['content'] }}{% endif %}{% endfor %}"
)
SYSTEM, USER = {"role": "system", "content": "P"}, {"role": "user", "content": "Q"}
SAID = {"role": "assistant", "content": "A"}


@pytest.mark.parametrize("template", [REFUSES, DROPS])
@pytest.mark.parametrize(
    ("chat", "text"),
    [
        ([SYSTEM, USER], "[user]P\n\nQ"),
        ([SYSTEM, USER, SAID, USER], "[user]P\n\nQ[assistant]A[user]Q"),
        ([SYSTEM, SAID, USER], "[user]P[assistant]A[user]Q"),
        ([SYSTEM], "[user]P"),
        ([USER, SAID], "[user]Q[assistant]A"),
    ],
)
def test_the_system_turn_joins_the_first_user_turn(
    template: str, chat: list[dict[str, str]], text: str, caplog: pytest.LogCaptureFixture
) -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = template
    with caplog.at_level(logging.WARNING):
        assert complete_template(tokenizer, f"model {text} {template}")
        assert not complete_template(tokenizer, "model"), "it is completed once"
    assert tokenizer.apply_chat_template(chat, tokenize=False) == text
    assert joins_system_turn(tokenizer)
    assert [record.getMessage() for record in caplog.records] == [
        f"model {text} {template}: its chat template has no system turn; profile and format go into the first user turn"
    ]


@pytest.mark.parametrize("template", [TEMPLATE, TURNS, "{{ raise_exception('never') }}", "nothing at all"])
def test_other_templates_stay_as_they_are(template: str) -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = template
    assert not complete_template(tokenizer, "m")
    assert tokenizer.chat_template == template
