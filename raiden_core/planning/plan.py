"""The plan of a configuration: every training stage with its memory, whether it fits, and its time.

    plan = make_plan(config, gpus="8xH200")
    plan.fits, plan.stages[0].memory.peak

Nothing is loaded and nothing is downloaded: shapes come from a config.json, the Hub cache or a table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from raiden_core.config import Config
from raiden_core.errors import DataError
from raiden_core.planning.amount import Amount, assumed_lengths, drafted_lengths, expected_amount, file_amount
from raiden_core.planning.fit import EASILY, Fit, fit, fits
from raiden_core.planning.gpus import Devices, detect_gpus, gpu_table, parse_gpus, this_cpu
from raiden_core.planning.job import Job, Lengths, cold_start_job, grpo_job
from raiden_core.planning.memory import MOMENTS, Memory, estimate
from raiden_core.planning.shapes import ModelShape, shape_of
from raiden_core.planning.sharding import read_sharding
from raiden_core.planning.time import Duration, assumptions, duration
from raiden_core.training.checks import too_few


@dataclass(frozen=True)
class StagePlan:
    """One training stage."""

    job: Job
    memory: Memory
    devices: Devices | None
    """What it runs on; None where no GPU was named and none was found."""
    fit: Fit | None
    """None where there is no device to compare with."""
    fits_on: tuple[str, ...]
    """GPUs of the table that hold it with a little room left, for as many processes as it has."""
    duration: Duration | None
    """None where nothing says how many samples there are, or on what they are trained."""
    assumptions: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """All training stages of a configuration."""

    name: str
    shape: ModelShape
    amount: Amount | None
    lengths: Lengths
    stages: tuple[StagePlan, ...]
    notes: tuple[str, ...]
    too_few: str | None = None
    """Why GRPO would take no step with so few samples."""

    @property
    def fits(self) -> bool:
        """Whether every stage fits and takes a step; without a device, whether there is a GPU that would hold it."""
        return self.too_few is None and all(
            stage.fit.problem is None if stage.fit else bool(stage.fits_on) for stage in self.stages
        )


def make_plan(config: Config, gpus: str | None = None, data: Path | None = None) -> Plan:
    """Plan the cold start and GRPO.

    Args:
        config: the configuration.
        gpus: such as ``8xH200``; None: those of this machine.
        data: a file of samples whose number and lengths to plan with; None: what the configuration says.

    Raises:
        UsageError: no such GPU.
        ConfigError: a model, accelerate config or setting that cannot be planned.
        DataError: ``data`` cannot be read.
    """
    shape = shape_of(config.student.model, config.student.nano, config.student_revision)
    named = parse_gpus(gpus) if gpus else None
    amount: Amount | None = None
    unknown: list[str] = []
    if data:
        amount, lengths = file_amount(data, config.system_prompt, config.prompt.layout)
    else:
        lengths = assumed_lengths(config, shape.context)
        try:
            amount = expected_amount(config)
            lengths = drafted_lengths(config) or lengths
        except DataError as error:  # memory does not depend on the characters, only steps and time do
            unknown.append(f"steps and time are unknown: {error}")
        else:
            if amount is None:
                unknown.append("steps and time are unknown: there are no samples to count; --data FILE names some")
    jobs = []
    rollout = {"max_completion_length": config.grpo.max_completion_length}
    if config.cold_start.enabled:
        sharding = read_sharding(config.cold_start.launch, "cold_start.launch.accelerate")
        jobs.append((cold_start_job(config, shape, sharding, lengths), _fields(config.cold_start) | rollout))
    sharding = read_sharding(config.grpo.launch, "grpo.launch.accelerate")
    jobs.append((grpo_job(config, shape, sharding, lengths), _fields(config.grpo)))
    found = None if named or all(job.on_cpu for job, _ in jobs) else detect_gpus()
    stages = tuple(_stage(job, fields, named or found, amount, lengths, config) for job, fields in jobs)
    grpo = jobs[-1][0]
    few = too_few(amount.samples, grpo.generation_batch * sharding.processes, grpo.group) if amount else None
    notes = [*unknown, *_notes(config, shape, stages, lengths, named)]
    return Plan(config.name, shape, amount, lengths, stages, tuple(notes), f"grpo: {few}" if few else None)


def _stage(
    job: Job,
    fields: Mapping[str, Any],
    gpus: Devices | None,
    amount: Amount | None,
    lengths: Lengths,
    config: Config,
) -> StagePlan:
    devices = this_cpu() if job.on_cpu else gpus
    samples = amount.samples if amount else None
    if samples and job.stage == "cold start":
        samples = max(1, samples // config.cold_start.questions_per_sequence)
    processes = job.sharding.processes
    table = {
        name: Devices(name, processes, int(EASILY * memory), tflops, bandwidth)
        for name, (memory, tflops, bandwidth) in gpu_table().items()
    }
    return StagePlan(
        job=job,
        memory=estimate(job, devices),
        devices=devices,
        fit=fit(job, devices) if devices else None,
        fits_on=() if job.on_cpu else tuple(name for name, one in table.items() if fits(job, one)),
        duration=duration(job, devices, samples, lengths, fields) if devices and samples else None,
        assumptions=tuple(assumptions(job, devices, lengths)) if devices else (),
    )


def _fields(section: Any) -> dict[str, Any]:
    fields: dict[str, Any] = section.model_dump()
    return fields


def _notes(
    config: Config, shape: ModelShape, stages: tuple[StagePlan, ...], lengths: Lengths, named: Devices | None
) -> list[str]:
    """What the user should know beside the figures."""
    notes = []
    if not all(stage.devices for stage in stages):
        notes.append("no GPU was named and none was found; name some with --gpus 8xH200")
    room = shape.context - config.grpo.max_completion_length
    if lengths.longest > room:
        notes.append(
            f"the longest prompt ({lengths.longest:,} tokens) and max_completion_length "
            f"({config.grpo.max_completion_length:,}) exceed the context of {shape.context:,}"
        )
    for stage in stages:
        job = stage.job
        section = "grpo" if job.stage == "grpo" else "cold_start"
        if job.on_cpu and named:
            notes.append(f"{section}.use_cpu is true, so the named GPUs are not used")
        idle = stage.devices and not stage.devices.cpu and job.sharding.processes < stage.devices.count
        if idle and stage.devices and job.rollouts != "server":
            notes.append(
                f"{section}: {job.sharding.processes} of {stage.devices.count} GPUs are used; set "
                f"{section}.launch.accelerate (configs/accelerate) or {section}.launch.num_processes"
            )
        if job.weight_bytes == 4 and not job.on_cpu and not job.lora and job.sharding.kind in ("single", "ddp"):
            notes.append(
                f"{section}: weights are kept in float32; {section}.model_init_kwargs {{dtype: bfloat16}} halves "
                "weights, gradients and optimizer, and updates are rounded to bf16"
            )
        if job.rollouts == "transformers" and job.sharding.kind == "fsdp":
            notes.append(
                f"{section}: rollouts by transformers gather the sharded weights anew for each token, which takes long and "
                f"is not in the time; {section}.use_vllm: true avoids it"
            )
        if shape.experts:
            notes.append(f"{section}: a mixture of experts; adapters do not reach its experts, time is less certain")
    return list(dict.fromkeys(notes))


def as_object(plan: Plan) -> dict[str, Any]:
    """The plan as plain values for JSON; sizes in bytes, times in seconds."""
    return {
        "name": plan.name,
        "fits": plan.fits,
        "model": {**asdict(plan.shape), "parameters": plan.shape.parameters},
        "samples": asdict(plan.amount) if plan.amount else None,
        "prompt_tokens": asdict(plan.lengths),
        "stages": [_stage_object(stage) for stage in plan.stages],
        "notes": list(plan.notes),
        "too_few": plan.too_few,
    }


def _stage_object(stage: StagePlan) -> dict[str, Any]:
    job, result = stage.job, stage.fit
    same = result.same_batch if result else None
    return {
        "stage": job.stage,
        "sharding": str(job.sharding),
        "processes": job.sharding.processes,
        "micro_batch": job.micro_batch,
        "gradient_accumulation": job.accumulation,
        "effective_batch": job.effective_batch,
        "tokens": {"prompt": job.prompt, "completion": job.completion},
        "trained_parameters": job.trained,
        "memory": {part.name: dict(zip(MOMENTS, part.bytes, strict=True)) for part in stage.memory.parts},
        "totals": stage.memory.totals,
        "peak": stage.memory.peak,
        "moment": stage.memory.moment,
        "devices": asdict(stage.devices) if stage.devices else None,
        "fits": None if result is None else result.problem is None,
        "problem": result.problem if result else None,
        "fits_on": list(stage.fits_on),
        "largest_micro_batch": result.largest if result else None,
        "same_effective_batch": {"micro_batch": same[0], "gradient_accumulation": same[1]} if same else None,
        "time": {**asdict(stage.duration), "seconds": stage.duration.seconds} if stage.duration else None,
        "assumptions": list(stage.assumptions),
    }
