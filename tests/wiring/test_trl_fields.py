"""Every field of TRL's configuration classes is honoured, and seen where it is read, or refused by name.

A trainer and a model are not made: what the scripts hand to the trainer's class is looked at, which is the last place
before TRL's own code.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from raiden_core.config.fates import HONOURED, IMPLIES, MODEL, NEEDS, REFUSED
from raiden_core.config.loading import validate_config
from raiden_core.config.trl_fields import SET_BY_US, trainer_defaults
from raiden_core.errors import ConfigError, DataError
from raiden_core.samples import Sample, write_samples
from raiden_core.training import cold_start, grpo
from raiden_core.training.arguments import GrpoArguments, parse_script
from raiden_core.training.flat import read_any_config
from tests.support.tables import table

SCRIPTS = {"GRPOConfig": grpo, "SFTConfig": cold_start}
TRAINERS = {"GRPOConfig": "ResumableGRPOTrainer", "SFTConfig": "ResumableSFTTrainer"}
BOTH = pytest.mark.parametrize("kind", sorted(SCRIPTS))


def trl_fields(kind: str) -> dict[str, Field[Any]]:
    """The fields of a class of the TRL that is installed."""
    import trl

    return {one.name: one for one in fields(getattr(trl, kind))}


@BOTH
def test_every_field_has_one_fate(kind: str) -> None:
    there = set(trl_fields(kind))
    known = HONOURED[kind] | set(REFUSED[kind])
    assert not HONOURED[kind] & set(REFUSED[kind])
    assert not there - known, f"new in {kind}: say in raiden_core/config/fates.py what becomes of {there - known}"
    assert not known - there, f"no longer in {kind}: {known - there}"


def test_every_field_of_a_model_has_one_fate() -> None:
    there, known = set(trl_fields("ModelConfig")), MODEL | set(REFUSED["ModelConfig"])
    assert not there - known, f"new in ModelConfig: say in raiden_core/config/fates.py what becomes of {there - known}"
    assert not known - there


def test_what_a_field_needs_is_a_field() -> None:
    everywhere = {name for kind in (*SCRIPTS, "ModelConfig") for name in trl_fields(kind)}
    assert set(NEEDS) | set(NEEDS.values()) <= everywhere


SAID: dict[str, Any] = {
    "lr_scheduler_type": "cosine",
    "lr_scheduler_kwargs": {"num_cycles": 2},
    "optim": "sgd",
    "activation_checkpointing": False,
    "hub_strategy": "checkpoint",
    "optim_args": "a=1",
    "warmup_steps": 3,
    "max_steps": 5,
    "save_steps": 40,
    "logging_steps": 4,
    "eval_steps": 20,
    "eval_delay": 2,
    "eval_strategy": "steps",
    "logging_strategy": "epoch",
    "save_strategy": "no",
    "logging_first_step": True,
    "include_num_input_tokens_seen": True,  # transformers calls it "all"
    "log_level": "error",
    "log_level_replica": "error",
    "report_to": ["tensorboard"],
    "debug": ["underflow_overflow"],
    "fsdp_config": {"xla": True},
    "accelerator_config": {"split_batches": False, "dispatch_batches": True},
    "torch_compile_backend": "eager",
    "torch_compile_mode": "reduce-overhead",
    "activation_checkpointing_kwargs": {"use_reentrant": True},
    "gradient_checkpointing_kwargs": {"use_reentrant": True},
    "liger_kernel_config": {"rope": True},
    "model_init_kwargs": {"use_cache": False},
    "pad_to_multiple_of": 8,
    "loss_type": {"GRPOConfig": "grpo", "SFTConfig": "dft"},
    "generation_kwargs": {"length_penalty": 0.5},
    "chat_template_kwargs": {"enable_thinking": False},
    "transformers_continuous_batching_config": {"block_size": 16},
    "cache_implementation": "static",
    "vllm_mode": "server",
    "vllm_model_impl": "transformers",
    "scale_rewards": "batch",
    "importance_sampling_level": "sequence",
    "multi_objective_aggregation": "normalize_then_sum",
    "vllm_importance_sampling_mode": "token_mask",
    "per_device_eval_batch_size": 4,
    "per_device_train_batch_size": 4,
    "num_generations": 2,
    "num_generations_eval": 4,
    "generation_batch_size": 16,
    "steps_per_generation": 2,
    "dataloader_prefetch_factor": 3,
    "dataloader_num_workers": 2,
    "dataloader_multiprocessing_context": "spawn",
    "trackio_static_space_id": "a/b",
    "packing_strategy": "wrapped",
    "num_train_epochs": 2.0,
    "max_length": 600,
    "top_p": 0.9,
    "min_p": 0.1,
    "delta": 0.4,
    "beta": 0.2,
    "dtype": "bfloat16",
    "attn_implementation": "eager",
    "lora_target_modules": ["q_proj", "v_proj"],
    "lora_modules_to_save": ["lm_head"],
    "lora_target_parameters": ["a.weight"],
    "bnb_4bit_quant_type": "fp4",
    "bnb_4bit_quant_storage": "uint8",
}
"""Values that a type alone does not give."""
ALONE = {
    "ddp_backend": "it starts a process group; tests/integration/test_two_processes.py",
    "deepspeed": "its package reads the file when the arguments are made",
    "parallelism_config": "an object, which no file can hold",
    "output_dir": "where the job itself is",
    "seed": "tests/wiring/test_training_arrives.py",
    "use_cpu": "every test runs on one",
    "bf16": "the CPU's tests say false; tests/training/test_checks.py",
    "fp16": "it needs a GPU",
    "tf32": "it needs a GPU of its kind",
    "auto_find_batch_size": "TRL refuses it for GRPO",
    "use_transformers_paged": "the old name of use_transformers_continuous_batching",
    "vllm_importance_sampling_cap": "the old name of vllm_importance_sampling_clip_max",
    "fsdp": "FSDP is asked for with an accelerate file",
    "fp16_full_eval": "bf16_full_eval, which is tried, excludes it",
    "full_determinism": "it changes this process",
    "num_train_epochs": "the cold start makes its rows of all epochs",
    "load_best_model_at_end": "with eval_strategy, below",
}
"""Fields that are not tried with the others, and why."""


def other(kind: str, name: str, field: Field[Any]) -> Any:
    """A value of a field that is not its default."""
    if name in SAID:
        said = SAID[name]
        return said[kind] if isinstance(said, dict) and kind in said else said
    if choices := field.metadata.get("choices"):
        return next(one for one in choices if one != field.default)
    default = trainer_defaults(kind if kind in SCRIPTS else "ModelConfig").get(name)
    if isinstance(default, bool) or "bool" in str(field.type):
        return not default
    if isinstance(default, int) or ("int" in str(field.type) and default is None):
        return (default or 0) + 2
    if isinstance(default, float) or "float" in str(field.type):
        return (default or 0.0) + 0.25
    return "another"


class Taken(Exception):
    """The trainer's class was called; nothing is trained."""


