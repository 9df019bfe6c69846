"""Controls: answers whose scores are known beforehand, so that a broken measure shows itself.

References must score 1. A reply given for another character must not score above what two characters happen to share.
Reciting the profile must earn next to nothing: all its short values (``recital``), or the whole of it as prompts show it
(``profile_recited``). A bare list of keywords shows what the measure alone cannot tell from an answer. All of them are
scored as answer text, without tags.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Sequence
from random import Random
from typing import TYPE_CHECKING

from raiden_core.dataset.policies import agreeing, recited, unknowing
from raiden_core.dataset.twins import is_boundary
from raiden_core.evaluation.results import Controls, Leaks
from raiden_core.evaluation.statistics import mean_interval
from raiden_core.prompts import profile_text
from raiden_core.samples import Sample, sample_id, withheld

if TYPE_CHECKING:
    from raiden_core.rewards import Scorer

CHANCE_DRAWS = 4
"""Other characters' references that are tried on each sample for the chance rate, at most."""

ENOUGH_DRAWS = 20_000
"""So many of them altogether tell the rate to a third of a point: of a larger set each sample tries fewer, at least one."""


def bad_gold(samples: Sequence[Sample], scorer: Scorer) -> dict[str, str]:
    """Samples whose own reference fails their validator, by id, each with the reason."""
    failures = ((sample, scorer.check(sample)) for sample in samples)
    return {sample.id: f"{sample.character_name}: {reason}" for sample, reason in failures if reason is not None}


def run_controls(samples: Sequence[Sample], answers: Sequence[str], scorer: Scorer, seed: int) -> Controls:
    """The controls of a data set, without leaks.

    Args:
        samples: what is evaluated.
        answers: the answer text of the model under test to each of them.
        seed: draws the other characters.
    """

    def accuracy(sample: Sample, text: str) -> float:
        return float(scorer.accuracy_of_text(sample, text).accuracy)

    unsure = any(map(is_boundary, samples))
    draws = _other_characters(samples, Random(seed))
    kept = [number for number, others in enumerate(draws) if others]
    swapped = mean_interval(
        [accuracy(samples[number], answers[draws[number][0]]) for number in kept],
        [samples[number].character_name for number in kept],
        bounds=(0, 1),
    )
    shared = [accuracy(samples[number], samples[other].answer) for number in kept for other in draws[number]]
    return Controls(
        gold=_mean([accuracy(sample, sample.answer) for sample in samples]),
        other_character=swapped.mean,
        other_character_ci95=swapped.interval,
        other_character_chance=_mean(shared),
        other_character_n=swapped.n,
        keyword_list=_mean([accuracy(sample, _keyword_list(sample)) for sample in samples]),
        profile_recited=_mean(
            [accuracy(sample, profile_text(sample.character_profile, sample.language)) for sample in samples]
        ),
        recital=_mean([accuracy(sample, recited(sample)) for sample in samples]),
        always_refuses=_mean([accuracy(sample, unknowing(sample)) for sample in samples]) if unsure else None,
        always_agrees=_mean([accuracy(sample, agreeing(sample)) for sample in samples]) if unsure else None,
    )


def find_leaks(samples: Sequence[Sample], training: Iterable[Sample]) -> Leaks:
    """What of a validation set is in the training data, where nothing should be.

    A character is known by its name or by an identical profile, a sample by character, history and question. Small talk
    before a question that nobody can answer gives nothing away.
    """
    names, profiles, ids, conversations = set(), set(), set(), set()
    for sample in training:
        names.add(sample.character_name)
        profiles.add(_profile_key(sample))
        ids.add(sample_id(sample))
        conversations.add(sample.conversation_history)
    seen = {s.character_name for s in samples if s.character_name in names or _profile_key(s) in profiles}
    return Leaks(
        characters=tuple(sorted(seen)),
        samples=sum(sample_id(sample) in ids for sample in samples),
        conversations=sum(
            bool(sample.conversation_history) and sample.conversation_history in conversations and not _abstains(sample)
            for sample in samples
        ),
    )


def _profile_key(sample: Sample) -> str:
    # The whole profile: two short ones from which different facts were left out may be alike.
    return json.dumps(sample.character_profile | withheld(sample), ensure_ascii=True, sort_keys=True)


def _kinds(sample: Sample) -> list[Hashable]:
    """What makes two questions alike, from the narrowest sense to the widest."""
    same = (sample.dimension, sample.language)
    attribute = sample.metadata.get("attribute")
    narrow: list[Hashable] = [(*same, "attribute", str(attribute))] if attribute else []
    return [*narrow, (*same, sample.question_type), same, (sample.dimension,)]


def _other_characters(samples: Sequence[Sample], random: Random) -> list[list[int]]:
    """For each sample up to `CHANCE_DRAWS` samples of other characters, of the narrowest kind that another one has."""
    most = max(1, min(CHANCE_DRAWS, ENOUGH_DRAWS // max(1, len(samples))))
    groups: dict[Hashable, list[int]] = {}
    names: dict[Hashable, set[str]] = {}
    for number, sample in enumerate(samples):
        for kind in _kinds(sample):
            groups.setdefault(kind, []).append(number)
            names.setdefault(kind, set()).add(sample.character_name)
    draws = []
    for sample in samples:
        kind = next((kind for kind in _kinds(sample) if len(names[kind]) > 1), None)
        # "I don't know" about one is "I don't know" about any other.
        draws.append(
            []
            if kind is None or _abstains(sample)
            else _draw(samples, groups[kind], sample.character_name, most, random)
        )
    return draws


def _abstains(sample: Sample) -> bool:
    return sample.validator is not None and sample.validator.abstains


def _draw(samples: Sequence[Sample], group: Sequence[int], name: str, most: int, random: Random) -> list[int]:
    """Up to ``most`` distinct samples of the group that are not of the named character."""
    # A few more than are needed, because some may be of the same character; only small groups are searched whole.
    candidates = random.sample(group, min(len(group), most * 8))
    others = [number for number in candidates if samples[number].character_name != name]
    if not others:
        others = [number for number in group if samples[number].character_name != name]
        random.shuffle(others)
    return others[:most]


def _keyword_list(sample: Sample) -> str:
    return ("、" if sample.language in ("zh", "ja") else ", ").join(sample.keywords)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
