"""The exported file is asked by llama.cpp what its folder was asked, and a file that is another model is not handed over."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from raiden_core.cli.export import export
from raiden_core.errors import StageError
from raiden_core.export import gguf as exporting
from raiden_core.models.gguf import packing
from raiden_core.models.llama_cpp import is_installed
from raiden_core.samples import Sample, write_samples
from tests.export.test_hub import _run
from tests.support.gguf_files import byte_tokenizer, speaking_model

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not is_installed(), reason="llama.cpp is not here: pip install 'raiden[llamacpp]'"),
]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A finished run whose model is a small Llama, with six questions."""
    settings = "name: a/b model\nstudent: {model: me/tiny}\nevaluation: {max_new_tokens: 12}\n"
    made = _run(tmp_path, settings)
    model = tmp_path / "train/model"
    shutil.rmtree(model)
    speaking_model("llama").save_pretrained(model)
    byte_tokenizer(rule="smollm").save_pretrained(model)
    samples = [
        Sample.model_validate(
            {
                "character_name": f"Person {number}",
                "character_profile": {"Pet": "dog", "Age": str(20 + number)},
                "question": "How old are you?",
                "answer": f"I am {20 + number}.",
                "keywords": [str(20 + number)],
                "language": "en",
            }
        )
        for number in range(6)
    ]
    write_samples(tmp_path / "split/validation.json", samples)
    return made


def test_a_run_is_exported_and_proven(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    given = [str(out), "--to", "gguf", "--run", str(run), "--quant", "f16", "--quant", "q8_0"]
    done = CliRunner().invoke(export, given)
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in out.iterdir()) == [
        "README.md",
        "a-b-model-f16.gguf",
        "a-b-model-q8_0.gguf",
        "proof.json",
    ]
    f16, q8 = json.loads((out / "proof.json").read_text("utf-8"))["proofs"]
    assert (f16["quant"], f16["n"], f16["same_prompt"], f16["same_tokens"]) == ("f16", 6, 6, 6)
    assert f16["file_accuracy"] == f16["folder_accuracy"] and f16["difference"]["mean"] == 0
    assert (q8["quant"], q8["same_prompt"]) == ("q8_0", 6)
    card = (out / "README.md").read_text("utf-8")
    assert "## As GGUF" in card and "6 of 6" in card
    assert "f16: 6 of 6 replies have the tokens of transformers (f16 needs 98%)" in done.output


def test_a_file_that_is_another_model_is_not_handed_over(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "to_neighbours", lambda numbers, heads: numbers[::-1])
    out = tmp_path / "out"
    done = CliRunner().invoke(export, [str(out), "--to", "gguf", "--run", str(run)])
    assert isinstance(done.exception, StageError)
    assert "so the file is not the trained model; the first that differs" in str(done.exception)
    assert not out.exists() and not list(tmp_path.glob(".out*"))


def test_without_llama_cpp_it_is_said(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "is_installed", lambda: False)
    out = tmp_path / "out"
    done = CliRunner().invoke(export, [str(out), "--to", "gguf", "--run", str(run)])
    assert done.exit_code == 0 and "Not proven: llama.cpp (xllamacpp) is not installed" in done.stderr
    assert "Not proven" in (out / "README.md").read_text("utf-8")


def test_for_ollama_there_is_a_modelfile_too(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "is_installed", lambda: False)
    out = tmp_path / "out"
    given = ["--to", "ollama", "--run", str(run), "--quant", "q8_0", "--character", "Beryl Stannard"]
    done = CliRunner().invoke(export, [str(out), *given])
    assert done.exit_code == 0, done.output
    text = (out / "Modelfile").read_text("utf-8")
    assert text.startswith("FROM ./a-b-model-q8_0.gguf\n")
    assert 'SYSTEM """You are Beryl Stannard. Always answer' in text and "PARAMETER num_ctx 512" in text
    assert "`ollama create a-b-model -f Modelfile && ollama run a-b-model`" in (out / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--to", "gguf"], "--to gguf needs --run"),
        (["--to", "trl", "--quant", "f16"], "--quant belongs to --to gguf and --to ollama"),
        (["--to", "gguf", "--run", "RUN", "--quant", "q3"], "'q3' is not one of 'f16', 'q8_0', 'q4_0'"),
        (["--to", "gguf", "--run", "RUN", "--push", "a/b"], "--push belong to --to hub"),
        (["--to", "gguf", "--run", "NONE"], "run.json: cannot be read"),
    ],
)
def test_wrong_usage_is_one_line(run: Path, tmp_path: Path, given: list[str], words: str) -> None:
    places = {"RUN": str(run), "NONE": str(tmp_path / "none")}
    done: Any = CliRunner().invoke(export, [str(tmp_path / "out"), *(places.get(word, word) for word in given)])
    assert done.exit_code != 0
    assert words in (str(done.exception) if done.exit_code == 1 else done.output)
    assert not (tmp_path / "out").exists()
