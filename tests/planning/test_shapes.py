"""Shapes: the table against published parameter counts, the formula against transformers, config files."""

import json
from pathlib import Path
from typing import Any

import pytest

from raiden_core.config.sections.training import NanoConfig
from raiden_core.errors import ConfigError
from raiden_core.planning.shapes import ModelShape, nano_shape, shape_of, shape_of_config
from tests.support.tables import table

PUBLISHED = {
    "Qwen/Qwen2.5-0.5B-Instruct": 494_032_768,
    "Qwen/Qwen2.5-1.5B": 1_543_714_304,
    "Qwen/Qwen2.5-3B-Instruct": 3_085_938_688,
    "Qwen/Qwen2.5-7B-Instruct": 7_615_616_512,
    "Qwen/Qwen2.5-14B-Instruct": 14_770_033_664,
    "Qwen/Qwen2.5-32B-Instruct": 32_763_876_352,
    "Qwen/Qwen2.5-72B-Instruct": 72_706_203_648,
    "Qwen/Qwen3-0.6B": 596_049_920,
    "Qwen/Qwen3-1.7B": 1_720_574_976,
    "Qwen/Qwen3-4B-Instruct-2507": 4_022_468_096,
    "Qwen/Qwen3-8B-Base": 8_190_735_360,
    "Qwen/Qwen3-14B": 14_768_307_200,
    "Qwen/Qwen3-32B": 32_762_123_264,
    "Qwen/Qwen3-30B-A3B": 30_532_122_624,
    "Qwen/Qwen3-235B-A22B": 235_093_634_560,
}
"""Parameters as the safetensors headers on the Hub count them."""


@pytest.fixture(autouse=True)
def empty_hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("raiden_core.planning.shapes._cached_config", lambda model, revision: None)


@table(("model", "parameters"), PUBLISHED.items())
def test_the_table_has_the_published_parameters(model: str, parameters: int) -> None:
    assert shape_of(model).parameters == parameters


def test_active_parameters_of_a_mixture_are_those_of_its_name() -> None:
    assert shape_of("Qwen/Qwen3-30B-A3B").active_parameters == pytest.approx(3.0e9, rel=0.05)
    dense = shape_of("Qwen/Qwen3-8B")
    assert dense.active_parameters == dense.parameters - dense.embedding - dense.hidden


@pytest.mark.parametrize("kind", ["qwen2", "qwen3", "llama"])
@pytest.mark.parametrize("tied", [True, False])
def test_parameters_are_counted_as_transformers_builds_the_model(kind: str, tied: bool) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    sizes = {"hidden_size": 64, "intermediate_size": 160, "num_hidden_layers": 3, "num_attention_heads": 4}
    sizes |= {"num_key_value_heads": 2, "head_dim": 16, "vocab_size": 300, "tie_word_embeddings": tied}
    config = AutoConfig.for_model(kind, **sizes)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    shape = shape_of_config(config.to_dict(), "x", "x")
    assert shape.parameters == model.num_parameters()
    linears = {
        name.rpartition(".")[2]: (module.in_features, module.out_features)
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and "layers" in name
    }
    assert shape.linears == linears


def test_the_nano_shape_is_what_is_built() -> None:
    import torch

    from raiden_core.training.nano import build_model

    class Tokenizer:
        eos_token_id, pad_token_id = 1, 0

        def __len__(self) -> int:
            return 700

    tokenizer: Any = Tokenizer()
    nano = NanoConfig(vocab_size=700, hidden_size=64, layers=2, heads=4)
    with torch.device("meta"):
        model = build_model(tokenizer, nano)
    assert nano_shape(nano).parameters == model.num_parameters()


def config_file(folder: Path, **changes: object) -> Path:
    raw = {"model_type": "qwen3", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2}
    raw |= {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 32, "vocab_size": 500}
    (folder / "config.json").write_text(json.dumps({**raw, **changes}), "utf-8")
    return folder


def test_a_folder_is_read_by_its_config(tmp_path: Path) -> None:
    shape = shape_of(str(config_file(tmp_path, tie_word_embeddings=True, max_position_embeddings=512)))
    assert (shape.attention_width, shape.kv_width, shape.tied, shape.qk_norm, shape.context) == (
        128,
        64,
        True,
        True,
        512,
    )
    nested = shape_of_config(
        {"text_config": {}, "hidden_size": 8, "num_attention_heads": 2}
        | dict.fromkeys(["intermediate_size", "num_hidden_layers", "vocab_size"], 4),
        "x",
        "x",
    )
    assert isinstance(nested, ModelShape)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hidden_size": None}, "hidden_size: must be a positive number"),
        ({"num_hidden_layers": "two"}, "num_hidden_layers"),
        ({"vocab_size": 0}, "vocab_size"),
    ],
)
def test_a_config_without_a_size_is_refused(tmp_path: Path, changes: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        shape_of(str(config_file(tmp_path, **changes)))


def test_models_that_are_nowhere_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="neither a folder here, nor in the Hub cache, nor in the table"):
        shape_of("someone/Unknown-3B")
    with pytest.raises(ConfigError, match=r"config\.json: no such file"):
        shape_of(str(tmp_path))
    (tmp_path / "config.json").write_text("{", "utf-8")
    with pytest.raises(ConfigError, match="not a readable"):
        shape_of(str(tmp_path))
