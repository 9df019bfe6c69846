"""Characters to verified samples: drafts from a teacher, distractors, filters."""

from raiden_core.generation.made import Generated, Skipped
from raiden_core.generation.offline.generate import generate

__all__ = ["Generated", "Skipped", "generate"]
