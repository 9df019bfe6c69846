"""``raiden run CONFIG``: the flow in this process, with live progress and a table at the end.

It talks to the Prefect server that the environment or profile names; without one, it starts a temporary one
for the run. Ctrl-C stops the run and everything it started.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from raiden_core.config.loading import START, load_config
from raiden_core.errors import ConfigError, StageError, UsageError
from raiden_core.stages.layout import REPORT, STAGES, Stage

if TYPE_CHECKING:
    from flows.display import TerminalDisplay

STAGE_NAMES = click.Choice(STAGES)
QUIET = {
    # Prefect logs the traceback of every failed run; the command says what is wrong in one line.
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    # Nor does anybody want to hear of the last events of a run that failed on their way to a server that ends.
    "PREFECT_INTERNAL_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "TRANSFORMERS_VERBOSITY": "error",
}
"""Settings for a run in a terminal; whatever the environment says goes before them."""
HOME_BYTES = 16 << 20
"""A temporary server's database needs about so much room."""


@click.command("run")
@click.argument("config", type=click.Path(path_type=Path), default=START)
@click.option("--stage", type=STAGE_NAMES, help="Run this stage again, earlier ones from the cache, and no later one.")
@click.option("--refresh", type=STAGE_NAMES, multiple=True, help="Run this stage again, then all after it. Repeatable.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a setting, e.g. grpo.beta=0.")
@click.option("--json", "as_json", is_flag=True, help="Print the run's record as the last line, as one JSON object.")
def run(config: Path, stage: str | None, refresh: tuple[str, ...], overrides: tuple[str, ...], as_json: bool) -> None:
    """Run the pipeline of CONFIG (default: configs/quickstart.yaml).

    A stage whose inputs, settings and code did not change is taken from the cache.
    """
    if stage and refresh:
        raise UsageError("--stage and --refresh exclude each other; --stage S already runs S again")
    settings = load_config(config, overrides)  # what is wrong with it is said before anything is started
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)

    from rich.console import Console

    from flows.display import TerminalDisplay
    from flows.finished import finished_run, server_configured

    console = Console(stderr=as_json)
    console.print(settings.name, style="bold", end="", markup=False, highlight=False)
    console.print(f"  {config}  ->  {settings.output_dir}", markup=False, highlight=False, soft_wrap=True)
    # Whoever sends TERM wants what Ctrl-C gives: children and a temporary server go down with the run.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started = time.monotonic()
    record = None
    with TerminalDisplay(console) as terminal:
        if not stage and not refresh and not server_configured():
            terminal.waits("looking for finished stages …")
            record = finished_run(settings, REPORT)
        if record is None:
            until, anew = cast("Stage", stage or REPORT), cast("list[Stage]", [stage] if stage else list(refresh))
            record = _run(terminal, config, overrides, until, anew)
    from flows.ending import show_ending

    show_ending(console, settings, config, record, time.monotonic() - started)
    if as_json:
        click.echo(json.dumps(record))


def _run(
    terminal: TerminalDisplay, config: Path, overrides: tuple[str, ...], until: Stage, refresh: list[Stage]
) -> dict[str, Any]:
    """The flow, in this process."""
    from flows.finished import prefect_home, server_configured
    from flows.temporary_server import TemporaryServer

    server = None
    if not server_configured():
        check_home(prefect_home())
        server = TemporaryServer.begin()
    terminal.waits("loading Prefect …")
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from flows.pipeline import raiden
    from tasks.progress import display

    with ExitStack() as stack:
        if server is not None:
            terminal.waits("starting a temporary Prefect server …")
            stack.enter_context(temporary_settings({PREFECT_API_URL: server.wait()}))
        stack.callback(display.reset, display.set(terminal))
        record: dict[str, Any] = raiden(
            config=str(config.absolute()), overrides=list(overrides), until=until, refresh=refresh
        )
    return record


def check_home(home: Path) -> None:
    """Say beforehand what Prefect would say in a warning and a temporary server in three tracebacks.

    Raises:
        ConfigError: its database cannot be written.
        StageError: the disk is full.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            free = shutil.disk_usage(home).free
    except OSError as error:
        raise ConfigError(
            f"{home}: Prefect's folder cannot be written ({error.strerror}); set PREFECT_HOME to one that can"
        ) from None
    if free < HOME_BYTES:
        raise StageError(
            f"{home}: the disk is full; make room for Prefect's database, or set PREFECT_HOME to another disk"
        )
