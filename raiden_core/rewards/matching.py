"""Terms: what a validator looks for, and where a folded text mentions it.

A term is matched as a folded string: at word boundaries where its edge is a letter of a script that sets words apart
(a Chinese, Japanese or Korean neighbour is a boundary), as a substring elsewhere. Numbers in a term match by value,
never inside a longer number. `mentions` looks for several terms at once: longest first, each consuming its text, so
that a longer term shields what it holds (東京都 is not 京都).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from raiden_core.rewards.folding import SPACELESS, fold, without_accents
from raiden_core.rewards.forms import forms_of
from raiden_core.rewards.numbers import HAN_NUMERALS, UNIT_AFTER, Number, find_numbers, may_hold_numbers
from raiden_core.rewards.numbers.measured import Quantity
from raiden_core.rewards.numbers.quantities import agree, fits_bare, read

Span = tuple[int, int]

_LETTER = re.compile(f"[^\\W_{SPACELESS}]")
_LATIN = re.compile("[a-z\u00df-\u024f\u1e00-\u1eff]")
_INFLECTION = re.compile(f"(?:'s|es|s)(?![^\\W_{SPACELESS}])")
_NUMERAL_RUN = re.compile(f"[{HAN_NUMERALS}]{{2}}")
_SHORTEST_INFLECTED = 2
_MOST_COMPARED = 64


@dataclass(frozen=True)
class Term:
    """One folded term, ready to be looked for."""

    text: str
    literals: tuple[str, ...]
    """What stands around its numbers: one more than there are numbers."""
    values: tuple[str, ...]
    """Its numbers' values; empty for most terms."""
    bounded: bool
    """Whether it begins or ends with a letter that must stand at a word boundary."""
    forms: tuple[str, ...] = ()
    """Its other spellings: inflected forms, blanks of Korean compounds put or left out."""
    quantity: Quantity | None = None
    """The value that it is, if it is nothing else."""
    is_plain: bool = False
    """Whether it is found wherever its text stands, and nowhere else."""
    ignores_accents: bool = False
    """Whether the text's accents do not matter: Orleans is Orléans and José may be Jose, but café is no cafe."""

    def find(self, page: Page) -> Iterator[Span]:
        """The places of a folded text that hold the term, from left to right, none overlapping the one before."""
        if self.quantity:
            return _without_overlaps(self._find_quantity(self.quantity, page))
        text = page.plain if self.ignores_accents else page.text
        if self.values:
            return self._find_by_value(text, page.numbers)
        return self._find_literally(text) if not self.forms else _without_overlaps(self._find_forms(text))

    def is_in(self, page: Page) -> bool:
        """A quick look: False means that `find` will find nothing."""
        if self.values or self.quantity:
            return True
        text = page.plain if self.ignores_accents else page.text
        return self.text in text or (bool(self.forms) and any(form in text for form in self.forms))

    def find_emphasised(self, page: Page) -> Iterator[Span]:
        """The places that hold the term with single asterisks inside: 长*沙*."""
        if len(self.text) > 1 and not self.values and not self.quantity:
            for match in _with_asterisks(self.text).finditer(page.text):
                start, end = match.span()
                if not self.bounded or _bounded_end(page.text, start, end) == end:
                    yield start, end

    def _find_forms(self, text: str) -> Iterator[Span]:
        for form in (self.text, *self.forms):
            yield from self._find_literally(text, form)

    def _find_quantity(self, wanted: Quantity, page: Page) -> Iterator[Span]:
        asked = page.asked
        if wanted.is_bare:
            yield from self._find_by_value(page.text, page.numbers)
            if not asked:
                return  # `kinds_of` relies on it
        for found in page.quantities:
            start, end, meanings = found[:3]
            fits = any(agree(mine, its) for mine in wanted.meanings for its in meanings)
            if not fits and asked:
                fits = (found.is_bare and fits_bare(asked, wanted, found)) or (
                    wanted.is_bare and fits_bare(asked, found, wanted)
                )
            if fits:
                yield start, end

    def _find_literally(self, text: str, form: str = "") -> Iterator[Span]:
        form = form or self.text
        size = len(form)
        place = text.find(form)
        while place >= 0:
            end = _bounded_end(text, place, place + size) if self.bounded else place + size
            if end:
                yield place, end
            place = text.find(form, end or place + 1)

    def _find_by_value(self, text: str, numbers: Sequence[Number]) -> Iterator[Span]:
        at = {number.start: number for number in numbers}
        found = []
        for number in numbers:
            start = number.start - len(self.literals[0])
            if number.value == self.values[0] and start >= 0 and text.startswith(self.literals[0], start):
                end = self._follow(text, number, at)
                if end is not None:
                    found.append((start, end))
        if not found and _NUMERAL_RUN.search(self.text):
            # 五一 is no number in 五一节, where no unit follows; there the name is matched as it is written.
            starts = [number.start for number in numbers]
            for start, end in self._find_literally(text):
                place = bisect_left(starts, end)
                is_number = place > 0 and numbers[place - 1].end > start
                if not is_number and text[start - 1 : start] not in _NUMERALS and text[end : end + 1] not in _NUMERALS:
                    found.append((start, end))
        yield from found

    def _follow(self, text: str, number: Number, at: dict[int, Number]) -> int | None:
        """Where a mention ends that begins with ``number``; None if the rest of the term does not follow."""
        start, place = number.start - len(self.literals[0]), number.end
        for literal, value in zip(self.literals[1:], (*self.values[1:], None), strict=True):
            if not text.startswith(literal, place):
                if not (text.startswith(" ", place) and UNIT_AFTER.match(literal)):
                    return None
                if not text.startswith(literal, place + 1):
                    return None
                place += 1
            place += len(literal)
            if value is not None:
                following = at.get(place)
                if following is None and text.startswith(" ", place) and UNIT_AFTER.fullmatch(literal):
                    # 5월 3일 and 5월3일
                    following = at.get(place + 1)
                if following is None or following.value != value:
                    return None
                place = following.end
        if not self.literals[-1]:
            return place if not self.literals[0] or _bounded_end(text, start, start + 1, left_only=True) else None
        return _bounded_end(text, start, place) or None


