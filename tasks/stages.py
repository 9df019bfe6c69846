"""The stages as Prefect tasks, by name. What each needs and does stands in its own file; what all share, in tasks/stage.py."""

from __future__ import annotations

from collections.abc import Mapping

from prefect import Task

from raiden_core.stages.folder import StageResult
from raiden_core.stages.layout import Stage
from tasks.describe import DESCRIBE
from tasks.stage import stage_task

TASKS: Mapping[Stage, Task[..., StageResult]] = {
    stage: stage_task(stage, describe) for stage, describe in DESCRIBE.items()
}
