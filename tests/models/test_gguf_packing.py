"""What is written as GGUF is read back as the same model; what llama.cpp would read otherwise is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tokenizers import AddedToken, pre_tokenizers

from raiden_core.config.sections.training import GgufConfig, NanoConfig
from raiden_core.errors import DataError, StageError
from raiden_core.models.folder import load_model
from raiden_core.models.gguf import packing
from raiden_core.models.gguf.header import read_header
from raiden_core.models.gguf.packing import QUANTS, pack, vocabulary
from raiden_core.models.gguf.tokenizers import CONTROL, UNUSED, USER_DEFINED, rule_of
from raiden_core.models.gguf.unpack import dense_folder
from raiden_core.samples import Sample
from raiden_core.training.nano import build_nano
from tests.support.gguf_files import byte_tokenizer, speaking_model
from tests.training.conftest import composed_samples

__all__ = ["composed_samples"]


def folder_of(kind: str, place: Path) -> Path:
    """A folder as training leaves it."""
    speaking_model(kind).save_pretrained(place)
    byte_tokenizer(rule="smollm" if kind == "llama" else "qwen2").save_pretrained(place)
    return place


def logits(model: Any, ids: list[int]) -> Any:
    import torch

    with torch.inference_mode():
        return model(torch.tensor([ids])).logits


@pytest.mark.parametrize("kind", ["llama", "qwen2", "qwen3"])
@pytest.mark.parametrize(("quant", "apart"), [("f16", 0.02), ("q8_0", 0.5), ("q4_0", 6.0)])
def test_a_file_is_read_back_as_its_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, quant: Any, apart: float
) -> None:
    monkeypatch.setenv("RAIDEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("raiden_core.models.gguf.unpack.is_installed", lambda: False)
    if quant == "q4_0":  # four bits of so small a model may no longer know the lists
        monkeypatch.setattr("raiden_core.models.gguf.unpack.ask", lambda *_: ("?", "!"))
    packed = pack(folder_of(kind, tmp_path / "m"), tmp_path / "m.gguf", quant, "a model")
    assert (
        packed.rule == ("smollm" if kind == "llama" else "qwen2")
        and packed.size == (tmp_path / "m.gguf").stat().st_size
    )
    ids = byte_tokenizer()("one, two, three", add_special_tokens=False)["input_ids"]
    back = load_model(dense_folder(packed.file, GgufConfig()))
    assert (logits(back, ids) - logits(speaking_model(kind), ids)).abs().max() < apart
    assert not list(tmp_path.glob(".*partial"))


def test_smaller_types_make_smaller_files(tmp_path: Path) -> None:
    folder = folder_of("llama", tmp_path / "m")
    sizes = [pack(folder, tmp_path / f"{quant}.gguf", quant, "m").size for quant in QUANTS]
    assert sizes == sorted(sizes, reverse=True) and len(set(sizes)) == len(QUANTS)
    kinds = {name: place.kind for name, place in read_header(tmp_path / "q4_0.gguf").tensors.items()}
    assert kinds["token_embd.weight"] == 8 and kinds["blk.0.attn_q.weight"] == 2 and kinds["output_norm.weight"] == 0


def test_tags_stay_text_and_unused_rows_are_no_tokens() -> None:
    tokenizer = byte_tokenizer()
    size = len(tokenizer)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<think>", "<|other|>"]})
    tokenizer.add_tokens([AddedToken("<answer>", normalized=False)])
    pieces, kinds, merges = vocabulary(tokenizer, size + 5)
    of = dict(zip(pieces, kinds, strict=True))
    assert (of["<think>"], of["<|other|>"], of["<answer>"]) == (USER_DEFINED, CONTROL, USER_DEFINED)
    assert pieces[size + 3 :] == [f"[PAD{size + 3}]", f"[PAD{size + 4}]"] and kinds[size + 3 :] == [UNUSED, UNUSED]
    assert merges == ["1 2", "t h", "Ġ th"]
    with pytest.raises(DataError, match=f"token {size + 2} has no embedding"):
        vocabulary(tokenizer, size + 2)


def test_the_rule_is_found_by_what_it_does() -> None:
    assert rule_of(byte_tokenizer()) == "gpt-2"
    assert rule_of(byte_tokenizer([pre_tokenizers.Digits(individual_digits=True)])) == "smollm"
    assert rule_of(byte_tokenizer(rule="qwen2")) == "qwen2"
    assert rule_of(byte_tokenizer([pre_tokenizers.Split("e", "isolated")])) is None


def test_the_nano_student_is_refused_with_the_reason(tmp_path: Path, composed_samples: list[Sample]) -> None:
    build_nano(tmp_path / "m", composed_samples[:200], NanoConfig(vocab_size=900, hidden_size=32, layers=1, heads=2), 1)
    with pytest.raises(DataError, match=r"no name for here .* the nano student's cuts at the keys and values"):
        pack(tmp_path / "m", tmp_path / "m.gguf", "f16", "nano")
    assert not list(tmp_path.glob("*.gguf"))


def _edit(name: str, **values: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / name
        content = json.loads(path.read_text("utf-8")) if path.exists() else {}
        path.write_text(json.dumps({**content, **values}), "utf-8")

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            _edit("config.json", model_type="gemma3"),
            "model_type gemma3 is not written as GGUF here .*convert_hf_to_gguf",
        ),
        (_edit("config.json", rope_parameters={"rope_type": "yarn", "factor": 4}), "scaled positions"),
        (_edit("config.json", num_hidden_layers=3), r"model\.layers\.2\.input_layernorm\.weight: no such weight"),
        (_edit("config.json", num_hidden_layers=1), r"model\.layers\.1\..*: a llama model's GGUF has no such weight"),
        (_edit("adapter_config.json", r=4), "an adapter alone; merge it"),
        (lambda folder: (folder / "chat_template.jinja").unlink(), "no chat template"),
    ],
)
def test_what_cannot_be_written_is_one_line(tmp_path: Path, change: Callable[[Path], None], words: str) -> None:
    folder = folder_of("llama", tmp_path / "m")
    change(folder)
    with pytest.raises(DataError, match=words) as error:
        pack(folder, tmp_path / "m.gguf", "f16", "m")
    assert "\n" not in str(error.value)
    assert not [path for path in tmp_path.iterdir() if path != folder]


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folder_of("llama", tmp_path / "m")
    usage = shutil.disk_usage(tmp_path)._replace(free=1 << 20)
    with monkeypatch.context() as small, pytest.raises(StageError, match=r"0\.00 GiB free, but m\.gguf needs"):
        small.setattr(shutil, "disk_usage", lambda _: usage)
        pack(folder, tmp_path / "m.gguf", "f16", "m")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(packing, "_packed", full)
    with pytest.raises(StageError, match=r"m\.gguf: No space left on device"):
        pack(folder, tmp_path / "m.gguf", "f16", "m")
    assert not [path for path in tmp_path.iterdir() if path != folder]
