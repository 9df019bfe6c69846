"""Records of runs name their stages relative to themselves, so that a copy of an output folder is itself."""

from __future__ import annotations

import fcntl
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from raiden_core.cli.runs import clean, open_run, runs
from raiden_core.errors import DataError
from raiden_core.stages.leftovers import find_leftovers, remove
from raiden_core.stages.run import run_stage, stage_lock
from raiden_core.stages.runs import list_runs, read_run, write_run

KEYS = {"generate": "1" * 64, "evaluate": "2" * 64, "report": "3" * 64}
RESULTS = {
    "base": {"all": {"strict": 0.38}},
    "trained": {"all": {"strict": 0.57}},
    "paired": {"delta": 0.19},
}


def work(folder: Path) -> dict[str, int]:
    (folder / "report.html").write_text("<p>" + "x" * 1000)
    return {"n": 1}


def output_folder(place: Path, name: str = "one", stages: tuple[str, ...] = tuple(KEYS)) -> Path:
    """An output folder with a finished run; its folder is returned."""
    entries: dict[str, Any] = {}
    for stage in stages:
        done = run_stage(stage, KEYS[stage], output_dir=place, inputs={}, section={}, work=work)
        entries[stage] = {"folder": str(done.folder), "cached": False, "seconds": 1.5}
    page = str(Path(entries["report"]["folder"]) / "report.html") if "report" in entries else None
    run = place / "runs" / name
    write_run(run, {"run": str(run), "stages": entries, "results": RESULTS, "report": page}, "name: one\n")
    return run


def test_a_stages_folder_names_the_newest_run_that_holds_it(tmp_path: Path) -> None:
    output_folder(tmp_path / "out", "1-one", ("generate",))
    output_folder(tmp_path / "out", "2-two")
    newest = output_folder(tmp_path / "out", "3-three")
    evaluated = read_run(newest).stage("evaluate")
    assert read_run(evaluated).folder.name == "3-three"
    shutil.rmtree(newest)
    assert read_run(evaluated).folder.name == "2-two"
    shutil.rmtree(tmp_path / "out/runs/2-two")
    with pytest.raises(DataError, match="a stage's folder that no finished run names"):
        read_run(evaluated)


def test_a_record_is_read_as_it_was_written_and_holds_no_whole_path(tmp_path: Path) -> None:
    run = output_folder(tmp_path / "out")
    record = read_run(run)
    assert list(record.stages) == ["generate", "evaluate", "report"] and record.seconds == 4.5
    assert record.stage("evaluate") == tmp_path / "out" / f"evaluate-{'2' * 12}"
    assert record.report == tmp_path / "out" / f"report-{'3' * 12}" / "report.html"
    assert record.results == RESULTS
    assert str(tmp_path) not in (run / "run.json").read_text()


def test_a_folder_that_is_no_runs_is_named_with_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none/run\.json: cannot be read: .*; give the folder of a finished run"):
        read_run(tmp_path / "none")


def test_a_copy_means_its_own_folders(tmp_path: Path) -> None:
    output_folder(tmp_path / "out")
    shutil.copytree(tmp_path / "out", tmp_path / "copy")
    copied = read_run(tmp_path / "copy/runs/one")
    assert all(folder.is_relative_to(tmp_path / "copy") for folder in copied.stages.values())
    assert copied.report is not None and copied.report.is_relative_to(tmp_path / "copy")
    shutil.rmtree(copied.stages["evaluate"])
    with pytest.raises(DataError, match=r"copy/evaluate-2+: is missing"):
        read_run(tmp_path / "copy/runs/one").stage("evaluate")


def test_records_with_whole_paths_are_read_too_and_a_copy_of_them_is_itself(tmp_path: Path) -> None:
    run = output_folder(tmp_path / "out")
    record = json.loads((run / "run.json").read_text())
    for stage, entry in record["stages"].items():
        entry["folder"] = str(tmp_path / "out" / f"{stage}-{KEYS[stage][:12]}")
    record["report"] = str(tmp_path / "out" / f"report-{'3' * 12}" / "report.html")
    (run / "run.json").write_text(json.dumps(record))
    assert read_run(run).stage("report") == tmp_path / "out" / f"report-{'3' * 12}"
    shutil.copytree(tmp_path / "out", tmp_path / "copy")
    copied = read_run(tmp_path / "copy/runs/one")
    assert copied.stage("report") == tmp_path / "copy" / f"report-{'3' * 12}"
    assert copied.report == tmp_path / "copy" / f"report-{'3' * 12}" / "report.html"


