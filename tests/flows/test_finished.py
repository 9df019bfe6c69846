"""A run whose stages are all there: found without Prefect, and told like any other run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from flows import finished, run_command
from flows.chain import BUILDS_ON, stages_until, upstream_of
from flows.finished import finished_run
from raiden_core.config import Config
from raiden_core.config.loading import parse_config
from raiden_core.stages.folder import StageResult
from raiden_core.stages.layout import COLD_START, GENERATE, SPLIT, STAGES, TRAIN, Stage
from raiden_core.stages.run import run_stage
from raiden_core.stages.runs import read_run
from tasks.describe import DESCRIBE

SETTINGS = "characters: {composed: {count: 6, facts: [3, 5]}}\nsplit: {validation_characters: 2}\n"
URL_LINE = 'PREFECT_API_URL = "http://127.0.0.1:1/api"\n'


def do(config: Config, until: Stage) -> dict[Stage, StageResult]:
    """Do the first stages without Prefect."""
    done: dict[Stage, StageResult] = {}
    for stage in stages_until(config, until):
        call = DESCRIBE[stage](config=config, **upstream_of(stage, done))

        def work(folder: Path, call: Any = call) -> Any:
            return call.work(call.settings, call.inputs, folder, lambda *_: None, print)

        done[stage] = run_stage(
            stage, call.key, output_dir=config.output_dir, inputs=call.input_digests, section=call.section, work=work
        )
    return done


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, dict[Stage, StageResult]]:
    config = parse_config(SETTINGS, [f"output_dir={tmp_path_factory.mktemp('out')}"])
    return config, do(config, SPLIT)


def test_every_stage_names_what_its_description_takes() -> None:
    assert tuple(BUILDS_ON) == STAGES
    for stage, describe in DESCRIBE.items():
        taken = describe.__code__.co_varnames[1 : describe.__code__.co_argcount]
        assert set(taken) == set(BUILDS_ON[stage]), stage
    without = parse_config(SETTINGS, ["cold_start.enabled=false", "student.model=some/model"])
    assert stages_until(without, TRAIN) == [GENERATE, SPLIT, TRAIN]
    assert stages_until(without, COLD_START) == [GENERATE, SPLIT]
    assert upstream_of(TRAIN, {}) == {"split": None, "cold": None}


def test_what_is_all_there_is_found_and_recorded(there: tuple[Config, dict[Stage, StageResult]]) -> None:
    config, done = there
    record = finished_run(config, SPLIT)
    assert record is not None
    assert {name: Path(row["folder"]) for name, row in record["stages"].items()} == {
        name: result.folder for name, result in done.items()
    }
    assert all(row["cached"] for row in record["stages"].values())
    assert {name: folder.resolve() for name, folder in read_run(Path(record["run"])).stages.items()} == {
        name: result.folder.resolve() for name, result in done.items()
    }


@pytest.mark.parametrize("change", ["another setting", "an edited file", "a missing folder", "shared storage"])
def test_where_there_is_work_nothing_is_recorded(change: str, tmp_path: Path) -> None:
    config = parse_config(SETTINGS, [f"output_dir={tmp_path}"])
    done = do(config, SPLIT)
    if change == "another setting":
        config = config.model_copy(update={"seed": 99})
    elif change == "an edited file":
        (done[SPLIT].folder / "train.json").write_text("[]")
    elif change == "a missing folder":
        done[GENERATE].folder.rename(tmp_path / "elsewhere")
    else:
        config = config.model_copy(
            update={"storage": config.storage.model_copy(update={"url": f"file://{tmp_path}/s"})}
        )
    assert finished_run(config, SPLIT) is None
    assert not (tmp_path / "runs").exists()


def test_no_prefect_is_loaded_to_find_out() -> None:
    code = (
        "import sys, flows.finished, flows.ending, flows.display, raiden_core.training.grpo\n"
        "print([name for name in ('prefect', 'torch', 'trl', 'transformers') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stderr


PREFECT_SETTINGS: list[tuple[str | None, dict[str, str], bool]] = [
    (None, {}, False),
    ("http://127.0.0.1:1/api", {}, True),
    ("", {}, False),
    (None, {".env": "OTHER=1\n"}, False),
    (None, {".env": "PREFECT_API_URL=http://127.0.0.1:1/api\n"}, True),
    (None, {"prefect.toml": '[api]\nurl = "http://127.0.0.1:1/api"\n'}, True),
    (None, {"pyproject.toml": '[tool.prefect.api]\nurl = "http://127.0.0.1:1/api"\n'}, True),
    (None, {"home/profiles.toml": 'active = "x"\n[profiles.x]\n' + URL_LINE}, True),
    (None, {"home/profiles.toml": 'active = "y"\n[profiles.y]\n[profiles.x]\n' + URL_LINE}, False),
]
ASK_EACH = """
import json, os, sys
import httpx, jsonschema, pydantic_settings, rich.console  # of what Prefect takes long to import; not Prefect itself
from flows.finished import server_configured

