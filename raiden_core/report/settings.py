"""What the report is given of the configuration: all that any result depends on, because the page shows it."""

from __future__ import annotations

from typing import Any

from raiden_core.config import Config
from raiden_core.config.sections.base import StageSettings, counted

NANO_NOTE = (
    "The student is nano: about half a million parameters, made inside the run. Its figures show that the pipeline "
    "works and that the reward teaches; they say nothing about what a real model would reach."
)
OFFLINE_NOTE = (
    "The offline teacher wrote questions and answers by rule from facts written as key: value. Nobody judged their style, "
    "and characters without such facts were skipped."
)


class ReportSettings(StageSettings):
    """The report stage: the page's own section, what the notes tell of, and the configuration as the page shows it."""

    title: str
    name: str
    """Of the run."""
    nano: bool
    """Whether the student is nano."""
    notes: tuple[str, ...]
    """What a reader must know of the run: because of how it was configured, and what the configuration itself says."""
    seed: int
    shown: dict[str, Any]
    """Without the fields that change no result, such as addresses and limits."""

    @classmethod
    def of(cls, config: Config) -> ReportSettings:
        """Its part of a configuration."""
        return cls(
            title=config.report.title,
            name=config.name,
            nano=config.student.is_nano,
            notes=(*run_notes(config), *config.report.notes),
            seed=config.seed,
            shown=_shown(config),
        )


def _shown(config: Config) -> dict[str, Any]:
    """The configuration as the page shows it: beside a list of rewards, no short forms of their weights."""
    shown: dict[str, Any] = counted(config)
    if config.rewards is not None:
        shown |= {name: {**shown[name], "weight": None} for name in ("accuracy", "format")}
    return shown


def run_notes(config: Config) -> list[str]:
    """What a reader must know of a run because of how it was configured."""
    notes = []
    if config.student.is_nano:
        notes.append(NANO_NOTE)
    if config.teacher.kind == "offline":
        notes.append(OFFLINE_NOTE)
    if config.grpo.permute_rewards:
        notes.append("Control: rewards were permuted within each batch, so nothing could be learned from them.")
    return notes
