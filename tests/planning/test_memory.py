"""Memory by part: against the OpenR1 guide's table, and each setting against what it is known to change."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from raiden_core.config.loading import validate_config
from raiden_core.config.sections.training import LaunchConfig
from raiden_core.errors import ConfigError, UsageError
from raiden_core.planning.fit import fit, fits
from raiden_core.planning.gpus import GIB, Devices, parse_gpus
from raiden_core.planning.job import Job, Lengths, cold_start_job, grpo_job, optimizer_state
from raiden_core.planning.memory import checkpoint_bytes, estimate
from raiden_core.planning.shapes import table
from raiden_core.planning.sharding import Sharding, read_sharding

GB = 10**9
SEVEN, FOURTEEN = table()["qwen2.5-7b-instruct"], table()["qwen2.5-14b-instruct"]
DDP = Sharding("ddp", 8)
STATE = ("weights", "gradients", "optimizer", "reference")


def guide_job(size: str, group: int, sharding: Sharding) -> Job:
    """The OpenR1 guide's run: 4 completions a device, 2 accumulated, all weights and their state in bf16."""
    shape = {"7B": SEVEN, "14B": FOURTEEN}[size]
    return Job(
        stage="grpo",
        shape=shape,
        sharding=sharding,
        micro_batch=4,
        accumulation=2,
        prompt=1024,
        completion=2048,
        group=group,
        generation_batch=8,
        weight_bytes=2,
        mixed=True,
        reference=True,
        rollouts="transformers",
    )


def distance(value: float, low: float, high: float) -> float:
    """How far a value lies outside a range, as a share of the nearer end."""
    return max(low / value - 1, value / high - 1, 0)


@pytest.mark.parametrize(("size", "low", "high"), [("7B", 70, 80), ("14B", 140, 160)])
def test_the_guides_table_is_reproduced_without_ddps_buckets(size: str, low: float, high: float) -> None:
    # The guide's figures are five copies of the weights in bf16: weights, gradients, two moments, reference.
    memory = estimate(guide_job(size, 2, Sharding("single")))
    assert low <= sum(memory.of(name) for name in STATE) / GB <= high
    assert distance(memory.peak / GB, low, high) <= 0.15


@pytest.mark.parametrize(("size", "high"), [("7B", 80), ("14B", 160)])
def test_what_the_guide_leaves_out_is_ddps_copy_of_the_gradients(size: str, high: float) -> None:
    alone, eight = (estimate(guide_job(size, 2, sharding)) for sharding in (Sharding("single"), DDP))
    copy = 2 * guide_job(size, 2, DDP).shape.parameters
    assert eight.of("gradients") - alone.of("gradients") == copy
    assert distance((eight.peak - copy) / GB, 0, high) <= 0.15


def test_group_4_of_the_guide_is_what_ddp_takes_with_any_group() -> None:
    # Since TRL counts completions and not prompts, the group does not change what passes through the model at once.
    two, four = (estimate(guide_job("14B", group, DDP)).peak for group in (2, 4))
    assert two == four
    assert distance(four / GB, 180, 200) <= 0.15
    assert not fits(guide_job("14B", 4, DDP), parse_gpus("8xH200"))
    assert fits(guide_job("7B", 4, DDP), parse_gpus("8xH200"))


def job(**changes: Any) -> Job:
    return replace(guide_job("7B", 4, DDP), **changes)


def test_no_reference_is_held_without_beta_or_with_an_adapter() -> None:
    def planned(**grpo: object) -> Job:
        config = validate_config({"student": {"model": "Qwen/Qwen2.5-7B"}, "grpo": grpo}, "x")
        return grpo_job(config, SEVEN, Sharding("single"), Lengths(512, 512, "test"))

    assert planned(beta=0.1).reference
    assert not planned(beta=0.0).reference
    adapted = planned(beta=0.1, lora_r=8)
    assert not adapted.reference
    # r x (inputs + outputs) of the seven linear modules of each layer
    assert adapted.lora == 28 * 8 * (2 * (3584 + 3584) + 2 * (3584 + 512) + 3 * (3584 + 18944))
    assert planned(lora_r=8, lora_target_modules=["q_proj"]).lora == 28 * 8 * (3584 + 3584)
    with pytest.raises(ConfigError, match="has no module 'qkv'"):
        planned(lora_r=8, lora_target_modules=["qkv"])
    memory = estimate(adapted)
    assert memory.of("reference") == 0 and memory.of("gradients") < GIB


