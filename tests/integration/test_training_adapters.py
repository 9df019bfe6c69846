"""A small model folder through LoRA cold start and LoRA GRPO, each merged; and what is caught when saving goes wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import yaml

from raiden_core.characters.compose import compose
from raiden_core.config.sections.training import NanoConfig
from raiden_core.errors import StageError
from raiden_core.generation import generate
from raiden_core.generation.offline.teacher import OfflineTeacher
from raiden_core.prompts import build_prompt
from raiden_core.rewards import Scorer
from raiden_core.samples import Sample, read_samples, write_samples
from raiden_core.stages.progress import silent
from raiden_core.training.hooks.saved_model import ADAPTER_FILES

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    generated = generate(
        compose(12, facts=(4, 6), seed=1),
        teacher=OfflineTeacher(1),
        samples_per_character=4,
        include_cm=False,
        cm_share=0,
        seed=1,
        scorer=Scorer(),
        progress=silent,
    )
    return list(generated.samples)[:40]


@pytest.fixture(scope="module")
def folder(samples: list[Sample], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Qwen3 model of a local folder, and the data beside it."""
    from raiden_core.training.nano import build_nano

    where = tmp_path_factory.mktemp("inputs")
    write_samples(where / "train.json", samples)
    build_nano(where / "model", samples, NanoConfig(vocab_size=900, hidden_size=32, layers=1, heads=2), seed=3)
    return where


def run(main: Callable[[list[str]], None], folder: Path, out: Path, **how: Any) -> dict[str, Any]:
    """Run a training script in this process with a LoRA adapter; its summary."""
    job = {
        "output_dir": str(out),
        "train_data_path": str(folder / "train.json"),
        "report_to": "none",
        "disable_tqdm": True,
        "use_cpu": True,
        "bf16": False,
        "gradient_checkpointing": False,
        "learning_rate": 0.05,
        "use_peft": True,
        "lora_r": 4,
        "lora_target_modules": ["all-linear"],
        "logging_steps": 1,
        "save_steps": 2,
        "max_steps": 4,
        "per_device_train_batch_size": 4,
        **how,
    }
    path = out.with_suffix(".yaml")
    path.write_text(yaml.safe_dump(job), "utf-8")
    main([str(path)])
    summary: dict[str, Any] = json.loads((out / "training.json").read_text("utf-8"))
    return summary


