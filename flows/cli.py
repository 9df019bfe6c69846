"""The `raiden` command: the pipeline, and every command of raiden_core mounted beside it."""

from __future__ import annotations

import sys

from raiden_core.cli import group as cli

COMMANDS = {
    "run": ("flows.run_command:run", "Run the pipeline: characters to report, finished stages from the cache."),
    "up": ("flows.up_command:up", "Start a Prefect server, the deployments and a worker on this machine."),
    "down": ("flows.up_command:down", "Stop what `raiden up` started."),
    **cli.COMMANDS,
}
HELP = (
    "raiden turns character profiles into a role-playing model that stays in character, and measures whether it does."
)


def main() -> None:
    """Entry point of the ``raiden`` script."""
    sys.exit(cli.run(cli.build(COMMANDS, HELP)))


if __name__ == "__main__":
    main()
