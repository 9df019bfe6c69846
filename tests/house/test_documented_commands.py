"""Every command in the documents is one that exists: its name, its options and their values, and the keys of ``--set``.

Nothing is run here. tests/integration/test_documentation.py runs the tutorial's commands, test_openr1.py those of the guide.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import click

from flows.cli import COMMANDS
from raiden_core.cli.group import build
from raiden_core.config.loading import parse_config
from raiden_core.errors import ConfigError, RaidenError
from tests.support.tables import table

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "AGENTS.md")),
    *sorted(path for path in (ROOT / "docs").glob("*.md") if path.name != "cli.md"),
]
FENCED = re.compile(r"^(`{3,})(\w*)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^    (.*\S.*)$", re.MULTILINE)
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
SHELL = ("bash", "console", "sh", "text")
COMMENT = re.compile(r"(?:^|\s)#\s.*$")
OPTIONAL = re.compile(r"\[(--[^\]]*)\]")
"""An option in brackets may be left out; it is looked at all the same."""
SEPARATORS = ("&&", "|", ";", ">")
OUR_MODULE = re.compile(r"^(?:flows|tasks|raiden_core|benchmarks|tests)(?:\.\w+)+$")
FOR_TRAINING_SCRIPT = "openr1_config.yaml"
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
SETTINGS = re.compile(r"--set ([a-z_]+(?:\.[\w-]+)*=(?:'[^']*'|\S+))")

RAIDEN = build(COMMANDS, "")


def block_lines(text: str) -> list[str]:
    """The command lines of a document's blocks, continued lines joined, prompts and comments taken off."""
    blocks = [body for _, language, body in FENCED.findall(text) if language in SHELL]
    blocks.append("\n".join(INDENTED.findall(FENCED.sub("", text))))
    lines = [COMMENT.sub("", line) for line in "\n".join(blocks).splitlines()]
    return [line.strip().removeprefix("$ ") for line in "\n".join(lines).replace("\\\n", " ").splitlines()]


def inline_lines(text: str) -> list[str]:
    """What a document puts between backticks in its sentences."""
    return INLINE.findall(FENCED.sub("", text))


def calls(line: str) -> Iterator[list[str]]:
    """The programs that a line calls, each with its arguments; nothing where the line is no shell."""
    try:
        words = shlex.split(OPTIONAL.sub(r"\1", line))
    except ValueError:
        return
    call: list[str] = []
    for word in [*words, "&&"]:
        if word in SEPARATORS:
            if call:
                yield call
            call = []
        elif call or not re.match(r"^[A-Z_]+=", word):  # variables for a program stand before it
            call.append(word)


def arguments_of(call: list[str], program: str) -> list[str] | None:
    """The arguments, if the call is of that program, by name or by its path in the environment."""
    return call[1:] if call[0].rpartition("/")[2] == program else None


def problem(arguments: list[str], whole: bool) -> str | None:
    """What is wrong with the arguments of ``raiden``; where they are not ``whole``, only what is there is looked at."""
    given = [argument for argument in arguments if argument not in ("--debug", "…")]
    if not given or not re.match(r"^[a-z-]+$", given[0]):
        return None
    try:
        root = click.Context(RAIDEN, info_name="raiden", **RAIDEN.context_settings)
        name, command, rest = RAIDEN.resolve_command(root, given)
        assert command is not None
        if whole:
            command.make_context(name, rest, parent=root)
            return None
    except click.exceptions.Exit:
        return None  # --help
    except click.ClickException as error:
        said = error.format_message()
        return None if said.endswith("does not exist.") else said  # a reader's own file
    except RaidenError as error:
        return str(error)
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    used = {argument.partition("=")[0].replace("_", "-") for argument in rest if argument.startswith("--")}
    unknown = used - known - {"--help"}
    return f"no option {', '.join(sorted(unknown))}" if unknown else None


@table("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_raidens_commands_and_options_exist(document: Path) -> None:
    text = document.read_text("utf-8")
    wrong = []
    for lines, whole in ((block_lines(text), True), (inline_lines(text), False)):
        for line in lines:
            for call in calls(line):
                arguments = arguments_of(call, "raiden")
                if arguments is not None and (said := problem(arguments, whole)):
                    wrong.append(f"{line}: {said}")
    assert wrong == []


@table("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_settings_on_command_lines_are_settings(document: Path) -> None:
    wrong = []
    for line in [*block_lines(text := document.read_text("utf-8")), *inline_lines(text)]:
        if FOR_TRAINING_SCRIPT in line or "=value" in line:
            continue
        for setting in SETTINGS.findall(line):
            try:
                parse_config("", [setting.replace("'", "")])
            except ConfigError as error:
                wrong.append(f"{setting}: {error}")
    assert wrong == []


@table("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_targets_modules_and_their_options_exist(document: Path) -> None:
    wrong = []
    for line in [*block_lines(text := document.read_text("utf-8")), *inline_lines(text)]:
        for call in calls(line):
            if call[0] == "make":
                wrong += [f"{line}: no target {word}" for word in call[1:] if word.islower() and word not in TARGETS]
            for before, module in pairwise(call):
                if before == "-m" and OUR_MODULE.match(module):
                    wrong += unknown_to_module(module, call[call.index(module) + 1 :])
    assert wrong == []


def unknown_to_module(module: str, arguments: list[str]) -> list[str]:
    """What a module that is run does not know: itself, or an option that its source does not name."""
    place = ROOT.joinpath(*module.split("."))
    file = next((path for path in (place.with_suffix(".py"), place / "__main__.py") if path.is_file()), None)
    if file is None:
        return [f"no module {module}"]
    if module.startswith("raiden_core.training."):
        return []  # its options are fields of TRL's classes; tests/integration/test_openr1.py runs those that are documented
    source = file.read_text("utf-8")
    options = (argument.partition("=")[0] for argument in arguments if argument.startswith("--"))
    return [f"{module}: no option {option}" for option in options if f'"{option}"' not in source]


def test_there_are_commands_to_look_at() -> None:
    text = "\n".join(path.read_text("utf-8") for path in DOCUMENTS)
    found = {call[1] for line in block_lines(text) for call in calls(line) if call[0] == "raiden" and len(call) > 1}
    assert found >= set(COMMANDS) - {"audit"}, set(COMMANDS) - found


@table(
    ("line", "said"),
    [
        ("raiden evaluate --model m --data d --out o --jugde x", "No such option"),
        ("raiden evaluate --model m --data d", "Missing option"),
        ("raiden export DIR --to gguff", "not one of"),
        ("PYTHONPATH=. .venv/bin/raiden plam c.yaml", "no such command"),
        ("echo x > y && raiden split s.jsonl --out parts", None),
    ],
)
def test_a_wrong_command_is_seen(line: str, said: str | None) -> None:
    (arguments,) = [found for call in calls(line) if (found := arguments_of(call, "raiden")) is not None]
    told = problem(arguments, whole=True)
    assert told is None if said is None else said.lower() in str(told).lower()
