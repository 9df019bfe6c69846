"""Models of one layer, made on the spot: one that says a fixed reply, one with random weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, Qwen3ForCausalLM

TAGS = ["<think>", "</think>", "<answer>", "</answer>"]
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """Bytes, the four tags as special tokens, and one word of Han."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    bare = Tokenizer(models.BPE(vocab={letter: number for number, letter in enumerate(alphabet)}, merges=[]))
    bare.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bare.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bare, eos_token="<|im_end|>", pad_token="<|pad|>")
    # Registered as special on purpose: decoding must keep them all the same.
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", *TAGS]})
    tokenizer.add_tokens([AddedToken("长沙", normalized=False)])
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def tiny_model(size: int, context: int) -> Qwen3ForCausalLM:
    """One layer with random weights, the same each time, for a vocabulary of ``size`` tokens."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=size, hidden_size=320, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, head_dim=16, max_position_embeddings=context, tie_word_embeddings=False,
        bos_token_id=None, eos_token_id=None, pad_token_id=None,
    )  # fmt: skip
    return Qwen3ForCausalLM(config)


@pytest.fixture
def random_model(tmp_path: Path) -> Path:
    """A folder with random weights, whose replies depend on the prompt, and settings that must not be used."""
    tokenizer = tiny_tokenizer()
    model = tiny_model(len(tokenizer), 2048)
    model.generation_config.update(do_sample=True, temperature=3.0, repetition_penalty=1.8)
    folder = tmp_path / "random"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def teach_chain(model: Any, chain: Sequence[int]) -> None:
    """Have a model of `tiny_model` follow each token of a chain by the next, and say the whole chain to everything.

    Args:
        model: its hidden size is at least the number of its tokens.
        chain: token ids, no two alike; a prompt ends with the first.
    """
    import torch

    assert len(set(chain)) == len(chain), "each token of the chain has one successor"
    with torch.no_grad():
        model.model.layers[0].self_attn.o_proj.weight.zero_()
        model.model.layers[0].mlp.down_proj.weight.zero_()
        model.model.embed_tokens.weight.copy_(torch.eye(*model.model.embed_tokens.weight.shape))
        model.lm_head.weight.zero_()
        for token, successor in pairwise(chain):
            model.lm_head.weight[successor, token] = 1.0


@pytest.fixture
def parrot(tmp_path: Path) -> Callable[..., Path]:
    """Builds a folder whose model says one fixed sequence of tokens to everything."""

    def build(name: str, reply: list[str], context: int = 2048) -> Path:
        tokenizer = tiny_tokenizer()
        model = tiny_model(len(tokenizer), context)
        chain = [tokenizer.encode("\n", add_special_tokens=False)[0], *map(tokenizer.convert_tokens_to_ids, reply)]
        teach_chain(model, chain)
        folder = tmp_path / name
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return build
