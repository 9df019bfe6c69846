"""`Scorer`: the verifiable role-awareness reward (VRAR) of one completion.

After RAIDEN-R1 (arXiv 2505.10218): a question whose answer can be checked by keyword gives a reward of 1 or 0, and a
second one for the format. Training, evaluation, the command line and the mining of distractors all score with this
class, so that there is one implementation. docs/vrar.md has the rules with examples.

    scorer = Scorer()
    scorer.score({"keywords": ["长沙"]}, "<think>…</think><answer>我的家乡是长沙。</answer>").total  # 1.0
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from raiden_core.config import defaults
from raiden_core.errors import ConfigError, DataError
from raiden_core.rewards.completion import read
from raiden_core.rewards.folding import (
    collapse,
    fold,
    has_ink,
    has_more_units,
    line_breaks,
    normalise,
    starts_longer_than,
    units,
)
from raiden_core.rewards.numbers.asked import asked_for
from raiden_core.rewards.rules import Rules, Verdict, rules_of

if TYPE_CHECKING:
    from raiden_core.samples import Sample


WEIGHTS = ("accuracy_weight", "format_weight")
"""The settings that weigh the two rewards; trainers have them as ``reward_weights``."""


@dataclass(frozen=True)
class Score:
    """What a completion earned, and why."""

    accuracy: float
    """1 or 0; a fraction only with partial credit."""
    format: float
    """1 or 0."""
    total: float
    """The weighted sum of both."""
    matched: tuple[str, ...]
    """For each group that is met, the term that met it."""
    why: str
    """One line for a person."""
    answer: str
    """The answer text that was scored; "" where there is none."""


@dataclass(frozen=True, kw_only=True)
class Scorer:
    """VRAR with its settings, which are those of the configuration's sections; so are the defaults."""

    accuracy_weight: float = defaults.ACCURACY_WEIGHT
    format_weight: float = defaults.FORMAT_WEIGHT
    min_length_bound: int = defaults.MIN_LENGTH_BOUND
    """An answer of up to this many units is never too long."""
    length_ratio: float = defaults.LENGTH_RATIO
    """A longer answer scores 0 when it exceeds this many times the reference."""
    prefilled_think: bool = defaults.PREFILLED_THINK
    """The chat template opens ``<think>`` itself, so completions begin inside it."""
    partial_credit: bool = defaults.PARTIAL_CREDIT
    """Accuracy is the share of the needed groups that are met, instead of all or nothing."""

    def __post_init__(self) -> None:
        for name in (*WEIGHTS, "min_length_bound", "length_ratio"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
                raise ConfigError(f"{name} is {value!r}; it must be a number of at least 0")

    def score(self, sample: Sample | Mapping[str, Any], completion: object) -> Score:
        """The score of a completion: a string, or a list of chat messages whose last one is read.

        Whatever the completion is, a score comes back: what is no text earns nothing, and ``why`` says so.

        Raises:
            DataError: the sample has nothing to check an answer by.
        """
        rules = _rules(sample)
        text = completion if isinstance(completion, str) else text_of(completion)
        if text is None:
            return Score(0.0, 0.0, 0.0, (), f"the completion is no text but {_kind(completion)}", "")
        formatted, answer = read(text, self.prefilled_think)
        kept = 1.0 if formatted else 0.0
        if answer.why:
            return self._scored(0.0, kept, (), answer.why, "")
        accuracy, matched, why = self._judge(rules, sample, answer.text)
        return self._scored(accuracy, kept, matched, why, answer.text)

    def accuracy_of_text(self, sample: Sample | Mapping[str, Any], text: str) -> Score:
        """The score of a bare answer text, without tags: references and evaluation controls are such texts."""
        rules = _rules(sample)
        if not has_ink(text):
            return self._scored(0.0, 0.0, (), "the answer is blank", text)
        accuracy, matched, why = self._judge(rules, sample, text)
        return self._scored(accuracy, 0.0, matched, why, text)

    def check(self, sample: Sample | Mapping[str, Any]) -> str | None:
        """Why a sample must not be trained or evaluated on; None when it may.

        It may when an answer to it can be checked, its own reference answer scores 1 and an empty one 0.
        """
        try:
            rules = _rules(sample)
        except DataError as error:
            return str(error)
        reference = _get(sample, "answer")
        if not isinstance(reference, str) or not has_ink(reference):
            return "answer: there is no reference answer"
        if rules.recital and rules.recital.clash:
            return f"validator.aside holds {rules.recital.clash!r}, which is part of the right answer; take it out of aside"
        gold = self.score(sample, _completion(reference, self.prefilled_think))
        if gold.accuracy != 1.0:
            return f"answer: the reference fails its own validator: {gold.why}"
        if gold.format != 1.0:
            return "answer: the reference holds a <think> or <answer> tag"
        if self.score(sample, _completion("", self.prefilled_think)).accuracy != 0.0:
            return "an empty answer would be right"
        return None

    def columns(self) -> dict[str, Any]:
        """The settings that travel with the data, as columns that the reward functions read: all but the weights."""
        return {name: value for name, value in asdict(self).items() if name not in WEIGHTS}

    def length_bound(self, sample: Sample | Mapping[str, Any]) -> int:
        """How many units an answer may have: a Chinese, Japanese or Korean character or another word is one."""
        reference = _get(sample, "answer")
        longest = int(self.length_ratio * _reference_units(reference)) if isinstance(reference, str) else 0
        return max(int(self.min_length_bound), longest)

    def _judge(self, rules: Rules, sample: Sample | Mapping[str, Any], text: str) -> tuple[float, tuple[str, ...], str]:
        """Accuracy, matched terms and the reason."""
        is_long = len(text) > self.min_length_bound
        bound = self.length_bound(sample) if is_long else 0
        if is_long and starts_longer_than(text, bound):
            return 0.0, (), _too_long(bound)
        normal = normalise(text)
        folded = collapse(normal)
        if is_long and len(folded) > bound and has_more_units(folded, bound):
            return 0.0, (), _too_long(bound)
        question = _get(sample, "question") if rules.has_values else None
        asked = asked_for(question) if isinstance(question, str) else frozenset()
        verdict = rules.judge(folded, partial(line_breaks, normal), asked)
        if verdict.claimed:
            return 0.0, verdict.matched, f"claims {', '.join(verdict.claimed)}"
        if verdict.undenied:
            return 0.0, verdict.matched, f"does not deny {', '.join(verdict.undenied)}"
        if rules.abstains and not verdict.abstains:
            return 0.0, verdict.matched, "does not say that it does not know"
        share = min(1.0, len(verdict.met) / rules.needed) if rules.needed else 1.0
        accuracy = share if self.partial_credit or share == 1.0 else 0.0
        if accuracy and rules.recital and (told := rules.recital.told(folded)):
            return 0.0, verdict.matched, f"recites: {', '.join(told)}"
        return accuracy, verdict.matched, _reason(rules, verdict)

    def _scored(self, accuracy: float, kept: float, matched: tuple[str, ...], why: str, answer: str) -> Score:
        total = self.accuracy_weight * accuracy + self.format_weight * kept
        return Score(accuracy, kept, total, matched, why, answer)


def text_of(completion: object) -> str | None:
    """The text of a completion: a string, UTF-8 bytes, or chat messages (the last one's content); else None."""
    if isinstance(completion, str):
        return completion
    if isinstance(completion, bytes):
        try:
            return completion.decode()
        except UnicodeDecodeError:
            return None
    if isinstance(completion, Mapping):
        return text_of(completion.get("content"))
    if not isinstance(completion, (list, tuple)) or not completion:
        return None
    last = completion[-1]
    if isinstance(last, Mapping) and last.get("type") == "text":
        parts = [part.get("text") for part in completion if isinstance(part, Mapping) and part.get("type") == "text"]
        return "".join(part for part in parts if isinstance(part, str))
    return text_of(last) if isinstance(last, Mapping) else None


def _too_long(bound: int) -> str:
    return f"the answer is longer than {bound} characters or words"


def _reason(rules: Rules, verdict: Verdict) -> str:
    if len(verdict.met) >= rules.needed:
        return "right"
    missing = [group for number, group in enumerate(rules.groups) if number not in verdict.met]
    if verdict.denied:
        affirmed = rules.negative and not rules.negative.isdisjoint(
            index for number, group in enumerate(rules.groups) if number not in verdict.met for index in group
        )
        return f"{'affirmed' if affirmed else 'negated'}: {', '.join(verdict.denied)}"
    return "missing: " + "; ".join(" or ".join(rules.names[index] for index in group) for group in missing)


def _rules(sample: Sample | Mapping[str, Any]) -> Rules:
    if isinstance(sample, (dict, Mapping)):
        get = sample.get
        return rules_of(get("keywords"), get("validator"), get("question"), get("answer"))
    return rules_of(sample.keywords, sample.validator, sample.question, sample.answer)


def _get(sample: Sample | Mapping[str, Any], field: str) -> Any:
    return sample.get(field) if isinstance(sample, (dict, Mapping)) else getattr(sample, field)


@lru_cache(maxsize=65536)
def _reference_units(reference: str) -> int:
    return units(fold(reference))


def _completion(answer: str, prefilled_think: bool) -> str:
    return f"{'' if prefilled_think else '<think>'}-</think><answer>{answer}</answer>"


def _kind(value: object) -> str:
    if value is None:
        return "None"
    return "bytes that are not UTF-8" if isinstance(value, bytes) else f"of type {type(value).__name__}"