@pytest.fixture
def captured(
    composed_samples: list[Sample], small_nano: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, Any]]:
    """Runs a script up to its trainer's class, and returns what that was called with."""
    data = tmp_path / "train.json"
    write_samples(data, composed_samples[:60])
    # Whether a package is there is another test's matter.
    monkeypatch.setattr("raiden_core.training.checks.find_spec", lambda name: name)
    monkeypatch.setattr("raiden_core.training.hooks.disk.shutil.disk_usage", lambda _path: _Usage())
    monkeypatch.setattr("os.environ", dict(os.environ))

    def run(kind: str, job: Mapping[str, Any]) -> dict[str, Any]:
        seen: dict[str, Any] = {}

        def take(**given: Any) -> None:
            seen.update(given)
            raise Taken

        monkeypatch.setattr(f"raiden_core.training.hooks.resuming.{TRAINERS[kind]}", take)
        base = {"train_data_path": str(data), "model_name_or_path": str(small_nano), "use_cpu": True, "bf16": False}
        path = tmp_path / "job.yaml"
        path.write_text(yaml.safe_dump({"output_dir": str(tmp_path / "out"), **base, **job}), "utf-8")
        with pytest.raises(Taken):
            SCRIPTS[kind].main([str(path)])
        return seen

    return run


class _Usage:
    free = 2**60


