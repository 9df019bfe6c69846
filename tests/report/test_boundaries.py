"""The report on what a character does not know: the pair in the headline, and the plane."""

from pathlib import Path
from typing import Any

import pytest

from raiden_core.evaluation.erring import Boundaries
from raiden_core.report import build_report
from raiden_core.report.boundaries import boundary_figures
from raiden_core.report.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH
from tests.support.synthetic import make_inputs


def erring(share: float | None, low: float | None = None, high: float | None = None) -> dict[str, Any]:
    return {"n": 40, "share": share, "ci95": None if low is None else [low, high]}


MODELS = {
    "base": {"over_refusal": erring(1.0), "invention": erring(0.0)},
    "trained": {"over_refusal": erring(0.025, 0.0, 0.08), "invention": erring(0.5, 0.4, 0.6)},
}
PAIR = {"delta": -0.975, "ci95": [-1.0, -0.9], "p": 1e-9}
BOUNDARIES = Boundaries.model_validate({**MODELS, "paired": {"over_refusal": PAIR, "invention": PAIR}})


def test_each_model_stands_where_its_shares_put_it() -> None:
    figures = boundary_figures(BOUNDARIES)
    assert figures is not None
    base, trained = figures.marks
    assert (base.x, base.y) == (WIDTH - RIGHT, HEIGHT - BOTTOM), "refusing everything: at the right, below"
    assert trained.y == pytest.approx((TOP + HEIGHT - BOTTOM) / 2)
    assert trained.across == pytest.approx((LEFT, LEFT + 0.08 * (WIDTH - LEFT - RIGHT)))
    assert base.across is None
    assert [(head.title, head.tested.share) for head in figures.heads] == [("Over-refusal", 0.025), ("Invention", 0.5)]


def test_a_run_without_boundaries_has_no_plane() -> None:
    assert boundary_figures(None) is None
    empty = Boundaries.model_validate({"trained": {"over_refusal": erring(None), "invention": erring(None)}})
    figures = boundary_figures(empty)
    assert figures is not None and figures.marks == []


def test_the_page_shows_the_pair_in_the_headline_and_as_a_plot(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path)
    plain = dict(inputs)
    build_report(**plain)
    assert 'id="boundaries"' not in Path(plain["out"]).read_text("utf-8")
    build_report(**{**inputs, "results": inputs["results"].model_copy(update={"boundaries": BOUNDARIES})})
    page = Path(inputs["out"]).read_text("utf-8")
    head = page[page.index('class="heads"') : page.index("</header>")]
    assert "Over-refusal" in head and "Invention" in head and "2.5<small>%" in head and "base 100.0%" in head
    section = page[page.index('id="boundaries"') : page.index('id="where"')]
    assert section.count("<circle") == 2 and section.count('<line class="range') == 2
