"""Validators made ready: data in, a verdict on an answer text out; nothing that a model wrote is executed.

A validator compiles once per content (the same sample is scored often) into `Rules`. `Rules.judge` finds every mention
of every term, drops those that claim nothing, and says which groups are met and what is wrongly claimed. What a denial
looks like depends on what is asked for, so question and reference answer take part: `topic_of` reads the question, and
a term that the reference denies is one that a right answer denies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from raiden_core.errors import DataError
from raiden_core.rewards.admission import admits, turns_down
from raiden_core.rewards.folding import fold
from raiden_core.rewards.matching import Span, Term, compile_term, may_overlap, mentions
from raiden_core.rewards.negation import Negation, may_negate
from raiden_core.rewards.negation.surroundings import Surroundings
from raiden_core.rewards.negation.topic import NO_TOPIC, Topic, topic_of
from raiden_core.rewards.recital import Recital, recital_of
from raiden_core.rewards.validators import Fields, Groups, fields_of

if TYPE_CHECKING:
    from raiden_core.samples import Validator

_MASK = "\ufffc"
"""Stands for a term's own text where negators are looked for: the 无 of 无锡 is none."""


class Verdict(NamedTuple):
    """What an answer says, as far as a validator cares."""

    met: tuple[int, ...]
    """Indices of the groups that are met."""
    matched: tuple[str, ...]
    """For each group met, the term that met it, as the validator spells it."""
    claimed: tuple[str, ...]
    """Terms of ``none_of`` that the answer claims."""
    denied: tuple[str, ...]
    """Terms of groups that are not met because no mention counts."""
    undenied: tuple[str, ...] = ()
    """For each group of ``denied`` that the answer does not deny, its first term."""
    abstains: bool = False
    """Whether the answer says that it does not know; looked for only where the validator asks."""


@dataclass(frozen=True)
class Rules:
    """A compiled validator."""

    terms: tuple[Term, ...]
    """All terms, longest first."""
    names: tuple[str, ...]
    """Each term as the validator spells it."""
    groups: tuple[tuple[int, ...], ...]
    """For each group, the indices of its terms."""
    forbidden: frozenset[int]
    needed: int
    holds_negator: tuple[bool, ...]
    overlap: bool
    """Whether mentions of two terms can share text."""
    to_deny: tuple[tuple[int, ...], ...] = ()
    """For each group of ``denied``, the indices of its terms."""
    abstains: bool = False
    """A right answer says that it does not know."""
    question: str = ""
    """Folded, where an answer has to deny or to admit something: to repeat the question does neither."""
    topic: Topic = NO_TOPIC
    negative: frozenset[int] = frozenset()
    """Indices of terms that a right answer denies."""
    recital: Recital | None = None
    """What an answer may tell besides; None where anything may be told."""
    has_values: bool = False
    """Whether a term is a value, so that the question may set its unit."""

    def judge(
        self, text: str, breaks: Callable[[], Sequence[int]] = tuple, asked: frozenset[str] = frozenset()
    ) -> Verdict:
        """What a folded answer text says.

        Args:
            text: folded.
            breaks: gives the places in it where a new line begins; asked only where something may be negated.
            asked: the kinds of value that the question asks for.
        """
        found = mentions(self.terms, text, self.overlap, asked)
        claims = [bool(spans) for spans in found]
        near = Surroundings(text, found) if True in claims else None
        if near and (self.negative or may_negate(near.text, self.topic)):
            near_text = near.text
            if True in self.holds_negator:
                for spans, holds in zip(near.mentions, self.holds_negator, strict=True):
                    near_text = _hide(near_text, spans) if holds else near_text
            says = Negation(near_text, near.moved(breaks()), self.topic).claims_one
            for index, spans in enumerate(near.mentions):
                if spans:
                    negative = index in self.negative
                    claims[index] = says(spans, negative)
        met, matched, denied = [], [], []
        for number, group in enumerate(self.groups):
            for index in group:
                if claims[index]:
                    met.append(number)
                    matched.append(self.names[index])
                    break
            else:
                denied += [self.names[index] for index in group if found[index]]
        wrong = tuple(self.names[index] for index in sorted(self.forbidden) if claims[index]) if self.forbidden else ()
        verdict = Verdict(tuple(met), tuple(matched), wrong, tuple(denied))
        if self.to_deny or self.abstains:
            return self._judge_further(verdict, text, found)
        return verdict

    def _judge_further(self, verdict: Verdict, text: str, found: Sequence[Sequence[Span]]) -> Verdict:
        """What is denied, and whether the answer admits that it does not know.

        A group of ``denied`` is met if a mention of it is denied and none is claimed, for any time or person; or, where
        no mention is claimed, if the right value or a plain "no" stands in its place. Where the validator asks for both,
        one will do: "I have no telephone" as well as "what is a telephone?".
        """
        if text == self.question:
            return verdict._replace(undenied=tuple(self.names[group[0]] for group in self.to_deny))
        unknown = self.abstains and admits(text, self.question)
        if unknown or not self.to_deny:
            return verdict._replace(abstains=unknown)
        masked = text
        for spans, holds in zip(found, self.holds_negator, strict=True):
            masked = _hide(masked, spans) if holds else masked
        says = Negation(masked, (), self.topic._replace(is_past=True, is_future=True, is_others=True))
        told = bool(self.groups) and len(verdict.met) >= self.needed
        corrected = told or says.says_no() or turns_down(text)
        undenied = []
        for group in self.to_deny:
            mentioned = [found[index] for index in group if found[index]]
            # Before the right value an echo only asks: "Paris? I live in Dublin."
            kept = [[span for span in spans if not (told and says.is_asked(*span))] for spans in mentioned]
            claimed = any(says.claims_one(spans) for spans in kept)
            if claimed or not (corrected or any(says.denies_one(spans) for spans in mentioned)):
                undenied.append(self.names[group[0]])
        return verdict._replace(undenied=tuple(undenied), abstains=self.abstains and not undenied)