def arrived(there: Any, given: Any) -> bool:
    """Whether a value is the given one; objects that transformers makes of mappings hold it."""
    there = getattr(there, "value", there)
    if isinstance(given, dict):
        held = there if isinstance(there, dict) else vars(there)
        return all(held[name] == value for name, value in given.items())
    if there == "all":
        return given is True
    if isinstance(there, (list, tuple, set)) and isinstance(given, list):
        return [getattr(one, "value", one) for one in there] == given
    return bool(there == given)


def jobs(kind: str) -> Iterator[dict[str, Any]]:
    """Jobs that together set every field that is honoured off its default, but those of `ALONE`."""
    there = trl_fields(kind)
    questions = {"eval_questions": 16} if kind == "GRPOConfig" else {}
    values = questions | {name: other(kind, name, there[name]) for name in sorted(HONOURED[kind] - set(ALONE))}
    if kind == "SFTConfig":
        yield values
        return
    half = {"generation_batch_size", "steps_per_generation"}
    for left_out in sorted(half):
        yield {name: value for name, value in values.items() if name != left_out} | {"load_best_model_at_end": False}


@BOTH
def test_a_trainers_fields_arrive(kind: str, captured: Callable[..., dict[str, Any]]) -> None:
    seen = set()
    for job in jobs(kind):
        args = captured(kind, job)["args"]
        for name, value in job.items():
            if name == "model_init_kwargs":
                assert args.model_init_kwargs.items() >= value.items()
            elif name in HONOURED[kind]:
                assert arrived(getattr(args, name), value), f"{name}: {getattr(args, name)!r}, not {value!r}"
            seen.add(name)
    assert HONOURED[kind] - seen <= set(ALONE)


@BOTH
def test_a_models_fields_arrive(kind: str, captured: Callable[..., dict[str, Any]]) -> None:
    plain = captured(kind, {})
    assert plain["args"].model_init_kwargs == {"dtype": "float32", "trust_remote_code": False}
    assert plain["peft_config"] is None and plain["quantization_config"] is None
    loaded = captured(kind, {"dtype": "bfloat16", "attn_implementation": "eager"})["args"].model_init_kwargs
    assert (loaded["dtype"], loaded["attn_implementation"]) == ("bfloat16", "eager")
    assert captured(kind, {"torch_dtype": "float16"})["args"].model_init_kwargs["dtype"] == "float16"
    adapter = {
        "use_peft": True,
        "lora_r": 3,
        "lora_alpha": 5,
        "lora_dropout": 0.25,
        "lora_target_modules": ["q_proj", "v_proj"],
        "lora_modules_to_save": ["lm_head"],
        "use_rslora": True,
        "use_dora": True,
    }
    made = captured(kind, adapter)["peft_config"]
    assert (made.r, made.lora_alpha, made.lora_dropout, made.use_rslora, made.use_dora) == (3, 5, 0.25, True, True)
    assert set(made.target_modules) == {"q_proj", "v_proj"} and list(made.modules_to_save) == ["lm_head"]
    stored = {
        "load_in_4bit": True,
        "bnb_4bit_quant_type": "fp4",
        "use_bnb_nested_quant": True,
        "bnb_4bit_quant_storage": "float16",
    }
    four = captured(kind, {"use_peft": True, "dtype": "bfloat16", **stored})["quantization_config"]
    assert four.load_in_4bit and four.bnb_4bit_use_double_quant and four.bnb_4bit_quant_type == "fp4"
    assert [str(one) for one in (four.bnb_4bit_quant_storage, four.bnb_4bit_compute_dtype)] == [
        "torch.float16",
        "torch.bfloat16",
    ]
    assert captured(kind, {"use_peft": True, "load_in_8bit": True})["quantization_config"].load_in_8bit
    parameters = {
        "use_peft": True,
        "lora_target_modules": ["q_proj"],
        "lora_dropout": 0.0,
        "lora_target_parameters": ["mlp.down_proj.weight"],
    }
    assert captured(kind, parameters)["peft_config"].target_parameters == parameters["lora_target_parameters"]
    tried = {*adapter, *stored, *parameters, "dtype", "attn_implementation", "load_in_8bit"}
    assert MODEL - tried == {"model_name_or_path", "model_revision"}, "each of them has a test below"


