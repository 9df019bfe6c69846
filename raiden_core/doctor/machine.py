"""The machine: GPUs and drivers, memory by the plan, disk space, a folder to write to."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from raiden_core.doctor.check import Check, bad, none, ok
from raiden_core.doctor.subject import Subject
from raiden_core.errors import ConfigError, RaidenError
from raiden_core.models.gguf.unpack import unpacked_words
from raiden_core.planning.gpus import detect_gpus, list_gpus
from raiden_core.planning.memory import checkpoint_bytes, resident_weight_bytes
from raiden_core.planning.plan import make_plan
from raiden_core.planning.sharding import read_sharding
from raiden_core.planning.tables import size

BF16_CAPABILITY = 8
"""Compute capability (Ampere) from which on a GPU has bf16."""
LOGS_BYTES = 512 << 20
"""Room for data, logs and pages beside models."""


def check_gpus(subject: Subject) -> Check:
    """Whether there are as many GPUs as processes, with a driver that torch can use, and bf16 where it is asked for."""
    name = "GPUs"
    if (subject.config.grpo.model_extra or {}).get("use_cpu"):
        return none(name, "use_cpu is true")
    gpus = list_gpus()
    if not gpus:
        reason = "nvidia-smi lists no GPU" if shutil.which("nvidia-smi") else "there is no nvidia-smi"
        setting = "use_cpu: true" if subject.flat else "grpo.use_cpu and cold_start.use_cpu: true"
        return bad(name, reason, f"run where a GPU is, or train on the CPU with {setting}")
    words = f"{len(gpus)} x {gpus[0].name}, driver {gpus[0].driver}, {size(min(gpu.free for gpu in gpus))} free"
    import torch

    if not torch.cuda.is_available():
        build = torch.version.cuda or "none: a CPU build"
        return bad(
            name,
            f"{words}, but torch {torch.__version__} cannot use them (CUDA of its build: {build})",
            "install a torch whose CUDA the driver supports (pytorch.org/get-started)",
        )
    processes = read_sharding(subject.config.grpo.launch)
    each = processes.processes // processes.machines
    if each > torch.cuda.device_count():
        return bad(
            name,
            f"{words}; {each} processes on this machine, but torch sees {torch.cuda.device_count()} GPUs",
            "lower num_processes of grpo.launch or of its accelerate config",
        )
    capability = torch.cuda.get_device_capability(0)
    extra = subject.config.grpo.model_extra or {}
    if capability[0] < BF16_CAPABILITY and extra.get("bf16", not extra.get("fp16", False)):
        return bad(
            name,
            f"{words}, compute capability {capability[0]}.{capability[1]} without bf16",
            "set bf16: false and fp16: true under grpo and cold_start",
        )
    return ok(name, words)


def check_memory(subject: Subject) -> Check:
    """Whether training fits, by ``raiden plan``."""
    name = "memory"
    plan = make_plan(subject.config, data=subject.counted)
    judged = [stage for stage in plan.stages if stage.fit is not None]
    if not judged:
        return none(name, "no GPU to compare with; raiden plan CONFIG --gpus 8xH200 names some")
    words = ", ".join(f"{stage.job.stage} {size(stage.memory.peak)}" for stage in judged)
    problems = [f"{stage.job.stage}: {stage.fit.problem}" for stage in judged if stage.fit and stage.fit.problem]
    if problems:
        return bad(name, f"{words}; {'; '.join(problems)}", "raiden plan CONFIG shows the parts and what would fit")
    where = "this machine" if detect_gpus() is None else str(judged[-1].devices)
    return ok(name, f"{words}, which {where} has")


def check_disk(subject: Subject) -> Check:
    """Whether the disk has room for the models that a run leaves."""
    name = "disk"
    config = subject.config
    folder = existing_parent(config.output_dir)
    free = shutil.disk_usage(folder).free
    need, words = disk_need(subject)
    shown = f"{size(free)} free at {folder}, about {size(need)} needed ({words})"
    if free < need:
        return bad(name, shown, "make room, or set output_dir to a larger disk")
    return ok(name, shown)


def disk_need(subject: Subject) -> tuple[int, str]:
    """Bytes that a run of the configuration needs at most, and what they are: models, checkpoints while training."""
    config = subject.config
    plan = make_plan(config, data=subject.counted)
    weights = max(stage.job.shape.parameters * resident_weight_bytes(stage.job) for stage in plan.stages)
    need, words = (
        weights * len(plan.stages) + LOGS_BYTES,
        [f"{len(plan.stages)} model{'s' if len(plan.stages) > 1 else ''} of {size(weights)}"],
    )
    largest, kept = 0, 0
    for stage in plan.stages:
        section = config.grpo if stage.job.stage == "grpo" else config.cold_start
        extra = section.model_extra or {}
        if str(extra.get("save_strategy", "steps")) == "no":
            continue
        one = checkpoint_bytes(stage.job)
        if one > largest:
            # The new one is written before the oldest goes.
            largest, kept = (
                one,
                int(getattr(section, "save_total_limit", None) or extra.get("save_total_limit") or 2) + 1,
            )
    if largest:
        need += kept * largest  # a stage's checkpoints go when it ends
        words.append(f"{kept} checkpoints of {size(largest)}")
    return need, ", ".join(words)


def check_output(subject: Subject) -> Check:
    """Whether the output folder can be written."""
    name = "output_dir"
    folder = subject.config.output_dir.absolute()
    there = existing_parent(folder)
    try:
        if not there.is_dir():
            raise NotADirectoryError(20, "Not a directory", str(there))
        with tempfile.NamedTemporaryFile(dir=there, prefix=".raiden-doctor-"):
            pass
    except OSError as error:
        return bad(name, f"{there}: {error.strerror}", "set output_dir to a folder that you may write to")
    return ok(name, f"{folder}{'' if folder == there else ' (will be made)'}")


def existing_parent(path: Path) -> Path:
    """The path itself, or the nearest folder above it that exists."""
    path = path.absolute()
    return next(one for one in (path, *path.parents) if one.exists())


def check_model(subject: Subject) -> Check:
    """Whether the model's files are there: config, weights, tokenizer."""
    from raiden_core.doctor.model import folder_problem, hub_problem
    from raiden_core.training.stage import student_input

    name = "model"
    model = subject.config.student.model
    if subject.config.student.is_nano:
        return ok(name, "nano: made inside the run")
    try:
        place = student_input(subject.config.student)
    except ConfigError as error:
        return bad(name, str(error), "give a folder that exists, a Hub id, a .gguf file, or nano")
    except RaidenError as error:  # a GGUF file that cannot be unpacked
        detail, _, advice = str(error).rpartition("; ")
        return bad(name, detail, advice)
    if isinstance(place, Path):
        if problem := folder_problem(place):
            return bad(name, *problem)
        asked = unpacked_words(place)
        return ok(name, f"{place}: config, weights and tokenizer are there{asked}")
    return hub_problem(name, model, subject.config.student_revision)
