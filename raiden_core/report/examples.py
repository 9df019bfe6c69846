"""Which dialogues a report shows: some of each outcome, from as many characters, dimensions and languages as there are.

Chosen by a fixed rule from the whole file, never by hand and never by how well they look: what was broken and what is
still wrong stand beside what was fixed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from raiden_core.evaluation.predictions import MAIN_SET, Prediction

QUOTAS = {"fixed": 6, "broken": 6, "wrong": 6, "right": 4}
"""Examples of each outcome from the validation set."""

EXTRA_QUOTAS = {"fixed": 2, "broken": 2, "wrong": 2, "right": 1}
"""The same for each further set."""

OUTCOMES = {
    "fixed": "Fixed by training",
    "broken": "Broken by training",
    "wrong": "Still wrong",
    "right": "Right in both",
}


@dataclass(frozen=True)
class Example:
    """One question with the replies to it, as the page shows them."""

    outcome: str
    replies: tuple[Prediction, ...]
    """In the order original, base, trained, as far as there are such models; all to the same sample."""

    @property
    def sample(self) -> Prediction:
        """Any of the replies: what they share describes the sample."""
        return self.replies[-1]

    @property
    def system(self) -> str:
        """The system turn: instructions, profile, format."""
        return "\n".join(turn["content"] for turn in self.sample.prompt if turn["role"] == "system")

    @property
    def history(self) -> list[dict[str, str]]:
        """The conversation before the question."""
        return [turn for turn in self.sample.prompt if turn["role"] != "system"][:-1]


def choose_examples(predictions: Sequence[Prediction]) -> list[Example]:
    """Examples by set and outcome, the validation set first."""
    examples: dict[tuple[str, str], list[Example]] = {}
    for example in _pair_up(predictions):
        examples.setdefault((example.sample.set, example.outcome), []).append(example)
    sets = list(dict.fromkeys(row.set for row in predictions))
    chosen = []
    for name in sorted(sets, key=lambda name: name != MAIN_SET):
        for outcome, quota in (QUOTAS if name == MAIN_SET else EXTRA_QUOTAS).items():
            chosen += _spread(examples.get((name, outcome), []), quota)
    return chosen


def _pair_up(predictions: Sequence[Prediction]) -> list[Example]:
    """All examples there are, in the file's order."""
    order = ("original", "base", "trained")
    groups: dict[tuple[str, str], dict[str, Prediction]] = {}
    for row in predictions:
        groups.setdefault((row.set, row.id), {})[row.model] = row
    return [
        Example(_outcome(replies), tuple(replies[model] for model in order if model in replies))
        for replies in groups.values()
    ]


def _outcome(replies: dict[str, Prediction]) -> str:
    after = replies.get("trained") or next(iter(replies.values()))
    before = replies.get("base", after)
    if after.strict == 1:
        return "right" if before.strict == 1 else "fixed"
    return "broken" if before.strict == 1 else "wrong"


def _spread(examples: Sequence[Example], quota: int) -> list[Example]:
    """Up to ``quota`` examples, each time of the kind and the character that were taken least; ties go by order."""
    left = list(examples)
    chosen: list[Example] = []
    kinds: Counter[tuple[str, str]] = Counter()
    characters: Counter[str] = Counter()
    while left and len(chosen) < quota:
        best = min(
            left, key=lambda one: (characters[one.sample.character], kinds[one.sample.dimension, one.sample.language])
        )
        left.remove(best)
        chosen.append(best)
        kinds[best.sample.dimension, best.sample.language] += 1
        characters[best.sample.character] += 1
    return chosen