@pytest.mark.parametrize(
    ("kind", "weights", "gradients", "optimizer"),
    [
        ("ddp", 2, 4, 4),  # bf16; gradients twice, for their buckets
        ("fsdp", 4 / 8, 4 / 8, 8 / 8),  # FSDP keeps what it trains in float32
        ("zero1", 2, None, 16 / 8),
        ("zero2", 2, None, 16 / 8),
        ("zero3", 2 / 8, None, 16 / 8),
    ],
)
def test_sharding_divides_what_it_divides(kind: Any, weights: float, gradients: float | None, optimizer: float) -> None:
    memory = estimate(job(sharding=Sharding(kind, 8)))
    count = SEVEN.parameters
    assert memory.of("weights") == pytest.approx(weights * count, rel=1e-3)
    assert memory.of("optimizer") == pytest.approx(optimizer * count, rel=1e-3)
    if gradients is not None:
        assert memory.of("gradients") == pytest.approx(gradients * count, rel=1e-3)
    assert memory.of("reference") == pytest.approx((2 / 8 if kind in ("fsdp", "zero3") else 2) * count, rel=1e-3)


def test_gathered_weights_are_counted() -> None:
    whole = 2 * SEVEN.parameters
    assert estimate(job(sharding=Sharding("zero3", 8))).of("gathered weights") == whole  # to sample
    assert estimate(job(sharding=Sharding("fsdp", 8))).of("gathered weights") == whole  # the reference is one group
    assert estimate(job(sharding=Sharding("fsdp", 8), reference=False)).of("gathered weights") < whole / 3
    assert estimate(job(sharding=Sharding("fsdp-grad-op", 8), reference=False)).of("gathered weights") >= whole


def test_offloaded_state_takes_nothing() -> None:
    there, away = (
        estimate(job(sharding=Sharding("zero3", 8, offload_optimizer=one, offload_weights=one)))
        for one in (False, True)
    )
    assert there.of("optimizer") and not away.of("optimizer") and not away.of("weights")


@pytest.mark.parametrize(
    ("less", "more", "part"),
    [
        ({"checkpointing": True}, {"checkpointing": False}, "activations"),
        ({"weight_bytes": 2}, {"weight_bytes": 4}, "weights"),
        ({"weight_bytes": 2}, {"weight_bytes": 4}, "weight casts"),
        ({"micro_batch": 1}, {"micro_batch": 2}, "activations"),
        ({"prompt": 100}, {"prompt": 1000}, "activations"),
        ({"generation_batch": 8}, {"generation_batch": 64}, "KV cache"),
        ({"full_logits": False}, {"full_logits": True}, "logits"),
        ({"optimizer_absolute": 2.0}, {"optimizer_absolute": None}, "optimizer"),
        ({"rollouts": "server"}, {"rollouts": "transformers"}, "KV cache"),
    ],
)
def test_each_setting_moves_its_part(less: dict[str, Any], more: dict[str, Any], part: str) -> None:
    assert estimate(job(**less)).of(part) < estimate(job(**more)).of(part)


def test_a_colocated_vllm_takes_its_share_and_gives_it_back_when_it_sleeps() -> None:
    h200 = parse_gpus("8xH200")
    awake, asleep = (estimate(job(rollouts="colocate", vllm_share=0.3, vllm_sleeps=one), h200) for one in (False, True))
    share = int(0.3 * h200.memory)
    assert awake.of("vLLM") == share
    assert awake.totals["loss"] - asleep.totals["loss"] == share
    small = job(rollouts="colocate", vllm_share=0.1, lora=10**6)
    assert "does not hold its own weights" in str(fit(small, h200).problem)


