"""`StageCall`: everything that a stage's result depends on, and the work that makes it.

A stage's file (tasks/train.py and its like) describes its call from the configuration and the results upstream. Nothing
here imports Prefect, so that whether a run has anything to do can be told without it (flows/finished.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from raiden_core.config.sections.base import StageSettings
from raiden_core.stages.digests import digest_code, digest_path
from raiden_core.stages.progress import Progress
from raiden_core.stages.run import stage_key

Settings = TypeVar("Settings", bound=StageSettings)
Inputs = Mapping[str, Path | str]
"""Name -> a file or folder that is read, or the name of something outside (a model on the Hub)."""
Say = Callable[[str], None]
"""Told one line for people."""


@dataclass(frozen=True)
class StageCall(Generic[Settings]):
    """Everything that a stage's result depends on, and the work that makes it."""

    stage: str
    modules: tuple[str, ...]
    """Dotted names of the raiden_core modules that do the work; what they import is found."""
    settings: Settings
    inputs: Inputs
    work: Callable[[Settings, Inputs, Path, Progress, Say], Mapping[str, Any]]
    """Writes files into a folder, tells progress and warnings, and returns statistics. A plain function, no closure:
    all that it knows of a run is what makes the key."""
    resumable: bool = False
    gpu: bool = False
    """Whether the work wants the machine's GPUs for itself."""
    input_digests: Mapping[str, str] = field(init=False)
    """Name -> digest of the input's content."""

    def __post_init__(self) -> None:
        digests = {
            name: digest_path(value) if isinstance(value, Path) else value for name, value in self.inputs.items()
        }
        object.__setattr__(self, "input_digests", digests)

    @property
    def section(self) -> dict[str, Any]:
        """The part of the configuration that counts, for key and manifest."""
        return self.settings.key_section()

    @property
    def key(self) -> str:
        """The stage's key."""
        return stage_key(self.stage, digest_code(*self.modules), self.input_digests, self.section)


Describe = Callable[..., StageCall[Any]]
"""``(config, **upstream results) -> StageCall``."""
