"""What stands on the terminal while a run works and when it has ended."""

from __future__ import annotations

import io
import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from flows.display import TerminalDisplay
from flows.ending import next_commands, reasons, show_ending
from raiden_core.chat.characters import find_character
from raiden_core.config.loading import parse_config
from raiden_core.evaluation.results import Cells, Comparison
from raiden_core.stages.progress import LINE_SECONDS
from tests.tasks.test_artifacts import RECORD, RESULTS, part


def results_with(lenient: float | None) -> Any:
    cell = part(None if lenient is None else lenient).model_copy(update={"lenient": lenient})
    extra = Comparison(base=Cells(all=cell, SBK=cell, CM=cell), trained=Cells(all=cell, SBK=cell, CM=cell), paired=None)
    return RESULTS.model_copy(update={"extra": {"hand-written": extra}})


@pytest.mark.parametrize(
    ("student", "lenient", "words"),
    [
        ("nano", 0.0, "hand-written: 0.0% right, as is to be expected: the nano student"),
        ("some/model", 0.0, "hand-written: 0.0% right: training saw no characters of this kind"),
        ("some/model", 0.4, "hand-written: 40.0% right; training saw neither these characters"),
        ("nano", None, None),
    ],
)
def test_a_row_of_characters_that_are_only_evaluated_has_its_reason(
    student: str, lenient: float | None, words: str | None
) -> None:
    lines = reasons(parse_config(f"student: {{model: {student}}}"), results_with(lenient))
    assert [line[: len(words)] for line in lines] == [words] if words else lines == []


RUN: dict[str, Any] = {**RECORD, "run": "/data/my runs/1"}


def test_the_next_commands_are_ones_that_work(tmp_path: Path) -> None:
    file = tmp_path / "my people.jsonl"
    file.write_text("".join(json.dumps({"Name": name, "Job": "smith"}) + "\n" for name in ("Ann O'Neil", "Bob")))
    opened, talk, own = (command for _, command in next_commands(parse_config("{}"), Path("c.yaml"), RUN))
    assert shlex.split(opened) == ["raiden", "open", "/data/my runs/1"]
    assert shlex.split(talk)[:5] == ["raiden", "chat", "--model", "/t/model", "--character"]
    assert find_character(shlex.split(talk)[5]).language == "zh"
    assert shlex.split(own) == ["raiden", "run", "c.yaml", "--set", 'characters.paths=["my.jsonl"]']
    mine = parse_config("{}", [f"characters.paths={json.dumps([str(file)])}"])
    _, talk, taken = (command for _, command in next_commands(mine, Path("c.yaml"), RUN))
    who = shlex.split(talk)[5:]
    assert find_character(who[0], who[2]).name == "Ann O'Neil"
    assert shlex.split(taken) == ["raiden", "export", "DIR", "--to", "hub", "--run", "/data/my runs/1"]


def test_the_ending_says_what_a_cheater_could_reach_and_fits_80_columns() -> None:
    console = Console(width=80, record=True, file=io.StringIO())
    show_ending(console, parse_config("{}"), Path("c.yaml"), {**RUN, "results": results_with(0.0).as_json()}, 3.2)
    text = console.export_text()
    for words in ("cached", "What a cheater could reach", "the bare keywords", "there is nobody else", "nano student"):
        assert words in text, words
    assert "…" not in text
    assert text.index("report: /runs/report.html") < text.index("raiden open") < text.index("raiden chat")
    without = Console(width=80, record=True, file=io.StringIO())
    show_ending(without, parse_config("{}"), Path("c.yaml"), {**RUN, "results": None, "report": None}, 3.2)
    assert "next:" not in without.export_text()


def test_without_a_terminal_there_is_a_line_for_what_is_waited_for_and_one_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [0.0]
    monkeypatch.setattr("raiden_core.stages.progress.time.monotonic", lambda: clock[0])
    console = Console(file=io.StringIO(), width=80, record=True)
    with TerminalDisplay(console) as shown:
        shown.waits("starting a temporary Prefect server …")
        move = shown.stage("train")
        for second in range(0, 300, 2):
            clock[0] = second
            move(second, 300, "reward 0.5")
    lines = console.export_text().splitlines()
    assert lines[:2] == ["starting a temporary Prefect server …", "train …"]
    assert len(lines) == 2 + 4, "at 60, 120, 180 and 240 s"
    assert lines[2].startswith("train 60 of 300, about 240 s left")


def test_on_a_terminal_what_is_waited_for_moves_until_the_next_thing_is_shown() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with TerminalDisplay(console) as shown:
        shown.waits("loading Prefect …")
        shown.waits("starting a temporary Prefect server …")
        assert [task.fields["note"] for task in shown.bars.tasks] == ["starting a temporary Prefect server …"]
        shown.stage("generate")(1, 4)
        assert [task.description for task in shown.bars.tasks] == ["generate"]
        shown.waits("publishing …")
    assert len(shown.bars.tasks) == 1, "nothing is waited for when the run is over"
    assert LINE_SECONDS == 60