_NUMERALS = frozenset(HAN_NUMERALS)


@lru_cache(maxsize=65536)
def compile_term(term: str) -> Term | None:
    """A term ready to be looked for; None when nothing of it is left after folding."""
    text = fold(term)
    is_name = term[:1].isupper()
    plain = without_accents(text)
    ignores_accents = _LATIN.search(text) is not None and (plain == text or is_name)
    text = plain if ignores_accents else text
    if not text or (not any(letter.isalnum() for letter in text) and not text.strip(_PUNCTUATION)):
        return None
    numbers = find_numbers(text) if may_hold_numbers(text) else []
    literals, place = [], 0
    for number in numbers:
        literals.append(text[place : number.start])
        place = number.end
    literals.append(text[place:])
    for index in range(1, len(literals)):
        if literals[index].startswith(" ") and UNIT_AFTER.match(literals[index]):
            literals[index] = literals[index][1:]
        if index < len(numbers) and UNIT_AFTER.fullmatch(literals[index].rstrip()):
            literals[index] = literals[index].rstrip()
    bounded = _LETTER.match(text) is not None or _LETTER.match(text, len(text) - 1) is not None
    values = tuple(number.value for number in numbers)
    quantities = read(text, numbers)
    quantity = quantities[0] if quantities and quantities[0][:2] == (0, len(text)) else None
    forms = (
        () if values or quantity else tuple(form for form in forms_of(text, is_name) if not _is_suffixed(form, text))
    )
    is_plain = not (bounded or values or quantity or forms or ignores_accents)
    return Term(text, tuple(literals), values, bounded, forms, quantity, is_plain, ignores_accents)


_PUNCTUATION = " .,;:!?'\"()[]{}<>-_/\\|~。、·…—“”「」『』《》"


def _is_suffixed(form: str, text: str) -> bool:
    return form in (f"{text}s", f"{text}es") and _LATIN.match(text) is not None and len(text) >= _SHORTEST_INFLECTED


@lru_cache(maxsize=4096)
def _with_asterisks(text: str) -> re.Pattern[str]:
    return re.compile(r"\*?".join(map(re.escape, text)))


class Page:
    """A folded text that terms are looked for in; what it holds is read when a term first asks for it."""

    __slots__ = ("_numbers", "_plain", "_quantities", "_terms", "asked", "text")

    def __init__(self, text: str, terms: Sequence[Term], asked: frozenset[str] = frozenset()) -> None:
        """``terms`` are all that will be looked for."""
        self.text = text
        self.asked = asked
        self._terms = terms
        self._plain: str | None = None
        self._numbers: list[Number] | None = None
        self._quantities: list[Quantity] | None = None

    @property
    def plain(self) -> str:
        """The text without the accents of Latin letters, place by place."""
        if self._plain is None:
            self._plain = without_accents(self.text)
        return self._plain

    @property
    def numbers(self) -> list[Number]:
        if self._numbers is None:
            self._numbers = find_numbers(self.text) if may_hold_numbers(self.text) else []
        return self._numbers

    @property
    def quantities(self) -> list[Quantity]:
        if self._quantities is None:
            self._quantities = read(self.text, self.numbers, kinds_of(self._terms, self.asked))
        return self._quantities


