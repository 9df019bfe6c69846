"""Characters to verified samples: drafts from a teacher, distractors, filters."""

from raiden_core.generation.generator import Generated, Skipped, generate

__all__ = ["Generated", "Skipped", "generate"]
