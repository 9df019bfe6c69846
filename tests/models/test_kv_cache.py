"""The cache of keys and values is called as the installed transformers calls it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import pytest
import torch

from raiden_core.models.kv_cache import cache_name
from raiden_core.models.local_model import _new_tokens


@dataclass
class BeforeTheNewName:
    """A model's output as transformers had it up to 5.23."""

    past_key_values: Any = None


@dataclass
class Output:
    """As it is from 5.24 on."""

    cache: Any = None


@pytest.mark.parametrize(("kind", "name"), [(BeforeTheNewName, "past_key_values"), (Output, "cache")])
def test_the_name_is_that_of_the_outputs(kind: type, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transformers.modeling_outputs.CausalLMOutputWithPast", kind)
    assert cache_name.__wrapped__() == name


def test_answers_are_made_without_a_warning_about_it() -> None:
    from transformers import GenerationConfig, Qwen3Config, Qwen3ForCausalLM

    shape = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 8}
    model = Qwen3ForCausalLM(Qwen3Config(vocab_size=32, **shape, **heads))
    ids = torch.tensor([[5, 6, 7], [8, 9, 10]])
    settings = GenerationConfig(max_new_tokens=4, eos_token_id=[1], pad_token_id=0, do_sample=False)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*past_key_values")
        rows = _new_tokens(model, settings, ids, torch.ones_like(ids))
    assert len(rows) == 2
