"""Base and trained model on the same questions: answers, scores, comparisons, controls.

    results = evaluate(
        models={"base": run / "cold_start/model", "trained": run / "train/model"},
        samples=read_samples(run / "split/validation.json"),
        scorer=Scorer(),
        out=run / "evaluate",
    )

writes into ``out``: ``results.json``, ``predictions.jsonl`` (a line for each model and sample), ``summary.csv`` and
``summary.parquet`` (all the tables), ``answers.jsonl`` (raw replies; with it a killed evaluation goes on), and
``sampled.jsonl`` where further replies were sampled, ``judge.jsonl`` where a judge compared base and trained. ``base``
is the policy that GRPO started from; ``original``, when given, is what the cold start began with.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from raiden_core.errors import DataError, UsageError
from raiden_core.evaluation.controls import bad_gold, find_leaks, run_controls
from raiden_core.evaluation.predictions import MAIN_SET, Prediction, score_replies, write_predictions
from raiden_core.evaluation.sampling import sampling_summary
from raiden_core.evaluation.summary import breakdown, cells, pairs, write_tables
from raiden_core.models.answering import GREEDY, Answerer, Reply
from raiden_core.models.local_model import LocalModel
from raiden_core.prompts import build_prompt
from raiden_core.samples import Sample
from raiden_core.stages.progress import Progress, silent

if TYPE_CHECKING:
    from raiden_core.evaluation.judge.judge import Judge
    from raiden_core.rewards import Scorer

MODELS = ("original", "base", "trained")
"""The names a model can have; ``trained`` is the one that controls look at, or the last one given."""

ANSWERS = "answers.jsonl"
"""The store of raw replies in the folder of the results; shards fill it beforehand (raiden_core/evaluation/shards.py)."""

FEW_CHARACTERS = 30
"""With fewer clusters than this a clustered interval is a rough guide."""

NAMED_FAILURES = 5
"""So many samples with a bad reference are named in the error; all of them stand in results.json when dropped."""


def evaluate(
    *,
    models: Mapping[str, Path | Answerer],
    samples: Sequence[Sample],
    scorer: Scorer,
    out: Path,
    extra: Mapping[str, Sequence[Sample]] = MappingProxyType({}),
    training: Iterable[Sample] | None = None,
    instructions: str | None = None,
    max_new_tokens: int = 256,
    batch_size: int = 64,
    samples_per_question: int = 0,
    temperature: float = 1.0,
    seed: int = 0,
    drop_bad_gold: bool = False,
    store: Path | None = None,
    judge: Judge | None = None,
    notes: Sequence[str] = (),
    files: Mapping[str, Path] = MappingProxyType({}),
    progress: Progress = silent,
) -> dict[str, Any]:
    """Evaluate one to three models on samples; the files above and the content of results.json are the result.

    Args:
        models: some of `MODELS`, each a folder or something that answers.
        samples: the validation set, which the headline is about.
        scorer: the reward's own scorer, so that training and evaluation measure the same.
        out: a folder; it is made.
        extra: further sets, each with rows of its own under ``results["extra"]``, never mixed into the headline.
        training: what the model was trained on; when given, what the validation set shares with it is reported.
        instructions: replaces the prompts' instructions, as in training.
        max_new_tokens: at most so many tokens a reply.
        batch_size: prompts in a batch.
        samples_per_question: sampled replies beside the greedy one; with them pass@k and the majority are reported.
        temperature: of the sampled replies.
        seed: draws the other characters of the control, and seeds the sampled replies.
        drop_bad_gold: leave samples out whose reference fails their validator, instead of refusing them.
        store: where raw replies are kept; ``out / "answers.jsonl"`` when None.
        judge: compares base and trained on the validation set, samples without keywords included.
        notes: what a reader must know about the samples; they go before our own.
        files: where sets were read from, by name, for messages.
        progress: told about questions answered, over all models, then about comparisons judged.

    Raises:
        DataError: there is no sample, a reference does not score 1, or a model folder is unusable.
        UsageError: no model, or a model with an unknown name.
    """
    if not models or not set(models) <= set(MODELS):
        raise UsageError(f"models to evaluate: {', '.join(models) or 'none'}; give one or more of {', '.join(MODELS)}")
    if MAIN_SET in extra:
        raise UsageError(f"a further set cannot be called {MAIN_SET}")
    judged = judge is not None and can_be_judged(models)
    sets, open_ended, remarks, dropped = usable_sets({MAIN_SET: samples, **extra}, files, scorer, drop_bad_gold, judged)
    if judge is not None and not judged:
        remarks.append("Nothing was judged: a judge compares base and trained, and only one of them is there.")
    out.mkdir(parents=True, exist_ok=True)
    predictions, sampled, open_replies = _predict(
        {
            name: LocalModel(model, max_new_tokens, batch_size, temperature, seed) if isinstance(model, Path) else model
            for name, model in sorted(models.items(), key=lambda item: MODELS.index(item[0]))
        },
        sets,
        open_ended,
        samples_per_question,
        scorer,
        instructions,
        store or out / ANSWERS,
        progress,
    )
    write_predictions(out / "predictions.jsonl", (row for rows in predictions.values() for row in rows))
    if samples_per_question:
        rows = (row for draws in sampled.values() for rows in draws for row in rows)
        write_predictions(out / "sampled.jsonl", rows)
    by_model = {model: rows for (set_name, model), rows in predictions.items() if set_name == MAIN_SET}
    tested = "trained" if "trained" in by_model else list(by_model)[-1]
    results: dict[str, Any] = {
        **_compare(by_model),
        "controls": run_controls(sets[MAIN_SET], [row.answer for row in by_model[tested]], scorer, seed),
        "by": breakdown(by_model),
        "extra": {
            name: _compare({model: rows for (set_name, model), rows in predictions.items() if set_name == name})
            for name in extra
        },
    }
    if training is not None:
        leaks = results["controls"]["leaks"] = find_leaks(sets[MAIN_SET], training)
        if leaks["characters"]:
            remarks.append(f"Training has seen {len(leaks['characters'])} of these characters: they are not unseen.")
        if leaks["conversations"]:
            remarks.append(f"Training has seen the conversation before {leaks['conversations']} of these questions.")
    results |= {
        "format_rate": {model: results[model]["all"]["format"] for model in by_model},
        "empty_answers": {model: results[model]["all"]["empty"] for model in by_model},
        "mean_length": {model: results[model]["all"]["mean_tokens"] for model in by_model},
        "dropped_bad_gold": dropped,
        "notes": [*notes, *remarks, *_warnings(results, by_model)],
        "settings": {
            "decoding": "greedy",
            "samples_per_question": samples_per_question,
            "temperature": temperature if samples_per_question else None,
            "max_new_tokens": max_new_tokens,
            "instructions": instructions,
            "seed": seed,
        },
    }
    if samples_per_question:
        results["sampling"] = {model: sampling_summary(draws, temperature) for model, draws in sampled.items()}
    if judge is not None and judged:
        from raiden_core.evaluation.judge.contests import judge_replies

        results["judge"], about_judge = judge_replies(
            judge, sets[MAIN_SET], by_model, open_ended, open_replies, scorer, out, progress
        )
        results["notes"] += about_judge
    write_tables(out, [row for rows in predictions.values() for row in rows])
    partial = out / "results.json.partial"
    partial.write_text(json.dumps(results, ensure_ascii=False, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    partial.replace(out / "results.json")
    return results


def can_be_judged(models: Collection[str]) -> bool:
    """Whether there are the two models that a judge compares."""
    return {"base", "trained"} <= set(models)


def usable_sets(
    sets: Mapping[str, Sequence[Sample]], files: Mapping[str, Path], scorer: Scorer, drop: bool, judged: bool
) -> tuple[dict[str, list[Sample]], list[Sample], list[str], dict[str, dict[str, str]]]:
    """The samples of each set that keywords can judge, those of the main set that only a judge can, notes about the
    rest, and what was dropped for its reference. Messages name the sets by their ``files`` where there are some.

    Raises:
        DataError: a set has no sample left, or one whose reference fails.
    """
    open_ended = [sample for sample in sets[MAIN_SET] if not _has_keywords(sample)] if judged else []
    usable: dict[str, list[Sample]] = {}
    notes: list[str] = []
    dropped: dict[str, dict[str, str]] = {}
    for name, samples in sets.items():
        place = files.get(name, name)
        kept = [sample for sample in samples if _has_keywords(sample)]
        for_judge = bool(open_ended) and name == MAIN_SET
        if left := len(samples) - len(kept):
            what = "are for the judge only" if for_judge else "are left out: only a judge can compare replies to them"
            notes.append(f"{name}: {left} samples without keywords {what}.")
        failures = bad_gold(kept, scorer)
        if failures and not drop:
            named = "; ".join(f"{key} ({reason})" for key, reason in list(failures.items())[:NAMED_FAILURES])
            rest = f"; and {len(failures) - NAMED_FAILURES} more" if len(failures) > NAMED_FAILURES else ""
            raise DataError(
                f"{place}: the reference of {len(failures)} of {len(kept)} samples fails its own validator: "
                f"{named}{rest}; mend these samples, or leave them out with --drop-bad-gold"
            )
        if failures:
            dropped[name] = failures
            notes.append(f"{name}: {len(failures)} samples were left out, because their own reference scores 0.")
        usable[name] = [sample for sample in kept if sample.id not in failures]
        if samples and not kept and not for_judge:
            raise DataError(
                f"{place}: none of the {len(samples)} samples has keywords, so only a judge can compare replies to them: "
                "give a base and a trained model, and a judge (evaluation.judge, or --judge URL#MODEL)"
            )
        if not usable[name] and not for_judge:
            raise DataError(f"{place}: no sample to evaluate; generate or split again, or look at what was dropped")
    return usable, open_ended, notes, dropped


def _has_keywords(sample: Sample) -> bool:
    return bool(sample.keywords or sample.validator)


def _predict(
    models: Mapping[str, Answerer],
    sets: Mapping[str, Sequence[Sample]],
    open_ended: Sequence[Sample],
    samples_per_question: int,
    scorer: Scorer,
    instructions: str | None,
    store: Path,
    progress: Progress,
) -> tuple[dict[tuple[str, str], list[Prediction]], dict[str, list[list[Prediction]]], dict[str, list[Reply]]]:
    """Greedy predictions by set and model; each model's sampled ones of the main set, a list a draw; its replies to
    samples that no keyword can score.
    """
    prompts = {name: [build_prompt(sample, instructions) for sample in samples] for name, samples in sets.items()}
    greedy: dict[tuple[str, str], list[Prediction]] = {}
    sampled: dict[str, list[list[Prediction]]] = {}
    open_replies: dict[str, list[Reply]] = {}
    asked = ask_models(models, sets, open_ended, samples_per_question, instructions, store, progress)
    for model, answers in asked:
        replies = iter(answers)
        for name, draw in _parts(sets, samples_per_question):
            part = [next(replies) for _ in sets[name]]
            rows = score_replies(name, model, sets[name], prompts[name], part, scorer, draw)
            if draw == GREEDY:
                greedy[name, model] = rows
            else:
                sampled.setdefault(model, []).append(rows)
        open_replies[model] = list(replies)
    return greedy, sampled, open_replies


def ask_models(
    models: Mapping[str, Answerer],
    sets: Mapping[str, Sequence[Sample]],
    open_ended: Sequence[Sample],
    samples_per_question: int,
    instructions: str | None,
    store: Path,
    progress: Progress,
) -> Iterator[tuple[str, list[Reply]]]:
    """Each model's replies: greedy ones set by set, sampled ones of the main set, those that only a judge can compare.

    Each model answers everything at once, because loading it can take minutes.
    """
    parts = _parts(sets, samples_per_question)
    prompts = {name: [build_prompt(sample, instructions) for sample in samples] for name, samples in sets.items()}
    everything = [prompt for name, _ in parts for prompt in prompts[name]]
    everything += [build_prompt(sample, instructions) for sample in open_ended]
    draws = [draw for name, draw in parts for _ in prompts[name]] + [GREEDY] * len(open_ended)
    for number, (model, answerer) in enumerate(models.items()):

        def share(done: int, total: int, note: str = "", number: int = number, model: str = model) -> None:
            finished = len(everything) * number + len(everything) * done // max(total, 1)
            progress(finished, len(everything) * len(models), f"{model} {note}".rstrip())

        yield model, answerer.answer(everything, store=store, progress=share, draws=draws)


def _parts(sets: Iterable[str], samples_per_question: int) -> list[tuple[str, int]]:
    """Set and draw of what is asked, in this order."""
    return [(name, GREEDY) for name in sets] + [(MAIN_SET, draw + 1) for draw in range(samples_per_question)]


def _compare(by_model: Mapping[str, Sequence[Prediction]]) -> dict[str, Any]:
    """Cells of each model, and pairs with ``trained``: ``paired`` for base, ``paired_original`` for original."""
    result: dict[str, Any] = {model: cells(rows) for model, rows in by_model.items()}
    if "trained" in by_model:
        for before, key in (("base", "paired"), ("original", "paired_original")):
            if before in by_model:
                result[key] = pairs(by_model[before], by_model["trained"])
    return result


def _warnings(results: Mapping[str, Any], by_model: Mapping[str, Sequence[Prediction]]) -> list[str]:
    """What a reader must know about these numbers, in plain words."""
    notes = []
    for model in by_model:
        numbers = results[model]["all"]
        if numbers["n"] and numbers["empty"] == numbers["n"]:
            notes.append(f"The model '{model}' gave no answer text at all.")
        unasked = [row.note for row in by_model[model] if row.note]
        if unasked:
            notes.append(
                f"The model '{model}' could not be asked {len(unasked)} questions ({unasked[0]}); they count as wrong."
            )
    characters = len({row.character for rows in by_model.values() for row in rows})
    if characters == 0:
        notes.append("No sample has keywords: there is no accuracy, only what the judge says.")
    elif characters == 1:
        notes.append("There is one character only: nothing can be said about others, so there is no interval.")
    elif characters < FEW_CHARACTERS:
        notes.append(f"There are only {characters} characters: the intervals are a rough guide.")
    return notes
