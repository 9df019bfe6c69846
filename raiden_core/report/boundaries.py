"""Over-refusal and invention in the report: the pair in the headline, and the plane on which a model can err both ways.

Refusing everything stands at the lower right corner of the plane, answering everything at the upper left; a character
that knows what it knows stands at the lower left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from raiden_core.evaluation.erring import Boundaries, Erring, ErringPair
from raiden_core.report.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH

TICKS = (0, 25, 50, 75, 100)


@dataclass(frozen=True)
class Mark:
    """One model on the plane, in view-box coordinates."""

    model: str
    x: float
    y: float
    across: tuple[float, float] | None
    """Both ends of the interval of over-refusal."""
    along: tuple[float, float] | None
    """Both ends of the interval of invention, the upper end first."""


@dataclass(frozen=True)
class Head:
    """One of the two shares for the headline: of the model under test, and what it was before."""

    title: str
    meaning: str
    tested: Erring
    base: Erring | None
    change: ErringPair | None


@dataclass(frozen=True)
class BoundaryFigures:
    """Everything that the template shows."""

    heads: list[Head]
    marks: list[Mark]
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]


def boundary_figures(boundaries: Boundaries | None) -> BoundaryFigures | None:
    """The figures of a run; None where no question stands at a boundary."""
    if boundaries is None:
        return None
    models = boundaries.models
    tested = list(models.values())[-1]
    base = models["base"] if "base" in models and models["base"] is not tested else None
    paired = boundaries.paired
    heads = [
        Head(
            "Over-refusal",
            "answerable questions that were refused",
            tested.over_refusal,
            base.over_refusal if base else None,
            paired.over_refusal if paired else None,
        ),
        Head(
            "Invention",
            "unanswerable questions that were answered",
            tested.invention,
            base.invention if base else None,
            paired.invention if paired else None,
        ),
    ]
    marks = [
        Mark(
            model,
            _x(errors.over_refusal.share),
            _y(errors.invention.share),
            _ends(errors.over_refusal, _x),
            _ends(errors.invention, _y),
        )
        for model, errors in models.items()
        if errors.over_refusal.share is not None and errors.invention.share is not None
    ]
    return BoundaryFigures(
        heads,
        marks,
        [(_x(tick / 100), f"{tick}%") for tick in TICKS],
        [(_y(tick / 100), f"{tick}%") for tick in TICKS],
    )


def _x(share: float) -> float:
    return round(LEFT + share * (WIDTH - LEFT - RIGHT), 2)


def _y(share: float) -> float:
    return round(HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP), 2)


def _ends(erring: Erring, place: Callable[[float], float]) -> tuple[float, float] | None:
    if erring.ci95 is None:
        return None
    return place(erring.ci95[0]), place(erring.ci95[1])
