"""Reciting is not answering: an answer that tells much of the profile besides what was asked earns nothing.

A validator's ``aside`` says what else the profile holds, a group of terms for each thing. An answer may mention terms
of up to ``aside_limit`` groups, or of as many as the reference mentions where that is more. Terms of the question and
of the reference never count, and neither do those that the validator asks for. Denied mentions count like any other:
whoever goes through the profile and says no to the rest of it recites all the same. raiden_core/rewards/aside.py fills
``aside`` where a file has none.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from raiden_core.rewards.folding import fold, without_accents
from raiden_core.rewards.matching import Page, Term, compile_term, mentions
from raiden_core.rewards.numbers import find_numbers, may_hold_numbers
from raiden_core.rewards.validators import Groups


class Recital(NamedTuple):
    """A compiled ``aside``."""

    terms: tuple[Term, ...]
    """All terms, longest first."""
    group_of: tuple[int, ...]
    """For each term, the number of its group."""
    names: tuple[str, ...]
    """For each group, its first term, as the validator spells it."""
    literals: tuple[tuple[str, int], ...]
    """How terms that hold no number are written, each with the number of its group."""
    by_value: int
    """How many groups have a term that holds a number, which matches in other words too."""
    limit: int
    """Of how many groups an answer may mention terms."""
    clash: str | None = None
    """A term that the right answer holds, which makes the validator a broken one."""

    def told(self, text: str) -> tuple[str, ...]:
        """What a folded answer text tells besides, a name for each group, if that is too much; else ()."""
        if len(self.names) <= self.limit or not self._may_tell_too_much(text):
            return ()
        told = self.groups_in(text)
        return tuple(self.names[group] for group in told) if len(told) > self.limit else ()

    def groups_in(self, text: str) -> list[int]:
        """The groups of which a folded text mentions a term; a longer term shields what it holds."""
        found = mentions(self.terms, text)
        return sorted({group for group, spans in zip(self.group_of, found, strict=True) if spans})

    def _may_tell_too_much(self, text: str) -> bool:
        """The same without word boundaries, shields and values: most answers need no closer look."""
        plain = without_accents(text)
        if plain != text:
            text = f"{text}\n{plain}"
        written = {group for literal, group in self.literals if literal in text}
        if len(written) + self.by_value <= self.limit:
            return False
        numbers = len(find_numbers(text)) if may_hold_numbers(text) else 0
        return len(written) + min(self.by_value, numbers) > self.limit


def recital_of(aside: Groups, limit: int, wanted: Groups, question: str, reference: str) -> Recital:
    """The compiled ``aside`` of a validator.

    Args:
        aside: groups of terms.
        limit: the validator's ``aside_limit``.
        wanted: groups of terms that the validator asks for.
        question, reference: what is asked and the right answer; "" where they are not known.
    """
    kept = fitting(aside, wanted, (question, reference))
    if kept == aside:
        return _compile(kept, limit)
    by_reference = len(_compile(aside, 0).groups_in(fold(reference)))
    return _compile(kept, max(limit, by_reference))._replace(clash=_clash(aside, wanted, reference))


def fitting(aside: Groups, wanted: Groups, texts: Iterable[str]) -> Groups:
    """The groups without terms that some text mentions or that are part of a wanted term; empty ones are left out."""
    pages = [Page(fold(text), _terms(aside)) for text in texts if text]
    asked = [term.text for term in _terms(wanted)]
    kept = (
        tuple(
            name
            for name in group
            if (term := compile_term(name))
            and not any(term.text in one for one in asked)
            and not _stands_in(term, pages)
        )
        for group in aside
    )
    return tuple(group for group in kept if group)


def _clash(aside: Groups, wanted: Groups, reference: str) -> str | None:
    """The first term of ``aside`` that the validator asks for or that the reference mentions; None where there is none."""
    asked = set(_terms(wanted))
    said = [Page(fold(reference), _terms(aside))]
    for group in aside:
        for name in group:
            term = compile_term(name)
            if term and (term in asked or _stands_in(term, said)):
                return name
    return None


def _terms(groups: Groups) -> list[Term]:
    return [term for group in groups for name in group if (term := compile_term(name))]


def _stands_in(term: Term, pages: Iterable[Page]) -> bool:
    return any(term.is_in(page) and next(term.find(page), None) for page in pages)


def _compile(aside: Groups, limit: int) -> Recital:
    group_of: dict[Term, int] = {}
    for number, group in enumerate(aside):
        for name in group:
            if term := compile_term(name):
                group_of.setdefault(term, number)
    terms = sorted(group_of, key=lambda term: len(term.text), reverse=True)
    return Recital(
        terms=tuple(terms),
        group_of=tuple(group_of[term] for term in terms),
        names=tuple(group[0] for group in aside),
        literals=tuple(
            (form, number)
            for term, number in group_of.items()
            if not _is_value(term)
            for form in _shortest((term.text, *term.forms))
        ),
        by_value=len({number for term, number in group_of.items() if _is_value(term)}),
        limit=limit,
    )


def _shortest(forms: Iterable[str]) -> list[str]:
    """The forms that hold no other: where one of the rest stands, so does one of these."""
    kept: list[str] = []
    for form in sorted(forms, key=len):
        if not any(shorter in form for shorter in kept):
            kept.append(form)
    return kept


def _is_value(term: Term) -> bool:
    return bool(term.values or term.quantity)
