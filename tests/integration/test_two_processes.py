"""Two real processes over gloo: what they train together is what one process trains alone.

The completions are injected, so that both see the same global batch; the optimizer is plain SGD, so that the weights
that are saved at the end differ by what the gradients differed. Losses, gradient norms, rewards and weights must then
be equal up to rounding, with DDP and with sharded weights (FSDP2 and FSDP1).
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from statistics import mean
from types import SimpleNamespace
from typing import Any

import pytest

from raiden_core.characters.compose import compose
from raiden_core.config.sections.training import NanoConfig
from raiden_core.generation import generate
from raiden_core.generation.offline.teacher import OfflineTeacher
from raiden_core.prompts import build_completion, build_prompt
from raiden_core.rewards import Scorer
from raiden_core.samples import Sample, write_samples
from raiden_core.stages.progress import silent
from tests.support.injection import Injected

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
WORKER = ROOT / "tests" / "support" / "injected_grpo.py"

STEPS, GROUP, BATCH = 3, 4, 12
"""Optimizer steps, completions a prompt, completions a step. Of two processes each gets 6: the middle group is split."""

DDP = {"distributed_type": "MULTI_GPU"}
FSDP: dict[int, dict[str, Any]] = {
    version: {
        "distributed_type": "FSDP",
        "fsdp_config": {
            "fsdp_version": version,
            "fsdp_auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
            "fsdp_transformer_layer_cls_to_wrap": "Qwen3DecoderLayer",
            "fsdp_reshard_after_forward": True if version == 2 else "FULL_SHARD",
            "fsdp_state_dict_type": "FULL_STATE_DICT",
            "fsdp_cpu_ram_efficient_loading": False,
            "fsdp_offload_params": False,
            # FSDP1 would broadcast rank 0's weights, which accelerate refuses without a GPU; every rank has read them.
            **({} if version == 2 else {"fsdp_sync_module_states": False, "fsdp_use_orig_params": True}),
        },
    }
    for version in (1, 2)
}


class Run:
    """A finished run's files."""

    def __init__(self, out: Path, log: str) -> None:
        self.out, self.log = out, log

    @property
    def head(self) -> dict[str, Any]:
        return self._rows[0]

    @property
    def steps(self) -> list[dict[str, Any]]:
        """Logs of single steps."""
        return [row for row in self._rows if "reward" in row]

    @property
    def _rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.out / "metrics.jsonl").read_text("utf-8").splitlines()]

    @property
    def ranks(self) -> list[dict[str, Any]]:
        """What each process said of itself."""
        return [json.loads(path.read_text("utf-8")) for path in sorted(self.out.parent.glob("rank*.json"))]

    @property
    def completions(self) -> Any:
        """The table of completions and rewards that TRL gathered, of all steps."""
        import pandas as pd

        return pd.concat(pd.read_parquet(path) for path in sorted((self.out / "completions").glob("*.parquet")))

    @property
    def weights(self) -> dict[str, Any]:
        from safetensors.torch import load_file
        from transformers import AutoModelForCausalLM

        gathered = self.out.parent / "weights.safetensors"
        if gathered.is_file():
            return dict(load_file(gathered))
        return dict(AutoModelForCausalLM.from_pretrained(self.out / "model").named_parameters())


