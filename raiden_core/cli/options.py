"""What several commands share: the configuration, the output folder, a progress bar."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from raiden_core.errors import UsageError
from raiden_core.stages.progress import LINE_SECONDS, in_lines
from raiden_core.text.plain import one_line

if TYPE_CHECKING:
    from raiden_core.config import Config
    from raiden_core.stages.progress import Progress

Function = TypeVar("Function", bound=Callable[..., Any])


def tell(words: str) -> None:
    """A line for people, on standard error: whatever strangers wrote in it can neither move the cursor nor turn the line."""
    click.echo(one_line(words), err=True)


def config_options(function: Function) -> Function:
    """``--config FILE`` and ``--set a.b=c``, for a command that works on one section."""
    function = click.option(
        "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a setting, e.g. grpo.max_steps=100."
    )(function)
    return click.option(
        "--config", type=click.Path(path_type=Path), help="YAML configuration; without it the defaults."
    )(function)


def read_config(path: Path | None, overrides: tuple[str, ...]) -> Config:
    """The configuration of a command: a file or the defaults, with overrides."""
    from raiden_core.config.loading import load_config, parse_config

    return load_config(path, overrides) if path else parse_config("{}", overrides, where="--set")


def write_folder(
    out: Path, work: Callable[[Path], Mapping[str, Any]], *, resumable: bool = False, with_stats: bool = True
) -> Mapping[str, Any]:
    """Do a stage's work into a new folder ``out``, complete or not there at all.

    What an earlier try left is kept only for ``resumable`` work, which checks by itself what of it still holds. What the
    work returns stands in stats.json, unless the folder is for others to whom that says nothing.

    Raises:
        UsageError: the folder holds something already.
        StageError: it cannot be written, or the disk is full.
    """
    from raiden_core.stages.run import writing_to

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out}: exists already; nothing is overwritten, so name another folder")
    partial = out.with_name(f".{out.name}.partial")
    with writing_to(out, "make room and run again", "name another folder", partial):
        return _write(out, partial, work, resumable, with_stats)


def _write(
    out: Path, partial: Path, work: Callable[[Path], Mapping[str, Any]], resumable: bool, with_stats: bool
) -> Mapping[str, Any]:
    from raiden_core.stages.folder import STATS

    if partial.exists() and not resumable:
        shutil.rmtree(partial)
    partial.mkdir(parents=True, exist_ok=True)
    try:
        stats = work(partial)
    except BaseException:
        if not resumable or not any(partial.iterdir()):  # nobody can go on from it
            shutil.rmtree(partial, ignore_errors=True)
        raise
    if with_stats:
        (partial / STATS).write_text(json.dumps(stats, ensure_ascii=False, indent=2) + "\n", "utf-8")
    if out.is_dir():
        out.rmdir()
    partial.rename(out)
    return stats


def samples_of(samples: int, characters: int) -> str:
    """How many samples of how many characters, in words."""
    return (
        f"{samples:,} sample{'s' if samples != 1 else ''} of {characters:,} character{'s' if characters != 1 else ''}"
    )


def json_line(value: object, ascii_only: bool = False) -> str:
    """A line of JSON with its letters as they are, or escaped to ASCII where that is wanted or the output is not UTF-8.

    What is no letter, as control characters and marks that turn the line round, is always escaped.
    """
    if ascii_only or (sys.stdout.encoding or "").lower().replace("-", "") != "utf8":
        return json.dumps(value)
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isprintable() else "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def ascii_option(function: Function) -> Function:
    """``--ascii``, for a command that prints lines of JSON."""
    return click.option("--ascii", "ascii_only", is_flag=True, help="Escape all but ASCII in the JSON.")(function)


@contextmanager
def busy(words: str) -> Iterator[None]:
    """Say on a terminal what takes its time while nothing can be counted; elsewhere nothing is said."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    console = Console(file=sys.stderr)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        shown.add_task(words, total=None)
        yield


@contextmanager
def progress_bar(label: str) -> Iterator[Progress]:
    """A progress bar on standard error, with rate and time left; a line now and then where that is no terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    from raiden_core.stages.left_column import Ends, LeftColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        LeftColumn(),
        TextColumn("{task.fields[note]}"),
    )
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield in_lines(LINE_SECONDS, lambda _done, _total, line: tell(f"{label} {line}"))
        return
    with Progress(*columns, console=console, transient=True) as bars:
        bar = bars.add_task(label, total=None, note="")
        ends = Ends()

        def show(done: int, total: int, note: str = "") -> None:
            bars.update(bar, completed=done, total=total or None, note=note, ends=ends.at(done, total))

        yield show
