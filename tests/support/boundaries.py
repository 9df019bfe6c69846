"""Samples of composed characters, some of them at the boundaries of what a character knows."""

from __future__ import annotations

from collections.abc import Sequence

from raiden_core.characters.compose import compose
from raiden_core.generation.offline.generate import generate
from raiden_core.generation.offline.teacher import OfflineTeacher
from raiden_core.rewards import Scorer
from raiden_core.samples import Sample


def boundary_samples(characters: int, language: str = "zh") -> Sequence[Sample]:
    """Ten samples a character, four in ten of them SCK or RCB."""
    return generate(
        compose(characters, language=language),
        teacher=OfflineTeacher(0),
        samples_per_character=10,
        include_cm=True,
        cm_share=0.2,
        seed=0,
        scorer=Scorer(),
        boundaries=0.4,
    ).samples
