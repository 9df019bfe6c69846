"""A packing that costs right answers is warned of; one that may cost none is not."""

import pytest

from raiden_core.evaluation.statistics import Estimate
from raiden_core.export.proof import Proof


@pytest.mark.parametrize(
    ("mean", "low", "high", "words"),
    [
        (-0.32, -0.47, -0.17, "q4_0: −32.0 points of accuracy against the folder, at best −17.0 (95% interval)"),
        (-0.02, -0.06, 0.02, None),
        (0.0, None, None, None),
        (0.1, 0.02, 0.18, None),
    ],
    ids=["worse", "perhaps", "unknown", "better"],
)
def test_a_file_that_is_certainly_worse_is_warned_of(
    mean: float, low: float | None, high: float | None, words: str | None
) -> None:
    proof = Proof("q4_0", 1, 50, 50, 0, 0.94 + mean, 0.94, Estimate(50, 48, mean, low, high))
    assert proof.warning is None if words is None else (proof.warning or "").startswith(words)
