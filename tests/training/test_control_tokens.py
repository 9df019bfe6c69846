"""Turns are what the prompt's builder made, whatever stands in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from raiden_core.prompts import build_prompt
from tests.support.hostile import hostile_sample

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


def test_a_prompt_has_as_many_turns_for_the_tokenizer_as_it_has(nano_tokenizer: PreTrainedTokenizerFast) -> None:
    prompt = build_prompt(hostile_sample())
    text = nano_tokenizer.apply_chat_template(prompt, tokenize=False, add_generation_prompt=True)
    ids = nano_tokenizer(str(text))["input_ids"]
    assert ids.count(nano_tokenizer.convert_tokens_to_ids("<|end|>")) == len(prompt) == 4
