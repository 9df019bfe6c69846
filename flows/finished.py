"""A run with nothing to do: every stage is found by its own key, so that neither Prefect nor a server is started.

    if not server_configured() and (record := finished_run(config, REPORT)): …

Where a server is configured the run goes through Prefect all the same, so that its page shows it.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from flows.chain import stages_until, upstream_of
from flows.record import record_folder, stage_row, write_record
from raiden_core.config import Config
from raiden_core.errors import RaidenError
from raiden_core.stages.folder import StageResult, find_result
from raiden_core.stages.layout import Stage
from tasks.describe import DESCRIBE


def finished_run(config: Config, until: Stage) -> dict[str, Any] | None:
    """The record of a run whose stages are all there and whole, written like that of any run; None where there is work.

    What is wrong with an input or a folder is not said here: the run itself comes to it and says it.
    """
    if config.storage.url is not None:
        return None  # the shared storage is asked, and given what it lacks, by the stages themselves
    rows: dict[Stage, dict[str, Any]] = {}
    done: dict[Stage, StageResult] = {}
    try:
        for stage in stages_until(config, until):
            started = time.monotonic()
            call = DESCRIBE[stage](config=config, **upstream_of(stage, done))
            result = find_result(config.output_dir, call.stage, call.key)
            if result is None:
                return None
            done[stage] = result
            rows[stage] = stage_row(result, cached=True, seconds=time.monotonic() - started)
    except (RaidenError, OSError):
        return None
    return write_record(config, record_folder(config), rows, done)


def prefect_home() -> Path:
    """Where Prefect keeps its profiles, and the database of a temporary server."""
    return Path(os.environ.get("PREFECT_HOME", "~/.prefect")).expanduser()


def server_configured() -> bool:
    """Whether environment, profile or settings files name a Prefect server; without one Prefect starts a temporary one.

    Prefect's settings take a second to import, so it is asked only where a file speaks of such a thing at all.
    """
    if "PREFECT_API_URL" in os.environ:
        return bool(os.environ["PREFECT_API_URL"])
    profiles = Path(os.environ.get("PREFECT_PROFILES_PATH", prefect_home() / "profiles.toml"))
    places = {
        profiles: "api",
        Path("prefect.toml"): "api",
        Path(".env"): "prefect_api",
        Path("pyproject.toml"): "tool.prefect",
    }
    if not any(place.is_file() and word in place.read_text("utf-8").lower() for place, word in places.items()):
        return False
    from prefect.settings import get_current_settings

    return get_current_settings().api.url is not None
