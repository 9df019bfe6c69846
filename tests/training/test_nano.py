"""The nano student: a tokenizer that hides nothing from the reward, and a small model that loads like any other."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raiden_core.config.sections.training import NanoConfig
from raiden_core.prompts import build_completion, build_prompt
from raiden_core.samples import Sample, write_samples
from raiden_core.training.nano import ROLES, TAGS, build_nano, frequent_keys


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


def test_rare_keys_get_no_token_and_ascii_keys_their_own_colon() -> None:
    def person(number: int) -> Sample:
        profile = {"Name": f"A{number}", "职业": "医生"} | ({"Rare": "x"} if number < 19 else {})
        row = {
            "character_name": f"A{number}",
            "character_profile": profile,
            "question": "?",
            "answer": "",
            "keywords": [],
        }
        return Sample.model_validate(row)

    people = [person(number) for number in range(20)]
    assert sorted(frequent_keys([*people, *people, *people])) == ["Name: ", "职业："]


@pytest.mark.parametrize(
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


def test_the_tokenizer_is_the_same_in_every_process(tmp_path: Path, composed_samples: list[Sample]) -> None:
    write_samples(tmp_path / "samples.jsonl", composed_samples)
    code = (
        "import sys, hashlib, pathlib\n"
        "from raiden_core.config.sections.training import NanoConfig\n"
        "from raiden_core.samples import read_samples\n"
        "from raiden_core.training.nano import build_tokenizer\n"
        "made = build_tokenizer(read_samples(pathlib.Path(sys.argv[1])), NanoConfig(vocab_size=700))\n"
        "print(hashlib.sha256(made.backend_tokenizer.to_str().encode()).hexdigest())\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "samples.jsonl")]
    digests = {subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2)}
    assert len(digests) == 1
