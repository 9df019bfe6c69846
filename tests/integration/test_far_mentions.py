"""What is far from a mention changes nothing: every case of the reward, in texts so long that they take a while."""

import pytest

from tests.rewards.test_reward_properties import ANSWERS, assert_far_text_changes_nothing

pytestmark = pytest.mark.integration


def test_what_is_far_from_a_mention_changes_nothing_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(ANSWERS) > 1000
    assert_far_text_changes_nothing(ANSWERS, monkeypatch)