class Material(SimpleNamespace):
    """A tiny random student, data, injected completions, and the job that both kinds of run share."""

    def run(self, folder: Path, config: dict[str, Any] | None, *worker: str, **changed: Any) -> Run:
        """One process, or two under ``accelerate launch`` with a configuration."""
        import yaml

        folder.mkdir()
        processes = 1 if config is None else 2
        job = {**self.job, "per_device_train_batch_size": BATCH // processes, "output_dir": str(folder / "out")}
        (folder / "job.yaml").write_text(yaml.safe_dump({**job, **changed}), "utf-8")
        command = [sys.executable]
        if config is not None:
            common = yaml.safe_load((ROOT / "configs" / "accelerate" / "cpu2.yaml").read_text("utf-8"))
            (folder / "accelerate.yaml").write_text(yaml.safe_dump({**common, **config}), "utf-8")
            command += ["-m", "accelerate.commands.launch", "--num_cpu_threads_per_process", "1"]
            command += ["--config_file", str(folder / "accelerate.yaml")]
        command += [str(WORKER), str(folder / "job.yaml"), *worker]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "TRL_EXPERIMENTAL_SILENCE": "1"}
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=400, check=False
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return Run(folder / "out", done.stdout + done.stderr)


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    import torch

    from raiden_core.training.nano import build_model, build_tokenizer

    folder = tmp_path_factory.mktemp("material")
    samples = list(
        generate(
            compose(12, facts=(3, 5), seed=2), teacher=OfflineTeacher(2), samples_per_character=3, include_cm=False,
            cm_share=0, seed=2, scorer=Scorer(), progress=silent,
        ).samples
    )[: STEPS * BATCH // GROUP]  # fmt: skip
    assert len(samples) == STEPS * BATCH // GROUP
    write_samples(folder / "train.json", samples)
    shape = NanoConfig(vocab_size=900, hidden_size=32, layers=2, heads=2)
    tokenizer = build_tokenizer(samples, shape)
    torch.manual_seed(3)
    student = build_model(tokenizer, shape)
    with torch.no_grad():
        for weight in student.parameters():
            if weight.dim() == 2:
                weight.mul_(3)
    student.save_pretrained(folder / "student")
    tokenizer.save_pretrained(folder / "student")
    injected = completions_for(samples, tokenizer)
    (folder / "injected.json").write_text(json.dumps(asdict(injected)), "utf-8")
    job = {
        "model_name_or_path": str(folder / "student"), "train_data_path": str(folder / "train.json"),
        "max_steps": STEPS, "num_generations": GROUP, "gradient_accumulation_steps": 1, "max_completion_length": 64,
        "optim": "sgd", "learning_rate": 0.1, "lr_scheduler_type": "constant", "max_grad_norm": 1000.0, "beta": 0.1,
        "shuffle_dataset": False, "logging_steps": 1, "log_completions": True, "report_to": "none",
        "save_strategy": "no", "disable_tqdm": True, "use_cpu": True, "bf16": False, "gradient_checkpointing": False,
    }  # fmt: skip
    return Material(job=job, samples=samples, injected=folder / "injected.json", folder=folder)


def completions_for(samples: list[Sample], tokenizer: Any) -> Any:
    """A group for each sample, of references in the format and bare, wrong answers and noise; some are cut short."""
    draw = random.Random(4)
    prompts, completions = [], []
    for sample in samples:
        wrong = "<think>？</think><answer>不知道。</answer>"
        texts = [build_completion(sample), sample.answer, wrong, sample.question * 2]
        group = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in draw.choices(texts, k=GROUP)]
        group = [[*tokens[:63], tokenizer.eos_token_id] if draw.random() < 0.7 else tokens[:40] for tokens in group]
        prompts.append(build_prompt(sample))
        completions.append(group)
    return Injected(prompts, completions, [[(0.0, 0.0)] * GROUP] * len(samples))


