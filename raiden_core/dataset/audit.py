"""The audit: how much of a data set can be won without playing the character.

    audit = audit_samples(read_samples(Path("train.json")), Scorer())
    audit.shares["recital"].all, audit.above(), audit.proposals

Policies that know nothing of role-playing (raiden_core/dataset/policies.py) answer every sample, and the data set's own
validators score them. What a policy wins, a model can learn to win in training, so every policy has a bound. Two kinds
have none, because what they say is right by the rules of docs/vrar.md: the keyword alone, however often and in whatever
language, is what a right answer must contain. The gates of raiden_core/rewards/gates.py are there for those.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Generic, TypeVar

from raiden_core.dataset import policies
from raiden_core.dataset.twins import is_boundary, twin_of
from raiden_core.errors import UsageError
from raiden_core.rewards import Scorer, contains_term
from raiden_core.rewards.aside import completed
from raiden_core.rewards.recital import fitting
from raiden_core.samples import Sample
from raiden_core.stages.progress import Progress, silent

Item = TypeVar("Item")

POLICIES: Mapping[str, str] = {
    "empty": "an empty answer",
    "question": "the question repeated",
    "candidates": "every candidate listed: what is asked for, and what is forbidden or what others say",
    "recital": "all short values of the profile",
    "other": "a right answer about somebody else, to the same kind of question",
    "denied": "the keyword said and then taken back",
    "over-long": "the right answer, and then too much more",
    "unknown": '"I don\'t know", always',
    "agreement": "agreement with whatever the question assumes, always",
    "opposite": "denial of whatever the question assumes, always",
    "keyword": "the keyword again and again",
    "foreign": "the keyword in a sentence of another language",
}
"""Who answers."""

BOUNDS: Mapping[str, float] = {
    "empty": 0.0,
    "question": 0.0,
    "candidates": 0.25,
    "recital": 0.05,
    "other": 0.2,
    "denied": 0.1,
    "over-long": 0.0,
    "unknown": 0.0,
    "agreement": 0.0,
    "opposite": 0.0,
}
"""The share that a policy may win. Somebody else's answer is right as often as two characters share a value, and where
values go together (hobbies, traits) nothing forbids to list them all; a way of taking back may be missed here and there.
The rest of these bounds is room for small sets. To these come the samples that a refusal or a denial answers rightly, if
each has an answerable twin that it loses (`allowances`)."""

RIVALS = 6
"""Values of other characters that are listed as candidates, or proposed for ``none_of``."""
AUDITED = 500
"""Samples of a data set that are audited where nobody asked for it: in split and doctor."""
PROPOSALS = 5
"""Samples shown for each kind of hole."""
SLICES = ("dimension", "language")
TICKS = 100
"""Samples between two words of progress."""


@dataclass
class Share:
    """What one policy wins."""

    n: dict[str, int] = field(default_factory=dict)
    """Samples: of ``all``, of each dimension and of each language."""
    won: dict[str, int] = field(default_factory=dict)

    def add(self, sample: Sample, won: bool) -> None:
        """Count a sample."""
        for name in ("all", *(getattr(sample, slice_name) for slice_name in SLICES)):
            self.n[name] = self.n.get(name, 0) + 1
            self.won[name] = self.won.get(name, 0) + won

    def of(self, name: str) -> float | None:
        """The share of one of ``n``; None where there is no sample."""
        return self.won[name] / self.n[name] if self.n.get(name) else None


@dataclass(frozen=True)
class Proposal:
    """A hole, and what would close it."""

    id: str
    character: str
    question: str
    policy: str
    said: str
    """What won."""
    add: dict[str, Any]
    """Fields for the sample's validator."""


