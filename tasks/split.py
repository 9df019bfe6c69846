"""Split: samples in, train.json and validation.json out, no character on both sides."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raiden_core.config import Config
from raiden_core.stages.folder import STATS, StageResult
from raiden_core.stages.layout import SAMPLES_FILE, SPLIT
from raiden_core.stages.progress import Progress
from tasks.call import Inputs, Say, StageCall

if TYPE_CHECKING:
    from raiden_core.dataset.split import SplitSettings


def describe(config: Config, generated: StageResult) -> StageCall[SplitSettings]:
    """The call: the generated samples."""
    from raiden_core.dataset.split import SplitSettings

    return StageCall(
        stage=SPLIT,
        modules=("raiden_core.dataset.split",),
        settings=SplitSettings.of(config),
        inputs={"samples": generated.folder / SAMPLES_FILE, "statistics": generated.folder / STATS},
        work=work,
    )


def work(settings: SplitSettings, inputs: Inputs, out: Path, progress: Progress, say: Say) -> Mapping[str, Any]:
    """Write both sides."""
    from raiden_core.dataset.split import split_file

    return split_file(Path(inputs["samples"]), settings.split, settings.seed, out)