@pytest.fixture(scope="module")
def alone(material: Material, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One process."""
    return material.run(tmp_path_factory.mktemp("alone") / "run", None, "--injected", str(material.injected))


@pytest.fixture(scope="module")
def together(material: Material, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two processes with DDP."""
    return material.run(tmp_path_factory.mktemp("together") / "run", DDP, "--injected", str(material.injected))


SAME = ("loss", "grad_norm", "kl", "entropy", "reward", "reward_std", "frac_reward_zero_std", "num_tokens",
        "rewards/accuracy_reward/mean", "rewards/format_reward/mean", "completions/mean_length",
        "completions/clipped_ratio")  # fmt: skip


def assert_same_training(run: Run, alone: Run, student: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    assert len(run.steps) == len(alone.steps) == STEPS
    for one, other in zip(run.steps, alone.steps, strict=True):
        for name in SAME:
            assert one[name] == pytest.approx(other[name], rel=2e-4, abs=1e-6), (name, one["step"])
    before = dict(AutoModelForCausalLM.from_pretrained(student).named_parameters())
    assert run.weights.keys() == alone.weights.keys()
    for name, weight in alone.weights.items():
        moved = (weight - before[name]).norm()
        assert moved > 0, name
        assert (run.weights[name] - weight).norm() < 1e-3 * moved + 1e-6, name
    assert [row["kl"] > 1e-5 for row in run.steps] == [False, True, True], "the KL term is there from the second step"
    assert torch.isfinite(torch.tensor([row["loss"] for row in run.steps])).all()


def test_two_processes_train_what_one_does(material: Material, alone: Run, together: Run) -> None:
    assert [rank["kind"] for rank in together.ranks] == ["DistributedDataParallel"] * 2
    assert {(rank["backend"], rank["device"]) for rank in together.ranks} == {("gloo", "cpu")}
    assert_same_training(together, alone, material.folder / "student")


def test_rewards_are_those_of_the_completions_of_both_processes(material: Material, together: Run) -> None:
    from transformers import AutoTokenizer

    injected = Injected(**json.loads(material.injected.read_text("utf-8")))
    tokenizer = AutoTokenizer.from_pretrained(material.folder / "student")
    apart = []
    for step, row in enumerate(together.steps):
        asked = range(step * BATCH // GROUP, (step + 1) * BATCH // GROUP)
        scores = [
            Scorer().score(material.samples[prompt], tokenizer.decode(tokens, skip_special_tokens=True))
            for prompt in asked
            for tokens in injected.completions[prompt]
        ]
        assert len(scores) == BATCH
        assert row["rewards/accuracy_reward/mean"] == pytest.approx(mean(score.accuracy for score in scores))
        assert row["rewards/format_reward/mean"] == pytest.approx(mean(score.format for score in scores))
        assert row["reward"] == pytest.approx(mean(score.total for score in scores), abs=1e-6)
        halves = [mean(score.total for score in half) for half in (scores[: BATCH // 2], scores[BATCH // 2 :])]
        apart.append(abs(halves[0] - halves[1]))
    assert max(apart) > 0.05, "no step in which the mean of one process would show"
    assert len(together.completions) == STEPS * BATCH


def test_one_of_the_processes_writes(together: Run) -> None:
    assert together.head == {**together.head, "phase": "grpo", "total_steps": STEPS}
    assert [row["step"] for row in together.steps] == list(range(1, STEPS + 1))
    assert sum(line.startswith("grpo 1/") for line in together.log.splitlines()) == 1
    assert json.loads((together.out / "training.json").read_text("utf-8"))["processes"] == 2
    assert [path.name for path in together.out.glob("**/model.safetensors")] == ["model.safetensors"]
    assert (together.out / "model" / "chat_template.jinja").is_file()


@pytest.mark.parametrize("version", [2, 1])
def test_sharded_weights_train_the_same(material: Material, alone: Run, tmp_path: Path, version: int) -> None:
    run = material.run(tmp_path / "run", FSDP[version], "--shard", "--injected", str(material.injected))
    values = sum(weight.numel() for weight in alone.weights.values())
    assert [rank["kind"].startswith(("FSDP", "FullySharded")) for rank in run.ranks] == [True, True]
    assert sum(rank["values"] for rank in run.ranks) < 1.1 * values, "every process holds a part"
    assert_same_training(run, alone, material.folder / "student")


@pytest.mark.parametrize("version", [2, 1])
def test_sharded_processes_wait_for_the_longest_completion(material: Material, tmp_path: Path, version: int) -> None:
    # Left alone, the first process has no share of the weights to give any more, and the second waits for it forever.
    run = material.run(tmp_path / "run", FSDP[version], "--shard", "--uneven", max_steps=2)
    assert [row["completions/max_length"] for row in run.steps] == [12, 12]
    assert [row["completions/min_length"] for row in run.steps] == [4, 4]


def test_the_processes_sample_different_completions(material: Material, tmp_path: Path) -> None:
    run = material.run(tmp_path / "run", FSDP[2], max_steps=1, max_completion_length=12, num_generations=BATCH)
    # One group, the same rows in both processes: with the same seed, the second would draw what the first draws.
    table = run.completions
    assert len(table) == BATCH == len({str(completion) for completion in table["completion"]})
    assert len({json.dumps(list(prompt)) for prompt in table["prompt"]}) == 1
    # An FSDP configuration on CPU ranks means DDP. Once accelerate shards there by itself, --shard is not needed.
    assert [rank["kind"] for rank in run.ranks] == ["DistributedDataParallel"] * 2