def rules_of(keywords: object, validator: object, question: object = None, reference: object = None) -> Rules:
    """The rules of a sample; one group a keyword where there is no validator.

    Args:
        keywords: a sequence of strings.
        validator: a `raiden_core.samples.Validator`, a mapping of its fields, that as a JSON string, or None.
        question, reference: what is asked and the right answer, if known: they decide what a denial looks like.

    Raises:
        DataError: nothing can be checked with these; the message says why.
    """
    question = question if isinstance(question, str) else ""
    reference = reference if isinstance(reference, str) else ""
    if validator is None and isinstance(keywords, (list, tuple)):
        return _from_keywords(tuple(keywords), question, reference)
    if validator is None or isinstance(validator, (str, dict)):
        return _ready(fields_of(keywords, validator), question, reference)
    return _from_model(validator, question, reference)


@lru_cache(maxsize=65536)
def _from_keywords(keywords: tuple[str, ...], question: str, reference: str) -> Rules:
    return _ready(fields_of(keywords, None), question, reference)


@lru_cache(maxsize=65536)
def _from_model(validator: Validator, question: str, reference: str) -> Rules:
    return _ready(fields_of(None, validator), question, reference)


@lru_cache(maxsize=65536)
def _ready(fields: Fields, question: str, reference: str) -> Rules:
    """The rules of a validator as a question and its reference ask for them."""
    rules = _build(fields)
    topic = topic_of(question)
    if fields.about:
        topic = topic._replace(about=fields.about, is_name=topic.is_name and fields.about in ("identity", "possession"))
    if topic.is_name and not any(_may_be_name(name) for name in _names(fields.all_of)):
        topic = topic._replace(is_name=False)
    if topic != rules.topic:
        rules = replace(rules, topic=topic)
    if fields.abstains or fields.denied:
        rules = replace(rules, question=fold(question))
    if fields.aside:
        wanted = (*fields.all_of, *fields.denied)
        rules = replace(rules, recital=recital_of(fields.aside, fields.aside_limit, wanted, question, reference))
    every = frozenset(range(len(rules.terms))) - _indices(rules.to_deny)
    if fields.polarity == "denied":
        rules = replace(rules, negative=every)
    if not reference:
        return rules
    return _as_the_reference_says(rules, fold(reference), fields.polarity is None)


