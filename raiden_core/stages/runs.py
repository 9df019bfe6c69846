"""What a run leaves: a small folder that names the stages it went through, beside the stages' own folders.

An output folder may be copied, moved or mounted elsewhere, so a record names what lies in the same output folder
relative to itself. Records of earlier versions hold whole paths; where the folder of that name lies beside the record,
that one is meant: a copy is itself.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raiden_core.errors import DataError
from raiden_core.stages.folder import MANIFEST
from raiden_core.stages.layout import CONFIG_FILE, RUN_FILE, RUNS, STAGES


@dataclass(frozen=True)
class RunRecord:
    """A run, as its folder tells of it."""

    folder: Path
    stages: Mapping[str, Path]
    """Stage -> its folder, in the order of the stages; it may be gone."""
    seconds: float
    """What the stages took together, those from the cache included with what finding them took."""
    results: Mapping[str, Any] | None
    report: Path | None

    def stage(self, name: str) -> Path:
        """The folder of a stage.

        Raises:
            DataError: the run did not come that far, or the folder is gone.
        """
        if name not in self.stages:
            raise DataError(f"{self.folder}: the run has no {name}; run it until {name} first")
        folder = self.stages[name]
        if not folder.is_dir():
            raise DataError(f"{folder}: is missing, although {self.folder / RUN_FILE} names it; run again")
        return folder


def write_run(folder: Path, record: Mapping[str, Any], config: str) -> None:
    """Write a run's record and its resolved configuration into a new folder.

    Args:
        folder: below the output folder; it must not exist.
        record: as `raiden run --json` prints it, with whole paths.
        config: the configuration's text.
    """
    stages = {name: {**entry, "folder": _relative(entry["folder"], folder)} for name, entry in record["stages"].items()}
    report = record["report"] and _relative(record["report"], folder)
    folder.mkdir(parents=True)
    (folder / CONFIG_FILE).write_text(config, "utf-8")
    written = {**record, "run": ".", "stages": stages, "report": report}
    (folder / RUN_FILE).write_text(json.dumps(written, ensure_ascii=False, indent=2) + "\n", "utf-8")


def read_run(folder: Path) -> RunRecord:
    """The run whose folder this is, or the newest one that one of its stages' folders belongs to.

    Raises:
        DataError: it is none, or its record is broken.
    """
    if (folder / MANIFEST).is_file() and not (folder / RUN_FILE).is_file():
        return _newest_with(folder)
    path = folder / RUN_FILE
    try:
        record = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read: {error.strerror}; give the folder of a finished run, as raiden runs lists them"
        ) from None
    except ValueError:
        raise DataError(f"{path}: broken JSON; run again") from None
    entries = record.get("stages") if isinstance(record, dict) else None
    if not isinstance(entries, dict):
        raise DataError(f"{path}: is no record of a run; run again")
    named = {str(stage): entry for stage, entry in entries.items() if isinstance(entry, dict) and "folder" in entry}
    order = [*STAGES, *(stage for stage in named if stage not in STAGES)]
    return RunRecord(
        folder=folder,
        stages={stage: _place(folder, named[stage]["folder"]) for stage in order if stage in named},
        seconds=sum(float(entry.get("seconds") or 0) for entry in named.values()),
        results=record.get("results") if isinstance(record.get("results"), dict) else None,
        report=_report(folder, record.get("report")),
    )


def _newest_with(stage: Path) -> RunRecord:
    place = stage.resolve()
    for run in reversed(list(list_runs(place.parent))):
        if isinstance(run, RunRecord) and any(folder.resolve() == place for folder in run.stages.values()):
            return run
    raise DataError(f"{stage}: a stage's folder that no finished run names; give a run's, as raiden runs lists them")


def list_runs(output_dir: Path) -> Iterator[RunRecord | DataError]:
    """The runs of an output folder, the oldest first; a broken record is an error in its place.

    Raises:
        DataError: there is no such folder.
    """
    if not output_dir.is_dir():
        raise DataError(
            f"{output_dir}: no such folder, so nothing has been run there yet; name the output_dir of a configuration"
        )
    for path in sorted((output_dir / RUNS).glob(f"*/{RUN_FILE}")):
        try:
            yield read_run(path.parent)
        except DataError as error:
            yield error


def _relative(path: str, folder: Path) -> str:
    return Path(os.path.relpath(path, folder.absolute())).as_posix()


def _place(folder: Path, written: object) -> Path:
    """Where a path of a record points to."""
    path = Path(str(written))
    beside = folder.parent.parent / path.name
    if path.is_absolute():
        return beside if beside.exists() else path
    return Path(os.path.normpath(folder / path))


def _report(folder: Path, written: object) -> Path | None:
    if not written:
        return None
    page = Path(str(written))
    return _place(folder, page.parent) / page.name
