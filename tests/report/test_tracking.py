"""Final results at MLflow, W&B and trackio: each real package where it is installed, offline and in a folder of the test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flows.pipeline import Run
from raiden_core.config.loading import parse_config
from raiden_core.report import tracking
from raiden_core.report.tracking import figures_of, send_results, trackers_of
from tests.tasks.test_artifacts import RECORD, RESULTS

FACTS = {"run": "/runs/1", "report": "None", "config": "x"}


@pytest.mark.parametrize(
    ("wanted", "places"),
    [("none", []), ("wandb", ["wandb"]), ('["trackio", "tensorboard", "mlflow"]', ["mlflow", "trackio"]), ("[]", [])],
)
def test_results_go_where_training_reported(wanted: str, places: list[str]) -> None:
    assert trackers_of(parse_config(f"grpo: {{report_to: {wanted}}}")) == places
    assert trackers_of(parse_config("{}")) == []


def test_the_figures_are_those_of_the_result() -> None:
    figures = figures_of(RESULTS)
    assert figures["trained/all/strict"] == 0.5 and figures["base/all/n"] == 40
    assert (figures["difference/strict"], figures["difference/strict_low"], figures["difference/p"]) == (
        0.2,
        0.1,
        0.004,
    )
    assert figures["control/gold"] == 1 and "control/other_character" not in figures
    assert not [name for name in figures if name.startswith("base/CM")], "no questions, no figure"


def test_a_place_that_does_not_take_them_is_told_and_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []

    def broken(*_given: Any) -> None:
        raise ConnectionError("nobody\nthere")

    monkeypatch.setattr(
        tracking, "SENDERS", {"mlflow": broken, "wandb": lambda *given: sent.append(given), "trackio": broken}
    )
    monkeypatch.setattr(tracking, "find_spec", lambda name: None if name == "trackio" else SimpleNamespace())
    config = parse_config("grpo: {report_to: [trackio, mlflow, wandb], project: mine, run_name: first}")
    assert send_results(config, RESULTS, FACTS) == [
        "mlflow: the final results were not sent: ConnectionError: nobody there",
        "trackio: the final results were not sent: it is not installed where the run is; pip install it",
    ]
    assert sent == [("mine", "first: results", figures_of(RESULTS), FACTS)]


@pytest.mark.parametrize(("cached", "times"), [(False, 1), (True, 0)])
def test_a_run_sends_its_results_once(
    cached: bool, times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr("flows.pipeline.send_results", lambda *given: ["mlflow: away"])
    monkeypatch.setattr("flows.pipeline.say", said.append)
    run = Run(parse_config(f"output_dir: {tmp_path}\ngrpo: {{report_to: mlflow}}"), "report", [])
    run.rows["evaluate"] = {"cached": cached}
    run._track(RECORD)
    run._track(RECORD | {"results": None})
    assert said == ["mlflow: away"] * times


READ_BACK = {
    "mlflow": (
        "import mlflow\nrun = mlflow.search_runs(search_all_experiments=True).iloc[0]\n"
        "print(run['tags.mlflow.runName'], run['metrics.trained/all/strict'], run['tags.config'])"
    ),
    "wandb": (
        "import pathlib\nfolder = next(pathlib.Path('wandb').glob('offline-run-*'))\n"
        "text = next(folder.glob('*.wandb')).read_bytes()\n"
        "print('x: results' if b'x: results' in text else '', 0.5 if b'trained/all/strict' in text else '', 'x')"
    ),
    "trackio": (
        "import pathlib, sqlite3\nfile = next(pathlib.Path('trackio').rglob('mine.db'))\n"
        "rows = sqlite3.connect(file).execute('select run_name, metrics from metrics').fetchall()\n"
        "import json\nfigures = json.loads(rows[0][1])\nprint(rows[0][0], figures['trained/all/strict'], 'x')"
    ),
}


@pytest.mark.parametrize("tracker", list(tracking.SENDERS))
def test_the_real_package_keeps_the_results(tracker: str, tmp_path: Path) -> None:
    if find_spec(tracker) is None:
        pytest.skip(f"{tracker} is not installed: what it keeps of the final results is not tried")
    results = tmp_path / "results.json"
    results.write_text(json.dumps(RESULTS.as_json()), "utf-8")
    code = (
        "from raiden_core.config.loading import parse_config\n"
        "from raiden_core.evaluation.results import read_results\n"
        "from raiden_core.report.tracking import send_results\n"
        "from pathlib import Path\n"
        f"config = parse_config('name: x\\ngrpo: {{report_to: {tracker}, project: mine}}')\n"
        f"facts = {FACTS!r}\n"
        "assert send_results(config, read_results(Path('results.json')), facts) == []\n"
    )
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db",
        "MLFLOW_EXPERIMENT_NAME": "mine",
        "WANDB_MODE": "offline",
        "WANDB_SILENT": "true",
        "TRACKIO_DIR": str(tmp_path / "trackio"),
        "HF_HUB_OFFLINE": "1",
    }
    for step, expected in ((code, ""), (READ_BACK[tracker], "x: results 0.5 x")):
        done = subprocess.run(
            [sys.executable, "-c", step], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=400
        )
        assert done.returncode == 0, done.stderr[-3000:]
        assert done.stdout.strip().splitlines()[-1:] == (
            [expected] if expected else done.stdout.strip().splitlines()[-1:]
        )
