"""A GRPO step by TRL's trainer and by ours at equal settings: time, tokens, and the highest memory.

Three trainers: ``plain`` is TRL's `GRPOTrainer`, ``off`` ours with `grpo.shared_prefix: off`, ``auto`` ours as it is.
Weights are random, prompts and completions have a fixed length (the end-of-turn token is forbidden until then), and the
reward is made up, so that all three do the same work. They take turns; a trainer's first steps are not counted.
"""

from __future__ import annotations

import gc
import random
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.memory import resident, tokenizer
from raiden_core.planning.job import Job, lora_parameters
from raiden_core.planning.memory import estimate
from raiden_core.planning.shapes import ModelShape, table
from raiden_core.planning.sharding import Sharding

GROUP = 8
LORA_RANK = 16
TINY = ModelShape("tiny", "benchmark", 64, 128, 2, 2, 1, 32, 512, 4096, tied=True, qkv_bias=True)
SMOLLM2 = ModelShape("SmolLM2-135M", "benchmark", 576, 1536, 30, 9, 3, 64, 49152, 8192, tied=True)
KINDS = ("plain", "off", "auto")


@dataclass(frozen=True)
class Steps:
    """A model and how it is trained."""

    name: str
    shape: ModelShape
    micro: int
    """Completions that pass through the model at once; a multiple of `GROUP`."""
    accumulation: int
    prompt: int = 1000
    completion: int = 64
    lora: bool = False
    checkpointing: bool = True
    float32: bool = False
    """Weights in float32 with bf16 arithmetic, raiden's default, instead of bf16 throughout."""
    beta: float = 0.0
    kinds: tuple[str, ...] = KINDS
    rounds: int = 1
    warm: int = 1
    """Steps of each trainer that are not counted."""
    counted: int = 1

    @property
    def completions(self) -> int:
        """Of one step."""
        return self.micro * self.accumulation

    def job(self, on_cpu: bool, *, shared: bool = False) -> Job:
        """What `raiden plan` is asked about."""
        section = {"lora_r": LORA_RANK if self.lora else None}
        lora, adapted = lora_parameters(_Section(**section), self.shape, "grpo")
        return Job(
            stage="grpo",
            shape=self.shape,
            sharding=Sharding("single"),
            micro_batch=self.micro,
            accumulation=self.accumulation,
            prompt=self.prompt,
            completion=self.completion,
            group=GROUP,
            generation_batch=self.completions,
            weight_bytes=4 if self.float32 or on_cpu else 2,
            mixed=not on_cpu,
            checkpointing=self.checkpointing,
            lora=lora,
            adapted=adapted,
            reference=self.beta > 0 and not self.lora,
            rollouts="transformers",
            on_cpu=on_cpu,
            shared_prefix=shared,
        )

    def tiny(self) -> Steps:
        """The same with sizes that a CPU computes in a second."""
        return replace(self, shape=TINY, micro=GROUP, accumulation=2, prompt=40, completion=6, rounds=1)


@dataclass(frozen=True)
class _Section:
    lora_r: int | None


def shape(size: str) -> ModelShape:
    """The shape of Qwen2.5 in that size."""
    return table()[f"qwen2.5-{size.lower()}"]


def measure(case: Steps, scratch: Path) -> dict[str, Any]:
    """Train with each kind in turn, in this process.

    Returns:
        By kind: median seconds of a step, those of its rollout, CPU seconds, tokens a second, memory; and the ratios.
    """
    taken: dict[str, list[dict[str, Any]]] = {kind: [] for kind in case.kinds}
    for turn in range(case.rounds):
        for kind in case.kinds:
            taken[kind].append(train(case, kind, scratch / f"{case.name}-{kind}-{turn}"))
    return summary(case, taken)


