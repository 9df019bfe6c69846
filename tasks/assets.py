"""Data set, model and report as Prefect assets: what a run made, of what, and when, on the server's pages.

An asset is the same one in all runs of a configuration's name (``raiden://quickstart/model``); each run that makes it
again is a materialization of it, with the folder and the figures of that time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from prefect.assets import Asset, AssetProperties, add_asset_metadata

from raiden_core.stages.folder import StageResult
from raiden_core.stages.layout import REPORT, SPLIT, TRAIN, Stage

KINDS: Mapping[str, tuple[str, str]] = {
    SPLIT: ("dataset", "Samples by character: train.json and validation.json, which share no character."),
    TRAIN: ("model", "The model that GRPO made, with tokenizer and chat template."),
    REPORT: ("report", "One page: the result with its intervals, the controls, dialogues and the configuration."),
}
"""Stage -> what it makes, and what that is."""


def asset_of(stage: Stage | str, config_name: str) -> Asset | None:
    """The asset that a stage makes for a configuration of that name; None for stages in between."""
    if stage not in KINDS:
        return None
    kind, description = KINDS[stage]
    place = re.sub(r"[^\w.-]+", "-", config_name, flags=re.ASCII).strip("-.") or "unnamed"
    properties = AssetProperties(name=f"{config_name}: {kind}", description=description)
    return Asset(key=f"raiden://{place}/{kind}", properties=properties)


def describe_asset(result: StageResult, config_name: str) -> None:
    """Tell Prefect, inside the task that makes an asset, where it lies and what its figures are."""
    asset = asset_of(result.stage, config_name)
    if asset is not None:
        add_asset_metadata(asset, metadata_of(result))


def metadata_of(result: StageResult) -> dict[str, Any]:
    """Folder, key, seconds and the plain figures of a stage's statistics."""
    figures = {
        name: value
        for name, value in result.stats.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    }
    return {
        **figures,
        "folder": str(result.folder),
        "key": result.key,
        "seconds": result.seconds,
        "found": result.found,
    }
