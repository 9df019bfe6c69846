"""What an evaluation is given: the sets of samples, how models are asked, and which of the samples can be used."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from raiden_core.config.sections.evaluation import EvaluationConfig
from raiden_core.errors import DataError, UsageError
from raiden_core.evaluation.controls import bad_gold
from raiden_core.evaluation.predictions import MAIN_SET
from raiden_core.prompts import Layout, Message, build_prompt
from raiden_core.rewards import Scorer
from raiden_core.rewards.aside import completed, count_completed
from raiden_core.rewards.listed.chosen import Chosen
from raiden_core.samples import Sample

LAYOUT = "layout"
"""With what the name of a set begins that is the validation set in another layout."""
NAMED_FAILURES = 5
"""So many samples with a bad reference are named in the error; all of them stand in results.json when dropped."""


@dataclass(frozen=True)
class QuestionSets:
    """The samples of an evaluation."""

    validation: Sequence[Sample]
    """What the headline is about."""
    extra: Mapping[str, Sequence[Sample]] = field(default_factory=dict)
    """Further sets, each with rows of its own under ``results.extra``, never mixed into the headline."""
    training: Iterable[Sample] | None = None
    """What the model was trained on; when given, what the validation set shares with it is reported."""
    notes: Sequence[str] = ()
    """What a reader must know about the samples; they come before the evaluation's own notes."""
    files: Mapping[str, Path] = field(default_factory=dict)
    """Where sets were read from, by name, for messages."""


@dataclass(frozen=True)
class Measure:
    """How models are asked and how their replies are scored."""

    scorer: Scorer
    """The reward's own, so that training and evaluation measure the same."""
    settings: EvaluationConfig = field(default_factory=EvaluationConfig)
    """How many replies, how long, and what happens to samples whose reference fails."""
    instructions: str | None = None
    """Replaces the prompts' instructions, as in training."""
    seed: int = 0
    """Draws the other characters of the control."""
    layout: Layout = "raiden"
    """Of the prompts, as in training."""
    rewards: Chosen = ()
    """The list that replies are measured by besides; empty, or the usual two, where the scorer says it all."""

    @property
    def further_layouts(self) -> dict[str, Layout]:
        """Name of a set -> the layout in which it asks the validation set once more."""
        return {f"{LAYOUT} {layout}": layout for layout in self.settings.layouts if layout != self.layout}

    def prompt(self, sample: Sample, name: str = MAIN_SET) -> list[Message]:
        """The prompt of a sample in the set of that name."""
        return build_prompt(sample, self.instructions, self.further_layouts.get(name, self.layout))


@dataclass(frozen=True)
class UsableSets:
    """What is left of the sets once it is known what can be scored."""

    sets: Mapping[str, Sequence[Sample]]
    """By name, the validation set first: samples that keywords can judge."""
    open_ended: Sequence[Sample]
    """Samples of the validation set that only a judge can compare replies to; empty where nobody judges."""
    notes: Sequence[str]
    """What was left out, for the reader."""
    dropped: Mapping[str, Mapping[str, str]]
    """Set -> id -> why the sample's own reference fails."""

    def of_characters(self, names: Collection[str]) -> Self:
        """The samples about these characters only."""

        def some(samples: Sequence[Sample]) -> list[Sample]:
            return [sample for sample in samples if sample.character_name in names]

        sets = {name: some(samples) for name, samples in self.sets.items()}
        return replace(self, sets=sets, open_ended=some(self.open_ended))


def can_be_judged(models: Collection[str]) -> bool:
    """Whether there are the two models that a judge compares."""
    return {"base", "trained"} <= set(models)


def usable_sets(questions: QuestionSets, measure: Measure, *, judged: bool) -> UsableSets:
    """Sort out what can be scored by keywords, what only a judge can compare, and what nobody can use.

    Args:
        questions: the sets; messages name them by their files where there are some.
        measure: its scorer checks that each reference scores 1; its settings say whether samples whose reference does
            not are left out, or their set is refused.
        judged: whether a judge compares replies to samples without keywords.

    Raises:
        DataError: a set has no sample left, or one whose reference fails.
        UsageError: a further set has the name of the validation set.
    """
    if taken := {MAIN_SET, *measure.further_layouts} & set(questions.extra):
        raise UsageError(f"a further set cannot be called {sorted(taken)[0]}")
    open_ended = [sample for sample in questions.validation if not _has_keywords(sample)] if judged else []
    usable: dict[str, list[Sample]] = {}
    notes: list[str] = []
    dropped: dict[str, dict[str, str]] = {}
    for name, samples in {MAIN_SET: questions.validation, **questions.extra}.items():
        place = str(questions.files.get(name, name))
        kept = [completed(sample) for sample in samples if _has_keywords(sample)]
        for_judge = bool(open_ended) and name == MAIN_SET
        if left := len(samples) - len(kept):
            what = "are for the judge only" if for_judge else "are left out: only a judge can compare replies to them"
            notes.append(f"{name}: {left} samples without keywords {what}.")
        failures = bad_gold(kept, measure.scorer)
        if failures and not measure.settings.drop_bad_gold:
            raise DataError(_bad_gold_message(place, failures, len(kept)))
        if failures:
            dropped[name] = failures
            notes.append(f"{name}: {len(failures)} samples were left out, because their own reference scores 0.")
        usable[name] = [sample for sample in kept if sample.id not in failures]
        if added := count_completed(usable[name]):
            notes.append(f"{name}: the validators of {added} samples had no aside; their profiles gave it.")
        if samples and not kept and not for_judge:
            raise DataError(
                f"{place}: none of the {len(samples)} samples has keywords, so only a judge can compare replies to them: "
                "give a base and a trained model, and a judge (evaluation.judge, or --judge URL#MODEL)"
            )
        if not usable[name] and not for_judge:
            raise DataError(f"{place}: no sample to evaluate; generate or split again, or look at what was dropped")
    # The same samples: what there is to say about them is said.
    usable |= dict.fromkeys(measure.further_layouts, usable[MAIN_SET])
    return UsableSets(usable, open_ended, notes, dropped)


def _bad_gold_message(place: str, failures: Mapping[str, str], samples: int) -> str:
    named = "; ".join(f"{key} ({reason})" for key, reason in list(failures.items())[:NAMED_FAILURES])
    rest = f"; and {len(failures) - NAMED_FAILURES} more" if len(failures) > NAMED_FAILURES else ""
    return (
        f"{place}: the reference of {len(failures)} of {samples} samples fails its own validator: "
        f"{named}{rest}; mend these samples, or leave them out with --drop-bad-gold"
    )


def _has_keywords(sample: Sample) -> bool:
    return bool(sample.keywords or sample.validator)
