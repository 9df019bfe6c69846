"""A few samples of a configuration's characters before there are any data: what prompts will look like, and how long they are."""

from __future__ import annotations

from raiden_core.config import Config
from raiden_core.rewards import Scorer
from raiden_core.samples import Sample

CHARACTERS = 24
"""Characters that samples are made of where there is no file of samples."""
EACH = 3


def drafted_samples(config: Config, scorer: Scorer) -> list[Sample]:
    """Samples that the offline teacher makes of the first characters; none where there are no characters.

    Raises:
        DataError: the characters cannot be read.
    """
    from raiden_core.characters import read_characters
    from raiden_core.characters.compose import compose
    from raiden_core.generation import generate
    from raiden_core.generation.offline.teacher import OfflineTeacher
    from raiden_core.stages.progress import silent

    wanted = config.characters
    characters = list(read_characters(wanted.paths).characters[:CHARACTERS]) if wanted.paths else []
    composed = wanted.composed
    if composed.count:
        few = min(composed.count, CHARACTERS)
        characters += compose(few, language=composed.language, facts=composed.facts, seed=config.seed)
    if not characters:
        return []
    generated = generate(
        characters,
        teacher=OfflineTeacher(config.seed),
        samples_per_character=EACH,
        include_cm=config.generation.include_cm,
        cm_share=config.generation.cm_share,
        seed=config.seed,
        scorer=scorer,
        progress=silent,
    )
    return list(generated.samples)
