"""Where characters come from, how many questions are written about them, and how they are split."""

from __future__ import annotations

from pydantic import Field

from raiden_core.config.sections.base import Section


class ComposedConfig(Section):
    """Characters drawn from word lists."""

    count: int = Field(default=0, ge=0, le=10_000_000)
    """How many; 0 for none."""
    language: str = "zh"
    """Language of the word lists: zh, en, ja or ko."""
    facts: tuple[int, int] = (3, 8)
    """Fewest and most facts of a character."""


class CharactersConfig(Section):
    """Who the model learns to be, and who it is tested on."""

    paths: tuple[str, ...] = ()
    """Files, folders or globs of characters to train and validate on; `shipped` or `shipped:zh` names raiden's own."""
    composed: ComposedConfig = ComposedConfig()
    """Characters to draw from word lists beside them."""
    evaluation_only: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Further characters that are never trained on: name of the result's row -> paths."""


class BoundariesConfig(Section):
    """Questions at the boundaries of what a character knows: false premises (SCK) and what nobody told it (RCB)."""

    share: float = Field(default=0.0, ge=0, le=0.5)
    """Share of them among a character's samples, half SCK and half RCB; each has an answerable twin among the rest."""


class GenerationConfig(Section):
    """How many questions of which kind."""

    samples_per_character: int | None = Field(default=8, ge=1, le=100_000)
    """At most so many samples a character; None for all that its facts give."""
    evaluation_only_samples: int | None = Field(default=None, ge=1)
    """At most so many samples of a character that is only evaluated; None: as many as of the others."""
    include_cm: bool = True
    """Whether to write conversation-memory (CM) samples beside script-based knowledge (SBK)."""
    cm_share: float = Field(default=0.25, ge=0, le=1)
    """Share of CM among a character's samples."""
    boundaries: BoundariesConfig = BoundariesConfig()
    """What is asked beside what can be answered."""
    max_similarity: float = Field(default=0.8, gt=0, le=1)
    """Two samples of one character that expect the same are one from this similarity on (Jaccard, character 3-grams)."""
    decontaminate: tuple[str, ...] = ()
    """Evaluation files; samples that are as similar to what they ask are dropped."""


class SplitConfig(Section):
    """The split by character. Give one of the two."""

    validation_share: float | None = Field(default=0.1, gt=0, lt=1)
    """Share of the characters that is held out for validation."""
    validation_characters: int | None = Field(default=None, ge=1)
    """Number of characters that is held out; goes before the share."""