def _may_be_name(term: str) -> bool:
    """Whether a term may name somebody: English names are capitalised, those of other scripts look like any word."""
    return not term.isascii() or not term.islower()


def _as_the_reference_says(rules: Rules, reference: str, is_free: bool) -> Rules:
    """What a reference says that speaks of another time or of somebody else, or denies, is what a right answer says.

    The terms that it denies, or leaves bare where the question asks for what is not so, are negative; only where the
    validator leaves the polarity free.
    """
    if not rules.topic.asks_denied and not may_negate(reference, rules.topic):
        return rules
    verdict = rules.judge(reference)
    if verdict.denied and not (rules.topic.is_past and rules.topic.is_others):
        other = replace(rules, topic=rules.topic._replace(is_past=True, is_future=True, is_others=True))
        if len(other.judge(reference).met) > len(verdict.met):
            rules, verdict = other, other.judge(reference)
    if not is_free or not (rules.topic.asks_denied or rules.topic.about in ("event", "other")):
        # A reference that denies what its question asks for is a broken one, and its check says so.
        return rules
    met = () if rules.topic.asks_denied else verdict.met
    # Of a reference it is enough that it does not affirm; what else it says is its author's business.
    topic = rules.topic._replace(asks_denied=False)
    negative = replace(rules, negative=_indices(rules.groups), topic=topic)
    denied = [
        group
        for number, group in enumerate(rules.groups)
        if number not in met and number in negative.judge(reference).met
    ]
    if not denied:
        return rules
    # What must not be claimed is asked for in the same way.
    every = rules.forbidden if len(denied) == len(rules.groups) else frozenset()
    return replace(rules, negative=_indices(denied) | every)


def _indices(groups: Sequence[Sequence[int]]) -> frozenset[int]:
    return frozenset(index for group in groups for index in group)


@lru_cache(maxsize=65536)
def _build(fields: Fields) -> Rules:
    groups, none_of = fields.all_of, fields.none_of
    compiled: dict[Term, str] = {}
    for name in (*_names(groups), *none_of, *_names(fields.denied)):
        compiled.setdefault(_term(name), name)
    terms = sorted(compiled, key=lambda term: len(term.text), reverse=True)
    index = {term: place for place, term in enumerate(terms)}
    wanted, to_deny = (
        tuple(tuple(dict.fromkeys(index[_term(name)] for name in group)) for group in given)
        for given in (groups, fields.denied)
    )
    forbidden = frozenset(index[_term(name)] for name in none_of)
    for other, where in ((forbidden, "none_of"), (_indices(to_deny), "denied")):
        both = other & _indices(wanted)
        if both:
            name = compiled[terms[min(both)]]
            raise DataError(f"validator: {name!r} stands in all_of and in {where}")
    return Rules(
        terms=tuple(terms),
        names=tuple(compiled[term] for term in terms),
        groups=wanted,
        forbidden=forbidden,
        needed=fields.min_groups or len(groups),
        holds_negator=tuple(may_negate(term.text) for term in terms),
        overlap=may_overlap(terms),
        to_deny=to_deny,
        abstains=fields.abstains,
        has_values=any(term.quantity for term in terms),
    )


def _names(groups: Groups) -> list[str]:
    return [name for group in groups for name in group]


def _term(name: str) -> Term:
    term = compile_term(name)
    if term is None:
        raise DataError(f"the term {name!r} is empty once it is folded")
    return term


def _hide(text: str, spans: Sequence[Span]) -> str:
    pieces, place = [], 0
    for start, end in spans:
        pieces += [text[place:start], _MASK * (end - start)]
        place = end
    return "".join([*pieces, text[place:]])
