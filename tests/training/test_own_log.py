"""training.log of a script that was started by hand."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from raiden_core.errors import ConfigError, DataError
from raiden_core.stages.layout import LOG_FILE
from raiden_core.training.hooks.own_log import own_log
from raiden_core.training.launch.script import ERROR_VARIABLE


@pytest.fixture(autouse=True)
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (ERROR_VARIABLE, "RANK"):
        monkeypatch.delenv(name, raising=False)


def said(out: Path, error: BaseException | None = None) -> str:
    """What the log holds after a script that printed a line, and perhaps failed."""
    try:
        with own_log(out):
            sys.stdout.write("grpo 1/2\n")
            assert error is not None or "grpo 1/2\n" in (out / LOG_FILE).read_text("utf-8"), "it can be followed"
            if error is not None:
                raise error
    except (DataError, ZeroDivisionError, KeyboardInterrupt) as caught:
        assert caught is error
    return (out / LOG_FILE).read_text("utf-8")


def test_what_is_printed_is_in_both_places_and_later_runs_follow(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(tmp_path / "out") == "grpo 1/2\n"
    assert said(tmp_path / "out") == "grpo 1/2\n" * 2
    assert capsys.readouterr().out == "grpo 1/2\n" * 2


@pytest.mark.parametrize(
    ("error", "last"),
    [
        (DataError("a.json: row 3: no"), "error: a.json: row 3: no"),
        (ZeroDivisionError("0"), "ZeroDivisionError: 0"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
    ],
)
def test_how_it_ended_is_there_for_every_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, last: str
) -> None:
    lines = said(tmp_path / "first", error).splitlines()
    assert (lines[0], lines[-1]) == ("grpo 1/2", last)
    monkeypatch.setenv("RANK", "1")
    lines = said(tmp_path / "second", error).splitlines()
    assert "grpo 1/2" not in lines and lines[-1] == last


def test_a_stage_collects_for_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ERROR_VARIABLE, str(tmp_path / "error.json"))
    with own_log(tmp_path / "out"):
        sys.stdout.write("grpo 1/2\n")
    assert not (tmp_path / "out").exists()


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with (
        pytest.raises(ConfigError, match=r"output_dir: .*file/out: Not a directory"),
        own_log(tmp_path / "file" / "out"),
    ):
        pass
