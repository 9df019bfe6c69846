"""``raiden up`` and ``raiden down``: Prefect's server, pool, deployments and worker with one command, and none.

raiden up                                     # prints the address of the pages
prefect deployment run raiden/full-pipeline   # with the PREFECT_API_URL that it prints
raiden down
"""

from __future__ import annotations

from pathlib import Path

import click

from raiden_core.cli.options import tell

STATE = Path(".raiden")
"""Folder of the state and the logs, below the checkout."""


@click.command("up")
@click.option("--port", type=click.IntRange(1, 65535), default=4200, show_default=True, help="The server's port.")
def up(port: int) -> None:
    """Start server, work pool, deployments and worker on this machine, and wait until they are healthy."""
    from flows.services import running, start
    from raiden_core.errors import UsageError

    checkout = Path.cwd()
    if not (checkout / "prefect.yaml").is_file():
        raise UsageError(f"{checkout}: no prefect.yaml here; call raiden up in the folder that holds it")
    folder = checkout / STATE
    services = running(folder)
    if services is not None and all(process.alive for process in services.processes):
        click.echo("already up")
    elif services is not None:
        gone = ", ".join(process.role for process in services.processes if not process.alive)
        raise UsageError(f"not all is up: {gone} has ended; call raiden down first")
    else:
        services = start(folder, port, checkout, tell)
    click.echo(f"pages:  {services.ui}")
    click.echo(f"to use it from this shell:  export PREFECT_API_URL={services.api}")
    click.echo("then:   prefect deployment run raiden/full-pipeline")
    click.echo(f"logs:   {folder}   stop:  raiden down")


@click.command("down")
def down() -> None:
    """Stop what `raiden up` started here, and nothing else; runs that are going are cancelled first."""
    from flows.services import running, stop

    folder = Path.cwd() / STATE
    services = running(folder)
    if services is None:
        click.echo(f"nothing of {folder} is up")
        return
    stop(folder, services, tell)
    click.echo("down")
