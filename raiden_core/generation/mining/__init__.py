"""Mining of verifiable samples with an LLM teacher: facts, questions, answers, keywords, validators, filters.

    async with Client(config.teacher.endpoints, replies) as client:
        generated = await mine(
            characters, asker=client, teacher=config.teacher, generation=config.generation,
            scorer=data_scorer(config), seed=config.seed,
        )

The steps are those of RAIDEN-R1 (arXiv 2505.10218), section 3, each in a module of its own; `mine` runs them for all
characters at once. Whatever the teacher says is checked before it becomes a sample, and what fails is dropped and
counted by its reason. docs of the wording: templates/<language>.yaml.
"""

from raiden_core.generation.mining.mine import mine
from raiden_core.generation.mining.seeds import Seeds, read_seeds

__all__ = ["Seeds", "mine", "read_seeds"]
