"""Does the plan's memory hold? A real training step of small models on the CPU, predicted and measured.

    taskset -c 0 python -m benchmarks.memory          # all cases, a few minutes
    python -m benchmarks.memory --only 20M-grpo       # one of them

Each case runs in a fresh process: TRL's trainer takes two optimizer steps (the second has the optimizer's state and the
gradients at once) on a randomly initialised Qwen3 model. Measured is the highest resident size (``VmHWM``) above what
the process had after its imports; a step of a toy model makes sure that everything is imported. Figures go to
benchmarks/results/memory.json.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raiden_core.planning.job import Job, lora_parameters
from raiden_core.planning.memory import estimate
from raiden_core.planning.shapes import ModelShape
from raiden_core.planning.sharding import Sharding
from raiden_core.report.hardware import describe_hardware
from raiden_core.stages.versions import installed_versions

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "memory.json"
TOLERANCE = 0.25
MIB = 2**20
PROMPT, COMPLETION, MICRO_BATCH, LORA_RANK = 96, 32, 4, 16
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TRL_EXPERIMENTAL_SILENCE": "1",
    # Left alone, glibc learns to keep ever larger freed blocks, and the resident size would hold what is long gone.
    "MALLOC_MMAP_THRESHOLD_": "65536",
    "MALLOC_TRIM_THRESHOLD_": "65536",
}


@dataclass(frozen=True)
class Case:
    """A model and how it is trained."""

    name: str
    shape: ModelShape
    stage: str = "grpo"
    beta: float = 0.1
    checkpointing: bool = False
    accumulation: int = 1
    lora: bool = False

    def job(self) -> Job:
        """What the plan is asked about."""
        section = argparse.Namespace(lora_r=LORA_RANK if self.lora else None)
        lora, adapted = lora_parameters(section, self.shape, "grpo")
        grpo = self.stage == "grpo"
        return Job(
            stage="grpo" if grpo else "cold start",
            shape=self.shape,
            sharding=Sharding("single"),
            micro_batch=MICRO_BATCH,
            accumulation=self.accumulation,
            prompt=PROMPT if grpo else 0,
            completion=COMPLETION if grpo else PROMPT + COMPLETION,
            group=4,
            generation_batch=MICRO_BATCH * self.accumulation if grpo else 0,
            checkpointing=self.checkpointing,
            lora=lora,
            adapted=adapted,
            reference=grpo and self.beta > 0 and not self.lora,
            rollouts="transformers" if grpo else "none",
            on_cpu=True,
        )


def shape(name: str, hidden: int, layers: int, heads: int, kv_heads: int) -> ModelShape:
    """A Qwen3 shape with a small vocabulary."""
    return ModelShape(
        name, "benchmark", hidden, 3 * hidden, layers, heads, kv_heads, 64, 16384, 2048, tied=True, qk_norm=True
    )


SMALL = shape("20M", 384, 8, 6, 2)
MEDIUM = shape("70M", 640, 12, 10, 5)
LARGE = shape("110M", 768, 14, 12, 4)
LARGEST = shape("200M", 1024, 15, 16, 4)
CASES = (
    Case("20M-grpo", SMALL),
    Case("20M-grpo-checkpointing", SMALL, checkpointing=True, accumulation=2),
    Case("20M-grpo-lora", SMALL, lora=True),
    Case("20M-sft", SMALL, stage="sft"),
    Case("70M-grpo", MEDIUM),
    Case("110M-grpo", LARGE),
    Case("200M-grpo", LARGEST),
)


def main(argv: Sequence[str]) -> int:
    """Measure cases and write the figures; 1 when a prediction is off by more than the tolerance."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory")
    parser.add_argument("--only", choices=[case.name for case in CASES])
    parser.add_argument("--measure", choices=[case.name for case in CASES], help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.measure:
        sys.stdout.write(json.dumps(measure(named(options.measure))) + "\n")
        return 0
    rows = []
    for case in CASES if options.only is None else [named(options.only)]:
        rows.append(compare(case))
        sys.stderr.write(f"{json.dumps(rows[-1])}\n")
        if options.only is None:
            write(rows)
    return int(any(abs(row["error"]) > TOLERANCE for row in rows))


def named(name: str) -> Case:
    """A case by its name."""
    return next(case for case in CASES if case.name == name)


def compare(case: Case) -> dict[str, Any]:
    """Predict a case and measure it in a process of its own."""
    memory = estimate(case.job())
    command = [sys.executable, "-m", "benchmarks.memory", "--measure", case.name]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT},
        stdout=subprocess.PIPE,
        text=True,
        timeout=1800,
        check=True,
    )
    measured = json.loads(done.stdout.splitlines()[-1])
    return {
        "case": case.name,
        "parameters": case.shape.parameters,
        "predicted_mib": round(memory.peak / MIB, 1),
        "measured_mib": round(measured["peak"] / MIB, 1),
        "error": round(memory.peak / measured["peak"] - 1, 3),
        "moment": memory.moment,
        "parts_mib": {part.name: [round(one / MIB, 1) for one in part.bytes] for part in memory.parts},
        "baseline_mib": round(measured["baseline"] / MIB, 1),
        "seconds": round(measured["seconds"], 1),
    }