@BOTH
def test_a_revision_is_what_is_loaded(
    kind: str,
    captured: Callable[..., dict[str, Any]],
    small_nano: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cache = tmp_path / "hub" / "models--some--model"
    commit = "0" * 39 + "1"
    (cache / "refs").mkdir(parents=True)
    (cache / "refs" / "older").write_text(commit)
    shutil.copytree(small_nano, cache / "snapshots" / commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache.parent))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    seen = captured(kind, {"model_name_or_path": "some/model", "model_revision": "older"})
    assert seen["model"] == str(cache / "snapshots" / commit)
    path = tmp_path / "job.yaml"
    path.write_text(path.read_text("utf-8").replace("older", "newer"), "utf-8")
    with pytest.raises(DataError, match="model_revision: some/model has no newer, or it cannot be had"):
        SCRIPTS[kind].main([str(path)])


def refusals() -> Iterator[Any]:
    """Kind, what is given, the field that the message names."""
    for kind in SCRIPTS:
        for name in sorted({**REFUSED[kind], **REFUSED["ModelConfig"]}):
            owner = "ModelConfig" if name in REFUSED["ModelConfig"] else kind
            yield pytest.param(kind, owner, name, id=f"{kind}-{name}")


@table(("kind", "owner", "name"), refusals())
def test_a_refused_field_is_named_with_a_reason_by_script_plan_and_doctor(
    kind: str, owner: str, name: str, tmp_path: Path
) -> None:
    there = trl_fields(owner)[name]
    value = other(owner, name, there)
    if "list" in str(there.type):
        value = ["another"]
    if "dict" in str(there.type):
        value = {"a": 1}
    if name == "reward_weights":
        value = [1.0, 2.0]
    reason = {**REFUSED[kind], **REFUSED["ModelConfig"]}[name]
    if name == "hub_token":
        reason = "looks like a secret, and settings end up in files and logs; set the environment variable HF_TOKEN"
    path = tmp_path / "job.yaml"
    path.write_text(yaml.safe_dump({"model_name_or_path": "a/b", name: value, "use_peft": True}), "utf-8")
    with pytest.raises(ConfigError) as caught:
        SCRIPTS[kind].main([str(path), "--use_cpu"])
    assert str(caught.value) == f"{path}: {name}: {reason}"
    if kind == "GRPOConfig":
        with pytest.raises(ConfigError) as caught:
            read_any_config(path)  # what plan and doctor begin with
        assert str(caught.value) == f"{path}: {name}: {reason}"
    section = "grpo" if kind == "GRPOConfig" else "cold_start"
    with pytest.raises(ConfigError, match=name) as caught:
        validate_config({section: {name: value, "lora_r": 4}}, "c.yaml")
    assert reason in str(caught.value)


def needing() -> Iterator[Any]:
    for name, switch in sorted(NEEDS.items()):
        if name != "load_best_model_at_end" and name not in IMPLIES.get(switch, ()):
            kind = "SFTConfig" if name in HONOURED["SFTConfig"] - HONOURED["GRPOConfig"] else "GRPOConfig"
            yield pytest.param(kind, name, switch, id=name)


