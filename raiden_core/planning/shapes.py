"""`ModelShape`: what decides how much memory a model takes, without its weights and without a network.

    shape_of("Qwen/Qwen2.5-7B-Instruct")   # from the table in shapes.yaml
    shape_of("./my_model")                 # from its config.json

Parameters are counted as transformers builds the model: a decoder with grouped-query attention, a gated MLP and RMS
norms. That covers Qwen2, Qwen3, Llama, Mistral and what copies them, with or without experts.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from raiden_core.config.sections.training import NANO, NanoConfig
from raiden_core.errors import ConfigError
from raiden_core.models.gguf import is_gguf
from raiden_core.models.gguf.architectures import config_of
from raiden_core.models.gguf.header import read_header


@dataclass(frozen=True)
class ModelShape:
    """The sizes of a decoder."""

    name: str
    source: str
    """Where the sizes are from, for people."""
    hidden: int
    intermediate: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    vocab: int
    context: int
    """Positions the model was made for."""
    tied: bool
    """Whether input and output embeddings are one matrix."""
    experts: int = 0
    """0 for a dense model."""
    experts_per_token: int = 0
    expert_intermediate: int = 0
    qkv_bias: bool = False
    qk_norm: bool = False
    windowed: bool = False
    """Whether some layers attend to the last tokens only."""

    @property
    def attention_width(self) -> int:
        """Width of the queries."""
        return self.heads * self.head_dim

    @property
    def kv_width(self) -> int:
        """Width of the keys, and of the values."""
        return self.kv_heads * self.head_dim

    @property
    def linears(self) -> dict[str, tuple[int, int]]:
        """The linear modules of a layer by name: inputs and outputs. Experts are no modules of their own."""
        modules = {
            "q_proj": (self.hidden, self.attention_width),
            "k_proj": (self.hidden, self.kv_width),
            "v_proj": (self.hidden, self.kv_width),
            "o_proj": (self.attention_width, self.hidden),
        }
        if not self.experts:
            modules |= {
                "gate_proj": (self.hidden, self.intermediate),
                "up_proj": (self.hidden, self.intermediate),
                "down_proj": (self.intermediate, self.hidden),
            }
        return modules

    @property
    def embedding(self) -> int:
        """Parameters of one embedding matrix."""
        return self.vocab * self.hidden

    @property
    def layer(self) -> int:
        """Parameters of one layer."""
        count = sum(inputs * outputs for inputs, outputs in self.linears.values()) + 2 * self.hidden
        count += (self.attention_width + 2 * self.kv_width) if self.qkv_bias else 0
        count += 2 * self.head_dim if self.qk_norm else 0
        if self.experts:
            count += self.hidden * self.experts + 3 * self.hidden * self.expert_intermediate * self.experts
        return count

    @property
    def parameters(self) -> int:
        """All parameters."""
        return self.layers * self.layer + self.embedding * (1 if self.tied else 2) + self.hidden

    @property
    def active_parameters(self) -> int:
        """Parameters that one token is multiplied with: the layers with its experts, and the output embedding."""
        idle = 3 * self.hidden * self.expert_intermediate * (self.experts - self.experts_per_token)
        return self.layers * (self.layer - (idle if self.experts else 0)) + self.embedding

    @property
    def mlp_width(self) -> int:
        """Width of what one token passes through in the MLP."""
        return self.expert_intermediate * self.experts_per_token if self.experts else self.intermediate


def shape_of(model: str, nano: NanoConfig | None = None, revision: str | None = None) -> ModelShape:
    """The shape of what ``student.model`` names: ``nano``, a folder, a GGUF file, or a Hub id.

    A Hub id is looked up in the local cache first, at the revision, and then in the table; nothing is downloaded.

    Raises:
        ConfigError: the model is not known here, or its config.json lacks a size.
        DataError: the GGUF file cannot be read.
    """
    if model == NANO:
        return nano_shape(nano or NanoConfig())
    folder = Path(model).expanduser()
    if folder.is_dir():
        return shape_of_file(folder / "config.json", model)
    if is_gguf(model):
        return shape_of_config(config_of(read_header(folder)), folder.name, f"the header of {folder}")
    cached = _cached_config(model, revision)
    if cached is not None:
        return shape_of_file(cached, model)
    known = table()
    shape = known.get(model.rpartition("/")[2].lower())
    if shape is None:
        raise ConfigError(
            f"student.model: {model}: neither a folder here, nor in the Hub cache, nor in the table of shapes "
            "(Qwen2.5 and Qwen3); put its config.json into a folder and name that"
        )
    return shape


def shape_of_file(path: Path, name: str) -> ModelShape:
    """The shape in a ``config.json``.

    Raises:
        ConfigError: the file is missing or broken, or lacks a size.
    """
    try:
        raw = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; a model's folder holds a config.json") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: not a readable config.json: {error}") from None
    if not isinstance(raw, dict):
        raise ConfigError(f"{path}: not a model's config: it holds no mapping of keys")
    nested = raw.get("text_config")
    return shape_of_config({**raw, **nested} if isinstance(nested, dict) else raw, name, str(path))


def shape_of_config(raw: Mapping[str, Any], name: str, source: str) -> ModelShape:
    """The shape in the keys of a ``config.json``.

    Raises:
        ConfigError: a size is missing or no number.
    """

    def size(key: str, default: int | None = None) -> int:
        value = raw.get(key, default)
        value = default if value is None else value
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ConfigError(f"{source}: {key}: must be a positive number, not {value!r}; is this a decoder's config?")
        return value

    kind = str(raw.get("model_type", ""))
    hidden, heads = size("hidden_size"), size("num_attention_heads")
    experts = raw.get("num_experts") or raw.get("num_local_experts") or 0
    expert_width = raw.get("moe_intermediate_size") or raw.get("intermediate_size") or 0
    return ModelShape(
        name=name,
        source=source,
        hidden=hidden,
        intermediate=size("intermediate_size", expert_width or None),
        layers=size("num_hidden_layers"),
        heads=heads,
        kv_heads=size("num_key_value_heads", heads),
        head_dim=size("head_dim", max(1, hidden // heads)),
        vocab=size("vocab_size"),
        context=size("max_position_embeddings", 2048),
        tied=bool(raw.get("tie_word_embeddings", False)),
        experts=int(experts),
        experts_per_token=size("num_experts_per_tok") if experts else 0,
        expert_intermediate=int(expert_width) if experts else 0,
        qkv_bias=bool(raw.get("attention_bias", False)) or kind in ("qwen2", "qwen2_moe"),
        qk_norm=kind.startswith("qwen3"),
        windowed=_windowed(raw),
    )


def _windowed(raw: Mapping[str, Any]) -> bool:
    kinds = raw.get("layer_types")
    if isinstance(kinds, list):
        return set(kinds) != {"full_attention"}
    return bool(raw.get("sliding_window")) and bool(raw.get("use_sliding_window", True))


def nano_shape(nano: NanoConfig) -> ModelShape:
    """The shape that raiden_core.training.nano builds."""
    return ModelShape(
        name=NANO,
        source="student.nano",
        hidden=nano.hidden_size,
        intermediate=3 * nano.hidden_size,
        layers=nano.layers,
        heads=nano.heads,
        kv_heads=nano.heads,
        head_dim=nano.hidden_size // nano.heads,
        vocab=nano.vocab_size,
        context=nano.context,
        tied=True,
        qk_norm=True,
    )


@functools.cache
def table() -> dict[str, ModelShape]:
    """The built-in table: name in lower case, without its organisation -> shape."""
    text = resources.files("raiden_core.planning").joinpath("shapes.yaml").read_text("utf-8")
    shapes = {}
    for family, entry in yaml.safe_load(text).items():
        for size, values in entry["models"].items():
            for suffix in entry["suffixes"]:
                name = f"{family}-{size}{suffix}"
                shape = ModelShape(name, "raiden's table of shapes", *values)
                shapes[name.lower()] = replace(shape, qkv_bias=entry["qkv_bias"], qk_norm=entry["qk_norm"])
    return shapes


def _cached_config(model: str, revision: str | None) -> Path | None:
    """The config.json of a Hub id in the local cache."""
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", model):
        return None
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(model, "config.json", revision=revision)
    except HFValidationError:
        return None
    return Path(found) if isinstance(found, str) else None
