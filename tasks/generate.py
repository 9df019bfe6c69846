"""Generate: characters in, verifiable samples out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raiden_core.config import Config
from raiden_core.stages.layout import GENERATE
from raiden_core.stages.progress import Progress
from tasks.call import Inputs, Say, StageCall

if TYPE_CHECKING:
    from raiden_core.generation.settings import GenerateSettings


def describe(config: Config) -> StageCall[GenerateSettings]:
    """The call: all files by content, and the word lists by the code's digest."""
    from raiden_core.generation.settings import GenerateSettings
    from raiden_core.generation.stage import stage_inputs

    settings = GenerateSettings.of(config)
    return StageCall(
        stage=GENERATE,
        modules=("raiden_core.generation.stage",),
        settings=settings,
        inputs=stage_inputs(settings),
        work=work,
    )


def work(settings: GenerateSettings, inputs: Inputs, out: Path, progress: Progress, say: Say) -> Mapping[str, Any]:
    """Write the samples; the inputs are digests of files that the settings name."""
    from raiden_core.generation.stage import generate_stage

    return generate_stage(settings, out, progress)
