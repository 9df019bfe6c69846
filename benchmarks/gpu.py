"""What a GPU makes of it: GRPO's steps against plain TRL's, memory against the plan, evaluation, and a model that learns.

    python -m benchmarks.gpu                                   # at most 8 minutes, no network, no Prefect
    python -m benchmarks.gpu --model DIR --out gpu.json        # with SmolLM2-135M-Instruct's folder, or its .gguf
    python -m benchmarks.gpu --only 7B-lora --only answers
    python -m benchmarks.gpu --tiny                            # everything with toy sizes, on a CPU in a minute

Cases run in order of importance, each in a process of its own. A case that the time left does not suffice for is left
out and says so; the JSON (default benchmarks/results/gpu.json) is written after each, so that a run that is ended early
loses nothing. Aims: 3 times plain TRL's steps with the prompt shared, within 3% of them without; at most 0.6 of its
memory; the plan's memory within 15%. Shapes are those of the named models with random weights, except where ``--model``
gives a real one: it answers and learns.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

# Children are forked from a process that has not touched the GPU: not even to count it.
os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"

from benchmarks.device import answers, learning, steps
from benchmarks.device.isolated import Failed, isolated, way_to_start
from raiden_core.report.hardware import describe_hardware
from raiden_core.stages.versions import installed_versions

RESULTS = Path(__file__).parent / "results" / "gpu.json"
BUDGET_S = 470.0
FASTER, AS_FAST, MEMORY_SHARE, PLAN_ERROR = 3.0, 0.03, 0.6, 0.15
AROUND_GRPO_S = 110.0
"""Seconds of the learning case that are not GRPO: data, cold start, and the evaluations."""
GIB = 2**30
PAIRED = ("delta", "ci95", "p", "lenient_delta", "lenient_ci95")
TIED_TO = "smollm2-step"
"""The case whose step tells the learning case how many fit into its time."""


@dataclass(frozen=True)
class Options:
    """What was asked for."""

    out: Path
    scratch: Path
    tiny: bool
    model: Path | None
    start: str
    log: Path


@dataclass(frozen=True)
class Case:
    """One thing to measure."""

    name: str
    need_s: float
    """Seconds that it is expected to take on a GPU; it is not begun with fewer left."""
    run: Callable[[Options, dict[str, Any], float], dict[str, Any]]
    """Given the options, the record so far and the seconds left; what it measured."""


STEPS = {
    one.name: (need, one)
    for need, one in (
        (40, steps.Steps(TIED_TO, steps.SMOLLM2, 128, 1, 115, 64, float32=True, checkpointing=False, counted=2)),
        (90, steps.Steps("0.5B-full", steps.shape("0.5B"), 32, 8, rounds=2)),
        (60, steps.Steps("7B-lora", steps.shape("7B"), 8, 2, lora=True)),
        (45, steps.Steps("1.5B-full", steps.shape("1.5B"), 16, 4)),
        (35, steps.Steps("0.5B-kept", steps.shape("0.5B"), 8, 4, checkpointing=False, rounds=2)),
        (40, steps.Steps("0.5B-256", steps.shape("0.5B"), 16, 4, completion=256, kinds=("plain", "auto"))),
        (30, steps.Steps("0.5B-float32", steps.shape("0.5B"), 16, 2, float32=True, kinds=("plain", "auto"))),
        (40, steps.Steps("1.5B-lora", steps.shape("1.5B"), 8, 8, lora=True, checkpointing=False, beta=0.1)),
    )
}


def step_case(name: str) -> Case:
    """A case of steps."""
    need, one = STEPS[name]

    def run(options: Options, _: dict[str, Any], left: float) -> dict[str, Any]:
        case = one.tiny() if options.tiny else one
        record = isolated(steps.measure, (case, options.scratch), log=options.log, limit_s=left, start=options.start)
        return judged(case, record)

    return Case(name, need, run)


def judged(case: steps.Steps, record: dict[str, Any]) -> dict[str, Any]:
    """The record with the plan's figures beside the measured ones, and whether the aims are met."""
    settings = {
        "parameters": case.shape.parameters,
        "micro_batch": case.micro,
        "accumulation": case.accumulation,
        "prompt": case.prompt,
        "completion": case.completion,
        "group": steps.GROUP,
        "lora_r": steps.LORA_RANK if case.lora else None,
        "gradient_checkpointing": case.checkpointing,
        "weights": "float32" if case.float32 else "bfloat16",
        "beta": case.beta,
    }
    for kind, one in record["kinds"].items():
        memory = one["memory"]
        on_cpu = "outside" not in memory
        plan = steps.predicted(case, kind, on_cpu)
        one["plan"] = plan
        if not on_cpu:
            one["plan_error"] = round(plan["peak"] / (memory["peak"] + memory["outside"]) - 1, 3)
    record["aims"] = aims(record)
    return {"settings": settings, **record}


