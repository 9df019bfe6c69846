"""The nano student: a tokenizer that hides nothing from the reward, and a small model that loads like any other."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raiden_core.characters.compose import compose
from raiden_core.config.sections.training import NanoConfig
from raiden_core.generation import generate
from raiden_core.generation.offline.teacher import OfflineTeacher
from raiden_core.prompts import build_completion, build_prompt, colon
from raiden_core.rewards import Scorer
from raiden_core.samples import Sample
from raiden_core.stages.progress import silent
from raiden_core.training.nano import ROLES, TAGS, build_nano, build_tokenizer, frequent_keys, frequent_values
from tests.support.tables import table


def tokens(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def test_tags_are_single_ordinary_tokens(nano_tokenizer: Any) -> None:
    for tag in TAGS:
        assert len(tokens(nano_tokenizer, tag)) == 1
        assert tag not in nano_tokenizer.all_special_tokens


def test_completions_survive_decoding_without_special_tokens(
    composed_samples: list[Sample], nano_tokenizer: Any
) -> None:
    for sample in composed_samples[:40]:
        text = build_completion(sample)
        assert nano_tokenizer.decode(tokens(nano_tokenizer, text), skip_special_tokens=True) == text


def test_every_frequent_key_is_one_token_with_its_colon(composed_samples: list[Sample], nano_tokenizer: Any) -> None:
    keys = frequent_keys(composed_samples)
    assert "姓名：" in keys and len(keys) > 5
    for key in keys:
        assert len(tokens(nano_tokenizer, key)) == 1
        assert tokens(nano_tokenizer, f"\n{key}长沙")[1] == tokens(nano_tokenizer, key)[0]


def person(number: int, language: str, profile: dict[str, str]) -> Sample:
    row = {"character_name": f"{language}{number}", "character_profile": profile, "question": "?", "answer": ""}
    return Sample.model_validate({**row, "language": language, "keywords": []})


def test_rare_keys_get_no_token_and_frequent_ones_the_colon_that_prompts_write() -> None:
    rare = [{"Rare": "x"} if number < 19 else {} for number in range(20)]
    english = [person(number, "en", {"Name": f"A{number}"} | rare[number]) for number in range(20)]
    chinese = [person(number, "zh", {"职业": "医生", "MBTI": "INTJ"}) for number in range(20)]
    korean = [person(number, "ko", {"직업": "의사"}) for number in range(20)]
    keys = frequent_keys([*english, *chinese, *english, *korean])
    assert sorted(keys) == ["MBTI：", "Name: ", "职业：", "직업: "]
    for sample in (english[-1], chinese[0], korean[0]):
        system = build_prompt(sample)[0]["content"]
        assert sum(key in system for key in keys) == len(sample.character_profile)


@pytest.fixture(scope="module", params=["zh", "en", "ja", "ko"])
def in_language(request: pytest.FixtureRequest) -> tuple[list[Sample], Any]:
    """Samples of composed characters of a language, and a tokenizer made from them."""
    made = generate(
        compose(150, language=request.param, facts=(6, 8), seed=1),
        teacher=OfflineTeacher(1),
        samples_per_character=5,
        include_cm=False,
        cm_share=0.0,
        seed=1,
        scorer=Scorer(),
        progress=silent,
    )
    return list(made.samples), build_tokenizer(made.samples, NanoConfig(vocab_size=2000))


def test_keys_are_one_token_in_every_language(in_language: tuple[list[Sample], Any]) -> None:
    samples, tokenizer = in_language
    keys = frequent_keys(samples)
    assert len(keys) == 11  # ten attributes and the name
    prompts = [build_prompt(sample)[0]["content"] for sample in samples]
    for key in keys:
        (token,) = tokens(tokenizer, key)
        assert any(token in tokens(tokenizer, prompt) for prompt in prompts)


def test_values_have_the_same_tokens_in_profiles_reasoning_and_answers(
    in_language: tuple[list[Sample], Any],
) -> None:
    """A student that copies tokens can only copy what is written with the same ones."""
    samples, tokenizer = in_language
    language = samples[0].language
    shared = Counter(value for sample in samples for value in set(sample.character_profile.values()))
    checked = 0
    for sample in samples:
        key = sample.metadata["attribute"]
        value = sample.character_profile[key]
        if shared[value] < 5 * 5:  # five samples a character
            continue
        bare = key + colon(language)
        line = tokens(tokenizer, f"\n{bare}{value}\n")
        assert line[1:2] == tokens(tokenizer, bare)
        mine = " ".join(map(str, line[2:-1]))
        for part in build_completion(sample).split("<answer>"):
            said = " ".join(map(str, tokens(tokenizer, part)))
            assert f" {mine} " in f" {said} ", (value, part, tokenizer.convert_ids_to_tokens(tokens(tokenizer, part)))
        checked += 1
    assert checked > 200


def test_the_longest_value_is_kept_apart_and_latin_ones_as_whole_words_only() -> None:
    english = [person(number, "en", {"Pet": "cat", "Friend": "red cat"}) for number in range(5)]
    chinese = [person(number, "zh", {"宠物": "黑猫"}) for number in range(5)]
    assert sorted(frequent_values([*english, *english, *chinese])) == ["cat", "red cat"]
    assert frequent_values(english[:4]) == []
    tokenizer = build_tokenizer(english, NanoConfig(vocab_size=600))
    pieces = [
        piece for piece, _ in tokenizer.backend_tokenizer.pre_tokenizer.pre_tokenize_str("a red cat, a cat, cats")
    ]
    assert pieces == ["a", " ", "red", " cat", ",", " a", " ", "cat", ",", " cats"]


@table(
    "text",
    [
        "",
        " ",
        "  a\n\n b ",
        "鬱薔薇 é 𠮷🙂",
        "<0x41>",
        "a\tb\r\n",
        "</think> <answer >",
        "Name: x, 年龄：30。",
        "\x00\x7f",
    ],
)
def test_any_text_comes_back(nano_tokenizer: Any, text: str) -> None:
    assert nano_tokenizer.decode(tokens(nano_tokenizer, text)) == text
    assert nano_tokenizer.decode(tokens(nano_tokenizer, text), skip_special_tokens=True) == text


@settings(max_examples=150, deadline=None, derandomize=True)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_any_drawn_text_comes_back(nano_tokenizer: Any, text: str) -> None:
    assert nano_tokenizer.decode(tokens(nano_tokenizer, text), skip_special_tokens=True) == text


def test_the_vocabulary_has_the_size_that_was_asked_for(nano_tokenizer: Any) -> None:
    assert 900 < len(nano_tokenizer) <= 1000


def test_the_template_marks_roles_and_opens_the_reply(nano_tokenizer: Any) -> None:
    chat = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
    text = nano_tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    assert text == "<|system|>s<|end|><|user|>u<|end|><|assistant|>"
    assert all(len(tokens(nano_tokenizer, role)) == 1 for role in (*ROLES, "<|end|>"))


def test_a_saved_student_loads_like_any_model(composed_samples: list[Sample], tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    config = NanoConfig()
    parameters = build_nano(tmp_path / "a", composed_samples, config, seed=5)
    assert 350_000 < parameters < 700_000
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "a")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "a")
    assert model.num_parameters() == parameters
    assert model.config.vocab_size == len(tokenizer)
    assert tokenizer.model_max_length == config.context == model.config.max_position_embeddings
    assert (model.config.eos_token_id, model.config.pad_token_id) == (tokenizer.eos_token_id, tokenizer.pad_token_id)
    chat = build_prompt(composed_samples[0])
    text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    assert tokenizer.decode(tokens(tokenizer, text)) == text
    batch = torch.tensor([tokens(tokenizer, text)])
    with torch.inference_mode():
        logits = model(batch).logits
    assert logits.shape == (1, batch.shape[1], len(tokenizer)) and bool(logits.isfinite().all())

    build_nano(tmp_path / "b", composed_samples, config, seed=5)
    build_nano(tmp_path / "c", composed_samples, config, seed=6)
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in "abc"]
    assert weights[0] == weights[1] != weights[2]
