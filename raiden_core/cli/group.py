"""The commands of ``raiden`` that need no Prefect: each is a file of raiden_core/cli.

Nothing heavy is imported here, so that ``raiden --help`` answers at once. Options may be written with hyphens or
underscores. A `RaidenError` becomes one line and its exit code; with ``--debug`` its traceback is shown.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from raiden_core.cli.options import tell
from raiden_core.errors import RaidenError, UsageError

COMMANDS = {
    "profiles": ("raiden_core.cli.profiles:profiles", "Show the characters that files hold."),
    "generate": ("raiden_core.cli.generate:generate", "Write questions and answers about characters."),
    "split": ("raiden_core.cli.split:split", "Split samples by character into train and validation."),
    "audit": ("raiden_core.cli.audit:audit", "Say how much of a data set can be won without playing the character."),
    "cold-start": ("raiden_core.cli.train:cold_start", "Fine-tune a student on reasoning and answers."),
    "train": ("raiden_core.cli.train:train", "Train a model with GRPO on the verifiable reward."),
    "evaluate": ("raiden_core.cli.evaluate:evaluate", "Compare models on a validation file."),
    "runs": ("raiden_core.cli.runs:runs", "List finished runs with their headline."),
    "open": ("raiden_core.cli.runs:open_run", "Open a run's report in the browser."),
    "clean": ("raiden_core.cli.runs:clean", "List the folders that no finished run needs, and delete them."),
    "compare": ("raiden_core.cli.compare:compare", "Show evaluated runs side by side."),
    "chat": ("raiden_core.cli.chat:chat", "Talk to a character in the terminal."),
    "serve": ("raiden_core.cli.serve:serve", "Serve characters to programs that speak OpenAI's API."),
    "export": ("raiden_core.cli.export:export", "Write a dataset for a trainer, or a model for the Hub."),
    "score": ("raiden_core.cli.score:score", "Score completions with the reward."),
    "plan": ("raiden_core.cli.plan:plan", "Say what training needs: memory by part, fit, steps, time."),
    "doctor": ("raiden_core.cli.doctor:doctor", "Check that everything a run needs is there."),
}
"""Name -> where the command is, and its line in the help."""


class Commands(click.Group):
    """A group whose commands are imported when they are called."""

    def __init__(self, commands: dict[str, tuple[str, str]], **settings: Any) -> None:
        super().__init__(**settings)
        self.places = commands

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order in which they are used."""
        return list(self.places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in self.places:
            return None
        module, _, name = self.places[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest the nearest name for one that does not exist."""
        if args and args[0].replace("_", "-") not in self.places and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], self.places, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "see raiden --help"
            raise UsageError(f"no such command {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List commands with their lines, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self.places.items()])


def build(commands: dict[str, tuple[str, str]], help_text: str) -> Commands:
    """The root command over some commands."""
    from raiden_core import __version__

    root = Commands(
        commands,
        name="raiden",
        help=help_text,
        no_args_is_help=True,
        context_settings={
            "token_normalize_func": lambda token: token.replace("_", "-"),
            "help_option_names": ["-h", "--help"],
        },
        epilog="--debug, anywhere on the line, shows the traceback of an error.",
    )
    return click.version_option(__version__, prog_name="raiden")(root)


def run(root: click.Command, argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; every expected error is one line on standard error."""
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = [argument for argument in given if argument != "--debug"]
    debug = len(arguments) < len(given)
    try:
        code = root.main(arguments, prog_name="raiden", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 2
    except click.ClickException as error:
        tell(f"error: {_usage_words(error)}")
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        tell("stopped; run the same command again to continue from the last finished stage")
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone; there is nobody left to tell
        return 1
    except RaidenError as error:
        if debug:
            raise
        tell(f"error: {error}")
        return error.exit_code
    except OSError as error:
        if debug:
            raise
        place = f"{error.filename}: " if error.filename else ""
        tell(f"error: {place}{error.strerror or error}")
        return 1


def _usage_words(error: click.ClickException) -> str:
    """click's message in one line, with the command's help where it names what is wrong and not what would be right."""
    words = " ".join(error.format_message().split())
    unknown = isinstance(error, click.NoSuchOption) and not error.possibilities
    if isinstance(error, click.UsageError) and error.ctx and (unknown or isinstance(error, click.MissingParameter)):
        return f"{words.removesuffix('.')}; see {error.ctx.command_path} --help"
    return words