def aims(record: dict[str, Any]) -> dict[str, bool]:
    """Which of the aims are met, of those that the record has figures for."""
    met = {}
    faster, share = record.get("times_faster", {}), record.get("memory_share", {})
    if "auto" in faster:
        met["3 times as fast with the prompt shared"] = faster["auto"]["step"] >= FASTER
        met["0.6 of the memory"] = share["auto"] <= MEMORY_SHARE
    if "off" in faster:
        met["as fast as TRL without"] = abs(faster["off"]["step"] - 1) <= AS_FAST
    errors = [one["plan_error"] for one in record["kinds"].values() if "plan_error" in one]
    if errors:
        met["plan within 15%"] = max(map(abs, errors)) <= PLAN_ERROR
    return met


def answer_case(options: Options, _: dict[str, Any], left: float) -> dict[str, Any]:
    """Evaluation's tokens a second."""
    many, new, sizes = (6, 4, (1, 4)) if options.tiny else (256, 96, (1, 16, 64, 256))
    arguments = (_model(options), many, new, sizes, options.scratch)
    return dict(isolated(answers.measure, arguments, log=options.log, limit_s=left, start=options.start))


def learning_case(options: Options, record: dict[str, Any], left: float) -> dict[str, Any]:
    """A model that learns, and its control."""
    case = learning.Learning(_model(options), grpo_s=min(180.0, left - AROUND_GRPO_S), on_cpu=not _has_gpu(record))
    if options.tiny:
        case = replace(
            case,
            grpo_s=case.start_s + 2 * case.step_s,
            characters=16,
            validation_characters=2,
            cold_steps=2,
            questions=1,
            max_completion=8,
            overrides=("evaluation.max_new_tokens=8", "cold_start.probe.stop_at=null"),
        )
    elif (measured := record["cases"].get(TIED_TO, {}).get("kinds")) is not None:
        # Two processes share the GPU, and replies end at different times.
        case = replace(case, step_s=1.3 * measured["auto"]["step_s"])
    return dict(
        isolated(
            learning.measure, (case, options.scratch / "learning"), log=options.log, limit_s=left, start=options.start
        )
    )


def _has_gpu(record: dict[str, Any]) -> bool:
    return bool(record["gpu"])


CASES = (
    step_case(TIED_TO),
    step_case("0.5B-full"),
    Case("learning", 200, learning_case),
    step_case("7B-lora"),
    step_case("1.5B-full"),
    step_case("0.5B-kept"),
    Case("answers", 40, answer_case),
    step_case("0.5B-256"),
    step_case("0.5B-float32"),
    step_case("1.5B-lora"),
)


def main(argv: Sequence[str]) -> int:
    """Measure, and write what came out; 1 where a case failed."""
    began = time.monotonic()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=[case.name for case in CASES])
    parser.add_argument("--budget-s", type=float, default=BUDGET_S, help="seconds for everything")
    parser.add_argument("--model", type=Path, help="folder or .gguf of an instruct model that answers and learns")
    parser.add_argument("--tiny", action="store_true", help="toy sizes, to see that everything works")
    parser.add_argument("--start", choices=("fork", "spawn"), help="of children; found out where it is not given")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--scratch", type=Path, help="keep what is made on the way here")
    options = parser.parse_args(argv)
    if options.model is None and not options.tiny:
        sys.stderr.write("no --model: answers and learning are left out\n")
    _import_what_children_need()
    with tempfile.TemporaryDirectory() as name:
        scratch = options.scratch or Path(name)
        scratch.mkdir(parents=True, exist_ok=True)
        options.out.parent.mkdir(parents=True, exist_ok=True)
        log = options.out.with_suffix(".log")
        log.write_bytes(b"")
        asked = Options(options.out, scratch, options.tiny, options.model, options.start or way_to_start(log), log)
        record: dict[str, Any] = {
            "benchmark": "gpu",
            "hardware": describe_hardware(),
            "versions": installed_versions(),
            "tiny": asked.tiny,
        }
        record |= {"gpu": isolated(_gpu, (), log=log, limit_s=60, start=asked.start), "start": asked.start, "cases": {}}
        for case in CASES:
            if options.only and case.name not in options.only:
                continue
            record["cases"][case.name] = measured(case, asked, record, options.budget_s - (time.monotonic() - began))
            record["seconds"] = round(time.monotonic() - began, 1)
            options.out.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
            sys.stdout.write("\n".join(lines(case.name, record["cases"][case.name])) + "\n")
            sys.stdout.flush()
    sys.stdout.write(f"{record['gpu'] or record['hardware']}: {record['seconds']} s, {options.out}\n")
    return int(any("failed" in case for case in record["cases"].values()))


