"""Starting a script: its command line, its errors, its progress, its end."""

import json
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from raiden_core.config.sections.training import LaunchConfig
from raiden_core.errors import ConfigError, DataError, RaidenError, StageError, UsageError
from raiden_core.processes import children
from raiden_core.stages.progress import silent
from raiden_core.training.launch import accelerate as launch
from raiden_core.training.launch.accelerate import accelerate_command, run_script
from raiden_core.training.launch.script import ERROR_VARIABLE, as_script, reported_error


def pairs(command: list[str]) -> dict[str, str]:
    return {key: value for key, value in pairwise(command) if key.startswith("--")}


def test_without_a_file_accelerate_starts_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    command = accelerate_command(LaunchConfig())
    assert command[:3] == [sys.executable, "-m", "accelerate.commands.launch"]
    said = pairs(command)
    assert (said["--num_processes"], said["--num_machines"]) == ("1", "1")
    assert said["--num_cpu_threads_per_process"] == "8"
    assert "--multi_gpu" not in command and "--config_file" not in command


def test_several_processes_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    command = accelerate_command(LaunchConfig(num_processes=4))
    assert "--multi_gpu" in command
    assert (pairs(command)["--num_processes"], pairs(command)["--num_cpu_threads_per_process"]) == ("4", "2")


def test_a_file_decides_and_a_number_of_processes_goes_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    command = accelerate_command(LaunchConfig(accelerate=Path("ddp8.yaml")))
    assert pairs(command) == {"--num_cpu_threads_per_process": "3", "--config_file": "ddp8.yaml"}
    command = accelerate_command(LaunchConfig(accelerate=Path("ddp8.yaml"), num_processes=2))
    assert pairs(command)["--num_processes"] == "2" and "--multi_gpu" not in command


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConfigError("a: bad"), ConfigError),
        (DataError("b.json: no sample"), DataError),
        (StageError("stopped"), StageError),
        (UsageError("other"), StageError),
    ],
)
def test_an_error_is_reported_to_whoever_started_the_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: RaidenError, kind: type
) -> None:
    path = tmp_path / "error.json"
    monkeypatch.setenv(ERROR_VARIABLE, str(path))

    def main(_argv: Sequence[str]) -> None:
        raise error

    with pytest.raises(SystemExit) as ended, as_script():
        main([])
    assert ended.value.code == error.exit_code
    assert capsys.readouterr().err == f"error: {error}\n"
    report = reported_error(path)
    assert type(report) is kind and str(report) == str(error)


def test_success_reports_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "error.json"
    monkeypatch.setenv(ERROR_VARIABLE, str(path))
    with as_script():
        pass
    assert not path.exists() and reported_error(path) is None


def test_a_defect_is_not_dressed_up_as_an_error_of_the_user() -> None:
    def main(_argv: Sequence[str]) -> None:
        raise KeyError("x")

    with pytest.raises(KeyError), as_script():
        main([])


SCRIPTS = {
    "good_script": "print('hello')\nopen(out + '/metrics.jsonl', 'w').write("
    '\'{"phase": "p", "total_steps": 9}\\n{"step": 4, "loss": 0.5, "reward": "odd"}\\n\')',
    "silent_script": "print('first')\nprint('the last words')\nsys.exit(3)",
    "blaming_script": "import sys\nfrom raiden_core.errors import ConfigError\n"
    "from raiden_core.training.launch.script import as_script\n"
    "def main(argv):\n    raise ConfigError(f'{argv[0]}: bf16: no GPU')\nwith as_script():\n    main(sys.argv[1:])\n",
    "telling_script": "from raiden_core.errors import DataError\nfrom raiden_core.training.launch.script import as_script\n"
    "def main(argv): raise DataError('x.json: no usable sample')\nwith as_script():\n    main([])\n",
}


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for results; scripts can be found, and start without accelerate, which costs seconds."""
    start = "import os, sys, yaml\nout = yaml.safe_load(open(sys.argv[1], encoding='utf-8'))['output_dir']\n"
    for name, code in SCRIPTS.items():
        (tmp_path / f"{name}.py").write_text(start + code)
    root = Path(launch.__file__).parents[3]
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{root}")
    monkeypatch.setattr(launch, "accelerate_command", lambda _launch: [sys.executable])
    monkeypatch.setattr(launch, "POLL_SECONDS", 0.05)
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def test_a_script_runs_under_the_supervisor(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Sequence[str]] = []
    original = children.start

    def start(command: Sequence[str], log: Path, environment: dict[str, str]) -> object:
        started.append(command)
        return original(command, log, environment)

    monkeypatch.setattr(launch, "start", start)
    run_script("good_script", {}, LaunchConfig(), out, silent)
    assert [command[1:4] for command in started] == [["-m", "raiden_core.processes.supervisor", "--"]]


def test_a_script_gets_the_job_and_its_progress_is_told(out: Path) -> None:
    told: list[tuple[int, int, str]] = []
    (out / "error.json").write_text(json.dumps({"kind": "DataError", "message": "of an earlier try"}))
    job = {"system_prompt": "你是{name}", "beta": 0.5}
    run_script("good_script", job, LaunchConfig(), out, lambda done, total, note="": told.append((done, total, note)))
    written = yaml.safe_load((out / "job.yaml").read_text("utf-8"))
    assert written == job | {"output_dir": str(out)}
    assert (out / "training.log").read_text() == "hello\n"
    assert told[-1] == (4, 9, "loss 0.50")
    assert not (out / "error.json").exists()


def test_a_script_that_fails_without_a_word_is_quoted(out: Path) -> None:
    with pytest.raises(StageError) as caught:
        run_script("silent_script", {}, LaunchConfig(), out, silent)
    message = str(caught.value)
    assert "silent_script ended with exit code 3" in message and "first | the last words" in message
    assert str(out / "training.log") in message and "\n" not in message


def test_what_a_script_reports_is_raised_as_it_is(out: Path) -> None:
    with pytest.raises(DataError, match=r"^x\.json: no usable sample$"):
        run_script("telling_script", {}, LaunchConfig(), out, silent)


def test_an_error_in_the_job_names_the_section_it_came_from(out: Path) -> None:
    with pytest.raises(ConfigError, match=r"^blaming_script: bf16: no GPU$"):
        run_script("blaming_script", {}, LaunchConfig(), out, silent)


def test_the_figures_of_a_dead_run_are_nobodys_progress(tmp_path: Path) -> None:
    file = tmp_path / "metrics.jsonl"
    head, dead, kept, own = (
        {"phase": "train", "total_steps": 9},
        {"step": 7, "reward": 0.9},
        {"step": 5, "reward": 0.7},
        {"step": 6, "reward": 0.8},
    )
    told: list[int] = []
    warned: list[str] = []

    def write(*rows: Mapping[str, object]) -> None:
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))

    write(head, kept, dead, {"step": 7, "warning": "said then"})
    watcher = launch._Watcher(file, lambda done, total, note="": told.append(done), warned.append)
    watcher.look()
    assert told == [], "it died at step 7, and nobody works at that yet"
    write(head, kept)
    watcher.look()
    write(head, kept, own, {"step": 6, "warning": "new"})
    watcher.look()
    assert told == [5, 6], "it goes on from step 5"
    assert warned == ["step 6: new"]
