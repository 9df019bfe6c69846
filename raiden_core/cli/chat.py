"""``raiden chat``: talk to a character, in the terminal or on a page of this machine."""

from __future__ import annotations

import io
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from raiden_core.cli.options import busy, config_options, read_config

if TYPE_CHECKING:
    from raiden_core.chat.terminal import Terminal
    from raiden_core.config import Config
    from raiden_core.models.answering import Talker


@click.command("chat")
@click.option(
    "--model", required=True, metavar="DIR_OR_URL", help="A folder, a .gguf file, or http://HOST:PORT/v1#NAME."
)
@click.option("--base", metavar="DIR_OR_URL", help="A second model that replies to the same, before MODEL.")
@click.option(
    "--character", required=True, metavar="FILE_OR_NAME", help="A file of characters, or a shipped one's name."
)
@click.option("--name", help="Which character, where the file holds several.")
@click.option("--reasoning", is_flag=True, help="Show what the model thinks before it replies.")
@click.option("--temperature", type=click.FloatRange(min=0), default=0.7, show_default=True, help="0 is greedy.")
@click.option("--max-tokens", type=click.IntRange(min=8), help="Longest reply (default: evaluation.max_new_tokens).")
@click.option("--web", is_flag=True, help="Serve a page on this machine instead of the terminal.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port of the page; 0 takes a free one.")
@config_options
def chat(
    model: str,
    base: str | None,
    character: str,
    name: str | None,
    reasoning: bool,
    temperature: float,
    max_tokens: int | None,
    web: bool,
    port: int,
    config: Path | None,
    overrides: tuple[str, ...],
) -> None:
    """Talk to CHARACTER as MODEL plays it.

    Each line that you type goes to the character; /help lists the commands. Ctrl-C or Ctrl-D ends.
    """
    from raiden_core.chat.characters import find_character
    from raiden_core.chat.conversation import Conversation
    from raiden_core.text.plain import one_line

    settings = read_config(config, overrides)
    who = find_character(character, name)
    tokens = max_tokens or settings.evaluation.max_new_tokens
    places = {**({"base": base} if base else {}), "trained": model}
    with busy("loading the model" if base is None else "loading both models"):
        talkers = {label: _talker(place, settings, tokens, temperature) for label, place in places.items()}
    prefilled = settings.prefilled_think or any(talker.prefilled_think for talker in talkers.values())
    conversation = Conversation(who, settings.system_prompt, prefilled, layout=settings.prompt.layout)
    if web:
        from raiden_core.chat.web import serve

        serve(conversation, talkers, port, lambda address: click.echo(f"{address}  (Ctrl-C ends)"))
        return
    from raiden_core.chat.terminal import converse

    terminal = _terminal()
    if terminal.interactive:
        terminal.say(f"You talk to {one_line(conversation.name)}. /help lists commands, Ctrl-D ends.")
    converse(conversation, talkers, terminal, reasoning)


def _talker(place: str, settings: Config, tokens: int, temperature: float) -> Talker:
    from raiden_core.models.places import model_folder
    from raiden_core.models.served_model import endpoint_at, is_url
    from raiden_core.models.talking import LocalTalker, ServedTalker

    if not is_url(place):
        return LocalTalker(model_folder(place), tokens, temperature)
    endpoint = endpoint_at(place, settings.evaluation.served)
    talker = ServedTalker(endpoint, tokens, temperature, settings.prefilled_think)
    talker.check()
    return talker


def _terminal() -> Terminal:
    """Standard input and output; with a person at both ends there is a prompt, line editing and colour."""
    import os

    from raiden_core.chat.terminal import Terminal

    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    interactive = sys.stdin.isatty() and sys.stdout.isatty()
    if interactive:
        import_module("readline")  # input() edits lines once it is loaded

    def read() -> str | None:
        if not interactive:
            line = sys.stdin.readline()
            return line.removesuffix("\n") if line else None
        try:
            return input("> ")
        except EOFError:
            return None

    def write(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    return Terminal(read, write, interactive, interactive and "NO_COLOR" not in os.environ)
