"""The reference of the commands as Markdown, from the commands themselves.

    python -m flows.cli_docs > docs/cli.md

A test compares docs/cli.md with this output, so the page cannot fall behind the code.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator

import click

from flows.cli import COMMANDS
from raiden_core.cli.group import Commands

INTRODUCTION = """\
# Commands

`raiden COMMAND --help` shows the same in the terminal. Options may be written with hyphens or underscores. An error is one
line; the exit code is 2 for wrong usage or configuration and 1 for failed work. `--debug`, anywhere on the line, shows the
traceback.
"""


def cli_markdown() -> str:
    """The page."""
    root = Commands(COMMANDS, name="raiden")
    context = click.Context(root, info_name="raiden")
    parts = [INTRODUCTION, "| command | does |\n|---|---|"]
    parts[-1] += "".join(f"\n| [`{name}`](#raiden-{name}) | {_cell(line)} |" for name, (_, line) in COMMANDS.items())
    for name in COMMANDS:
        command = root.get_command(context, name)
        assert command is not None
        parts.append("\n".join(_command(command, click.Context(command, info_name=name, parent=context))))
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"## raiden {context.info_name}\n"
    yield f"```text\nraiden {context.info_name} {usage}\n```\n"
    yield inspect.cleandoc(command.help or "").replace("\b\n", "") + "\n"
    rows = [
        option.get_help_record(context) for option in command.get_params(context) if isinstance(option, click.Option)
    ]
    options = [row for row in rows if row is not None and "--help" not in row[0]]
    if options:
        yield "| option | meaning |\n|---|---|"
        for names, text in options:
            yield f"| `{_row(names)}` | {_cell(text)} |"


def _row(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _cell(text: str) -> str:
    return _row(text).replace("<", "&lt;")


if __name__ == "__main__":
    sys.stdout.write(cli_markdown())