@dataclass(frozen=True)
class Audit:
    """What the policies win."""

    samples: int
    """Those that were answered."""
    left_out: int
    """Samples that only a judge can score, or whose own reference fails: nobody trains on them."""
    shares: Mapping[str, Share]
    """By policy, in the order of `POLICIES`."""
    bounds: Mapping[str, float]
    proposals: Sequence[Proposal]
    holes: Mapping[str, int]
    """Policy -> samples for which something can be proposed."""

    def above(self) -> list[str]:
        """The policies that win more than their bound."""
        return [name for name, bound in self.bounds.items() if (self.shares[name].of("all") or 0.0) > bound]

    def as_json(self) -> dict[str, Any]:
        """What ``raiden audit --json`` prints."""
        return {
            "samples": self.samples,
            "left_out": self.left_out,
            "policies": self.rows(),
            "above": self.above(),
            "holes": dict(self.holes),
            "proposals": [asdict(proposal) for proposal in self.proposals],
        }

    def rows(self) -> list[dict[str, Any]]:
        """The table: a row a policy with its shares of all samples and of each slice, and its bound."""
        columns = sorted({name for share in self.shares.values() for name in share.n} - {"all"}, key=_order)
        return [
            {
                "policy": name,
                **{column: _rounded(share.of(column)) for column in ("all", *columns)},
                "bound": self.bounds.get(name),
            }
            for name, share in self.shares.items()
        ]


def audit_samples(
    samples: Sequence[Sample],
    scorer: Scorer,
    bounds: Mapping[str, float] = BOUNDS,
    progress: Progress = silent,
) -> Audit:
    """Let every policy answer every sample that keywords can judge.

    Args:
        samples: as they will be trained on; a validator without ``aside`` is scored without it.
        scorer: the reward.
        bounds: policy -> the share that it may win.
        progress: told now and then.
    """
    checked = [sample for sample in samples if scorer.check(sample) is None]
    others = _Others(checked)
    shares = {name: Share() for name in POLICIES}
    proposals: list[Proposal] = []
    holes: dict[str, int] = {}
    for done, sample in enumerate(checked, 1):
        for name, answer in _answers(sample, others, scorer):
            won = scorer.accuracy_of_text(sample, answer).accuracy == 1.0
            shares[name].add(sample, won)
            fix = _fix(name, sample, others) if won else {}
            if fix:
                holes[name] = holes.get(name, 0) + 1
                if holes[name] <= PROPOSALS:
                    proposals.append(_proposal(sample, name, answer, fix))
        if done % TICKS == 0 or done == len(checked):
            progress(done, len(checked), "")
    return Audit(len(checked), len(samples) - len(checked), shares, _allowed(bounds, checked), proposals, holes)


def allowances(samples: Sequence[Sample]) -> dict[str, float]:
    """What a policy wins by rule: the share of samples that it answers rightly and whose twins it therefore loses.

    A refusal is right where nobody told the character, a denial where a false premise needs no right value beside it. A
    sample that names no twin allows nothing: a data set full of them would teach to refuse.
    """
    twinned = [sample for sample in samples if is_boundary(sample) and twin_of(sample)]
    validators = [sample.validator for sample in twinned if sample.validator]
    refused = sum(validator.abstains for validator in validators)
    denied = sum(bool(validator.denied) and not validator.all_of for validator in validators)
    total = max(1, len(samples))
    return {"unknown": refused / total, "opposite": denied / total}


def _allowed(bounds: Mapping[str, float], samples: Sequence[Sample]) -> dict[str, float]:
    further = allowances(samples)
    return {name: bound + further.get(name, 0.0) for name, bound in bounds.items()}


