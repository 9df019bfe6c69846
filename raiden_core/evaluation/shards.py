"""Evaluation in shards: each asks all models the questions about some of the characters (raiden_core.models.shards).

Whoever runs the evaluate stage afterwards finds the replies and only has to score them. A prompt's greedy reply is the
same in any shard, as far as a model's arithmetic is the same in any batch; sampled replies of a local model are drawn
batch by batch, so they depend on how many shards there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from raiden_core.evaluation.evaluate import ANSWERS, ask_models
from raiden_core.evaluation.predictions import MAIN_SET
from raiden_core.evaluation.sets import QuestionSets, can_be_judged, usable_sets
from raiden_core.evaluation.settings import EvaluateSettings
from raiden_core.evaluation.stage import answerers, measure_of, read_evaluation_data
from raiden_core.models.served.store import FILE
from raiden_core.models.served_model import STORE as SERVED
from raiden_core.models.shards import Shards
from raiden_core.samples import read_samples
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
    samples, _ = read_evaluation_data(validation)
    questions = QuestionSets(
        samples, {name: read_samples(path) for name, path in extra.items()}, files={MAIN_SET: validation, **extra}
    )
    measure = measure_of(settings)
    judged = settings.evaluation.judge is not None and can_be_judged(models)
    usable = usable_sets(questions, measure, judged=judged)
    names = dict.fromkeys(
        sample.character_name for part in (*usable.sets.values(), usable.open_ended) for sample in part
    )
    dealt = frozenset(list(names)[number :: shards.of])
    with shards.work(number) as local:
        if dealt:
            mine = usable.of_characters(dealt)
            for _ in ask_models(answerers(settings, models), mine, measure, local / ANSWERS, progress):
                pass  # what they say is in the store