@pytest.mark.parametrize("text", ["{", "[]", '{"stages": 3}'])
def test_a_broken_record_is_named_and_the_others_are_listed(tmp_path: Path, text: str) -> None:
    output_folder(tmp_path / "out")
    (tmp_path / "out/runs/zero").mkdir()
    (tmp_path / "out/runs/zero/run.json").write_text(text)
    listed = list(list_runs(tmp_path / "out"))
    assert len(listed) == 2 and isinstance(listed[1], DataError) and "zero/run.json" in str(listed[1])
    result = CliRunner().invoke(runs, [str(tmp_path / "out")], catch_exceptions=False)
    assert "one" in result.stdout and "zero/run.json" in result.stderr
    with pytest.raises(DataError, match=r"zero/run\.json"):  # nobody knows what it needs
        list(find_leftovers(tmp_path / "out"))


def test_runs_are_listed_with_their_headline(tmp_path: Path) -> None:
    output_folder(tmp_path / "out", "20260102-a")
    output_folder(tmp_path / "out", "20260101-b", ("generate",))
    table = CliRunner().invoke(runs, [str(tmp_path / "out")], catch_exceptions=False).stdout
    assert table.index("20260101-b") < table.index("20260102-a")
    assert "38.0 to 57.0" in table and "+19.0" in table
    lines = CliRunner().invoke(runs, [str(tmp_path / "out"), "--json"], catch_exceptions=False).stdout.splitlines()
    assert [json.loads(line)["run"].rpartition("/")[2] for line in lines] == ["20260101-b", "20260102-a"]
    empty = CliRunner().invoke(runs, [str(tmp_path)], catch_exceptions=False).stdout
    assert empty == f"no finished run below {tmp_path}\n"


def test_the_report_of_a_run_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    run = output_folder(tmp_path / "out")
    page = tmp_path / "out" / f"report-{'3' * 12}" / "report.html"
    result = CliRunner().invoke(open_run, [str(run)], catch_exceptions=False)
    assert result.stdout == f"{page}\n" and opened == [page.as_uri()]
    CliRunner().invoke(open_run, [str(run), "--print"], catch_exceptions=False)
    assert len(opened) == 1
    page.unlink()
    with pytest.raises(DataError, match=r"report\.html: is missing"):
        CliRunner().invoke(open_run, [str(run)], catch_exceptions=False)
    with pytest.raises(DataError, match="has no report"):
        CliRunner().invoke(open_run, [str(output_folder(tmp_path / "b", stages=("generate",)))], catch_exceptions=False)


def test_only_what_no_run_names_can_go_and_only_when_told_to(tmp_path: Path) -> None:
    out = tmp_path / "out"
    output_folder(out)
    spare = run_stage("train", "4" * 64, output_dir=out, inputs={}, section={}, work=work).folder
    partial = out / f".cold-start-{'5' * 12}.partial"
    partial.mkdir()
    (partial / "checkpoint").write_bytes(b"x" * 5_000_000)
    (out / "my-notes").mkdir()
    (out / "train-of-thought").mkdir()
    said = CliRunner().invoke(clean, [str(out)], catch_exceptions=False).stdout
    assert spare.name in said and partial.name not in said and "--delete" in said and spare.is_dir()
    said = CliRunner().invoke(clean, [str(out), "--unfinished"], catch_exceptions=False).stdout
    assert partial.name in said and "5 MB" in said and "goes on from" in said
    CliRunner().invoke(clean, [str(out), "--delete"], catch_exceptions=False)
    assert not spare.exists() and partial.is_dir()
    CliRunner().invoke(clean, [str(out), "--delete", "--unfinished"], catch_exceptions=False)
    assert not partial.exists()
    assert read_run(out / "runs/one").stage("report").is_dir()
    assert (out / "my-notes").is_dir() and (out / "train-of-thought").is_dir()
    assert CliRunner().invoke(clean, [str(out)], catch_exceptions=False).stdout == f"nothing below {out} can go\n"


def test_a_stage_that_is_at_work_is_left_alone(tmp_path: Path) -> None:
    partial = tmp_path / f".train-{'5' * 12}.partial"
    partial.mkdir()
    (leftover,) = find_leftovers(tmp_path)
    with stage_lock(tmp_path, "train", "5" * 64, lambda: None):
        assert not remove(leftover) and partial.is_dir()
        result = CliRunner().invoke(clean, [str(tmp_path), "--delete", "--unfinished"], catch_exceptions=False)
        assert "in use by another process" in result.stderr and partial.is_dir()
    assert remove(leftover) and not partial.exists()


def test_the_lock_that_is_asked_for_is_that_of_the_stage(tmp_path: Path) -> None:
    with stage_lock(tmp_path, "cold-start", "6" * 64, lambda: None):
        names = [path.name for path in (tmp_path / ".locks").iterdir()]
    assert names == [f"cold-start-{'6' * 12}.lock"]
    folder = tmp_path / f"cold-start-{'6' * 12}-2"
    folder.mkdir()
    (leftover,) = find_leftovers(tmp_path)
    with (tmp_path / ".locks" / names[0]).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert not remove(leftover)
