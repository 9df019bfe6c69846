"""Generate: characters in, verifiable samples out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from raiden_core.config import Config
from raiden_core.progress import Progress
from tasks.stage import StageCall, stage_task


def describe(config: Config) -> StageCall:
    """The call: all character files by content, and the word lists by the code's digest."""
    from raiden_core.generation.stage import character_files, generate_stage

    def work(out: Path, progress: Progress) -> Mapping[str, Any]:
        return generate_stage(config, out, progress)

    return StageCall(
        stage="generate",
        modules=("raiden_core.generation.stage",),
        inputs=character_files(config.characters),
        section=config.model_dump(
            mode="json", include={"characters", "teacher", "generation", "accuracy", "prefilled_think", "seed"}
        ),
        work=work,
    )


generate = stage_task("generate", describe)
