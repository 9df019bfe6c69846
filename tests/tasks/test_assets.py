"""What Prefect is told of the data set, the model and the report, and of earlier runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from prefect.tasks import MaterializingTask

from raiden_core.stages.layout import REPORT, SPLIT, STAGES, TRAIN
from raiden_core.stages.run import run_stage
from tasks.artifacts import TREND_RUNS, trend_rows
from tasks.assets import asset_of, metadata_of
from tasks.stages import TASKS
from tests.tasks.test_artifacts import RESULTS


def test_data_set_model_and_report_are_assets_and_nothing_else_is() -> None:
    assert {stage for stage in STAGES if asset_of(stage, "x")} == {SPLIT, TRAIN, REPORT}
    assert {stage for stage, task in TASKS.items() if isinstance(task, MaterializingTask)} == {SPLIT, TRAIN, REPORT}
    assert [asset_of(stage, "quickstart").key for stage in (SPLIT, TRAIN, REPORT)] == [
        "raiden://quickstart/dataset",
        "raiden://quickstart/model",
        "raiden://quickstart/report",
    ]


@pytest.mark.parametrize(
    ("name", "place"),
    [("a b%c", "a-b-c"), ("角色", "unnamed"), ("../x", "x"), ("[red]{}", "red"), ("v1.2_x", "v1.2_x")],
)
def test_any_name_of_a_configuration_makes_a_key(name: str, place: str) -> None:
    asset = asset_of(TRAIN, name)
    assert asset is not None and asset.key == f"raiden://{place}/model"
    assert asset.properties is not None and asset.properties.name == f"{name}: model"


def test_the_plain_figures_of_a_stage_are_its_assets_metadata(tmp_path: Path) -> None:
    stats = {"train": 3, "share": 0.5, "whole": True, "by": {"zh": 3}, "names": ["a"]}
    result = run_stage(SPLIT, "0" * 64, output_dir=tmp_path, inputs={}, section={}, work=lambda out: stats)
    told = metadata_of(result)
    assert {name: told.pop(name) for name in ("train", "share")} == {"train": 3, "share": 0.5}
    assert told == {"folder": str(result.folder), "key": "0" * 64, "seconds": result.seconds, "found": False}


def test_the_trend_holds_the_last_runs_of_the_same_name_newest_first(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    for number in range(TREND_RUNS + 3):
        folder = runs / f"20261127-1200{number:02}-000-mine"
        folder.mkdir(parents=True)
        (folder / "run.json").write_text(json.dumps({"stages": {}, "results": RESULTS.as_json(), "report": None}))
    for name, content in (("20261127-130000-000-other", "{}"), ("20261127-140000-000-mine", "[")):
        (runs / name).mkdir()
        (runs / name / "run.json").write_text(content)
    old = runs / "20261127-150000-000-mine"
    old.mkdir()
    (old / "run.json").write_text(json.dumps({"stages": {}, "results": {"base": {}}, "report": None}))
    rows = trend_rows(tmp_path, "mine")
    assert len(rows) == TREND_RUNS - 1, "the one of an earlier version has no row"
    assert rows[0] == {
        "run": f"20261127-1200{TREND_RUNS + 2}-000-mine",
        "n": 40, "base": 0.3, "trained": 0.5, "difference": 0.2, "p": 0.004,
    }  # fmt: skip
    assert [row["run"] for row in rows] == sorted((row["run"] for row in rows), reverse=True)