def test_the_largest_micro_batch_fits_and_the_next_does_not() -> None:
    devices = parse_gpus("8xH200")
    found = fit(job(), devices)
    assert found.problem is None and found.largest
    assert fits(job().with_micro_batch(found.largest, 2), devices)
    assert not fits(job().with_micro_batch(found.largest + 1, 2), devices)
    assert fit(job(shape=FOURTEEN), devices).largest is None
    tight = Devices("small", 8, estimate(job(micro_batch=2, accumulation=4)).peak, 1, 1)
    assert fit(job(), tight).same_batch == (2, 4)
    assert "16 processes, but only 8" in str(fit(job(sharding=Sharding("ddp", 16)), devices).problem)


def test_the_cold_start_is_planned_for_its_own_section() -> None:
    config = validate_config({"cold_start": {"max_length": 4096, "per_device_train_batch_size": 2, "lora_r": 4}}, "x")
    planned = cold_start_job(config, SEVEN, Sharding("single"), Lengths(512, 512, "test"))
    assert (planned.micro_batch, planned.tokens, planned.rollouts) == (2, 512 + 512, "none")
    memory = estimate(planned)
    assert memory.of("KV cache") == memory.of("reference") == 0
    assert memory.totals["rollouts"] < memory.totals["loss"]


def test_batches_that_do_not_hold_whole_groups_are_refused() -> None:
    config = validate_config(
        {
            "student": {"model": "x/y"},
            "grpo": {"launch": {"accelerate": "x.yaml"}, "num_generations": 3, "per_device_train_batch_size": 4},
        },
        "x",
    )
    with pytest.raises(ConfigError, match="does not divide into groups"):
        grpo_job(config, SEVEN, DDP, Lengths(512, 512, "test"))


@pytest.mark.parametrize(
    ("name", "state"),
    [("adamw_torch_fused", (2.0, None)), ("adamw_bnb_8bit", (0.0, 2.0)), ("paged_adamw_8bit", (0.0, 0.0))],
)
def test_optimizers(name: str, state: tuple[float, float | None]) -> None:
    assert optimizer_state(name, "grpo") == state
    with pytest.raises(ConfigError, match=r"grpo\.optim: unheard_of"):
        optimizer_state("unheard_of", "grpo")


def test_checkpoints_hold_what_is_trained_with_its_state() -> None:
    assert checkpoint_bytes(job()) == SEVEN.parameters * (2 + 4)
    assert checkpoint_bytes(job(sharding=Sharding("zero3", 8))) == SEVEN.parameters * (2 + 12)
    assert checkpoint_bytes(job(lora=1000)) == 1000 * (4 + 8)


ACCELERATE = {
    "distributed_type: MULTI_GPU\nnum_processes: 8\nmixed_precision: bf16\n": Sharding("ddp", 8, 1, "bf16"),
    "distributed_type: 'NO'\n": Sharding("single"),
    "distributed_type: FSDP\nnum_processes: 4\nnum_machines: 2\nfsdp_config: {fsdp_reshard_after_forward: true}\n": (
        Sharding("fsdp", 4, 2)
    ),
    "distributed_type: FSDP\nnum_processes: 4\nfsdp_config: {fsdp_reshard_after_forward: false}\n": (
        Sharding("fsdp-grad-op", 4)
    ),
    "distributed_type: FSDP\nnum_processes: 4\nfsdp_config: {fsdp_reshard_after_forward: SHARD_GRAD_OP}\n": (
        Sharding("fsdp-grad-op", 4)
    ),
    "distributed_type: DEEPSPEED\nnum_processes: 8\ndeepspeed_config: {zero_stage: 2, offload_optimizer_device: cpu}\n": (
        Sharding("zero2", 8, offload_optimizer=True)
    ),
    "distributed_type: DEEPSPEED\nnum_processes: 8\ndeepspeed_config: {zero_stage: 3}\n": Sharding("zero3", 8),
}