def summary(case: Steps, taken: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """Medians by kind of what `train` returned, ratios to ``plain``, and what the plan says."""
    kinds: dict[str, Any] = {}
    for kind, runs in taken.items():
        figures = {
            name: round(median([value for run in runs for value in run[name]]), 4)
            for name in ("step_s", "rollout_s", "step_cpu_s")
        }
        peaks = {name: max(run["memory"][name] for run in runs) for name in runs[0]["memory"]}
        kinds[kind] = {
            **figures,
            "steps": sum(len(run["step_s"]) for run in runs),
            "range_s": [round(extreme(value for run in runs for value in run["step_s"]), 4) for extreme in (min, max)],
            "sampled_tokens_per_s": round(case.completions * case.completion / figures["step_s"], 1),
            "tokens_per_s": round(case.completions * (case.prompt + case.completion) / figures["step_s"], 1),
            "memory": peaks,
            "not_shared": runs[-1]["not_shared"],
            "load_s": round(median([run["load_s"] for run in runs]), 2),
        }
    record: dict[str, Any] = {"kinds": kinds}
    if "plain" in kinds:
        plain = kinds["plain"]
        record["times_faster"] = {
            kind: {
                "step": round(plain["step_s"] / one["step_s"], 3),
                "step_cpu": round(plain["step_cpu_s"] / one["step_cpu_s"], 3),
                "without_rollout": round(_trained(plain) / _trained(one), 3),
                "rollout": round(plain["rollout_s"] / one["rollout_s"], 3),
            }
            for kind, one in kinds.items()
            if kind != "plain"
        }
        record["memory_share"] = {
            kind: round(one["memory"]["peak"] / plain["memory"]["peak"], 3)
            for kind, one in kinds.items()
            if kind != "plain"
        }
    return record


def _trained(one: Mapping[str, Any]) -> float:
    return max(1e-9, float(one["step_s"] - one["rollout_s"]))


def predicted(case: Steps, kind: str, on_cpu: bool) -> dict[str, Any]:
    """What the plan says of the memory, in bytes."""
    memory = estimate(case.job(on_cpu, shared=kind == "auto"))
    return {
        "peak": memory.peak,
        "moment": memory.moment,
        "overhead": memory.of("overhead"),
        "parts": {part.name: list(part.bytes) for part in memory.parts},
    }


def train(case: Steps, kind: str, out: Path) -> dict[str, Any]:
    """Steps of one trainer on a model made for it: seconds of each counted step, and the highest memory."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig

    started = time.perf_counter()
    on_cpu = not torch.cuda.is_available()
    clock = Clock()
    clock.begin()
    model = build(case.shape, torch.float32 if case.float32 or on_cpu else torch.bfloat16)
    draw = random.Random(0)
    prompts = [
        {"prompt": "".join(draw.choices("abcdefgh", k=case.prompt))}
        for _ in range((case.warm + case.counted) * case.completions // GROUP)
    ]
    trainer = trainer_class(kind, clock)(
        model=model,
        reward_funcs=lambda completions, **_: [float(place % 3) for place in range(len(completions))],
        args=settings(case, out, on_cpu),
        train_dataset=Dataset.from_list(prompts),
        processing_class=tokenizer(),
        peft_config=LoraConfig(r=LORA_RANK, target_modules="all-linear", task_type="CAUSAL_LM") if case.lora else None,
        callbacks=[clock.callback()],
    )
    if kind != "plain":
        trainer.share_prefix = kind == "auto"
    loaded = time.perf_counter() - started
    trainer.train()
    memory = clock.memory()
    record = {
        **{name: values[case.warm :] for name, values in clock.steps().items()},
        "memory": memory,
        "not_shared": trainer.not_shared if kind == "auto" else None,
        "load_s": loaded,
        "final_loss": trainer.state.log_history[-1].get("train_loss"),
    }
    del trainer, model
    gc.collect()
    if not on_cpu:
        torch.cuda.empty_cache()
    return record


def settings(case: Steps, out: Path, on_cpu: bool) -> Any:
    """TRL's settings of a case."""
    from trl import GRPOConfig

    return GRPOConfig(
        output_dir=str(out),
        max_steps=case.warm + case.counted,
        num_generations=GROUP,
        per_device_train_batch_size=case.micro,
        gradient_accumulation_steps=case.accumulation,
        max_completion_length=case.completion,
        generation_kwargs={"min_new_tokens": case.completion},
        gradient_checkpointing=case.checkpointing,
        beta=case.beta,
        temperature=1.0,
        top_k=0,
        learning_rate=1e-6,
        bf16=not on_cpu,
        use_cpu=on_cpu,
        report_to="none",
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
        dataloader_pin_memory=False,
        seed=0,
    )


def build(one: ModelShape, dtype: Any) -> Any:
    """A model of that shape with random weights, on the GPU where there is one."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

    sizes: dict[str, Any] = {
        "vocab_size": one.vocab,
        "hidden_size": one.hidden,
        "intermediate_size": one.intermediate,
        "num_hidden_layers": one.layers,
        "num_attention_heads": one.heads,
        "num_key_value_heads": one.kv_heads,
        "max_position_embeddings": one.context,
        "tie_word_embeddings": one.tied,
        "bos_token_id": None,
        "eos_token_id": 1,
        "pad_token_id": 0,
    }
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
            if one.qkv_bias:
                model: Any = Qwen2ForCausalLM(Qwen2Config(**sizes))
            else:
                model = LlamaForCausalLM(LlamaConfig(**sizes, head_dim=one.head_dim))
    finally:
        torch.set_default_dtype(before)
    model.config.dtype = dtype
    return model


class Clock:
    """Times of steps and of the rollouts in them, and the highest memory of either."""

    def __init__(self) -> None:
        self._step: list[tuple[float, float, float]] = []
        self._rollout = 0.0
        self._peaks = {"rollout": 0, "training": 0}
        self._reserved = self._resident = 0

    def begin(self) -> None:
        """Forget what came before the model was made."""
        import torch

        if torch.cuda.is_available():
            torch.cuda.reset_peak_memory_stats()
        else:
            gc.collect()
            Path("/proc/self/clear_refs").write_text("5", "ascii")  # sets the high-water mark back
            self._resident = resident("VmRSS")

    def rollout(self, sample: Callable[[], Any]) -> Any:
        """Do a rollout."""
        self._peak("training")
        started = _now()
        result = sample()
        self._rollout += _now() - started
        self._peak("rollout")
        return result

    def _peak(self, moment: str) -> None:
        import torch

        if torch.cuda.is_available():
            self._peaks[moment] = max(self._peaks[moment], torch.cuda.max_memory_allocated())
            self._reserved = max(self._reserved, torch.cuda.max_memory_reserved())
            torch.cuda.reset_peak_memory_stats()

    def callback(self) -> Any:
        """What tells the clock of a step's beginning and end."""
        from transformers import TrainerCallback

        clock = self

        class Told(TrainerCallback):  # type: ignore[misc]
            def on_step_begin(self, *_: Any, **__: Any) -> None:
                clock._rollout = 0.0
                self.began = _now(), _cpu()

            def on_step_end(self, *_: Any, **__: Any) -> None:
                clock._step.append((_now() - self.began[0], clock._rollout, _cpu() - self.began[1]))

        return Told()

    def steps(self) -> dict[str, list[float]]:
        """Seconds of each step: all, in rollouts, of the CPU."""
        names = ("step_s", "rollout_s", "step_cpu_s")
        return {name: [step[place] for step in self._step] for place, name in enumerate(names)}

    def memory(self) -> dict[str, int]:
        """Bytes: on a GPU of tensors at their highest, by moment, what the allocator held, and what lies outside it."""
        import torch

        if not torch.cuda.is_available():
            return {"peak": resident("VmHWM") - self._resident, "before": self._resident}
        self._peak("training")
        free, total = torch.cuda.mem_get_info()
        reserved = torch.cuda.memory_reserved()
        return {
            "peak": max(self._peaks.values()),
            **self._peaks,
            "reserved": self._reserved,
            "outside": total - free - reserved,
        }


def _now() -> float:
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def trainer_class(kind: str, clock: Clock) -> Any:
    """TRL's trainer or ours, whose rollouts the clock sees."""
    from trl import GRPOTrainer

    from raiden_core.training.shared_prefix import SharedPrefix

    base: Any = GRPOTrainer if kind == "plain" else SharedPrefix

    class Timed(base):  # type: ignore[misc]
        def _generate_single_turn(self, *arguments: Any, **named: Any) -> Any:
            return clock.rollout(lambda: super(Timed, self)._generate_single_turn(*arguments, **named))

    return Timed
