"""The Modelfile says of turns what the chat template says, and nothing that a card wrote ends its own text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from raiden_core.errors import DataError
from raiden_core.export.ollama import go_template, modelfile
from raiden_core.export.turns import Around, TurnForm, turn_form
from raiden_core.models.templates import JOIN_SYSTEM_TURN
from raiden_core.prompts import Message
from tests.support.tiny_models import TEMPLATE, tiny_tokenizer

CHATML = (Around("<|im_start|>system\n", "<|im_end|>\n"), Around("<|im_start|>user\n", "<|im_end|>\n"))
LLAMA2 = (
    "{{ bos_token }}{% for m in messages %}[{{ m['role'] | upper }}] {{ m['content'] | trim }} [/]{% endfor %}"
    "{% if add_generation_prompt %}[ASSISTANT] <think>\n{% endif %}"
)
CHAT: list[Message] = [
    {"role": "system", "content": "You are Ada. {{ .Secret }} {% x %}"},
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello"},
    {"role": "user", "content": "Who are you?"},
]


def go_rendered(template: str, chat: list[Message]) -> str:
    """What Go's language makes of the few actions that are written: range, if, else if, end, .Role, .Content."""
    inner = re.fullmatch(r"\{\{ range \.Messages \}\}(.*)\{\{ end \}\}\{\{ end \}\}(.*)", template, re.S)
    assert inner is not None
    parts = re.split(r'\{\{ (?:else )?if eq \.Role "(\w+)" \}\}', inner[1])
    assert parts[0] == ""
    of = dict(zip(parts[1::2], parts[2::2], strict=True))
    return "".join(of[turn["role"]].replace("{{ .Content }}", turn["content"], 1) for turn in chat) + inner[2]


@pytest.mark.parametrize("template", [TEMPLATE, LLAMA2])
def test_ollama_renders_what_transformers_renders(template: str) -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = template
    form = turn_form(tokenizer)
    expected = tokenizer.apply_chat_template(CHAT, tokenize=False, add_generation_prompt=True)
    assert form.rendered(CHAT) == expected
    assert go_rendered(go_template(form, Path("m")), CHAT) == expected


def test_a_modelfile() -> None:
    text = modelfile(
        "m-q8_0.gguf",
        turn_form(tiny_tokenizer()),
        system="Be Ada.\nAge: 36",
        context=2048,
        temperature=0.7,
        where=Path("m"),
    )
    assert text == (
        'FROM ./m-q8_0.gguf\nTEMPLATE """{{ range .Messages }}'
        '{{ if eq .Role "system" }}<|im_start|>system\n{{ .Content }}<|im_end|>\n'
        '{{ else if eq .Role "user" }}<|im_start|>user\n{{ .Content }}<|im_end|>\n'
        '{{ else if eq .Role "assistant" }}<|im_start|>assistant\n{{ .Content }}<|im_end|>\n'
        '{{ end }}{{ end }}<|im_start|>assistant\n"""\n'
        'PARAMETER stop "<|im_end|>"\nPARAMETER stop "<|im_start|>user"\n'
        'PARAMETER num_ctx 2048\nPARAMETER temperature 0.7\nSYSTEM """Be Ada.\nAge: 36"""\n'
    )


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{% for m in messages %}{{ loop.index }}:{{ m['content'] }}\n{% endfor %}", "no sequence of turns"),
        ("{{ messages[-1]['content'] }}", "leaves out or repeats turns"),
        (
            JOIN_SYSTEM_TURN + "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}{% endfor %}",
            "no sequence of turns",
        ),
        (
            "{% if messages | length > 2 %}{{ raise_exception('one turn') }}{% endif %}{{ messages }}",
            "refuses|leaves out",
        ),
    ],
)
def test_a_template_that_is_more_than_turns_is_refused(template: str, words: str) -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = template
    with pytest.raises(DataError, match=words):
        turn_form(tokenizer)


def test_no_text_ends_itself() -> None:
    form = turn_form(tiny_tokenizer())
    with pytest.raises(DataError, match="three double quotes"):
        modelfile("m.gguf", form, system='A """\nFROM evil', context=1, temperature=0, where=Path("m"))
    braces = TurnForm(form.system, Around("{{ .X }}", ""), form.assistant, form.opening, form.stops)
    with pytest.raises(DataError, match="braces or quotes"):
        go_template(braces, Path("m"))
