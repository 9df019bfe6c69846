"""The adapter alone: over the base that it names it gives what the merged model gives, or it is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from raiden_core.cli.export import export
from raiden_core.errors import DataError, RaidenError, StageError, UsageError
from raiden_core.export import peft as exporting
from raiden_core.samples import Sample, write_samples
from raiden_core.stages.digests import digest_file, digest_path
from raiden_core.training.hooks.saved_model import ADAPTER_FILES
from tests.export.test_hub import _run
from tests.support.gguf_files import byte_tokenizer

SETTINGS = "name: mine\nstudent: {model: me/tiny}\ngrpo: {lora_r: 4}\n"


def small_model(seed: int) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(byte_tokenizer()), hidden_size=32, intermediate_size=48, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=1024, bos_token_id=1, eos_token_id=2, pad_token_id=0,
    )  # fmt: skip
    return LlamaForCausalLM(config)


def trained(folder: Path, settings: str = SETTINGS, *, cold: bool = True, merged_seed: int = 1) -> Path:
    """A finished run of GRPO with LoRA over a cold start's model; ``merged_seed`` not 1: the merged model is another one."""
    from peft import LoraConfig, PeftModel, get_peft_model

    run = _run(folder, settings)
    base, train = folder / "cold-start/model", folder / "train"
    small_model(1).save_pretrained(base)
    byte_tokenizer().save_pretrained(base)
    lora: Any = get_peft_model(
        small_model(1), LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=False)
    )
    lora.save_pretrained(train / "adapter")
    (train / "adapter/README.md").unlink()
    shutil.rmtree(train / "model")
    whole: Any = PeftModel.from_pretrained(small_model(merged_seed), train / "adapter")
    whole.merge_and_unload().save_pretrained(train / "model")
    byte_tokenizer().save_pretrained(train / "model")
    manifest = json.loads((train / "manifest.json").read_text("utf-8"))
    manifest["inputs"]["base"] = digest_path(base)
    manifest["outputs"]["adapter/adapter_model.safetensors"] = digest_file(train / "adapter/adapter_model.safetensors")
    (train / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    if cold:
        record = json.loads((run / "run.json").read_text("utf-8"))
        record["stages"]["cold-start"] = {"folder": str(base.parent)}
        (run / "run.json").write_text(json.dumps(record), "utf-8")
    question = {"character_profile": {"Age": "36"}, "question": "How old are you?", "answer": "36.", "keywords": ["36"]}
    samples = [Sample.model_validate(question | {"character_name": name, "language": "en"}) for name in ("Ada", "Bo")]
    write_samples(folder / "split/validation.json", samples)
    return run


def exported(out: Path, run: Path, *more: str) -> Any:
    return CliRunner().invoke(export, [str(out), "--to", "peft", "--run", str(run), *more])


def test_base_and_adapter_are_the_merged_model(tmp_path: Path) -> None:
    from peft import AutoPeftModelForCausalLM
    from transformers import AutoModelForCausalLM, AutoTokenizer

    run, out = trained(tmp_path), tmp_path / "out"
    done = exported(out, run)
    assert done.exit_code == 0, done.output
    names = {path.name for path in out.iterdir()}
    assert {*ADAPTER_FILES, "README.md", "DATA.md", "raiden.yaml", "tokenizer.json", "chat_template.jinja"} <= names
    assert "model.safetensors" not in names and not (out / "base").exists()
    about = json.loads((out / "adapter_config.json").read_text("utf-8"))
    assert about["base_model_name_or_path"] == str(tmp_path / "cold-start/model") and about["revision"] is None
    tokenizer = AutoTokenizer.from_pretrained(out)
    ids = torch.tensor([tokenizer("How old are you?")["input_ids"]])
    with torch.inference_mode():
        adapted = AutoPeftModelForCausalLM.from_pretrained(out)(input_ids=ids).logits
        merged = AutoModelForCausalLM.from_pretrained(tmp_path / "train/model")(ids).logits
        base = AutoModelForCausalLM.from_pretrained(tmp_path / "cold-start/model")(ids).logits
    assert torch.allclose(adapted, merged, atol=1e-4) and not torch.allclose(base, merged, atol=1e-2)
    card = (out / "README.md").read_text("utf-8")
    assert "AutoPeftModelForCausalLM" in card and "library_name: peft" in card and "base_model:" not in card
    assert "the cold start's model of this run, made from me/tiny and published nowhere" in card
    assert "a token from the merged model; without the adapter" in done.output


def test_the_base_is_copied_where_that_is_asked_for(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert exported(out, trained(tmp_path), "--with-base").exit_code == 0
    about = json.loads((out / "adapter_config.json").read_text("utf-8"))
    assert about["base_model_name_or_path"] == str(out / "base")
    assert digest_path(out / "base") == digest_path(tmp_path / "cold-start/model")


def test_a_base_on_the_hub_is_named_as_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = SETTINGS.replace("4}", "4, model_revision: abc}") + "cold_start: {enabled: false}\n"
    run, out = trained(tmp_path, settings, cold=False), tmp_path / "out"
    asked: list[tuple[str, str | None]] = []

    def snapshot(name: str, revision: str | None) -> Path:
        asked.append((name, revision))
        return tmp_path / "cold-start/model"

    monkeypatch.setattr(exporting, "model_snapshot", snapshot)
    done = exported(out, run)
    assert done.exit_code == 0, done.output
    about = json.loads((out / "adapter_config.json").read_text("utf-8"))
    assert asked == [("me/tiny", "abc")]
    assert (about["base_model_name_or_path"], about["revision"]) == ("me/tiny", "abc")
    assert "base_model: me/tiny" in (out / "README.md").read_text("utf-8")


def without_adapter(run: Path) -> None:
    shutil.rmtree(run.parents[1] / "train/adapter")


def other_adapter(run: Path) -> None:
    path = run.parents[1] / "train/adapter/adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:-4] + b"\0\0\0\0")


def other_base(run: Path) -> None:
    small_model(2).save_pretrained(run.parents[1] / "cold-start/model")


def no_base(run: Path) -> None:
    shutil.rmtree(run.parents[1] / "cold-start/model")


def nothing(_run: Path) -> None:
    """All is as it was."""


@pytest.mark.parametrize(
    ("spoil", "settings", "merged_seed", "kind", "words"),
    [
        (without_adapter, SETTINGS, 1, DataError, "this run is from before adapters were kept; train it again with"),
        (without_adapter, SETTINGS.replace("4", "null"), 1, DataError, "GRPO trained all weights"),
        (other_adapter, SETTINGS, 1, DataError, "adapter_model.safetensors: is not the file that training left"),
        (other_base, SETTINGS, 1, DataError, "is not the model any more that GRPO began with"),
        (no_base, SETTINGS, 1, DataError, "the adapter is for this model; run the cold start again"),
        (nothing, SETTINGS, 2, StageError, "base and adapter are not the merged model: their log-probabilities lie"),
    ],
)
def test_what_is_not_the_trained_model_is_not_handed_over(
    tmp_path: Path, spoil: Any, settings: str, merged_seed: int, kind: type[RaidenError], words: str
) -> None:
    run, out = trained(tmp_path, settings, merged_seed=merged_seed), tmp_path / "out"
    spoil(run)
    done = exported(out, run)
    assert isinstance(done.exception, kind) and words in str(done.exception), done.exception
    assert not out.exists() and not list(tmp_path.glob(".out*"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--to", "peft"], "--to peft needs --run"),
        (["--to", "gguf", "--run", "RUN", "--with-base"], "--with-base belongs to --to peft, not to --to gguf"),
        (["--to", "peft", "--run", "RUN", "--quant", "f16"], "--quant belongs to --to gguf"),
        (["--to", "koboldcpp", "--run", "RUN", "--character", "x"], "--character belongs to --to ollama"),
    ],
)
def test_wrong_usage_is_one_line(tmp_path: Path, given: list[str], words: str) -> None:
    done = CliRunner().invoke(export, [str(tmp_path / "out"), *given])
    assert isinstance(done.exception, UsageError) and words in str(done.exception)
    assert not (tmp_path / "out").exists()