@pytest.mark.parametrize(("text", "expected"), ACCELERATE.items())
def test_accelerate_configs_are_read(tmp_path: Path, text: str, expected: Sharding) -> None:
    (tmp_path / "a.yaml").write_text(text, "utf-8")
    assert read_sharding(LaunchConfig(accelerate=tmp_path / "a.yaml")) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "no such file"),
        ("- a\n", "must hold a mapping"),
        ("distributed_type: TPU\n", "distributed_type TPU"),
        ("num_processes: many\n", "num_processes: must be a whole number"),
        ("distributed_type: DEEPSPEED\ndeepspeed_config: {zero_stage: 9}\n", "is none of 0, 1, 2, 3"),
        ("a: [\n", "cannot be read"),
    ],
)
def test_broken_accelerate_configs_are_one_line(tmp_path: Path, text: str | None, words: str) -> None:
    if text is not None:
        (tmp_path / "a.yaml").write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=words):
        read_sharding(LaunchConfig(accelerate=tmp_path / "a.yaml"))


@pytest.mark.parametrize(
    ("text", "count", "name"), [("8xH200", 8, "H200"), ("rtx 4090", 1, "4090"), ("2 × a100-40", 2, "A100-40")]
)
def test_gpus_are_named_in_the_usual_ways(text: str, count: int, name: str) -> None:
    devices = parse_gpus(text)
    assert (devices.count, devices.name) == (count, name)


@pytest.mark.parametrize("text", ["8xH2000", "", "0xH200", "H200x8 and more"])
def test_unknown_gpus_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--gpus"):
        parse_gpus(text)


@pytest.mark.parametrize(
    ("micro", "group", "tokens", "row"),
    [(8, 8, 1000 + 8 * 64, 1000 + 8 * 64), (32, 8, 4 * 1512, 1512), (4, 8, 1000 + 4 * 64, 1000 + 4 * 64)],
)
def test_a_shared_prompt_passes_through_the_model_once(micro: int, group: int, tokens: int, row: int) -> None:
    shared = job(micro_batch=micro, group=group, prompt=1000, completion=64, shared_prefix=True)
    assert shared.passes(1000, 64) == (tokens, row)
    assert replace(shared, shared_prefix=False).passes(1000, 64) == (micro * 1064, 1064)


MEASURED = [  # peaks of tensors in GiB on an H200, benchmarks/results/gpu.json
    ("0.5B-full", True, 7.00), ("0.5B-full", False, 14.51), ("7B-lora", True, 15.83), ("7B-lora", False, 19.66),
    ("1.5B-full", True, 13.23), ("0.5B-kept", True, 6.78), ("0.5B-kept", False, 15.59), ("1.5B-lora", True, 8.01),
    ("1.5B-lora", False, 28.21), ("0.5B-float32", True, 8.52), ("smollm2-step", True, 11.83),
]  # fmt: skip


@pytest.mark.parametrize(("name", "shared", "gib"), MEASURED)
def test_the_plan_is_within_15_percent_of_what_a_gpu_needed(name: str, shared: bool, gib: float) -> None:
    from benchmarks.gpu import STEPS

    planned = estimate(STEPS[name][1].job(on_cpu=False, shared=shared))
    assert abs(planned.peak / GIB / (gib + 0.76) - 1) <= 0.15  # the rest is what CUDA itself takes


@pytest.mark.parametrize(
    ("changes", "shared"),
    [({}, True), ({"shared_prefix": "off"}, False), ({"attn_implementation": "flash_attention_2"}, False)],
)
def test_the_plan_shares_prompts_where_the_trainer_does(changes: dict[str, str], shared: bool) -> None:
    config = validate_config({"characters": {"paths": ["shipped"]}, "grpo": changes}, "config")
    planned = grpo_job(config, SEVEN, Sharding("single"), Lengths(1000, 800, "told"))
    assert planned.shared_prefix is shared
    windowed = replace(SEVEN, windowed=True)
    assert not grpo_job(config, windowed, Sharding("single"), Lengths(1000, 800, "told")).shared_prefix
