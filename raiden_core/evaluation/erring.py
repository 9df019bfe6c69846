"""Over-refusal and invention in results.json: how models err at the boundaries of what a character knows."""

from __future__ import annotations

from raiden_core.evaluation.parts import Count, Interval, Number, Part


class Erring(Part):
    """How often a model errs in one way."""

    n: Count
    share: Number | None
    ci95: Interval | None


class Errors(Part):
    """Both ways to err at the boundaries of what a character knows, of one model."""

    over_refusal: Erring
    """Answerable twins that were refused."""
    invention: Erring
    """Unanswerable questions (RCB) that were answered with something else than an admission."""


class ErringPair(Part):
    """The change of a share from base to trained."""

    delta: Number | None
    ci95: Interval | None
    p: Number | None
    """McNemar's."""


class ErrorsPaired(Part):
    """The change of both shares."""

    over_refusal: ErringPair
    invention: ErringPair


class Boundaries(Part):
    """Over-refusal and invention, a model that does one of them always being perfect in the other."""

    original: Errors | None = None
    base: Errors | None = None
    trained: Errors | None = None
    paired: ErrorsPaired | None = None
    """``trained`` less ``base``."""

    @property
    def models(self) -> dict[str, Errors]:
        """The models that there are, in the order of `MODELS`."""
        found = {"original": self.original, "base": self.base, "trained": self.trained}
        return {name: errors for name, errors in found.items() if errors is not None}