def _without_overlaps(spans: Iterator[Span]) -> Iterator[Span]:
    found = list(spans)
    if len(found) < 2:
        yield from found
        return
    last = 0
    for start, end in sorted(found):
        if start >= last:
            yield start, end
            last = end


def mentions(
    terms: Sequence[Term], text: str, may_overlap: bool = True, asked: frozenset[str] = frozenset()
) -> list[list[Span]]:
    """For each term, longest first, the places of a folded text that mention it; no two places overlap.

    Args:
        terms: sorted by the length of their text, longest first.
        text: folded.
        may_overlap: what `may_overlap` says of these terms; False spares the bookkeeping.
        asked: the kinds of value that the question asks for (`asked_for`).
    """
    page = Page(text, terms, asked)
    emphasised = "*" in text
    here = [emphasised or term.is_in(page) for term in terms]
    if not may_overlap or here.count(True) <= 1:
        return [_places(term, page, emphasised) if there else [] for term, there in zip(terms, here, strict=True)]
    taken = bytearray(len(text))
    found: list[list[Span]] = []
    for term, there in zip(terms, here, strict=True):
        spans: list[Span] = []
        if there:
            for start, end in _places(term, page, emphasised):
                if taken.find(1, start, end) < 0:
                    spans.append((start, end))
            for start, end in spans:
                taken[start:end] = b"\1" * (end - start)
        found.append(spans)
    return found


def _places(term: Term, page: Page, emphasised: bool) -> list[Span]:
    if term.is_plain and not emphasised:
        return _find_plain(term.text, page.text)
    places = list(term.find(page))
    return places if places or not emphasised else list(term.find_emphasised(page))


def _find_plain(term: str, text: str) -> list[Span]:
    size, place = len(term), text.find(term)
    found: list[Span] = []
    while place >= 0:
        found.append((place, place + size))
        place = text.find(term, place + size)
    return found


def may_overlap(terms: Sequence[Term]) -> bool:
    """Whether mentions of two different terms can share text."""
    if any(term.values or term.quantity for term in terms) or len(terms) > _MOST_COMPARED:
        return len(terms) > 1
    spelled = [(term.text, *term.forms) for term in terms]
    return any(
        _can_share(longer, shorter) or _can_share(shorter, longer)
        for some, others in combinations(spelled, 2)
        for longer in some
        for shorter in others
    )


_NO_KINDS: frozenset[str] = frozenset()


def kinds_of(terms: Sequence[Term], asked: frozenset[str] = _NO_KINDS) -> frozenset[str] | None:
    """The kinds of value that the terms look for; None where a number without a unit may be of any kind."""
    quantities = [quantity for term in terms if (quantity := term.quantity)]
    if not quantities:
        return _NO_KINDS
    if asked and any(quantity.is_bare for quantity in quantities):
        return None
    # A term that is a bare number needs no units read: it is met by any number of its value.
    kinds = {kind for quantity in quantities if not quantity.is_bare for kind, _ in quantity.meanings}
    return frozenset(kinds | {"number"} if asked else kinds)


def _can_share(longer: str, shorter: str) -> bool:
    if shorter in longer:
        return True
    # Where they share a piece, each holds the letter with which the other ends or begins there; most pairs do not.
    ends_in = shorter[0] in longer and longer[-1] in shorter
    begins_in = longer[:1] in shorter and shorter[-1] in longer
    if not ends_in and not begins_in:
        return False
    sizes = range(1, len(shorter))
    return any(longer.endswith(shorter[:size]) or shorter.endswith(longer[:size]) for size in sizes)


def contains_term(text: str, term: str) -> bool:
    """Whether a text holds a term, negated or not, by the rules that scoring uses.

    Miners of distractors call it: ``none_of`` never holds a term of the profile, the history or the question.
    """
    compiled = compile_term(term)
    if compiled is None:
        return False
    folded = _folded(text)
    if "*" in folded:
        return any(mentions([compiled], folded))
    page = Page(folded, (compiled,))
    return compiled.is_in(page) and next(compiled.find(page), None) is not None


@lru_cache(maxsize=1024)
def _folded(text: str) -> str:
    return fold(text)


def _bounded_end(text: str, start: int, end: int, left_only: bool = False) -> int:
    """Where a mention ends, its inflection included; 0 if it does not stand at word boundaries."""
    if start and _LETTER.match(text, start) and _LETTER.match(text, start - 1):
        return 0
    if left_only or not _LETTER.match(text, end - 1):
        return end
    if end < len(text) and end - start >= _SHORTEST_INFLECTED and _LATIN.match(text, end - 1):
        inflection = _INFLECTION.match(text, end)
        if inflection:
            return inflection.end()
    return 0 if end < len(text) and _LETTER.match(text, end) else end
