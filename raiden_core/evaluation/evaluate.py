"""Base and trained model on the same questions: answers, scores, comparisons, controls.

    results = evaluate(
        {"base": LocalModel(run / "cold_start/model"), "trained": LocalModel(run / "train/model")},
        QuestionSets(read_samples(run / "split/validation.json")),
        Measure(Scorer()),
        out=run / "evaluate",
    )

writes into ``out``: ``results.json``, ``predictions.jsonl`` (a line for each model and sample), ``summary.csv`` and
``summary.parquet`` (all the tables), ``answers.jsonl`` (raw replies, with which a killed evaluation continues),
``sampled.jsonl`` where further replies were sampled, and ``judge.jsonl`` where a judge compared base and trained.
``base`` is the policy that GRPO started from; ``original``, when given, is what the cold start began with.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from raiden_core.errors import UsageError
from raiden_core.evaluation.predictions import (
    MAIN_SET,
    SAMPLED,
    Predicted,
    score_replies,
    write_predictions,
)
from raiden_core.evaluation.results import Results, write_results
from raiden_core.evaluation.rewarded import reward_rows, with_rewards
from raiden_core.evaluation.sets import Measure, QuestionSets, UsableSets, can_be_judged, usable_sets
from raiden_core.evaluation.summary import summarise, write_tables
from raiden_core.models.answering import GREEDY, Answerer, Reply
from raiden_core.rewards.listed.chosen import is_default
from raiden_core.stages.layout import JUDGED, MODELS, PREDICTIONS_FILE, RESULTS_FILE
from raiden_core.stages.progress import Progress, silent

if TYPE_CHECKING:
    from raiden_core.evaluation.judge.judge import Judge

ANSWERS = "answers.jsonl"
"""The store of raw replies in the folder of the results; shards fill it beforehand (raiden_core/evaluation/shards.py)."""

NOT_JUDGED = "Nothing was judged: a judge compares base and trained, and only one of them is there."


def evaluate(
    models: Mapping[str, Answerer],
    questions: QuestionSets,
    measure: Measure,
    out: Path,
    *,
    judge: Judge | None = None,
    progress: Progress = silent,
) -> Results:
    """Evaluate one to three models; the files above and what results.json holds are the result.

    Args:
        models: who answers, by name; the names are some of `MODELS`.
        questions: the validation set, and what belongs to it.
        measure: how models are asked and scored.
        out: the folder for the files; it is made where it is missing.
        judge: compares base and trained on the validation set, samples without keywords included.
        progress: told about questions answered, over all models, then about comparisons judged.

    Raises:
        DataError: there is no sample, a reference does not score 1, or a model folder is unusable.
        UsageError: no model, a model with an unknown name, or a further set with the name of the validation set.
    """
    if not models or not set(models) <= set(MODELS):
        raise UsageError(f"models to evaluate: {', '.join(models) or 'none'}; give one or more of {', '.join(MODELS)}")
    judged = judge is not None and can_be_judged(models)
    usable = usable_sets(questions, measure, judged=judged)
    if judge is not None and not judged:
        usable = replace(usable, notes=[*usable.notes, NOT_JUDGED])
    out.mkdir(parents=True, exist_ok=True)
    ordered = {name: models[name] for name in MODELS if name in models}
    predicted = _predict(ordered, usable, measure, out / ANSWERS, progress)
    listed = bool(measure.rewards) and not is_default(measure.rewards)
    if listed:
        predicted = with_rewards(predicted, usable, measure, out / JUDGED)
    everything = [row for rows in predicted.greedy.values() for row in rows]
    write_predictions(out / PREDICTIONS_FILE, everything)
    if measure.settings.samples:
        draws = (row for draws in predicted.sampled.values() for rows in draws for row in rows)
        write_predictions(out / SAMPLED, draws)
    results = summarise(questions, usable, measure, predicted)
    if listed:
        results = results.model_copy(update={"rewards": reward_rows(predicted.of_set(MAIN_SET), measure)})
    if judge is not None and judged:
        from raiden_core.evaluation.judge.contests import judge_replies

        said, notes = judge_replies(judge, usable, predicted, measure.scorer, out, progress)
        results = results.model_copy(update={"judge": said, "notes": (*results.notes, *notes)})
    write_tables(out, everything)
    write_results(out / RESULTS_FILE, results)
    return results


def _predict(
    models: Mapping[str, Answerer], usable: UsableSets, measure: Measure, store: Path, progress: Progress
) -> Predicted:
    """Ask all models, and score what they reply."""
    prompts = _prompts(usable, measure)
    parts = _parts(usable.sets, measure.settings.samples)
    predicted = Predicted()
    for model, answers in ask_models(models, usable, measure, store, progress):
        replies = iter(answers)
        for name, draw in parts:
            part = [next(replies) for _ in usable.sets[name]]
            rows = score_replies(name, model, usable.sets[name], prompts[name], part, measure.scorer, draw)
            if draw == GREEDY:
                predicted.greedy[name, model] = rows
            else:
                predicted.sampled.setdefault(model, []).append(rows)
        predicted.open_ended[model] = list(replies)
    return predicted


def ask_models(
    models: Mapping[str, Answerer], usable: UsableSets, measure: Measure, store: Path, progress: Progress
) -> Iterator[tuple[str, list[Reply]]]:
    """Each model's replies: greedy ones set by set, sampled ones of the main set, those that only a judge can compare.

    Each model answers everything at once, because loading it can take minutes.
    """
    parts = _parts(usable.sets, measure.settings.samples)
    prompts = _prompts(usable, measure)
    everything = [prompt for name, _ in parts for prompt in prompts[name]]
    everything += [measure.prompt(sample) for sample in usable.open_ended]
    draws = [draw for name, draw in parts for _ in prompts[name]] + [GREEDY] * len(usable.open_ended)
    for number, (model, answerer) in enumerate(models.items()):

        def share(done: int, total: int, note: str = "", number: int = number, model: str = model) -> None:
            finished = len(everything) * number + len(everything) * done // max(total, 1)
            progress(finished, len(everything) * len(models), f"{model} {note}".rstrip())

        yield model, answerer.answer(everything, store=store, progress=share, draws=draws)


def _prompts(usable: UsableSets, measure: Measure) -> dict[str, list[list[dict[str, str]]]]:
    """The prompts of each set."""
    return {name: [measure.prompt(one, name) for one in part] for name, part in usable.sets.items()}


def _parts(sets: Iterable[str], samples_per_question: int) -> list[tuple[str, int]]:
    """Set and draw of what is asked, in this order."""
    return [(name, GREEDY) for name in sets] + [(MAIN_SET, draw + 1) for draw in range(samples_per_question)]
