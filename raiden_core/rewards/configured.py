"""The scorer that a configuration asks for, so that every stage scores with the same settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from raiden_core.rewards.scorer import Scorer

if TYPE_CHECKING:
    from raiden_core.config import Config


def configured_scorer(config: Config, *, partial_credit: bool = False) -> Scorer:
    """The scorer with a configuration's settings.

    Args:
        config: its sections ``accuracy`` and ``format``, and ``prefilled_think``.
        partial_credit: whether multi-term samples earn shares. It is a setting of training; what is reported, and what
            a reference must reach, is all or nothing.
    """
    return Scorer(
        accuracy_weight=config.accuracy.weight,
        format_weight=config.format.weight,
        prefilled_think=config.prefilled_think,
        min_length_bound=config.accuracy.min_length_bound,
        length_ratio=config.accuracy.length_ratio,
        partial_credit=partial_credit,
    )
