"""The command line: names, exit codes, one-line errors, and a start that imports nothing heavy."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from raiden_core.cli import group as cli
from raiden_core.errors import ConfigError, DataError, RaidenError


@pytest.fixture
def root() -> click.Command:
    return cli.build(cli.COMMANDS, "raiden")


def test_every_command_can_be_imported_and_has_help(root: click.Command, capsys: pytest.CaptureFixture[str]) -> None:
    for name in cli.COMMANDS:
        assert cli.run(root, [name, "--help"]) == 0, name
        assert capsys.readouterr().out.startswith(f"Usage: raiden {name}")


def test_help_lists_the_commands_with_their_lines(root: click.Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(root, ["--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert all(f"{name} {line}" in shown for name, (_, line) in cli.COMMANDS.items())


def test_without_arguments_it_shows_help_and_says_wrong_usage(
    root: click.Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(root, []) == 2
    assert "Usage: raiden" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["genrate"], ["no such command 'genrate'", "'generate'"]),
        (["cold_strat"], ["'cold-start'"]),
        (["qqqq"], ["no such command 'qqqq'", "raiden --help"]),
        (["--bogus"], ["--bogus"]),
        (["split", "x.json", "--ouut", "d"], ["--ouut", "--out"]),
        (["split", "x.json"], ["--out"]),
        (["split"], ["SAMPLES", "see raiden split --help"]),
        (["generate", "--train_ratio", "0.9"], ["--train-ratio", "see raiden generate --help"]),
        (["generate", "--seed", "x"], ["--seed", "x"]),
        (["split", "x.json", "--out", "d", "--set", "splt.x=1"], ["--set: splt: unknown key", "'split'"]),
        (["split", "x.json", "--out", "d", "--config", "none.yaml"], ["none.yaml: no such file"]),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    root: click.Command,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    argv: list[str],
    words: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(root, argv) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ") and captured.err.count("\n") == 1
    assert all(word in captured.err for word in words), captured.err


def test_commands_and_options_take_hyphens_and_underscores(
    root: click.Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(root, ["cold_start", "--help"]) == 0
    assert cli.run(root, ["generate", "--num_samples_per_profile", "0"]) == 2
    assert "0 is not in the range" in capsys.readouterr().err


def failing(error: BaseException) -> click.Command:
    @click.group()
    def group() -> None:
        pass

    @group.command()
    def go() -> None:
        raise error

    return group


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (DataError("a.json: row 3:\n  bad"), 1, "error: a.json: row 3: bad\n"),
        (ConfigError("x: unknown"), 2, "error: x: unknown\n"),
        (FileNotFoundError(2, "No such file or directory", "a.json"), 1, "error: a.json: No such file or directory\n"),
        (OSError("odd"), 1, "error: odd\n"),
        (click.UsageError("wrong"), 2, "error: wrong\n"),
    ],
)
def test_errors_become_one_line_and_an_exit_code(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, line: str
) -> None:
    assert cli.run(failing(error), ["go"]) == code
    assert capsys.readouterr().err == line


def test_an_interrupt_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(failing(KeyboardInterrupt()), ["go"]) == 130
    assert "run the same command again" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [["--debug", "go"], ["go", "--debug"]])
def test_debug_shows_the_traceback(argv: list[str]) -> None:
    with pytest.raises(RaidenError, match="bad"):
        cli.run(failing(DataError("bad")), argv)
    with pytest.raises(OSError, match="odd"):
        cli.run(failing(OSError("odd")), argv)


def test_an_exit_code_of_a_command_passes_through() -> None:
    @click.group()
    def group() -> None:
        pass

    @group.command()
    def go() -> None:
        click.get_current_context().exit(1)

    assert cli.run(group, ["go"]) == 1


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom flows.cli import COMMANDS, HELP\nfrom raiden_core.cli import group as cli\n"
        "code = cli.run(cli.build(COMMANDS, HELP), ['--help'])\n"
        "heavy = {'torch', 'prefect', 'pandas', 'transformers', 'trl', 'datasets', 'pyarrow', 'scipy', 'rich', 'yaml'}\n"
        "sys.stderr.write(' '.join(sorted(heavy & set(sys.modules))))\nsys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "run" in done.stdout
