"""The one prompt: instructions, the whole profile, the format, the history, the question."""

from typing import Any

import pytest

from raiden_core.prompts import LAYOUTS, build_completion, build_prompt, profile_text
from raiden_core.samples import Sample


def sample(**fields: object) -> Sample:
    row = {
        "character_name": "林晓",
        "character_profile": {"姓名": "林晓", "家乡": "长沙", "年龄": 30},
        "question": "你住在哪里？",
        "answer": "我住在长沙。",
        "keywords": ["长沙"],
        "language": "zh",
    }
    return Sample.model_validate(row | fields)


def test_the_parts_stand_in_their_order() -> None:
    history = [{"role": "user", "content": "你好"}, {"role": "assistant", "content": "你好！"}]
    system, *rest = build_prompt(sample(conversation_history=history))
    assert system["role"] == "system"
    opening, *lines, closing = system["content"].split("\n")
    assert "林晓" in opening
    assert lines == ["姓名：林晓", "家乡：长沙", "年龄：30"]
    assert "<think>" in closing and "</answer>" in closing
    assert rest == [*history, {"role": "user", "content": "你住在哪里？"}]


@pytest.mark.parametrize("language", ["zh", "en", "ja", "ko", "fr"])
def test_every_language_has_name_profile_and_format(language: str) -> None:
    content = build_prompt(sample(language=language))[0]["content"]
    assert "林晓" in content.split("\n")[0] and "{name}" not in content
    assert "长沙" in content and "<think>" in content and "<answer>" in content


def test_own_instructions_replace_only_the_instructions() -> None:
    default = build_prompt(sample())[0]["content"].split("\n")
    own = build_prompt(sample(), "Be {name}, {kindly}.")[0]["content"].split("\n")
    assert own[0] == "Be 林晓, {kindly}." and own[1:] == default[1:]


def test_the_prompt_never_holds_the_answer() -> None:
    shown = build_prompt(sample(answer="秘密的答案", reasoning="秘密的思考", keywords=["秘密"]))
    assert "秘密" not in str(shown)


@pytest.mark.parametrize(("language", "line"), [("zh", "Job：x"), ("ja", "Job：x"), ("en", "Job: x"), ("ko", "Job: x")])
def test_the_colon_is_that_of_the_language(language: str, line: str) -> None:
    assert profile_text({"Job": "x"}, language) == line


def test_a_completion_is_reasoning_and_answer_in_the_format() -> None:
    assert build_completion(sample(reasoning=" 想 ")) == "<think>想</think><answer>我住在长沙。</answer>"
    assert build_completion(sample(reasoning=" ")) == "<think>我住在长沙。</think><answer>我住在长沙。</answer>"


CARD_OF_ADA = {
    "description": "Ada repairs windows.",
    "personality": "dry",
    "scenario": "A storm outside.",
    "system_prompt": "{{original}} Be brief.",
    "post_history_instructions": "Stay in the workshop.",
    "examples": [[{"role": "user", "content": "Cold?"}, {"role": "assistant", "content": "Glass never minds."}]],
    "lorebook": {
        "entries": [
            {"content": "Lead is soft.", "constant": True, "insertion_order": 2},
            {"content": "The kiln is old.", "keys": ["kiln"], "insertion_order": 1},
            {"content": "The guild is rich.", "keys": ["guild"]},
            {"content": "Rain again.", "keys": ["/st[o]rm/i"], "position": "after_char"},
            {"content": "She hums.", "constant": True, "decorators": [{"name": "position", "value": "personality"}]},
            {"content": "It is late.", "constant": True, "decorators": [{"name": "depth", "value": "1"}]},
        ]
    },
}
LAID_OUT = {
    "sillytavern": """You are Ada. Always answer in the first person and according to the profile below. Be brief.
The kiln is old.
Lead is soft.
Ada repairs windows.
Name: Ada
Age: 34
Ada's personality: dry
She hums.
Scenario: A storm outside.
Rain again.
***
the user: Cold?
Ada: Glass never minds.
It is late.
Stay in the workshop.
Format: <think>reasoning</think><answer>reply</answer>""",
    "risu": """You are Ada. Always answer in the first person and according to the profile below. Be brief.

Ada repairs windows.

Name: Ada
Age: 34

Description of Ada: dry
She hums.

Circumstances and context of the dialogue: A storm outside.

[Start a new chat]
the user: Cold?
Ada: Glass never minds.

The kiln is old.

Lead is soft.

Rain again.

It is late.

Stay in the workshop.
Format: <think>reasoning</think><answer>reply</answer>""",
}


def ada(**fields: Any) -> Sample:
    row: dict[str, Any] = {
        "character_name": "Ada",
        "character_profile": {
            "Name": "Ada",
            "Description": "Ada **repairs** windows.",
            "Personality": "dry",
            "Scenario": "A storm outside.",
            "Age": "34",
        },
        "conversation_history": [{"role": "assistant", "content": "Mind the kiln."}],
        "question": "Does the storm trouble you?",
        "answer": "No.",
        "keywords": ["No"],
        "language": "en",
        "metadata": {"card": CARD_OF_ADA, "greeting": 0},
    }
    return Sample.model_validate(row | fields)


@pytest.mark.parametrize("layout", ["sillytavern", "risu"])
def test_a_layout_arranges_the_parts_of_a_card(layout: Any) -> None:
    system, greeting, question = build_prompt(ada(), layout=layout)
    assert system == {"role": "system", "content": LAID_OUT[layout]}
    assert greeting == {"role": "assistant", "content": "Mind the kiln."}
    assert question == {"role": "user", "content": "Does the storm trouble you?"}


def test_raidens_own_layout_looks_at_no_card() -> None:
    assert build_prompt(ada()) == build_prompt(ada(), layout="raiden") == build_prompt(ada(metadata={}))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("metadata", [{}, {"card": CARD_OF_ADA}, {"card": {"description": "Something else."}}])
def test_profile_format_and_instructions_are_in_every_layout(layout: Any, metadata: dict[str, Any]) -> None:
    sample = ada(metadata=metadata)
    content = build_prompt(sample, "Be {name}!", layout)[0]["content"]
    assert content.startswith("Be Ada!")
    assert content.endswith("Format: <think>reasoning</think><answer>reply</answer>")
    told = content.replace("*", "")
    for key, value in sample.character_profile.items():
        # A card that is there shows these three as its own parts.
        if key in ("Personality", "Scenario", "Description"):
            assert value.replace("*", "") in told
        else:
            assert f"{key}: {value}" in told
