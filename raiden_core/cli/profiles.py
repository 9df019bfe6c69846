"""``raiden profiles FILE…``: what raiden reads out of character files, what it refuses and why.

With ``--json`` one object a character goes to standard output and everything else to standard error, so that the
output can be piped; without it the same is a table with the refusals below it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from raiden_core.cli.options import ascii_option, json_line, tell
from raiden_core.text.plain import one_line

if TYPE_CHECKING:
    from rich.console import Console

    from raiden_core.characters import Character, ReadResult, Refusal


@click.command("profiles")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per character and line.")
@click.option("--sentences", is_flag=True, help="With --json: also facts from sentences, and sentences without.")
@ascii_option
def profiles(files: tuple[str, ...], as_json: bool, sentences: bool, ascii_only: bool) -> None:
    """Show the characters that FILE… holds, and what could not be read.

    FILE is a file, a folder, a glob, "-" for standard input, or "shipped" (also "shipped:zh", …) for raiden's own.
    """
    from raiden_core.characters import read_characters

    if sentences and not as_json:
        raise click.UsageError("--sentences goes with --json")
    result = read_characters(files)
    if as_json:
        for character in result.characters:
            click.echo(json_line(_as_object(character, sentences), ascii_only))
        _echo_problems(result)
    else:
        _print_table(result)
    if not result.characters:
        click.get_current_context().exit(1)


def _as_object(character: Character, sentences: bool) -> dict[str, object]:
    """One character as the output has it; a fact's ``about`` is null where it is the character's own."""
    from raiden_core.characters.owners import about

    facts: list[tuple[str, str]] = [*character.facts.items(), *character.others.items()]
    shown: dict[str, object] = {}
    if sentences:
        from raiden_core.characters.sentences import read_sentences

        stated = read_sentences(character)
        facts += [(fact.key, fact.value) for fact in stated.facts]
        shown = {"sentences_left": list(stated.left)}
    return {
        "name": character.name,
        "language": character.language,
        "profile": character.profile,
        "facts": [{"attribute": key, "value": value, "about": about(key)} for key, value in facts],
        **shown,
        "text": character.text,
        "source": character.source,
        "row": character.row,
    }


def _echo_problems(result: ReadResult) -> None:
    for kind, problems in (("refused", result.refused), ("warning", result.warnings)):
        for problem in problems:
            tell(f"{kind}: {problem}")


def _print_table(result: ReadResult) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from raiden_core.characters import labels

    console = Console()
    if result.characters:
        table = Table(box=None, header_style="bold")
        table.add_column("name", overflow="fold")
        table.add_column("language")
        table.add_column("length", justify="right")
        table.add_column("facts", justify="right")
        table.add_column("source", overflow="fold")
        for label, character in zip(labels(result.characters), result.characters, strict=True):
            place = character.source if character.row is None else f"{character.source}: row {character.row}"
            # Text, not str: a name may look like rich's markup.
            cells = (label, character.language, f"{len(character.text):,}", str(len(character.facts)), place)
            table.add_row(*(Text(one_line(cell)) for cell in cells))
        console.print(table)
    _print_problems(console, "refused", "red", result.refused)
    _print_problems(console, "warnings", "yellow", result.warnings)
    counts = f"{len(result.characters):,} read, {len(result.refused):,} refused, {len(result.warnings):,} warnings"
    console.print(Text(counts, style="bold"))


def _print_problems(console: Console, title: str, style: str, problems: tuple[Refusal, ...]) -> None:
    from rich.text import Text

    if problems:
        console.print(Text(f"\n{title}", style=f"bold {style}"))
        for problem in problems:
            console.print(Text(f"  {one_line(str(problem))}"), soft_wrap=True)
