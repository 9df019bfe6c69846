"""The nano student: a Qwen3-architecture model of about half a million parameters, made inside the run.

It makes the whole pipeline real on two CPU cores: tokenizer trained on the run's own training samples, weights
random. Nothing is downloaded and nothing about it is special to later stages, which see a model folder like any other.

What lets so small a model learn to copy from a profile (measured, see docs/quickstart-results.md): every frequent
``key：`` of the profiles is one token, and the vocabulary is small. It also needs a value to have the same tokens in
the profile and in an answer. In Chinese that comes by itself; elsewhere a space or a particle would grow into the value.
``<think>`` and ``<answer>`` are ordinary added tokens, not special ones: TRL decodes completions with
``skip_special_tokens=True``, and a reward that cannot see the tags trains a model that drops them.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from raiden_core.prompts import Layout, build_completion, build_prompt, colon
from raiden_core.samples import Sample

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, Qwen3ForCausalLM

    from raiden_core.config.sections.training import NanoConfig

TAGS = ("<think>", "</think>", "<answer>", "</answer>")
PAD, END = "<|pad|>", "<|end|>"
ROLES = ("<|system|>", "<|user|>", "<|assistant|>")
MIN_KEY_COUNT = 20
"""A profile key becomes one token when at least this many characters have it: rarer ones cannot be learned anyway."""
MAX_KEYS = 128
MIN_VALUE_COUNT = 5
"""A value is kept apart from the words around it when at least this many characters share it."""
MAX_VALUES = 512
KEPT_WHOLE_ANYWAY = "zh"
"""The language whose merges end at the edges of values without being told to."""
MAX_TEXTS = 6000
"""Samples that the tokenizer is trained on; more change its merges no further."""

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def build_nano(
    folder: Path, samples: Sequence[Sample], config: NanoConfig, seed: int, layout: Layout = "raiden"
) -> int:
    """Make tokenizer and model from ``samples`` and save both in ``folder``.

    Returns:
        The number of parameters.
    """
    import torch

    tokenizer = build_tokenizer(samples, config, layout)
    torch.manual_seed(seed)
    model = build_model(tokenizer, config)
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder, safe_serialization=True)
    return int(model.num_parameters())


def build_tokenizer(
    samples: Sequence[Sample], config: NanoConfig, layout: Layout = "raiden"
) -> PreTrainedTokenizerFast:
    """A BPE tokenizer with byte fallback (so that no text is unknown) and one token for every frequent ``key：``."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    specials = [PAD, END, *ROLES]
    byte_tokens = [f"<0x{byte:02X}>" for byte in range(256)]
    keys, values = frequent_keys(samples), frequent_values(samples)
    # The trainer's own choice of the alphabet leaves equally frequent characters to chance, differently in each process.
    counts = Counter(character for text in _texts(samples, layout) for character in text)
    alphabet = sorted(counts, key=lambda character: (-counts[character], character))[: config.vocab_size // 2]
    bpe = Tokenizer(models.BPE(byte_fallback=True))
    # A merge never crosses a line's end, the colon after a key or the edge of a value, so that values keep tokens of
    # their own.
    apart = [pre_tokenizers.Split(Regex(_alternatives(values)), "isolated")] if values else []
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            *apart,
            pre_tokenizers.Split(Regex(r"[：:\n。，？！、“”.,?!;]"), "isolated"),
            pre_tokenizers.Split(Regex(r" "), "merged_with_next"),
            pre_tokenizers.Digits(individual_digits=True),
        ]
    )
    bpe.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    trainer = trainers.BpeTrainer(
        vocab_size=config.vocab_size - len(specials) - len(TAGS) - len(keys),
        special_tokens=byte_tokens,
        initial_alphabet=alphabet,
        limit_alphabet=len(alphabet),
        show_progress=False,
    )
    bpe.train_from_iterator(_texts(samples, layout), trainer)
    # The trainer marks the byte tokens as special, and special tokens vanish where TRL decodes: rare characters and
    # spaces would be invisible to the reward. In the model's vocabulary alone they are ordinary tokens.
    bpe = Tokenizer.from_str(json.dumps({**json.loads(bpe.to_str()), "added_tokens": []}))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        pad_token=PAD,
        eos_token=END,
        additional_special_tokens=list(ROLES),
        padding_side="left",
        clean_up_tokenization_spaces=False,
        model_max_length=config.context,
    )
    tokenizer.add_tokens([AddedToken(token, normalized=False, special=False) for token in (*TAGS, *keys)])
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def build_model(tokenizer: PreTrainedTokenizerFast, config: NanoConfig) -> Qwen3ForCausalLM:
    """A randomly initialised Qwen3 model with tied embeddings; seed torch before calling."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    return Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=len(tokenizer),
            hidden_size=config.hidden_size,
            intermediate_size=3 * config.hidden_size,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            num_key_value_heads=config.heads,
            head_dim=config.hidden_size // config.heads,
            max_position_embeddings=config.context,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def frequent_keys(samples: Iterable[Sample]) -> list[str]:
    """``key：`` (or ``key: ``, as the language writes it) of the keys that many characters share, most frequent first."""
    profiles = {sample.character_name: sample for sample in samples}
    counts = Counter(key + colon(sample.language) for sample in profiles.values() for key in sample.character_profile)
    return [key for key, count in counts.most_common(MAX_KEYS) if count >= MIN_KEY_COUNT]


def frequent_values(samples: Iterable[Sample]) -> list[str]:
    """The values that several characters share, in all languages but `KEPT_WHOLE_ANYWAY`, most frequent first."""
    profiles = {sample.character_name: sample for sample in samples if sample.language != KEPT_WHOLE_ANYWAY}
    counts = Counter(str(value) for sample in profiles.values() for value in sample.character_profile.values())
    return [value for value, count in counts.most_common(MAX_VALUES) if value and count >= MIN_VALUE_COUNT]


def _alternatives(values: Sequence[str]) -> str:
    """A pattern for any of the values, the longest first; one in Latin letters only as whole words."""
    longest_first = sorted(values, key=lambda value: (-len(value), value))
    return rf"(?<![A-Za-z0-9])(?:{'|'.join(map(re.escape, longest_first))})(?![A-Za-z0-9])"


def _texts(samples: Sequence[Sample], layout: Layout) -> Iterable[str]:
    step = max(1, len(samples) // MAX_TEXTS)
    for sample in samples[::step]:
        for message in build_prompt(sample, layout=layout):
            yield message["content"]
        yield build_completion(sample)
