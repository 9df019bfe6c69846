"""Evaluation in shards: each asks all models the questions about some of the characters (raiden_core.models.shards).

Whoever runs the evaluate stage afterwards finds the replies and only has to score them. A prompt's greedy reply is the
same in any shard, as far as a model's arithmetic is the same in any batch; sampled replies of a local model are drawn
batch by batch, so they depend on how many shards there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from raiden_core.evaluation.evaluate import ANSWERS, ask_models, can_be_judged, usable_sets
from raiden_core.evaluation.predictions import MAIN_SET
from raiden_core.evaluation.settings import EvaluateSettings
from raiden_core.evaluation.stage import answerers, read_evaluation_data
from raiden_core.models.served.store import FILE
from raiden_core.models.served_model import STORE as SERVED
from raiden_core.models.shards import Shards
from raiden_core.samples import Sample, read_samples
from raiden_core.stages.progress import Progress, silent

FILES = (ANSWERS, f"{SERVED}/{FILE}")
"""The stores of local and of served models, below the stage's folder."""


def answer_shard(
    settings: EvaluateSettings,
    models: Mapping[str, Path | str],
    validation: Path,
    extra: Mapping[str, Path],
    shards: Shards,
    number: int,
    progress: Progress = silent,
) -> None:
    """Ask all models about every ``of``-th character, beginning with the one at ``number``.

    Raises:
        RaidenError: as the evaluate stage; what was answered stays on this machine for the next try.
    """
    if shards.is_done(number):
        return
    evaluation = settings.evaluation
    samples, _ = read_evaluation_data(validation)
    everything = {MAIN_SET: samples, **{name: read_samples(path) for name, path in extra.items()}}
    judged = evaluation.judge is not None and can_be_judged(models)
    files = {MAIN_SET: validation, **extra}
    sets, open_ended, _, _ = usable_sets(everything, files, settings.scorer, evaluation.drop_bad_gold, judged)
    names = dict.fromkeys(sample.character_name for part in (*sets.values(), open_ended) for sample in part)
    dealt = frozenset(list(names)[number :: shards.of])

    def mine(part: Sequence[Sample]) -> list[Sample]:
        return [sample for sample in part if sample.character_name in dealt]

    with shards.work(number) as local:
        if dealt:
            asked = ask_models(
                answerers(settings, models),
                {name: mine(part) for name, part in sets.items()},
                mine(open_ended),
                evaluation.samples,
                settings.system_prompt,
                local / ANSWERS,
                progress,
            )
            for _ in asked:
                pass  # what they say is in the store