@table(("kind", "name", "switch"), needing())
def test_a_field_whose_switch_is_off_is_refused_with_the_switch(
    kind: str, name: str, switch: str, tmp_path: Path
) -> None:
    owner = "ModelConfig" if name in MODEL else kind
    path = tmp_path / "job.yaml"
    value = other(owner, name, trl_fields(owner)[name])
    path.write_text(yaml.safe_dump({"model_name_or_path": "a/b", name: value}), "utf-8")
    with pytest.raises(ConfigError, match=rf"{name}: it has no effect without {switch}: ") as caught:
        SCRIPTS[kind].main([str(path), "--use_cpu"])
    assert "\n" not in str(caught.value)
    if kind == "GRPOConfig":
        with pytest.raises(ConfigError, match=rf"{name}: it has no effect without {switch}: "):
            read_any_config(path)
    if name != "lora_r":
        section = "grpo" if kind == "GRPOConfig" else "cold_start"
        with pytest.raises(ConfigError, match=rf"{name}: it has no effect without "):
            validate_config({section: {name: value}}, "c.yaml")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("attn_implementation: flash_attention_2", "attn_implementation: flash_attention_2 needs flash_attn"),
        ("attn_implementation: flash", "attn_implementation: 'flash' is none of eager, sdpa"),
        ("attn_implementation: somebody/kernel", "attn_implementation: kernels are not loaded from the Hub"),
        ("model_init_kwargs: {attn_implementation: flash_attention_2}", "attn_implementation: flash_attention_2 needs"),
        ("model_init_kwargs: {trust_remote_code: true}", "model_init_kwargs.trust_remote_code: code that comes with"),
        ("model_init_kwargs: {revision: v1}", "model_init_kwargs.revision: .*set model_revision"),
        ("model_init_kwargs: {dtype: float16}\ndtype: float32", "dtype: 'float32' here and 'float16' as model_init"),
        ("deepspeed: ds.json", "deepspeed: deepspeed is not installed"),
        ("use_vllm: true", "use_vllm: vllm is not installed"),
        ("use_liger_kernel: true", "use_liger_kernel: liger_kernel is not installed"),
        ("load_in_4bit: true\nuse_peft: true", "load_in_4bit: bitsandbytes is not installed"),
        ("load_in_4bit: true\nload_in_8bit: true\nuse_peft: true", "load_in_4bit: .*not both"),
        ("optim: paged_adamw_8bit", "optim: paged_adamw_8bit needs bitsandbytes"),
        ("dtype: fp32", "dtype: 'fp32' is none of auto, bfloat16, float16, float32"),
        ("torch_dtype: half", "dtype: 'half' is none of"),
        ("optim: adam", "adam"),
        ("lr_scheduler_type: cosinus", "lr_scheduler_type: 'cosinus'|cosinus"),
        ("learning_rate: [1]", "learning_rate"),
        ("num_generations: 2.5", "num_generations"),
        ("auto_find_batch_size: true", "auto_find_batch_size"),
        ("fp16: maybe", "fp16"),
        ("model_revision: v1\nmodel_name_or_path: .", "model_revision: . is a folder"),
        ("trust_remote_cod: true", "trust_remote_cod: unknown key; did you mean 'trust_remote_code'"),
    ],
)
def test_what_cannot_be_is_one_line(line: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = {"flash_attn", "deepspeed", "vllm", "liger_kernel", "bitsandbytes"}
    monkeypatch.setattr("raiden_core.training.checks.find_spec", lambda name: None if name in missing else name)
    path = tmp_path / "job.yaml"
    path.write_text(f"train_data_path: a.json\n{line}\n", "utf-8")
    from trl import GRPOConfig, ModelConfig

    with pytest.raises(ConfigError, match=rf"^{path}: .*{words}") as caught:
        parse_script((GrpoArguments, GRPOConfig, ModelConfig), [str(path), "--use_cpu", "--bf16", "false"])
    assert "\n" not in str(caught.value)


def test_what_asks_for_nothing_is_not_refused(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    asked = "resume_from_checkpoint: null\ntrust_remote_code: false\npush_to_hub: false\nreward_weights:\n"
    path.write_text(asked + "model_name_or_path: a/b\nhub_strategy: every_save\nuse_vllm: false\n", "utf-8")
    read_any_config(path)
    assert {"output_dir", "seed"} <= SET_BY_US


def test_flags_are_refused_like_keys_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text("model_name_or_path: a/b\n")
    with pytest.raises(ConfigError, match="lora_r: it has no effect without use_peft"):
        grpo.main([str(path), "--use_cpu", "--lora-r", "4"])
    with pytest.raises(ConfigError, match="trust_remote_code: code that comes with a model is never run"):
        grpo.main([str(path), "--use_cpu", "--trust_remote_code"])


def test_a_revision_belongs_to_the_stage_that_loads_the_student() -> None:
    student = {"student": {"model": "a/b"}}
    with pytest.raises(ConfigError, match=r"set cold_start\.model_revision"):
        validate_config({**student, "grpo": {"model_revision": "v1"}}, "c.yaml")
    validate_config({**student, "cold_start": {"model_revision": "v1"}}, "c.yaml")
    validate_config({**student, "grpo": {"model_revision": "v1"}, "cold_start": {"enabled": False}}, "c.yaml")
