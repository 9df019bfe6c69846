"""What several commands share."""

import io
import json
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

import pytest
from rich.console import Console

from raiden_core.cli.options import busy, json_line, progress_bar, samples_of


class Screen(io.StringIO):
    """A standard output that may be a terminal."""

    def __init__(self, encoding: str, terminal: bool) -> None:
        super().__init__()
        self.named, self.terminal = encoding, terminal

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.named

    def isatty(self) -> bool:
        return self.terminal


@pytest.mark.parametrize(
    ("encoding", "terminal", "ascii_only", "readable"),
    [
        ("utf-8", True, False, True),
        ("UTF-8", True, False, True),
        ("utf-8", False, False, True),
        ("utf-8", False, True, False),
        ("utf-8", True, True, False),
        ("ascii", True, False, False),
        ("latin-1", False, False, False),
    ],
)
def test_json_is_readable_in_terminals_and_pipes_and_moves_nothing_there(
    encoding: str, terminal: bool, ascii_only: bool, readable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", Screen(encoding, terminal))
    value = {"why": "missing: 长沙 🐈 \x1b[2J\x9b\u202e\ud800", "n": [1.0, None]}
    line = json_line(value, ascii_only)
    assert json.loads(line) == value
    assert ("长沙 🐈" in line) is readable and line.isascii() is not readable
    assert line.isprintable()


@pytest.mark.parametrize(
    ("samples", "characters", "words"),
    [(8, 1, "8 samples of 1 character"), (1, 1, "1 sample of 1 character"), (1200, 0, "1,200 samples of 0 characters")],
)
def test_one_is_not_many(samples: int, characters: int, words: str) -> None:
    assert samples_of(samples, characters) == words


@pytest.mark.parametrize("bar", [busy, progress_bar])
def test_bars_are_drawn_on_standard_error_so_that_output_can_be_piped(
    bar: Callable[[str], AbstractContextManager[object]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("rich.console.Console", partial(Console, force_terminal=True))
    with bar("loading"):
        pass
    said = capsys.readouterr()
    assert "loading" in said.err and said.out == ""