def measured(case: Case, options: Options, record: dict[str, Any], left: float) -> dict[str, Any]:
    """What a case gave, or why it gave nothing."""
    needs_model = case.name in ("answers", "learning")
    if needs_model and options.model is None and not options.tiny:
        return {"skipped": "no --model"}
    if not options.tiny and left < case.need_s:
        return {"skipped": f"{left:.0f} s left, it takes about {case.need_s:.0f}"}
    began = time.monotonic()
    try:
        result = case.run(options, record, max(1.0, left - 3))
    except Failed as error:
        result = {"failed": str(error)}
    return {**result, "seconds": round(time.monotonic() - began, 1)}


def lines(name: str, case: dict[str, Any]) -> list[str]:
    """A case as a short table."""
    if reason := case.get("skipped") or case.get("failed"):
        return [f"{name}: {'failed' if 'failed' in case else 'skipped'}: {reason}"]
    said = [f"{name} ({case['seconds']} s)"]
    for kind, one in case.get("kinds", {}).items():
        memory = one["memory"]
        ratio = case.get("times_faster", {}).get(kind)
        share = case.get("memory_share", {}).get(kind)
        said.append(
            f"  {kind:5} step {one['step_s']:.3f} s, rollout {one['rollout_s']:.3f}, {one['tokens_per_s']:.0f} tokens/s, "
            f"peak {memory['peak'] / GIB:.2f} GiB (plan {one['plan']['peak'] / GIB:.2f}, error {one.get('plan_error')})"
            + (f", x{ratio['step']} (without rollout x{ratio['without_rollout']}), memory x{share}" if ratio else "")
            + (f", NOT SHARED: {one['not_shared']}" if one["not_shared"] else "")
        )
    said += [
        f"  batch {size}: {one['reply_tokens_per_s']} reply tokens/s, {one['tokens_per_s']} in all"
        for size, one in case.get("batch_sizes", {}).items()
    ]
    for control in learning.CONTROLS:
        for model, one in case.get(control, {}).get("models", {}).items():
            said.append(f"  {control} {model}: strict {one['strict']:.1%}, lenient {one['lenient']:.1%} of {one['n']}")
        if control in case:
            paired = {name: case[control]["paired"][name] for name in PAIRED}
            said.append(f"  {control} trained - base: {json.dumps(paired)}")
    if "grpo_steps" in case:
        said.append(f"  {case['grpo_steps']} GRPO steps, seconds {json.dumps(case['seconds_by_stage'])}")
    return said


def _model(options: Options) -> Path:
    """The folder of the model that answers and learns; a toy where there is none."""
    given, folder = options.model, options.scratch / "model"
    if given is not None and given.is_dir():
        return given
    how: dict[str, Any] = {"log": options.log, "limit_s": 120, "start": options.start}
    if given is not None:
        return Path(isolated(_unpack, (given,), **how))
    if not folder.is_dir():
        isolated(_toy, (folder,), **how)
    return folder


def _toy(folder: Path) -> None:
    """A nano student that has learned nothing."""
    from raiden_core.characters.compose import compose
    from raiden_core.config.sections.training import NanoConfig
    from raiden_core.generation.offline.generate import generate
    from raiden_core.generation.offline.teacher import OfflineTeacher
    from raiden_core.rewards import Scorer
    from raiden_core.training.nano import build_nano

    made = generate(
        compose(40, language="en", seed=1),
        teacher=OfflineTeacher(1),
        samples_per_character=2,
        include_cm=False,
        cm_share=0.0,
        seed=1,
        scorer=Scorer(),
    )
    build_nano(folder, made.samples, NanoConfig(vocab_size=700, hidden_size=64, heads=2), seed=1)


def _unpack(file: Path) -> Path:
    """The folder of a GGUF file's dense weights."""
    from raiden_core.config.sections.training import GgufConfig
    from raiden_core.models.gguf.unpack import dense_folder

    return dense_folder(file, GgufConfig())


def _gpu() -> dict[str, Any] | None:
    """The first GPU; None where there is none."""
    import torch

    if not torch.cuda.is_available():
        return None
    found = torch.cuda.get_device_properties(0)
    return {
        "name": found.name,
        "memory_gib": round(found.total_memory / GIB, 1),
        "capability": f"{found.major}.{found.minor}",
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
    }


def _import_what_children_need() -> None:
    """What each case would import again, were it not forked."""
    import datasets  # noqa: F401
    import peft  # noqa: F401
    import trl

    import raiden_core.training.shared_prefix  # noqa: F401

    _ = trl.GRPOTrainer, trl.GRPOConfig


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
