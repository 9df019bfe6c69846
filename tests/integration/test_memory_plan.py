"""The plan against a real training step: the smallest case of benchmarks/memory.py."""

import pytest

from benchmarks.memory import TOLERANCE, compare, named


@pytest.mark.integration
def test_predicted_and_measured_memory_agree() -> None:
    row = compare(named("20M-grpo"))
    assert abs(row["error"]) <= TOLERANCE, row
