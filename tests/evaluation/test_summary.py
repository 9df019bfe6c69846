"""Cells, differences and tables say what their rows say, in whatever order the rows come."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pytest

from raiden_core.evaluation.parts import Part
from raiden_core.evaluation.predictions import MAIN_SET, Prediction
from raiden_core.evaluation.statistics import mean_interval
from raiden_core.evaluation.summary import breakdown, cells, pairs, write_tables
from tests.support.synthetic import make_predictions


@pytest.fixture(scope="module")
def by_model() -> dict[str, list[Prediction]]:
    rows = make_predictions(12, 6, (MAIN_SET,))
    return {model: [row for row in rows if row.model == model] for model in ("base", "trained")}


def _same(one: Any, other: Any) -> None:
    """Equal, but for the last digits of sums."""
    if isinstance(one, Part):
        _same(one.as_json(), other.as_json())
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            _same(one[key], other[key])
    else:
        assert one == (pytest.approx(other, abs=1e-12) if one is not None else None)


def test_a_cell_counts_its_own_rows(by_model: dict[str, list[Prediction]]) -> None:
    rows = [row for row in by_model["trained"] if row.dimension == "CM"]
    cell = cells(by_model["trained"]).CM
    assert cell.n == len(rows) and cell.characters == len({row.character for row in rows})
    assert cell.strict == pytest.approx(sum(row.accuracy == row.format == 1 for row in rows) / len(rows))
    assert cell.lenient == pytest.approx(sum(row.accuracy for row in rows) / len(rows))
    assert cell.format == pytest.approx(sum(row.format for row in rows) / len(rows))
    assert cell.cut_off == sum(not row.finished for row in rows)
    assert cell.empty == sum(not row.answer.strip() for row in rows)
    assert cell.mean_tokens == pytest.approx(sum(row.tokens for row in rows) / len(rows))
    assert cell.mean_answer_characters == pytest.approx(sum(len(row.answer) for row in rows) / len(rows))
    by_hand = mean_interval([row.strict for row in rows], [row.character for row in rows], bounds=(0, 1))
    assert cell.ci95 == pytest.approx(by_hand.interval)


def test_nothing_depends_on_the_order_of_rows(by_model: dict[str, list[Prediction]]) -> None:
    order = list(range(len(by_model["base"])))
    Random(4).shuffle(order)
    shuffled = {model: [rows[place] for place in order] for model, rows in by_model.items()}
    for model in by_model:
        _same(cells(by_model[model]), cells(shuffled[model]))
    _same(pairs(*by_model.values()), pairs(*shuffled.values()))
    _same(breakdown(by_model), breakdown(shuffled))


def test_a_breakdown_is_the_cells_of_its_parts(by_model: dict[str, list[Prediction]]) -> None:
    parts = breakdown(by_model)
    assert set(parts["language"]) == {"zh", "en", "ja", "ko"}
    for value, entry in parts["question_type"].items():
        for model, rows in by_model.items():
            _same(entry.models[model], cells([row for row in rows if row.question_type == value]).all)
        changed = [(old.strict, new.strict) for old, new in zip(*by_model.values(), strict=True)
                   if new.question_type == value]  # fmt: skip
        assert entry.paired.fixed == sum(old < new for old, new in changed)
    with pytest.raises(ValueError, match="same order"):
        pairs(by_model["base"], by_model["trained"][::-1])


def test_no_rows_make_an_empty_cell() -> None:
    cell = cells([]).all
    assert (cell.n, cell.strict, cell.ci95, cell.mean_tokens, cell.empty) == (0, None, None, None, 0)


def test_the_tables_hold_every_slice_and_every_character(by_model: dict[str, list[Prediction]], tmp_path: Path) -> None:
    write_tables(tmp_path, [row for rows in by_model.values() for row in rows])
    table = pd.read_parquet(tmp_path / "summary.parquet")
    assert len(table) == len(pd.read_csv(tmp_path / "summary.csv"))
    everything = table[(table.slice == "all") & (table.model == "trained")].iloc[0]
    expected = cells(by_model["trained"]).all
    assert everything["strict"] == pytest.approx(expected.strict)
    assert [everything["strict_low"], everything["strict_high"]] == pytest.approx(expected.ci95)
    for name, group in table.groupby("slice"):
        assert group.n.sum() == 2 * len(by_model["base"]), name
    characters = table[table.slice == "character"]
    assert len(characters) == 24 and characters.strict_low.isna().all()
