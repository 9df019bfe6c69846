"""Where the shards of generation and of evaluation run."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from raiden_core.config.sections.base import OptionalAddress, Section


class RunnerConfig(Section):
    """Work that is too much for one process. It changes where replies are asked for, never what comes of them."""

    kind: Literal["none", "processes", "ray"] = "none"
    """`none`: all in one process. `processes`: shards in processes of this machine. `ray`: on a Ray cluster, whose
    machines all see `output_dir`, the files of characters and local models (`pip install -e '.[ray]'`)."""
    address: OptionalAddress = None
    """Of the Ray cluster, such as `ray://head:10001`; None starts Ray on this machine."""
    shards: int = Field(default=8, ge=1)
    """Parts that the characters are dealt into; one that is lost is run again, alone."""
    stages: tuple[Literal["generate", "evaluate"], ...] = ("generate", "evaluate")
    """What is dealt; a stage that is not named here is done in one process."""
    gpus: float = Field(default=0, ge=0)
    """GPUs of the Ray cluster that a shard of evaluation holds, where the models are local; 0.5 lets two share one."""