for place, environment in json.loads(sys.argv[1]):
    assert "prefect" not in sys.modules
    if child := os.fork():
        os.waitpid(child, 0)
        continue
    os.chdir(place)
    os.environ.clear()
    os.environ.update(environment)
    print(os.path.basename(place), server_configured(), flush=True)
    os._exit(0)
"""
"""Prefect reads its settings once a process, so each answer is that of a new one."""


@pytest.fixture(scope="module")
def server_answers(tmp_path_factory: pytest.TempPathFactory) -> dict[int, str]:
    """For each row of `PREFECT_SETTINGS`, by its number: whether a server is configured there."""
    base = tmp_path_factory.mktemp("settings")
    asked = []
    for number, (variable, files, _) in enumerate(PREFECT_SETTINGS):
        folder = base / str(number)
        folder.mkdir()
        for name, content in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(content)
        environment = {
            "PREFECT_HOME": str(folder / "home"),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",  # as raiden run sets it; else the import calls home
            "PATH": "/bin",
        }
        if variable is not None:
            environment["PREFECT_API_URL"] = variable
        asked.append((str(folder), environment))
    environment = {"PATH": "/bin", "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", ASK_EACH, json.dumps(asked)]
    done = subprocess.run(command, cwd=base, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return {int(number): answer for number, answer in map(str.split, done.stdout.splitlines())}


@pytest.mark.parametrize("number", range(len(PREFECT_SETTINGS)), ids=lambda number: str(PREFECT_SETTINGS[number][:2]))
def test_a_server_is_known_wherever_prefect_would_read_of_it(number: int, server_answers: dict[int, str]) -> None:
    assert server_answers[number] == str(PREFECT_SETTINGS[number][2])


@pytest.mark.parametrize(
    ("arguments", "looked"), [([], True), (["--stage", "train"], False), (["--refresh", "split"], False)]
)
@pytest.mark.parametrize("server", [False, True])
def test_the_command_takes_the_short_way_only_where_nothing_is_to_be_done_anew_and_nobody_watches(
    arguments: list[str], looked: bool, server: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record: dict[str, Any] = {"run": str(tmp_path / "run"), "stages": {}, "results": None, "report": None}
    found: list[Any] = []
    flown: list[Any] = []
    monkeypatch.setattr(finished, "server_configured", lambda: server)

    def find(*given: Any) -> dict[str, Any]:
        found.append(given)
        return record

    def fly(*given: Any) -> dict[str, Any]:
        flown.append(given)
        return record

    monkeypatch.setattr(finished, "finished_run", find)
    monkeypatch.setattr(run_command, "_run", fly)
    file = tmp_path / "config.yaml"
    file.write_text(SETTINGS)
    done = CliRunner().invoke(run_command.run, [str(file), "--json", *arguments], catch_exceptions=False)
    assert bool(found) is (looked and not server) and bool(flown) is not bool(found)
    assert json.loads(done.stdout.splitlines()[-1]) == record
