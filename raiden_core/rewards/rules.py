"""Validators made ready: data in, a verdict on an answer text out; nothing that a model wrote is executed.

A validator compiles once per content (the same sample is scored often) into `Rules`. `Rules.judge` finds every mention
of every term, drops the negated ones, and says which groups are met and what is wrongly claimed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from raiden_core.errors import DataError
from raiden_core.rewards.matching import Span, Term, compile_term, may_overlap, mentions
from raiden_core.rewards.negation import Negation, may_negate
from raiden_core.rewards.negation.surroundings import Surroundings
from raiden_core.rewards.recital import ASIDE_LIMIT, Groups

if TYPE_CHECKING:
    from raiden_core.samples import Validator

_MASK = "\ufffc"
"""Stands for a term's own text where negators are looked for: the 无 of 无锡 is none."""
_KEYS = {"all_of", "none_of", "min_groups", "aside", "aside_limit"}
_KNOWN = "all_of, none_of, min_groups, aside and aside_limit"


class Verdict(NamedTuple):
    """What an answer says, as far as a validator cares."""

    met: tuple[int, ...]
    """Indices of the groups that are met."""
    matched: tuple[str, ...]
    """For each group met, the term that met it, as the validator spells it."""
    claimed: tuple[str, ...]
    """Terms of ``none_of`` that the answer claims."""
    denied: tuple[str, ...]
    """Terms of groups that are not met because every mention is negated."""


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
    wanted: Groups = ()
    """The groups as the validator spells them."""
    aside: Groups = ()
    """Groups of terms for what else the profile holds, as the validator spells them."""
    aside_limit: int = ASIDE_LIMIT

    def judge(self, text: str, breaks: Callable[[], Sequence[int]] = tuple) -> Verdict:
        """What a folded answer text says.

        Args:
            text: folded.
            breaks: gives the places in it where a new line begins; asked only where something may be negated.
        """
        found = mentions(self.terms, text, self.overlap)
        claims = [bool(spans) for spans in found]
        near = Surroundings(text, found) if True in claims else None
        if near and may_negate(near.text):
            text = near.text
            if True in self.holds_negator:
                for spans, holds in zip(near.mentions, self.holds_negator, strict=True):
                    text = _hide(text, spans) if holds else text
            denies = Negation(text, near.moved(breaks())).denies
            for index, spans in enumerate(near.mentions):
                if spans:
                    claims[index] = any(not denies(*span) for span in spans)
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
        return Verdict(tuple(met), tuple(matched), wrong, tuple(denied))


def rules_of(keywords: object, validator: object) -> Rules:
    """The rules of a sample; one group a keyword where there is no validator.

    Args:
        keywords: a sequence of strings.
        validator: a `raiden_core.samples.Validator`, a mapping of its fields, that as a JSON string, or None.

    Raises:
        DataError: nothing can be checked with these; the message says why.
    """
    if validator is None:
        return _from_keywords(_strings(keywords, "keywords"))
    if isinstance(validator, str):
        return _from_json(validator)
    if isinstance(validator, Mapping):
        return _from_json(json.dumps(dict(validator), ensure_ascii=False, default=str))
    if hasattr(validator, "all_of"):
        return _from_model(validator)
    raise DataError(f"validator is {_kind(validator)}, not an object; give {_KNOWN}")


@lru_cache(maxsize=65536)
def _from_model(validator: Validator) -> Rules:
    rules = _build(validator.all_of, validator.none_of, validator.min_groups)
    return replace(rules, aside=validator.aside, aside_limit=validator.aside_limit)


@lru_cache(maxsize=65536)
def _from_keywords(keywords: tuple[str, ...]) -> Rules:
    if not keywords:
        raise DataError("no keywords and no validator; the sample is for a judge only")
    return _build(tuple((keyword,) for keyword in keywords), (), None)


@lru_cache(maxsize=65536)
def _from_json(validator: str) -> Rules:
    try:
        fields = json.loads(validator)
    except (json.JSONDecodeError, RecursionError):
        raise DataError("validator is a string, but not JSON") from None
    if fields is None:
        raise DataError("validator is the JSON string null; leave the field out instead")
    if not isinstance(fields, dict):
        raise DataError(f"validator is {_kind(fields)}, not an object; give {_KNOWN}")
    unknown = sorted(set(fields) - _KEYS)
    if unknown:
        raise DataError(f"validator has the unknown key {unknown[0]!r}; it knows {_KNOWN}")
    groups = fields.get("all_of")
    if not isinstance(groups, list):
        raise DataError(f"validator.all_of is {_kind(groups)}, not a list of groups of terms")
    if not groups:
        raise DataError("validator.all_of is empty: every answer would be right")
    min_groups = fields.get("min_groups")
    if min_groups is not None and (type(min_groups) is not int or not 1 <= min_groups <= len(groups)):
        raise DataError(f"validator.min_groups is {min_groups!r}; it must lie between 1 and {len(groups)}")
    none_of = fields.get("none_of")
    limit = fields.get("aside_limit")
    if limit is not None and (type(limit) is not int or limit < 0):
        raise DataError(f"validator.aside_limit is {limit!r}; it must be a whole number of at least 0")
    rules = _build(
        _groups(groups, "all_of"), () if none_of is None else _strings(none_of, "validator.none_of"), min_groups
    )
    aside = _groups(fields.get("aside") or [], "aside")
    return replace(rules, aside=aside, aside_limit=ASIDE_LIMIT if limit is None else limit)


def _groups(values: object, name: str) -> Groups:
    if not isinstance(values, list):
        raise DataError(f"validator.{name} is {_kind(values)}, not a list of groups of terms")
    terms = tuple(_strings(group, f"validator.{name}[{place}]") for place, group in enumerate(values))
    for place, group in enumerate(terms):
        if not group:
            raise DataError(f"validator.{name}[{place}] is empty: a group needs a term")
    return terms


def _build(groups: tuple[tuple[str, ...], ...], none_of: tuple[str, ...], min_groups: int | None) -> Rules:
    compiled: dict[Term, str] = {}
    for name in (*(name for group in groups for name in group), *none_of):
        compiled.setdefault(_term(name), name)
    terms = sorted(compiled, key=lambda term: len(term.text), reverse=True)
    index = {term: place for place, term in enumerate(terms)}
    wanted = tuple(tuple(dict.fromkeys(index[_term(name)] for name in group)) for group in groups)
    forbidden = frozenset(index[_term(name)] for name in none_of)
    both = forbidden.intersection(*[[place for group in wanted for place in group]])
    if both:
        name = compiled[terms[min(both)]]
        raise DataError(f"validator: {name!r} stands in all_of and in none_of")
    return Rules(
        terms=tuple(terms),
        names=tuple(compiled[term] for term in terms),
        groups=wanted,
        forbidden=forbidden,
        needed=min_groups or len(groups),
        holds_negator=tuple(may_negate(term.text) for term in terms),
        overlap=may_overlap(terms),
        wanted=groups,
    )


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


def _strings(values: object, where: str) -> tuple[str, ...]:
    if not isinstance(values, (list, tuple)):
        raise DataError(f"{where} is {_kind(values)}, not a list of strings")
    for place, value in enumerate(values):
        if not isinstance(value, str):
            raise DataError(f"{where}[{place}] is {_kind(value)}, not a string")
    return tuple(values)


def _kind(value: object) -> str:
    return "missing" if value is None else f"of type {type(value).__name__}"
