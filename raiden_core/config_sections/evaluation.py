"""How models are compared."""

from __future__ import annotations

from pydantic import Field

from raiden_core.config_sections.base import Section


class EvaluationConfig(Section):
    """How models are compared."""

    max_new_tokens: int = Field(default=512, ge=8)
    """Longest answer in tokens."""
    batch_size: int = Field(default=32, ge=1)
    """Prompts at once."""
    drop_bad_gold: bool = False
    """Drop samples whose reference fails its own validator instead of refusing the file."""