class _Others:
    """What other characters say to the same kind of question."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._by_kind: dict[tuple[str, ...], list[Sample]] = {}
        for sample in samples:
            self._by_kind.setdefault(_kind(sample), []).append(sample)

    def of(self, sample: Sample) -> list[Sample]:
        """Up to `RIVALS` samples of other characters, the same for the same sample."""
        group = self._by_kind[_kind(sample)]
        drawn = random.Random(sample.id).sample(group, min(len(group), 2 * RIVALS))
        return [one for one in drawn if one.character_name != sample.character_name][:RIVALS]

    def values(self, sample: Sample) -> list[str]:
        """Their keywords, without repetition."""
        return list(dict.fromkeys(keyword for other in self.of(sample) for keyword in other.keywords))[:RIVALS]


def _kind(sample: Sample) -> tuple[str, ...]:
    return (sample.language, sample.dimension, str(sample.metadata.get("attribute") or sample.question_type))


def _answers(sample: Sample, others: _Others, scorer: Scorer) -> Iterator[tuple[str, str]]:
    """Each policy and its answer; a policy is left out where what it says would be right by rule."""
    # "I don't know" about one is "I don't know" about any other.
    abstains = bool(sample.validator and sample.validator.abstains)
    yield "empty", ""
    yield "question", sample.question
    values = others.values(sample)
    if values or (sample.validator and sample.validator.none_of):
        yield "candidates", policies.candidates(sample, values)
    yield "recital", policies.recited(sample)
    if not abstains and (another := next(iter(others.of(sample)), None)):
        yield "other", another.answer
    if getattr(sample.validator, "polarity", None) != "denied":
        yield "denied", policies.said_and_denied(sample)
    yield "over-long", policies.over_long(sample, scorer)
    yield "unknown", policies.unknowing(sample)
    yield "agreement", policies.agreeing(sample)
    yield "opposite", policies.opposing(sample)
    yield "keyword", policies.repeated(sample)
    yield "foreign", policies.in_another_language(sample)


def _fix(policy: str, sample: Sample, others: _Others) -> dict[str, Any]:
    """Fields that would keep a policy from winning; {} where none would."""
    validator = sample.validator
    if policy == "recital":
        done = completed(sample).validator
        return {"aside": done.aside} if done and not (validator and validator.aside) and done.aside else {}
    if policy == "candidates" and not (validator and validator.none_of):
        contexts = (
            *map(str, sample.character_profile.values()),
            *(turn.content for turn in sample.conversation_history),
        )
        wanted = validator.all_of if validator else tuple((keyword,) for keyword in sample.keywords)
        free = fitting(tuple((value,) for value in others.values(sample)), wanted, (sample.question, sample.answer))
        none_of = [group[0] for group in free if not any(contains_term(text, group[0]) for text in contexts)]
        return {"none_of": none_of} if none_of else {}
    return {}


def _proposal(sample: Sample, policy: str, said: str, add: dict[str, Any]) -> Proposal:
    return Proposal(sample.id, sample.character_name, sample.question, policy, said, add)


def bounds_of(words: Sequence[str]) -> dict[str, float]:
    """`BOUNDS` with some set otherwise.

    Args:
        words: ``policy=share`` each; the share lies between 0 and 1.

    Raises:
        UsageError: a policy is unknown, or a share is none.
    """
    bounds = dict(BOUNDS)
    for word in words:
        name, _, text = word.partition("=")
        if name not in POLICIES:
            raise UsageError(f"--bound {word}: no policy {name!r}; known are {', '.join(POLICIES)}")
        try:
            bounds[name] = float(text)
        except ValueError:
            raise UsageError(f"--bound {word}: {text!r} is no number; give {name}=SHARE, such as {name}=0.1") from None
        if not 0 <= bounds[name] <= 1:
            raise UsageError(f"--bound {word}: {text} is no share; it must lie between 0 and 1")
    return bounds


class Reservoir(Generic[Item]):
    """Some samples of a stream (or their numbers), each as likely as any other."""

    def __init__(self, size: int = AUDITED) -> None:
        self.samples: list[Item] = []
        self._size = size
        self._met = 0
        self._random = random.Random("samples to audit")

    def add(self, item: Item) -> None:
        """Meet one more."""
        self._met += 1
        if len(self.samples) < self._size:
            self.samples.append(item)
        elif (place := self._random.randrange(self._met)) < self._size:
            self.samples[place] = item


def _order(column: str) -> tuple[bool, str]:
    """Dimensions, which are capitals, before languages."""
    return (column.islower(), column)


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)
