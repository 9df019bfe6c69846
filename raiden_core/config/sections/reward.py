"""The two parts of the reward."""

from __future__ import annotations

from pydantic import Field

from raiden_core.config import defaults
from raiden_core.config.sections.base import Section


class AccuracyConfig(Section):
    """The accuracy part of the reward (docs/vrar.md)."""

    weight: float = Field(default=defaults.ACCURACY_WEIGHT, ge=0)
    """Its weight in the total."""
    min_length_bound: int = Field(default=defaults.MIN_LENGTH_BOUND, ge=1)
    """Answers up to so many units (CJK characters, other words) are never too long."""
    length_ratio: float = Field(default=defaults.LENGTH_RATIO, gt=0)
    """Longer ones score 0 when over so many times the reference's length."""
    partial_credit: bool = defaults.PARTIAL_CREDIT
    """Whether multi-term samples earn the share of groups matched instead of all or nothing."""


class FormatConfig(Section):
    """The format part of the reward."""

    weight: float = Field(default=defaults.FORMAT_WEIGHT, ge=0)
    """Its weight in the total."""
