"""The one prompt: instructions, the whole profile, the format, the history, the question."""

import pytest

from raiden_core.prompts import build_completion, build_prompt, profile_text
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
