"""What evaluation is given of the configuration."""

from __future__ import annotations

from raiden_core.config import Config
from raiden_core.config.sections.base import StageSettings
from raiden_core.config.sections.evaluation import EvaluationConfig
from raiden_core.prompts import Layout
from raiden_core.rewards import Scorer
from raiden_core.rewards.configured import evaluation_scorer
from raiden_core.rewards.listed.chosen import Chosen, chosen_rewards


class EvaluateSettings(StageSettings):
    """The evaluate stage: how models answer, and how their answers are scored."""

    evaluation: EvaluationConfig
    scorer: Scorer
    rewards: Chosen
    """All that replies earn."""
    system_prompt: str | None
    layout: Layout
    seed: int

    @classmethod
    def of(cls, config: Config) -> EvaluateSettings:
        """Its part of a configuration."""
        return cls(
            evaluation=config.evaluation,
            scorer=evaluation_scorer(config),
            rewards=chosen_rewards(config),
            system_prompt=config.system_prompt,
            layout=config.prompt.layout,
            seed=config.seed,
        )
