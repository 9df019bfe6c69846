"""The scorers that a configuration asks for: the one place where a scorer is built from sections.

There are three, because a stage must depend on no setting that it does not use. What is trained on earns all that the
configuration says. What is reported is all or nothing, whatever partial credit training gives. Whether a sample may be
used at all does not depend on weights.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from raiden_core.rewards.listed.chosen import chosen_rewards, weight_of
from raiden_core.rewards.scorer import Scorer

if TYPE_CHECKING:
    from raiden_core.config import Config


def training_scorer(config: Config) -> Scorer:
    """What completions earn in training: ``accuracy``, ``format`` and ``prefilled_think`` as the configuration has them.

    A field of ``accuracy`` reaches the scorer under its own name; the weights are those of the list of rewards.
    """
    chosen = chosen_rewards(config)
    return Scorer(
        accuracy_weight=weight_of(chosen, "accuracy"),
        format_weight=weight_of(chosen, "format"),
        prefilled_think=config.prefilled_think,
        **config.accuracy.model_dump(exclude={"weight"}),
    )


def evaluation_scorer(config: Config) -> Scorer:
    """What is reported: the reward, all or nothing."""
    return replace(training_scorer(config), partial_credit=_DEFAULT.partial_credit)


def data_scorer(config: Config) -> Scorer:
    """What decides whether a sample may be used: the rules alone."""
    scorer = evaluation_scorer(config)
    return replace(scorer, accuracy_weight=_DEFAULT.accuracy_weight, format_weight=_DEFAULT.format_weight)


_DEFAULT = Scorer()
