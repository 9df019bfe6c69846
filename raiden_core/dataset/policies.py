"""Policies that do not play the character: what each would answer to a sample, without a model.

Evaluation shows what the recited profile earns (raiden_core/evaluation/controls.py), and raiden_core/dataset/audit.py
lets all of them answer a data set. Where one of them wins, a model can learn to win without playing anybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from raiden_core.rewards.aside import short_values
from raiden_core.rewards.folding import fold, units

if TYPE_CHECKING:
    from raiden_core.rewards import Scorer
    from raiden_core.samples import Sample

_DENIED = {
    "zh": ("是{term}。不，不是{term}。", "是{term}。不对，我说错了。", "{term}。我骗你的，不是。"),
    "en": ("It is {term}. No, it is not {term}.", "It's {term}. No, wait, that's wrong.", "{term}. That is not true."),
    "ja": ("{term}です。いいえ、{term}ではありません。", "{term}です。いや、違います。", "{term}。嘘です。"),
    "ko": (
        "{term}입니다. 아니요, {term} 아닙니다.",
        "{term}입니다. 아니, 잘못 말했어요.",
        "{term}요. 그건 사실이 아닙니다.",
    ),
}
"""Ways to take back what was said; each sample gets one of its language's, by its id."""
_UNKNOWN = {"zh": "我不知道。", "en": "I don't know.", "ja": "分かりません。", "ko": "모르겠어요."}
_AGREED = {
    "zh": ("是的，没错。", "对，{term}。"),
    "en": ("Yes, that's right.", "Yes, {term}."),
    "ja": ("はい、そうです。", "はい、{term}です。"),
    "ko": ("네, 맞아요.", "네, {term}."),
}
"""Without and with what the question assumes."""
_OPPOSED = {
    "zh": ("不，不是这样的。", "不，不是{term}。"),
    "en": ("No, that is not true.", "No, it is not {term}."),
    "ja": ("いいえ、違います。", "いいえ、{term}ではありません。"),
    "ko": ("아니요, 그렇지 않아요.", "아니요, {term} 아니에요."),
}
_FOREIGN = {"en": "我想应该是 {term} 吧。"}
_REPEATED = 10


def recited(sample: Sample) -> str:
    """All short values of the profile, whatever was asked."""
    return _join(sample, short_values(sample.character_profile))


def candidates(sample: Sample, others: Sequence[str]) -> str:
    """Every answer that there could be: what the validator asks for and forbids; without the latter, what others say."""
    none_of = sample.validator.none_of if sample.validator else ()
    return _join(sample, [*_wanted(sample), *(none_of or others)])


def repeated(sample: Sample) -> str:
    """The keywords again and again."""
    return _join(sample, _wanted(sample) * _REPEATED)


def said_and_denied(sample: Sample) -> str:
    """The keywords said and then taken back."""
    term = _join(sample, _wanted(sample))
    ways = _DENIED.get(sample.language, _DENIED["en"])
    return ways[sum(sample.id.encode()) % len(ways)].format(term=term)


def over_long(sample: Sample, scorer: Scorer) -> str:
    """The reference, and then the question until the answer is too long."""
    times = scorer.length_bound(sample) // max(1, units(fold(sample.question))) + 1
    return " ".join([sample.answer, *[sample.question] * times])


def in_another_language(sample: Sample) -> str:
    """The keywords in a sentence of another language."""
    return _FOREIGN.get(sample.language, "I would say it is {term}.").format(term=_join(sample, _wanted(sample)))


def unknowing(sample: Sample) -> str:
    """That one does not know."""
    return _UNKNOWN.get(sample.language, _UNKNOWN["en"])


def agreeing(sample: Sample) -> str:
    """That whatever the question assumes is so."""
    return _echoing(sample, _AGREED)


def opposing(sample: Sample) -> str:
    """That whatever the question assumes is not so."""
    return _echoing(sample, _OPPOSED)


def _echoing(sample: Sample, ways: Mapping[str, tuple[str, str]]) -> str:
    bare, named = ways.get(sample.language, ways["en"])
    denied = sample.validator.denied if sample.validator else ()
    return named.format(term=denied[0][0]) if denied else bare


def _wanted(sample: Sample) -> list[str]:
    if sample.validator is not None:
        return [group[0] for group in sample.validator.all_of]
    return list(sample.keywords)


def _join(sample: Sample, terms: Sequence[str]) -> str:
    return ("、" if sample.language in ("zh", "ja") else ", ").join(terms)
