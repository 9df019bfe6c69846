"""Character-conditioned normalisation, alone and together with what GRPO does to it."""

from collections.abc import Sequence
from statistics import fmean, pstdev
from typing import Any

import pytest

from raiden_core.errors import DataError
from raiden_core.rewards.normalisation import Pair, accuracy_by_character, normalised_by_character

VALUES = [0.0, 1.0, 1.0, 1.0, 0.2, 0.4, 0.2, 0.4]
NAMES = ["Anna"] * 4 + ["Bo"] * 4


def given(completions: Sequence[Any], **columns: Any) -> list[float | None]:
    return list(completions)


def group_advantages(rewards: Sequence[float | None], size: int, scale: str) -> list[float]:
    """What TRL makes of rewards: ``sum_then_normalize``, one group a prompt."""
    advantages: list[float] = []
    for start in range(0, len(rewards), size):
        group = [value or 0.0 for value in rewards[start : start + size]]
        spread = pstdev(group) + 1e-4 if scale == "group" else 1.0
        advantages += [(value - fmean(group)) / spread for value in group]
    return advantages


def test_each_character_is_measured_against_itself() -> None:
    rewards = normalised_by_character(given, epsilon=0.0)(VALUES, character_name=NAMES)
    for part in (rewards[:4], rewards[4:]):
        known = [value for value in part if value is not None]
        assert (fmean(known), pstdev(known)) == pytest.approx((0, 1))


def test_equal_rewards_teach_nothing_and_none_stays_none() -> None:
    reward = normalised_by_character(given)
    assert reward([1.0, 1.0, None], character_name=["Anna", "Anna", "Bo"]) == [0.0, 0.0, None]


def test_group_scaling_takes_it_away_and_no_scaling_keeps_it() -> None:
    rewards = normalised_by_character(given)(VALUES, character_name=NAMES)
    assert group_advantages(rewards, 2, "group") == pytest.approx(group_advantages(VALUES, 2, "group"), abs=0.01)
    plain, normalised = group_advantages(VALUES, 2, "none"), group_advantages(rewards, 2, "none")
    assert abs(plain[0] / plain[4]) == pytest.approx(5.0)
    assert abs(normalised[0] / normalised[4]) == pytest.approx(5.0 * pstdev(VALUES[4:]) / pstdev(VALUES[:4]), rel=1e-2)


def test_a_prompt_on_two_processes_is_measured_alike() -> None:
    everything: list[Pair] = list(zip(NAMES, VALUES, strict=True))
    reward = normalised_by_character(given, gather=lambda own: everything)
    halves = [reward(VALUES[place::2], character_name=NAMES[place::2]) for place in (0, 1)]
    whole = normalised_by_character(given)(VALUES, character_name=NAMES)
    assert halves == [whole[0::2], whole[1::2]]


def test_accuracy_by_character_reads_the_columns_of_accuracy() -> None:
    columns = {"keywords": [["长沙"]] * 3, "character_name": ["Anna"] * 3}
    assert accuracy_by_character.__name__ == "accuracy_reward_by_character"
    low, high, again = accuracy_by_character(["我在北京", "我在长沙", "我在长沙"], **columns)
    assert low is not None and high is not None and low < 0 < high == again
    with pytest.raises(DataError, match="no column character_name"):
        accuracy_by_character(["我在长沙"], keywords=[["长沙"]])
