"""Turns are what the prompt's builder made, whatever stands in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from raiden_core.prompts import build_prompt
from raiden_core.training.sequences import build_sequences
from tests.support.hostile import hostile_sample

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


def test_a_prompt_has_as_many_turns_for_the_tokenizer_as_it_has(nano_tokenizer: PreTrainedTokenizerFast) -> None:
    prompt = build_prompt(hostile_sample())
    text = nano_tokenizer.apply_chat_template(prompt, tokenize=False, add_generation_prompt=True)
    ids = nano_tokenizer(str(text))["input_ids"]
    assert ids.count(nano_tokenizer.convert_tokens_to_ids("<|end|>")) == len(prompt) == 4


def test_a_cold_starts_sequence_has_as_many_turns_as_were_written(nano_tokenizer: PreTrainedTokenizerFast) -> None:
    sample = hostile_sample()
    plain = sample.model_copy(update={"conversation_history": ()})
    rows = build_sequences(
        [sample, plain],
        nano_tokenizer,
        epochs=1,
        questions_per_sequence=2,
        max_length=4096,
        shortest_first=False,
        instructions=None,
        prefilled_think=False,
        seed=0,
    ).rows
    ends = nano_tokenizer.convert_tokens_to_ids("<|end|>")
    # system, two turns of history, question and answer; then one more question with its answer
    assert [row["input_ids"].count(ends) for row in rows] == [7]