def write(rows: list[dict[str, Any]]) -> None:
    """Write what is measured so far."""
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    record = {
        "hardware": describe_hardware(),
        "versions": installed_versions(),
        "tokens": {"prompt": PROMPT, "completion": COMPLETION, "micro_batch": MICRO_BATCH},
        "tolerance": TOLERANCE,
        "cases": rows,
    }
    RESULTS.write_text(json.dumps(record, indent=2) + "\n", "utf-8")


def measure(case: Case) -> dict[str, float]:
    """Train in this process; bytes above the baseline."""
    import time

    import torch

    torch.set_num_threads(1)
    toy = shape("toy", 64, 1, 2, 1)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name, one in (("toy", toy), ("model", case.shape)):
            save(one, folder / name)
        train(case, folder / "toy", folder / "out-toy")
        gc.collect()
        Path("/proc/self/clear_refs").write_text("5", "ascii")  # the high-water mark starts anew
        baseline = resident("VmRSS")
        started = time.monotonic()
        train(case, folder / "model", folder / "out")
        seconds = time.monotonic() - started
    return {"peak": resident("VmHWM") - baseline, "baseline": baseline, "seconds": seconds}


def resident(field: str) -> int:
    """A figure of /proc/self/status in bytes."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise KeyError(field)


def save(one: ModelShape, folder: Path) -> None:
    """A randomly initialised model and a tokenizer of single letters."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    config = Qwen3Config(
        vocab_size=one.vocab,
        hidden_size=one.hidden,
        intermediate_size=one.intermediate,
        num_hidden_layers=one.layers,
        num_attention_heads=one.heads,
        num_key_value_heads=one.kv_heads,
        head_dim=one.head_dim,
        max_position_embeddings=one.context,
        tie_word_embeddings=one.tied,
        bos_token_id=None,
        eos_token_id=1,
        pad_token_id=0,
    )
    Qwen3ForCausalLM(config).save_pretrained(folder)
    tokenizer().save_pretrained(folder)


def tokenizer() -> PreTrainedTokenizerFast:
    """A letter is a token."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = {"<pad>": 0, "<end>": 1, **{letter: 2 + place for place, letter in enumerate("abcdefgh?")}}
    made = Tokenizer(models.WordLevel(letters, unk_token="?"))
    made.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", eos_token="<end>", unk_token="?", model_max_length=2048
    )


def train(case: Case, model: Path, out: Path) -> None:
    """Two optimizer steps of TRL's trainer."""
    from datasets import Dataset
    from peft import LoraConfig
    from trl import GRPOConfig, GRPOTrainer, SFTConfig, SFTTrainer

    peft = LoraConfig(r=LORA_RANK, target_modules="all-linear", task_type="CAUSAL_LM") if case.lora else None
    common: dict[str, Any] = {
        "output_dir": str(out),
        "max_steps": 2,
        "per_device_train_batch_size": MICRO_BATCH,
        "gradient_accumulation_steps": case.accumulation,
        "gradient_checkpointing": case.checkpointing,
        "bf16": False,
        "use_cpu": True,
        "report_to": "none",
        "save_strategy": "no",
        "disable_tqdm": True,
        "logging_strategy": "no",
        "model_init_kwargs": {"dtype": "float32"},
    }
    letters = "abcdefgh" * PROMPT
    trainer: Any
    if case.stage == "grpo":
        trainer = GRPOTrainer(
            model=str(model),
            reward_funcs=lambda completions, **_: [float(place % 2) for place in range(len(completions))],
            args=GRPOConfig(
                **common, num_generations=4, max_completion_length=COMPLETION, beta=case.beta, top_k=0, temperature=1.0
            ),
            train_dataset=Dataset.from_list([{"prompt": letters[start : start + PROMPT]} for start in range(8)]),
            processing_class=tokenizer(),
            peft_config=peft,
        )
    else:
        ids = [2 + place % 8 for place in range(PROMPT + COMPLETION)]
        trainer = SFTTrainer(
            model=str(model),
            args=SFTConfig(**common, max_length=PROMPT + COMPLETION),
            train_dataset=Dataset.from_list([{"input_ids": ids, "labels": ids}] * 8),
            processing_class=tokenizer(),
            peft_config=peft,
        )
    trainer.train()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
