"""What a run may take of the machine: time, and the slot for its GPUs."""

from __future__ import annotations

from pydantic import Field

from raiden_core.config.sections.base import Section


class LimitsConfig(Section):
    """Bounds of a run. They change when work is done, never what comes of it."""

    stage_seconds: float | None = Field(default=None, gt=0)
    """Longest time for the work of one stage, waiting for the GPU slot not counted; None: no bound. A stage that takes
    longer is ended with all its processes and fails; what it had done is kept, and running again goes on from there."""
    gpu_slot: str | None = "gpu"
    """Global concurrency limit of Prefect that cold start, training and evaluation occupy one slot of while they work,
    if the server has such a limit (`prefect gcl create gpu --limit 1`; `raiden up` makes it); None: never wait."""
