"""The plan in a terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from raiden_core.planning.fit import EASILY
from raiden_core.planning.memory import MOMENTS
from raiden_core.planning.plan import Plan, StagePlan

GIB, MIB = 2**30, 2**20


def plan_view(plan: Plan) -> RenderableType:
    """Everything that the plan says."""
    shape = plan.shape
    lines: list[RenderableType] = [
        Text.assemble(
            (f"{shape.name}", "bold"),
            f"  {quantity(shape.parameters)} parameters, {shape.layers} layers x {shape.hidden} ({shape.source})",
        )
    ]
    if plan.amount:
        lines.append(Text(f"samples: {plan.amount.samples:,} ({plan.amount.source})"))
    for stage in plan.stages:
        lines += ["", *_stage_lines(stage)]
    if plan.too_few:
        lines += ["", Text(f"✗ {plan.too_few}", style="red")]
    if plan.notes:
        lines.append("")
        lines += [Text(f"note: {note}", style="yellow") for note in plan.notes]
    return Group(*lines)


def _stage_lines(stage: StagePlan) -> list[RenderableType]:
    job = stage.job
    title = f"{job.stage}: {job.sharding}, {job.micro_batch} sequences x {_steps(job.accumulation)}"
    if job.group > 1:
        title += f", groups of {job.group}"
    lines: list[RenderableType] = [Text(title, style="bold"), _memory_table(stage), _verdict(stage)]
    lines += [Text(line) for line in _batch_lines(stage)]
    if stage.duration:
        lines += [Text(line) for line in _time_lines(stage)]
    return lines


def _memory_table(stage: StagePlan) -> Table:
    memory = stage.memory
    unit, name = (GIB, "GiB") if memory.peak >= GIB else (MIB, "MiB")
    shown = [place for place, moment in enumerate(MOMENTS) if stage.job.stage == "grpo" or moment in MOMENTS[2:]]
    peak = MOMENTS.index(memory.moment)
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(f"{name} a device", no_wrap=True)
    for place in shown:
        table.add_column(MOMENTS[place], justify="right", no_wrap=True, style="bold" if place == peak else "")
    table.add_column("", style="dim", overflow="fold")
    for part in memory.parts:
        cells = [f"{part.bytes[place] / unit:.1f}" if part.bytes[place] else "–" for place in shown]
        table.add_row(part.name, *cells, Text(part.note))
    totals = list(memory.totals.values())
    table.add_row("total", *(f"{totals[place] / unit:.1f}" for place in shown), Text(""), style="bold")
    return table


def _verdict(stage: StagePlan) -> Text:
    peak = f"{size(stage.memory.peak)} at its highest ({stage.memory.moment})"
    if stage.fit is None or stage.devices is None:
        on = ", ".join(stage.fits_on) or "no GPU of the table"
        return Text(f"{peak}; fits on: {on}", style="yellow")
    available = f"{stage.devices} with {size(stage.fit.available)}{'' if stage.devices.cpu else ' each'}"
    if stage.devices.cpu:
        available = str(stage.devices)
    if stage.fit.problem is None and not stage.devices.cpu and stage.memory.peak > EASILY * stage.fit.available:
        return Text(f"✓ fits, but hardly: {peak}, on {available}; lower the micro-batch", style="yellow")
    if stage.fit.problem is None:
        return Text(f"✓ fits: {peak}, on {available}", style="green")
    others = f"; it would fit on: {', '.join(stage.fits_on)}" if stage.fits_on else ""
    return Text(f"✗ does not fit: {peak}, on {available}: {stage.fit.problem}{others}", style="red")


def _batch_lines(stage: StagePlan) -> list[str]:
    if stage.fit is None:
        return []
    if stage.fit.largest is None:
        return ["no micro-batch fits, not even 1: shard (configs/accelerate), use LoRA, or shorten the completions"]
    steps = f" with {_steps(stage.job.accumulation)} accumulated" if stage.job.accumulation > 1 else ""
    line = f"largest micro-batch that fits{steps}: {stage.fit.largest:,}"
    same = stage.fit.same_batch
    if same and same != (stage.job.micro_batch, stage.job.accumulation):
        line += f"; {same[0]} x {_steps(same[1])} has the same effective batch as now, and fits"
    return [line]


def _steps(count: int) -> str:
    return f"{count:,} step{'s' if count > 1 else ''}"


def _time_lines(stage: StagePlan) -> list[str]:
    time = stage.duration
    if time is None:
        return []
    rollouts = f", {time.rollout_seconds:.3g} s of it rollouts" if time.rollout_seconds else ""
    sampled = f"{time.completions:,} completions, " if stage.job.stage == "grpo" else ""
    return [
        f"{time.steps:,} steps, {sampled}{quantity(time.tokens)} tokens; roughly {time.step_seconds:.3g} s a step"
        f"{rollouts}: {clock(time.seconds)} in all",
        f"assuming: {'; '.join(stage.assumptions)}",
    ]


def size(count: int) -> str:
    """Bytes for people."""
    return f"{count / GIB:.1f} GiB" if count >= GIB else f"{count / MIB:.0f} MiB"


def quantity(count: int) -> str:
    """A large number for people."""
    for unit, letter in ((10**12, "T"), (10**9, "B"), (10**6, "M")):
        if count >= unit:
            return f"{count / unit:.3g}{letter}"
    return f"{count:,}"


def clock(seconds: float) -> str:
    """A time for people."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 2 * 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.1f} days"
