"""What the two training stages are given of the configuration."""

from __future__ import annotations

from raiden_core.config import Config
from raiden_core.config.sections.base import StageSettings
from raiden_core.config.sections.training import ColdStartConfig, GrpoConfig, NanoConfig
from raiden_core.prompts import Layout
from raiden_core.rewards import Scorer
from raiden_core.rewards.configured import data_scorer, training_scorer
from raiden_core.rewards.listed.chosen import Chosen, chosen_rewards


class ColdStartSettings(StageSettings):
    """The cold start. Which model it starts from is an input."""

    cold_start: ColdStartConfig
    nano: NanoConfig | None
    """Shape of the student where it is made inside the run."""
    scorer: Scorer
    """Decides what may be trained on, and scores the probe."""
    system_prompt: str | None
    layout: Layout
    seed: int

    @classmethod
    def of(cls, config: Config) -> ColdStartSettings:
        """Its part of a configuration."""
        return cls(
            cold_start=config.cold_start,
            nano=config.student.nano if config.student.is_nano else None,
            scorer=data_scorer(config),
            system_prompt=config.system_prompt,
            layout=config.prompt.layout,
            seed=config.seed,
        )


class TrainSettings(StageSettings):
    """GRPO. Which model it starts from is an input."""

    grpo: GrpoConfig
    scorer: Scorer
    """The verifiable reward, by which it is also known what may be trained on."""
    rewards: Chosen
    """All that completions earn."""
    system_prompt: str | None
    layout: Layout
    seed: int

    @classmethod
    def of(cls, config: Config) -> TrainSettings:
        """Its part of a configuration."""
        return cls(
            grpo=config.grpo,
            scorer=training_scorer(config),
            rewards=chosen_rewards(config),
            system_prompt=config.system_prompt,
            layout=config.prompt.layout,
            seed=config.seed,
        )
