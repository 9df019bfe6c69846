"""GGUF files against llama.cpp itself: the splitting rules, the models, and the small models that people can have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from raiden_core.config.sections.training import GgufConfig
from raiden_core.errors import DataError
from raiden_core.models.gguf.comparing import compare, compare_tokens
from raiden_core.models.gguf.header import read_header
from raiden_core.models.gguf.tokenizers import SPLITTINGS, TEXTS, tokenizer_of
from raiden_core.models.gguf.unpack import dense_folder
from raiden_core.models.llama_cpp import is_installed, running
from tests.support.gguf_files import CONTEXT, SPECIALS, write_gguf

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not is_installed(), reason="llama.cpp is not here: pip install 'raiden[llamacpp]'"),
]


def greedy_vocabulary() -> tuple[list[str], list[str]]:
    """Merges that would join every text of `TEXTS` into one token, so that tokens show where a rule cuts."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=4000, special_tokens=list(SPECIALS), initial_alphabet=alphabet, min_frequency=1, show_progress=False
    )
    bpe.train_from_iterator([*TEXTS, *(word for text in TEXTS for word in text.split(" "))], trainer)
    model = json.loads(bpe.to_str())["model"]
    merges = [" ".join(merge) for merge in model["merges"]]
    return sorted(model["vocab"], key=lambda piece: int(model["vocab"][piece])), merges


@pytest.mark.parametrize("pre", sorted(SPLITTINGS))
def test_each_splitting_rule_is_llama_cpps(pre: str, tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "m.gguf", metadata={"tokenizer.ggml.pre": pre}, vocabulary=greedy_vocabulary())
    with running(path, context=CONTEXT, log=tmp_path / "llama.log", threads=1) as server:
        compare_tokens(tokenizer_of(read_header(path), CONTEXT), server, path)
        other = "gpt-2" if pre != "gpt-2" else "smollm"
        wrong = write_gguf(tmp_path / "w.gguf", metadata={"tokenizer.ggml.pre": other}, vocabulary=greedy_vocabulary())
        with pytest.raises(DataError, match=r"w\.gguf: llama\.cpp splits"):
            compare_tokens(tokenizer_of(read_header(wrong), CONTEXT), server, wrong)


@pytest.mark.parametrize("kind", ["llama", "qwen2", "qwen3"])
def test_an_unpacked_model_is_what_llama_cpp_makes_of_the_file(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAIDEN_CACHE", str(tmp_path))
    path = write_gguf(tmp_path / "m.gguf", kind)
    folder = dense_folder(path, GgufConfig())
    assert compare(folder, path, tmp_path / "llama.log") < 0.01
    assert not (tmp_path / "llama.log").exists()
    other = write_gguf(tmp_path / "o.gguf", kind, metadata={f"{kind}.rope.freq_base": 50.0})
    with pytest.raises(DataError, match=r"o\.gguf: log-probabilities lie"):
        compare(folder, other, tmp_path / "llama.log")