def weights(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    loaded: dict[str, torch.Tensor] = load_file(folder / "model.safetensors")
    return loaded


def changed(before: Path, after: Path) -> set[str]:
    """Names of the weights that differ; both folders must hold the same names."""
    old, new = weights(before), weights(after)
    assert old.keys() == new.keys()
    return {name for name in old if not torch.equal(old[name], new[name])}


def test_a_cold_start_and_grpo_carry_their_adapters_on_merged(folder: Path, tmp_path: Path) -> None:
    from raiden_core.training import cold_start, grpo

    cold, trained = tmp_path / "cold", tmp_path / "grpo"
    run(cold_start.main, folder, cold, model_name_or_path=str(folder / "model"), max_length=512)
    linear = changed(folder / "model", cold / "model")
    assert linear and all("proj" in name for name in linear), "adapters are on linear layers only, and merged"
    summary = run(
        grpo.main,
        folder,
        trained,
        model_name_or_path=str(cold / "model"),
        num_generations=2,
        max_completion_length=8,
        eval_strategy="steps",
        eval_steps=2,
        eval_questions=16,
        per_device_eval_batch_size=8,
        load_best_model_at_end=True,
    )
    assert summary["samples"] < 40 and summary["steps"] == 4
    assert summary["best_step"] in (2, 4) and 0 <= summary["best_accuracy"] <= 1
    assert changed(cold / "model", trained / "model") <= linear
    rows = [json.loads(line) for line in (trained / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if "eval_rewards/accuracy_reward/mean" in row] == [2, 4]
    assert any("memory_gib" in row for row in rows), "the use of the machine is in the metrics"
    for saved in (cold, trained):
        assert sorted(path.name for path in (saved / "adapter").iterdir()) == list(ADAPTER_FILES)
        assert not list((saved / "model").glob("adapter*"))
    named = json.loads((trained / "adapter/adapter_config.json").read_text("utf-8"))
    assert named["base_model_name_or_path"] == str(cold / "model")


def test_adapters_on_weights_in_4_bits_are_merged_into_what_they_were_trained_on(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes", reason="weights are stored in 4 bits by bitsandbytes, which is not installed")
    from raiden_core.training import cold_start, grpo
    from raiden_core.training.nano import build_nano

    cold, trained = tmp_path / "cold", tmp_path / "grpo"
    four = {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}
    # Reading back compares the saved model with the one in memory: its weights are those that 4 bits hold.
    base = tmp_path / "base"  # 64 numbers share a scale, so that is the least width
    samples = read_samples(folder / "train.json")
    build_nano(base, samples, NanoConfig(vocab_size=900, hidden_size=64, layers=1, heads=2), seed=3)
    run(cold_start.main, folder, cold, model_name_or_path=str(base), max_length=512, **four)
    run(
        grpo.main,
        folder,
        trained,
        model_name_or_path=str(cold / "model"),
        num_generations=2,
        max_completion_length=8,
        **four,
    )
    for saved in (cold / "model", trained / "model"):
        assert "quantization_config" not in json.loads((saved / "config.json").read_text("utf-8"))
        assert all(one.dtype == torch.float32 for one in weights(saved).values())
    assert len(changed(base, cold / "model")) == 7


class FakeTrainer:
    """A trainer with a LoRA model in memory, which saves what a test wants it to save."""

    is_deepspeed_enabled = is_fsdp_enabled = False

    def __init__(self, model: Any, spoil: Callable[[Any], None]) -> None:
        self.model, self.spoil = model, spoil
        self.accelerator = SimpleNamespace(
            unwrap_model=lambda model, **_how: model, wait_for_everyone=lambda: None, num_processes=1
        )

    def is_world_process_zero(self) -> bool:
        return True

    def save_model(self, folder: str) -> None:
        import copy

        saved = copy.deepcopy(self.model)
        self.spoil(saved)
        saved.save_pretrained(folder)


def lora(base: Path) -> Any:
    """A model with an adapter that does something."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    adapter = LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base, dtype="float32"), adapter)
    torch.manual_seed(1)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.5)
    return model


def keep(_model: Any) -> None:
    """Save it as it is."""


def empty_adapter(model: Any) -> None:
    """What a gather that was forgotten leaves: an adapter of zeros."""
    for name, weight in model.named_parameters():
        if "lora_" in name:
            weight.data.zero_()


def other_adapter(model: Any) -> None:
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            weight.data.neg_()


def broken_adapter(model: Any) -> None:
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            weight.data.fill_(float("nan"))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (keep, None),
        (empty_adapter, "are those that training started from, so what was trained was saved empty"),
        (other_adapter, "the saved model is not the trained one: asked the same question"),
        (broken_adapter, "values that are no numbers: training diverged"),
    ],
)
def test_a_saved_model_is_read_back_and_asked(
    folder: Path, samples: list[Sample], tmp_path: Path, spoil: Callable[[Any], None], words: str | None
) -> None:
    from raiden_core.models.folder import load_tokenizer
    from raiden_core.training.hooks.saved_model import save_model

    base = folder / "model"
    trainer: Any = FakeTrainer(lora(base), spoil)

    def save() -> str:
        prompt = build_prompt(samples[0])
        return save_model(trainer, load_tokenizer(base), tmp_path / "model", base=base, prompt=prompt)

    if words is None:
        assert isinstance(save(), str)
        assert changed(base, tmp_path / "model")
        assert sorted(path.name for path in (tmp_path / "adapter").iterdir()) == list(ADAPTER_FILES)
    else:
        with pytest.raises(StageError, match=words):
            save()
