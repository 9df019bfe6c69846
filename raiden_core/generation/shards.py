"""Mining in shards: each asks everything that the samples of its characters need (raiden_core.models.shards).

Characters are independent of each other, which is what makes the samples of a run with shards those of one without.
"""

from __future__ import annotations

from raiden_core.config import Config
from raiden_core.errors import ConfigError
from raiden_core.generation.mining.session import REPLIES, STUDENT_REPLIES
from raiden_core.generation.settings import GenerateSettings
from raiden_core.generation.stage import make_samples, read_groups
from raiden_core.models.served.store import FILE
from raiden_core.models.shards import Shards
from raiden_core.stages.progress import Progress, silent

FILES = (f"{REPLIES}/{FILE}", f"{STUDENT_REPLIES}/{FILE}")
"""The stores of the teacher's and of the student's replies, below the output folder."""


def check_shardable(config: Config) -> None:
    """Refuse what cannot be dealt to several machines.

    Raises:
        ConfigError: the configuration starts a server of its own.
    """
    if config.teacher.launch is not None:
        raise ConfigError(
            f"runner.kind: {config.runner.kind}: shards cannot share the server that teacher.launch starts for one "
            "process; start it yourself and set teacher.launch to null, or leave generate out of runner.stages"
        )


def mine_shard(settings: GenerateSettings, shards: Shards, number: int, progress: Progress = silent) -> None:
    """Ask what the samples of every ``of``-th character need, beginning with the one at ``number``.

    Raises:
        RaidenError: as the generate stage; what was answered stays on this machine for the next try.
    """
    if shards.is_done(number):
        return
    groups, _ = read_groups(settings)
    dealt = [group.dealt(number, shards.of) for group in groups]
    with shards.work(number) as local:
        if any(group.characters or group.seeds.characters for group in dealt):
            make_samples(settings.model_copy(update={"output_dir": local}), dealt, progress)
