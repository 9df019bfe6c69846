"""Generate: characters in, verifiable samples out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from raiden_core.config import Config
from raiden_core.stages.progress import Progress
from tasks.stage import StageCall, stage_task

COUNTS = {"characters", "generation", "accuracy", "prefilled_think", "seed"}
"""What the samples depend on, beside the teacher."""
ENDPOINT_COUNTS = {"model", "thinking", "json_schema"}
"""What a reply depends on; address, limits and prices change none."""


def describe(config: Config) -> StageCall:
    """The call: all files by content, and the word lists by the code's digest.

    Of the teacher only what its samples depend on counts: the same model behind another address is the same teacher.
    """
    from raiden_core.generation.stage import generate_stage, stage_inputs

    def work(out: Path, progress: Progress) -> Mapping[str, Any]:
        return generate_stage(config, out, progress)

    return StageCall(
        stage="generate",
        modules=("raiden_core.generation.stage",),
        inputs=stage_inputs(config),
        section=config.model_dump(mode="json", include=COUNTS) | {"teacher": _teacher(config)},
        work=work,
    )


def _teacher(config: Config) -> dict[str, Any]:
    if config.teacher.kind == "offline":
        return {"kind": "offline"}
    teacher = config.teacher.model_dump(mode="json", exclude={"launch", "characters_at_once", "endpoints"})
    endpoints = config.teacher.endpoints
    teacher["endpoints"] = {
        name: endpoint.model_dump(mode="json", include=ENDPOINT_COUNTS) for name, endpoint in endpoints.items()
    }
    if config.teacher.student is not None:
        # The student is asked with the prompt of its training.
        teacher["system_prompt"] = config.system_prompt
    return teacher


generate = stage_task("generate", describe)
