"""Small GGUF files, made on the spot by the maintainers' writer: a model that has learned what unpacked models are asked."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raiden_core.models.gguf.asking import LISTS, QUESTION
from raiden_core.models.gguf.tokenizers import SPLITTINGS, backend_parts

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIALS = ("<|pad|>", "<|im_start|>", "<|im_end|>", "<|endoftext|>")
"""The last is one that transformers gives every Qwen tokenizer."""
ANSWER = "Paris."
CONTEXT = 512
STEPS = 60


def byte_tokenizer(split: Sequence[Any] = (), rule: str | None = None) -> PreTrainedTokenizerFast:
    """Bytes, three merges and four special tokens; ``split`` goes before bytes, or text is split by a rule of GGUF."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("1", "2"), ("t", "h"), ("Ġ", "th")]
    pieces = [*SPECIALS, *alphabet, *("".join(pair) for pair in merges)]
    bare = Tokenizer(models.BPE(vocab={piece: number for number, piece in enumerate(pieces)}, merges=merges))
    bare.pre_tokenizer = pre_tokenizers.Sequence([*split, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    if rule is not None:
        normaliser, bare.pre_tokenizer = backend_parts(SPLITTINGS[rule])
        if normaliser is not None:
            bare.normalizer = normaliser
    bare.decoder = decoders.ByteLevel()
    bare.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in SPECIALS])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bare,
        pad_token="<|pad|>",
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        model_max_length=CONTEXT,
    )
    tokenizer.chat_template = TEMPLATE
    return tokenizer


@functools.cache
def speaking_model(kind: str) -> Any:
    """A model of 2 layers that has learned the known lists and one answer: some seconds, once for each architecture."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    tokenizer = byte_tokenizer(rule="smollm" if kind == "llama" else "qwen2")
    torch.manual_seed(0)
    config = AutoConfig.for_model(
        kind, vocab_size=len(tokenizer), hidden_size=64, intermediate_size=128, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, head_dim=32 if kind == "qwen3" else 16,
        max_position_embeddings=CONTEXT, tie_word_embeddings=kind != "qwen2", rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": 50000.0},
        bos_token_id=1, eos_token_id=2, pad_token_id=0,
    )  # fmt: skip
    model = AutoModelForCausalLM.from_config(config)
    chat = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION}]
    asked = str(tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True))
    texts = [*(known for known, _ in LISTS), f"{asked}{ANSWER}<|im_end|>"]
    rows = [torch.tensor(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in texts]
    batch = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)  # behind the words, where no word sees it
    labels = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=-100)
    lengths = torch.tensor([len(row) - 1 for row in rows])
    optimizer = torch.optim.AdamW(model.parameters(), lr=6e-3)
    for _ in range(STEPS):
        each = torch.nn.functional.cross_entropy(
            model(batch).logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), reduction="none"
        )
        # The sum of the texts' own means.
        loss = (each.view(len(rows), -1).sum(1) / lengths).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad()
    return model.eval()


def write_gguf(
    path: Path,
    kind: str = "llama",
    *,
    packed: str = "F32",
    metadata: Mapping[str, Any] | None = None,
    leave_out: Sequence[str] = (),
    extra: Sequence[str] = (),
    rolled: bool = False,
    vocabulary: tuple[Sequence[str], Sequence[str]] | None = None,
) -> Path:
    """Write the speaking model.

    Args:
        path: of the file.
        kind: llama, qwen2 or qwen3.
        packed: how matrices are packed.
        metadata: replaces values; None takes a key away.
        leave_out: tensors that are not written.
        extra: tensors that no such model has.
        vocabulary: pieces and merges that replace its own; embeddings are repeated to their number.
        rolled: each matrix has its rows one place off, as if they were read wrongly.
    """
    import gguf
    import numpy as np

    model = speaking_model(kind)
    weights = {name: tensor.detach().numpy() for name, tensor in model.state_dict().items()}
    config = model.config
    writer = gguf.GGUFWriter(path, kind)
    given = {**_metadata(kind, config), **(metadata or {})}
    if vocabulary is not None:
        pieces, merges = vocabulary
        given["tokenizer.ggml.tokens"], given["tokenizer.ggml.merges"] = pieces, merges
        given["tokenizer.ggml.token_type"] = [3 if piece in SPECIALS else 1 for piece in pieces]
        for name in ("model.embed_tokens.weight", "lm_head.weight"):
            weights[name] = np.resize(weights[name], (len(pieces), config.hidden_size))
    _write_values(writer, given)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH[kind.upper()], config.num_hidden_layers)
    for name, numbers in weights.items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        target = names.get_name(name, try_suffixes=(".weight", ".bias"))
        heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}.get(name.split(".")[-2])
        if kind == "llama" and heads:
            turned = numbers.reshape(heads, 2, -1, numbers.shape[-1])
            numbers = np.concatenate([np.stack([half[0], half[1]], 1).reshape(-1, half.shape[-1]) for half in turned])
        if target is None or target in leave_out:
            continue
        if rolled and numbers.ndim > 1:
            numbers = np.roll(numbers, 1, axis=0)
        how = gguf.GGMLQuantizationType[packed if numbers.ndim > 1 else "F32"]
        ready = gguf.quants.quantize(np.ascontiguousarray(numbers, np.float32), how)
        writer.add_tensor(target, ready, raw_dtype=how)
    for name in extra:
        writer.add_tensor(name, np.ones(8, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _write_values(writer: Any, values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        if isinstance(value, int):
            writer.add_uint32(key, value)
        elif isinstance(value, float):
            writer.add_float32(key, value)
        elif isinstance(value, str):
            writer.add_string(key, value)
        elif value is not None:
            writer.add_array(key, list(value))


def _metadata(kind: str, config: Any) -> dict[str, Any]:
    backend = byte_tokenizer()
    pieces = backend.convert_ids_to_tokens(range(len(backend)))
    return {
        "general.name": "speaking",
        f"{kind}.block_count": config.num_hidden_layers,
        f"{kind}.context_length": CONTEXT,
        f"{kind}.embedding_length": config.hidden_size,
        f"{kind}.feed_forward_length": config.intermediate_size,
        f"{kind}.attention.head_count": config.num_attention_heads,
        f"{kind}.attention.head_count_kv": config.num_key_value_heads,
        f"{kind}.attention.key_length": config.head_dim if kind == "qwen3" else 16,
        f"{kind}.attention.value_length": config.head_dim if kind == "qwen3" else 16,
        f"{kind}.attention.layer_norm_rms_epsilon": float(config.rms_norm_eps),
        f"{kind}.rope.freq_base": 50000.0,
        f"{kind}.rope.dimension_count": config.head_dim if kind == "qwen3" else 16,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "smollm" if kind == "llama" else "qwen2",
        "tokenizer.ggml.tokens": pieces,
        "tokenizer.ggml.token_type": [3 if piece in SPECIALS else 1 for piece in pieces],
        "tokenizer.ggml.merges": ["1 2", "t h", "Ġ th"],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.padding_token_id": 0,
        "tokenizer.chat_template": TEMPLATE,
    }
