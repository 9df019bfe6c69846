"""The decoders that are read and written: names of their weights and sizes in GGUF and in transformers.

One table serves both directions, so that what is exported is what would be unpacked. llama.cpp turns pairs of neighbours
where transformers turns halves: the rows of a Llama's queries and keys are therefore stored in another order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from raiden_core.errors import DataError
from raiden_core.models.gguf.header import Header

if TYPE_CHECKING:
    import numpy as np

EMBEDDING, OUTPUT = "token_embd.weight", "output.weight"
WHOLE = {
    EMBEDDING: "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    OUTPUT: "lm_head.weight",
}
LAYER = {
    "attn_norm.weight": "input_layernorm.weight",
    "attn_q.weight": "self_attn.q_proj.weight",
    "attn_k.weight": "self_attn.k_proj.weight",
    "attn_v.weight": "self_attn.v_proj.weight",
    "attn_output.weight": "self_attn.o_proj.weight",
    "ffn_norm.weight": "post_attention_layernorm.weight",
    "ffn_gate.weight": "mlp.gate_proj.weight",
    "ffn_up.weight": "mlp.up_proj.weight",
    "ffn_down.weight": "mlp.down_proj.weight",
}
QKV_BIAS = {
    "attn_q.bias": "self_attn.q_proj.bias",
    "attn_k.bias": "self_attn.k_proj.bias",
    "attn_v.bias": "self_attn.v_proj.bias",
}
QK_NORM = {
    "attn_q_norm.weight": "self_attn.q_norm.weight",
    "attn_k_norm.weight": "self_attn.k_norm.weight",
}


@dataclass(frozen=True)
class Architecture:
    """A family of decoders; its name is the same in GGUF (``general.architecture``) and in transformers (``model_type``)."""

    name: str
    causal_class: str
    """transformers' class."""
    qkv_bias: bool = False
    qk_norm: bool = False
    turns_neighbours: bool = False
    """Whether llama.cpp wants the rows of queries and keys in its own order."""

    def names(self, layers: int) -> dict[str, str]:
        """Every weight: GGUF's name -> transformers' name."""
        layer = {**LAYER, **(QKV_BIAS if self.qkv_bias else {}), **(QK_NORM if self.qk_norm else {})}
        inner = {
            f"blk.{number}.{ours}": f"model.layers.{number}.{theirs}"
            for number in range(layers)
            for ours, theirs in layer.items()
        }
        return {**WHOLE, **inner}

    def heads_of(self, name: str, heads: int, kv_heads: int) -> int | None:
        """How many heads share a weight whose rows llama.cpp wants in its own order; None for all others."""
        if not self.turns_neighbours:
            return None
        return {"attn_q.weight": heads, "attn_k.weight": kv_heads}.get(name.split(".", 2)[-1])


ARCHITECTURES = {
    one.name: one
    for one in (
        Architecture("llama", "LlamaForCausalLM", turns_neighbours=True),
        Architecture("qwen2", "Qwen2ForCausalLM", qkv_bias=True),
        Architecture("qwen3", "Qwen3ForCausalLM", qk_norm=True),
    )
}


def architecture_of(header: Header) -> Architecture:
    """The architecture of a file.

    Raises:
        DataError: it is none of those that are read.
    """
    name = header.text("general.architecture")
    if name not in ARCHITECTURES:
        raise DataError(
            f"{header.path}: general.architecture {name} is not unpacked here ({', '.join(ARCHITECTURES)} are); name the "
            "folder or the Hub id of the model's safetensors instead"
        )
    return ARCHITECTURES[name]


def config_of(header: Header) -> dict[str, Any]:
    """The keys of ``config.json`` that a file's metadata give.

    Raises:
        DataError: something is missing, or the model has what is not read: experts, scaled positions, heads that differ.
    """
    kind = architecture_of(header)
    prefix = kind.name

    def size(key: str, default: int | None = None) -> int:
        return header.integer(f"{prefix}.{key}", default)

    scaling = header.metadata.get(f"{prefix}.rope.scaling.type", "none")
    if scaling != "none" or "rope_freqs.weight" in header.tensors:
        raise DataError(
            f"{header.path}: its positions are scaled ({scaling if scaling != 'none' else 'rope_freqs'}), which GGUF does "
            "not hold in transformers' terms; name the folder or the Hub id of the model's safetensors instead"
        )
    if size("expert_count", 0):
        raise DataError(
            f"{header.path}: a mixture of experts is not unpacked here; name the model's safetensors instead"
        )
    heads, hidden = size("attention.head_count"), size("embedding_length")
    return {
        "model_type": kind.name,
        "architectures": [kind.causal_class],
        "vocab_size": header.tensors[EMBEDDING].shape[0] if EMBEDDING in header.tensors else size("vocab_size"),
        "hidden_size": hidden,
        "intermediate_size": size("feed_forward_length"),
        "num_hidden_layers": size("block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": size("attention.head_count_kv", heads),
        "head_dim": size("attention.key_length", size("rope.dimension_count", hidden // max(1, heads))),
        "max_position_embeddings": size("context_length"),
        "rms_norm_eps": round(header.number(f"{prefix}.attention.layer_norm_rms_epsilon"), 12),
        "rope_parameters": {"rope_type": "default", "rope_theta": header.number(f"{prefix}.rope.freq_base", 10000.0)},
        "tie_word_embeddings": OUTPUT not in header.tensors,
        "bos_token_id": header.metadata.get("tokenizer.ggml.bos_token_id"),
        "eos_token_id": header.metadata.get("tokenizer.ggml.eos_token_id"),
        "pad_token_id": header.metadata.get("tokenizer.ggml.padding_token_id"),
    }


def check_tensors(header: Header, kind: Architecture, config: dict[str, Any]) -> dict[str, str]:
    """The weights to unpack: GGUF's name -> transformers'.

    Raises:
        DataError: one is missing, or there is one that the architecture does not have.
    """
    names = kind.names(config["num_hidden_layers"])
    if config["tie_word_embeddings"]:
        del names[OUTPUT]
    missing = next((name for name in names if name not in header.tensors), None)
    if missing is not None:
        raise DataError(f"{header.path}: {missing}: no such tensor; not a whole {kind.name} model")
    unknown = next((name for name in header.tensors if name not in names), None)
    if unknown is not None:
        raise DataError(
            f"{header.path}: {unknown}: a {kind.name} model has no such weight here, so leaving it out would give another "
            "model; name the folder or the Hub id of the model's safetensors instead"
        )
    return names


def to_halves(weights: np.ndarray[Any, Any], heads: int) -> np.ndarray[Any, Any]:
    """Rows of queries or keys from llama.cpp's order into transformers'."""
    rows = weights.shape[0]
    return weights.reshape(heads, rows // heads // 2, 2, -1).swapaxes(1, 2).reshape(weights.shape)


def to_neighbours(weights: np.ndarray[Any, Any], heads: int) -> np.ndarray[Any, Any]:
    """The way back."""
    rows = weights.shape[0]
    return weights.reshape(heads, 2, rows // heads // 2, -1).swapaxes(1, 2).reshape(weights.shape)
