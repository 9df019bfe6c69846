"""A GGUF file becomes the model that was packed, once, or is refused in one line."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from raiden_core.cli.evaluate import _place
from raiden_core.config.sections.training import GgufConfig, StudentConfig
from raiden_core.errors import ConfigError, DataError, RaidenError, StageError
from raiden_core.models.folder import load_model, load_tokenizer
from raiden_core.models.gguf.header import read_header
from raiden_core.models.gguf.tokenizers import tokenizer_of
from raiden_core.models.gguf.unpack import dense_folder, unpacked_words
from raiden_core.models.places import model_folder
from raiden_core.planning.shapes import shape_of
from raiden_core.training.stage import check_student, student_input
from tests.support.gguf_files import ANSWER, CONTEXT, byte_tokenizer, speaking_model, write_gguf


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RAIDEN_CACHE", str(tmp_path / "cache"))
    # What llama.cpp says of such files is asked in tests/integration/test_gguf.py.
    monkeypatch.setattr("raiden_core.models.gguf.unpack.is_installed", lambda: False)
    return tmp_path / "cache" / "gguf"


def logits(model: Any, ids: list[int]) -> Any:
    import torch

    with torch.inference_mode():
        return model(torch.tensor([ids])).logits


@pytest.mark.parametrize("kind", ["llama", "qwen2", "qwen3"])
@pytest.mark.parametrize(("packed", "apart"), [("F32", 1e-5), ("Q8_0", 0.5)])
def test_the_unpacked_model_is_the_one_that_was_packed(tmp_path: Path, kind: str, packed: str, apart: float) -> None:
    folder = dense_folder(write_gguf(tmp_path / "m.gguf", kind, packed=packed), GgufConfig())
    unpacked = load_model(folder)
    ids = byte_tokenizer()("one, two, three", add_special_tokens=False)["input_ids"]
    assert (logits(unpacked, ids) - logits(speaking_model(kind), ids)).abs().max() < apart
    assert unpacked.config.model_type == kind and unpacked.generation_config.eos_token_id == 2
    assert load_tokenizer(folder)("one, two, three", add_special_tokens=False)["input_ids"] == ids
    assert unpacked_words(folder).endswith(f"it says {ANSWER!r}")


def test_it_is_unpacked_once_for_each_type_and_content(tmp_path: Path, cache: Path) -> None:
    import torch

    path = write_gguf(tmp_path / "m.gguf")
    half = cache / ".m-0.partial"  # of a process that was killed, under another key
    half.mkdir(parents=True)
    first = dense_folder(path, GgufConfig())
    written = {file.name: file.stat().st_mtime_ns for file in first.iterdir()}
    assert dense_folder(path, GgufConfig()) == first
    assert {file.name: file.stat().st_mtime_ns for file in first.iterdir()} == written
    rounded = dense_folder(path, GgufConfig(dtype="bfloat16"))
    assert rounded != first
    assert next(load_model(rounded).parameters()).dtype == torch.bfloat16
    other = write_gguf(tmp_path / "sub.gguf", metadata={"general.name": "another"})
    assert dense_folder(other, GgufConfig()).name not in (first.name, rounded.name)


def test_what_a_killed_process_left_is_replaced(tmp_path: Path, cache: Path) -> None:
    path = write_gguf(tmp_path / "m.gguf")
    folder = dense_folder(path, GgufConfig())
    partial = folder.with_name(f".{folder.name}.partial")
    folder.rename(partial)
    (partial / "model.safetensors").write_bytes(b"half")
    assert load_model(dense_folder(path, GgufConfig())).num_parameters() == speaking_model("llama").num_parameters()
    assert not partial.exists()


@pytest.mark.parametrize("share", [0.0001, 0.01, 0.1, 0.5, 0.99])
def test_a_file_that_was_cut_short_is_refused(tmp_path: Path, cache: Path, share: float) -> None:
    path = write_gguf(tmp_path / "m.gguf")
    whole = path.read_bytes()
    path.write_bytes(whole[: max(8, int(share * len(whole)))])
    with pytest.raises(DataError, match=r"m\.gguf: was cut short") as error:
        dense_folder(path, GgufConfig())
    assert "\n" not in str(error.value)
    assert not list(cache.glob("m-*"))


REFUSED: list[tuple[dict[str, Any], str]] = [
    *(({"metadata": {"tokenizer.ggml.pre": pre}}, f"tokenizer.ggml.pre {pre}: how this tokenizer splits text is not known")
      for pre in ("glm4", "deepseek-v3", "command-r", "default")),
    ({"metadata": {"tokenizer.ggml.pre": None}}, "tokenizer.ggml.pre missing"),
    ({"metadata": {"tokenizer.ggml.model": "llama"}}, "only byte-level BPE"),
    ({"metadata": {"tokenizer.chat_template": None}}, "tokenizer.chat_template: missing"),
    ({"metadata": {"tokenizer.ggml.eos_token_id": None}}, "no reply would ever end"),
    ({"metadata": {"tokenizer.ggml.eos_token_id": 999_999}}, "is no token of its vocabulary"),
    ({"metadata": {"tokenizer.ggml.merges": ["x yy"]}}, "a broken vocabulary"),
    ({"metadata": {"general.architecture": "gemma3"}}, "general.architecture gemma3 is not unpacked here"),
    ({"metadata": {"llama.block_count": None}}, "llama.block_count: missing"),
    ({"metadata": {"llama.rope.scaling.type": "yarn"}}, "its positions are scaled"),
    ({"metadata": {"llama.expert_count": 8}}, "a mixture of experts"),
    ({"leave_out": ["blk.1.ffn_up.weight"]}, "blk.1.ffn_up.weight: no such tensor"),
    ({"extra": ["blk.0.attn_q.bias"]}, "blk.0.attn_q.bias: a llama model has no such weight"),
    ({"extra": ["rope_freqs.weight"]}, "its positions are scaled"),
    ({"rolled": True}, "does not speak"),
    # transformers makes a Qwen2 tokenizer of what a qwen2 model's folder holds, whatever that says.
    ({"kind": "qwen2", "metadata": {"tokenizer.ggml.pre": "gpt-2"}}, "splits as qwen2, not as gpt-2"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "words"), REFUSED, ids=[words[:40] for _, words in REFUSED])
def test_what_would_be_read_wrongly_is_refused_by_name(
    tmp_path: Path, cache: Path, changed: dict[str, Any], words: str
) -> None:
    with pytest.raises(DataError) as error:
        dense_folder(write_gguf(tmp_path / "m.gguf", **changed), GgufConfig())
    assert str(error.value).startswith(f"{tmp_path / 'm.gguf'}: ") and words in str(error.value)
    assert "\n" not in str(error.value)
    assert not [one for one in cache.glob("*") if one.is_dir() and one.name != ".locks"]


def test_wrong_hash_no_file_no_gguf_no_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_gguf(tmp_path / "m.gguf")
    right = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(ConfigError, match=f"its sha256 is {right}, not {'0' * 64}"):
        dense_folder(path, GgufConfig(sha256="0" * 64))
    with pytest.raises(ConfigError, match="no such file"):
        dense_folder(tmp_path / "none.gguf", GgufConfig())
    (tmp_path / "text.gguf").write_text("hello")
    with pytest.raises(DataError, match="not a GGUF file"):
        dense_folder(tmp_path / "text.gguf", GgufConfig())
    usage = shutil.disk_usage(tmp_path)._replace(free=1 << 20)
    with monkeypatch.context() as small:
        small.setattr(shutil, "disk_usage", lambda _: usage)
        with pytest.raises(StageError, match=r"0\.0 GiB free, but the dense copy of m\.gguf needs"):
            dense_folder(path, GgufConfig())
    assert dense_folder(path, GgufConfig(sha256=right.upper())).is_dir()


@pytest.mark.parametrize(
    ("pre", "text", "pieces"),
    [
        ("smollm", "12 12th", ["1", "2", " ", "1", "2", "th"]),
        ("gpt-2", "12 12th", ["12", " ", "12", "th"]),
        ("llama-bpe", "12 12th", ["12", " ", "12", "th"]),
        ("qwen2", "12 12th", ["1", "2", " ", "1", "2", "th"]),
        ("qwen2", "e\u0301", ["Ã", "©"]),  # composed first: one letter of two bytes
        ("smollm", "e\u0301", ["e", "Ì", "ģ"]),
    ],
)
def test_text_is_split_as_the_file_says(tmp_path: Path, pre: str, text: str, pieces: list[str]) -> None:
    header = read_header(write_gguf(tmp_path / "m.gguf", metadata={"tokenizer.ggml.pre": pre}))
    tokenizer = tokenizer_of(header, CONTEXT)
    found = tokenizer.convert_ids_to_tokens(tokenizer(text, add_special_tokens=False)["input_ids"])
    assert [piece.replace("Ġ", " ") for piece in found] == pieces


def test_tokens_by_kind(tmp_path: Path) -> None:
    pieces = [*byte_tokenizer().convert_ids_to_tokens(range(263)), "<think>", "[PAD9]"]
    kinds = [3 if piece.startswith("<|") else 1 for piece in pieces[:263]] + [4, 5]
    metadata = {"tokenizer.ggml.tokens": pieces, "tokenizer.ggml.token_type": kinds}
    tokenizer = tokenizer_of(read_header(write_gguf(tmp_path / "m.gguf", metadata=metadata)), CONTEXT)
    ids = tokenizer("<|im_end|><think>a", add_special_tokens=False)["input_ids"]
    assert ids[:2] == [2, 263]
    assert tokenizer.decode(ids, skip_special_tokens=True) == "<think>a"
    assert len(tokenizer) == 264, "what only pads the vocabulary is no token"


def test_every_entry_takes_it(tmp_path: Path) -> None:
    from trl import ModelConfig

    from raiden_core.training.loading import model_place

    path = write_gguf(tmp_path / "m.gguf")
    folder = dense_folder(path, GgufConfig())
    student = StudentConfig(model=str(path))
    check_student(student)
    entries: dict[str, Callable[[], Path | str]] = {
        "student.model": lambda: student_input(student),
        "evaluate --model": lambda: _place(str(path)),
        "chat --model": lambda: model_folder(str(path)),
        "model_name_or_path": lambda: model_place(ModelConfig(model_name_or_path=str(path))),
    }
    assert {name: str(entry()) for name, entry in entries.items()} == dict.fromkeys(entries, str(folder))


def test_a_plan_reads_the_header_only(tmp_path: Path, cache: Path) -> None:
    shape = shape_of(str(write_gguf(tmp_path / "m.gguf", "qwen2")))
    assert shape.parameters == speaking_model("qwen2").num_parameters()
    assert (shape.context, shape.layers, shape.kv_heads, shape.tied) == (CONTEXT, 2, 2, False)
    assert not cache.exists()


@pytest.mark.parametrize("name", ["missing.gguf", "text.gguf"])
def test_the_student_is_refused_before_there_is_data(tmp_path: Path, name: str) -> None:
    (tmp_path / "text.gguf").write_text("GG")
    with pytest.raises(RaidenError, match=name):
        check_student(StudentConfig(model=str(tmp_path / name)))
