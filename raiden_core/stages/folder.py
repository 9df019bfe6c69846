"""A stage's folder: its name, its manifest, and whether it still holds what it held."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, model_validator

from raiden_core.stages.digests import digest_bytes, digest_file

MANIFEST = "manifest.json"


STATS = "stats.json"


KEY_DIGITS = 12


class StageResult(BaseModel):
    """A finished stage. Loading one checks that its folder still holds what it held when it was written."""

    model_config = ConfigDict(frozen=True)

    stage: str
    key: str
    folder: Path
    seconds: float
    manifest_sha256: str
    found: bool = False
    """Whether it was there already when it was asked for."""

    @model_validator(mode="after")
    def _still_whole(self) -> Self:
        problem = damage(self.folder, self.manifest_sha256)
        if problem:
            raise ValueError(problem)
        return self

    @property
    def stats(self) -> dict[str, Any]:
        """The statistics that the stage wrote."""
        stats: dict[str, Any] = json.loads((self.folder / STATS).read_text("utf-8"))
        return stats

    @property
    def manifest(self) -> dict[str, Any]:
        """Inputs, outputs, configuration and versions."""
        manifest: dict[str, Any] = json.loads((self.folder / MANIFEST).read_text("utf-8"))
        return manifest


def folder_name(stage: str, key: str) -> str:
    """The name of a stage's folder, the first of its key."""
    return f"{stage}-{key[:KEY_DIGITS]}"


def unfinished_folder(output_dir: Path, stage: str, key: str) -> Path:
    """Where a stage's work is done before its folder is complete; a resumable stage finds there what it has left."""
    return output_dir / f".{folder_name(stage, key)}.partial"


def find_result(output_dir: Path, stage: str, key: str) -> StageResult | None:
    """The newest whole folder for a key, if there is one."""
    folders = [path for path in output_dir.absolute().glob(f"{folder_name(stage, key)}*") if path.is_dir()]
    for folder in sorted(folders, key=folder_number, reverse=True):
        if damage(folder) is None:
            manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
            if manifest["key"] == key:
                return _result(stage, key, folder, manifest["seconds"], found=True)
    return None


def damage(folder: Path, manifest_sha256: str | None = None) -> str | None:
    """What is wrong with a stage's folder: files missing or changed since it was written; None when it is whole."""
    manifest_file = folder / MANIFEST
    if not manifest_file.is_file():
        return f"{folder}: not a finished stage"
    content = manifest_file.read_bytes()
    if manifest_sha256 is not None and digest_bytes(content) != manifest_sha256:
        return f"{manifest_file}: was replaced"
    try:
        manifest = json.loads(content)
        outputs, _, _ = dict(manifest["outputs"]), manifest["key"], manifest["seconds"]
    except (ValueError, KeyError, TypeError):
        return f"{manifest_file}: is broken"
    for name, digest in outputs.items():
        path = folder / name
        if not path.is_file():
            return f"{path}: is missing"
        if digest_file(path) != digest:
            return f"{path}: was changed"
    return None


def _result(stage: str, key: str, folder: Path, seconds: float, found: bool = False) -> StageResult:
    # Whoever calls this has just written or checked the folder: constructing without validation saves a second look.
    digest = digest_file(folder / MANIFEST)
    return StageResult.model_construct(
        stage=stage, key=key, folder=folder, seconds=seconds, manifest_sha256=digest, found=found
    )


def folder_number(folder: Path) -> int:
    """The number of a stage's folder among those of the same key: 1 for the first."""
    last = folder.name.rpartition("-")[2]
    return int(last) if last.isdigit() and len(last) < KEY_DIGITS else 1
