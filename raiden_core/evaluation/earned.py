"""What replies earn by a list of rewards, as a part of results.json."""

from __future__ import annotations

from raiden_core.evaluation.parts import Count, Interval, Number, Part

TOTAL = "total"
"""The row of the list's total, beside those of its rewards."""


class RewardCell(Part):
    """What one model's replies earn by one reward."""

    n: Count
    """Replies that the reward says something of."""
    mean: Number | None
    ci95: Interval | None


class RewardPair(Part):
    """The trained model less the base, on the replies to the same questions."""

    n: Count
    delta: Number | None
    ci95: Interval | None
    p: Number | None
    """Of the difference being zero, by the clustered t."""


class RewardRow(Part):
    """One reward, one gate, or the total."""

    gate: bool
    weight: Number
    """0 for gates; 1 for the total."""
    original: RewardCell | None = None
    base: RewardCell | None = None
    trained: RewardCell | None = None
    paired: RewardPair | None = None

    @property
    def models(self) -> dict[str, RewardCell]:
        """The models that there are, in their order."""
        found = {"original": self.original, "base": self.base, "trained": self.trained}
        return {name: cell for name, cell in found.items() if cell is not None}


def weight_text(name: str, row: RewardRow) -> str:
    """How a row counts, for a table: its weight, that it is a gate, or nothing for the total."""
    return "gate" if row.gate else "" if name == TOTAL else f"{row.weight:g}"
