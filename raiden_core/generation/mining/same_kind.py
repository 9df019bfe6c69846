"""Wrong answers of the same kind as a term, from raiden's own word lists, for where the teacher offers none that can be used.

They come from what the offline teacher and the composed characters know: the values of the same attribute, or of the list
that holds the term, or for dates, names and places those of any. They do not depend on other characters of the run, so
that a character's samples are the same in any company.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from raiden_core.characters.word_lists import word_lists
from raiden_core.generation.offline.catalogue import load
from raiden_core.rewards import fold
from raiden_core.samples import QuestionType

_NUMBER = re.compile(r"\d+")
_STEPS = (3, -2, 5, 1, -1, 7, 10)


def same_kind(attribute: str, term: str, question_type: QuestionType, language: str) -> tuple[str, ...]:
    """Terms of the kind of ``term``, in a fixed order, without it; () where nothing is known of its kind."""
    pools = _pools(attribute, fold(term), question_type, language)
    terms = [word for pool in pools for word in pool if fold(word) != fold(term)]
    return tuple(dict.fromkeys((*_other_numbers(term), *terms)))


def _other_numbers(term: str) -> list[str]:
    """The term with another number in the place of its last one."""
    numbers = list(_NUMBER.finditer(term))
    if not numbers:
        return []
    place, value = numbers[-1].span(), int(numbers[-1].group())
    others = [value + step for step in _STEPS if value + step > 0]
    return [f"{term[: place[0]]}{other}{term[place[1] :]}" for other in others]


def _pools(attribute: str, term: str, question_type: QuestionType, language: str) -> Iterator[tuple[str, ...]]:
    catalogue, words = load(language), word_lists(language)
    name = catalogue.find(attribute)
    by_name = {catalogue.find(key) or key: values for key, values in words.attributes.items()}
    if name is not None:
        known = catalogue.attributes[name]
        yield (*known.rivals, *(group[0] for group in known.values))
        yield by_name.get(name, ())
    lists = [*by_name.values(), *(memory.values for memory in catalogue.memory.values())]
    lists += [known.rivals for known in catalogue.attributes.values()]
    holding = [values for values in lists if any(fold(value) == term for value in values)]
    yield from holding
    if holding or name is not None:
        return
    if question_type == "who":
        yield words.given
    elif question_type == "where":
        yield catalogue.attributes["hometown"].rivals if "hometown" in catalogue.attributes else ()
    elif question_type == "when":
        yield from (memory.values for memory in catalogue.memory.values() if memory.type == "when")
