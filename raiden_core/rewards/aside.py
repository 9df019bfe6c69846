"""What else a profile holds: `aside` of validators, from the short values of ``character_profile``.

Generation fills ``aside`` from a character's facts (`of_profile` with their terms). Samples from elsewhere, those of the
OpenR1 guide among them, have none: `completed` gives it to them when they are read for training, for evaluation or for
an export, so that reciting a profile pays nowhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from raiden_core.characters.facts import facts_of_text
from raiden_core.characters.keys import is_description_key, is_name_key
from raiden_core.characters.lines import units
from raiden_core.rewards.folding import fold
from raiden_core.rewards.matching import compile_term
from raiden_core.rewards.recital import fitting
from raiden_core.rewards.validators import ASIDE_LIMIT, Groups
from raiden_core.samples import Validator

if TYPE_CHECKING:
    from raiden_core.samples import Sample

MAX_UNITS = 20
"""A value of more units is prose; a CJK character or another word is one."""
MAX_GROUPS = 64
"""Of a longer profile the first so many things; answers are bounded in length, so nobody can recite more."""
FEW_VALUES = 4
"""A profile with fewer short values lends the clauses of its prose as well."""
MARK = {"aside": "completed from the profile"}
"""What the metadata of a completed sample say."""
MIN_CLAUSE_UNITS = {True: 5, False: 3}
"""The shortest clause worth recognising, with and without CJK characters: shorter ones are said by chance."""

_ITEMS = re.compile(r"[、，,；;／\n]|\s/\s|\s(?:and|&|그리고|및)\s")
_CLAUSES = re.compile(r"[。！？!?；;，,\n：:]|\.(?:\s|$)")
_PARENTHESIS = re.compile(r"\s*[(（][^)）]*[)）]")
_ARTICLE = re.compile(r"(?:an?|the|his|her|my|their)\s+(?=\S)", re.IGNORECASE)
_EMPHASIS = re.compile(r"[*`]|__")
_CJK = re.compile("[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_MARKS = " 　\t\"'“”「」『』《》*_`-•。.!！?？"


class Told(NamedTuple):
    """What a profile holds, a group of terms for each thing."""

    values: Groups
    """Its short values."""
    clauses: Groups = ()
    """The clauses of its prose, where values are few."""


def completed(sample: Sample) -> Sample:
    """The sample with an ``aside`` of its profile where its validator has none; itself where there is nothing to add."""
    validator = sample.validator
    if (validator is not None and validator.aside) or (validator is None and not sample.keywords):
        return sample
    bare = validator or Validator(all_of=tuple((keyword,) for keyword in sample.keywords))
    done = guarded(bare, of_profile(sample.character_profile), (sample.question, sample.answer))
    if done is bare:
        return sample
    return sample.model_copy(update={"validator": done, "metadata": {**sample.metadata, **MARK}})


def count_completed(samples: Iterable[Sample]) -> int:
    """How many samples got their ``aside`` from `completed`, for statistics."""
    return sum(sample.metadata.get("aside") == MARK["aside"] for sample in samples)


def guarded(validator: Validator, told: Told, texts: Sequence[str]) -> Validator:
    """The validator with an ``aside``, and a limit that suits it; itself where nothing can be told besides.

    Args:
        validator: without ``aside``.
        told: what the profile holds.
        texts: question and right answers: what they mention is no sign of reciting.
    """
    values, clauses = (fitting(groups, validator.all_of, texts) for groups in told)
    if not values and not clauses:
        return validator
    # Of two values besides, whoever tells both has told all there is.
    limit = 1 if len(values) == 2 else ASIDE_LIMIT
    return validator.model_copy(update={"aside": (*values, *clauses), "aside_limit": min(limit, validator.aside_limit)})


def of_profile(profile: Mapping[str, Any], facts: Sequence[Sequence[str]] = ()) -> Told:
    """What a profile holds.

    Args:
        profile: free keys; values are texts, numbers, lists of them or objects.
        facts: for each fact that the teacher knows, the terms that tell it; they go before the profile's own words.
    """
    own = _told(json.dumps(profile, ensure_ascii=False, default=str))
    values = merged((*map(tuple, facts), *own.values))[:MAX_GROUPS]
    return Told(values, own.clauses if len(values) < FEW_VALUES else ())


def short_values(profile: Mapping[str, Any]) -> list[str]:
    """The short values of a profile as they stand there: what somebody says who recites it."""
    return [value for key, text in _fields("", profile) for value in _values(key, text)]


def merged(groups: Sequence[tuple[str, ...]]) -> Groups:
    """Groups that share a term become one, at the place of the first; terms that say too little are left out."""
    kept: list[dict[str, str]] = []
    place_of: dict[str, int] = {}
    for group in groups:
        terms = {text: name for name in group if (text := _telling(name))}
        if not terms:
            continue
        place = next((place_of[text] for text in terms if text in place_of), len(kept))
        if place == len(kept):
            kept.append({})
        for text, name in terms.items():
            kept[place].setdefault(text, name)
            place_of.setdefault(text, place)
    return tuple(tuple(group.values()) for group in kept)


def _telling(name: str) -> str | None:
    """A term's folded text, if it tells something: one letter stands in too many words, a small number in too many places."""
    term = compile_term(name)
    if term is None or len(term.text) < 2 or (term.text.isdecimal() and len(term.text) < 3):
        return None
    return term.text


@lru_cache(maxsize=4096)
def _told(profile: str) -> Told:
    """The groups of a profile, given as JSON; a character's samples share it."""
    fields = list(_fields("", json.loads(profile)))
    values = merged([_terms_of_field(key, value) for key, text in fields for value in _values(key, text)])
    clauses = [(clause,) for _, text in fields for clause in _clauses(text)] if len(values) < FEW_VALUES else []
    return Told(values, merged(clauses)[:MAX_GROUPS])


def _terms_of_field(key: str, value: str) -> tuple[str, ...]:
    """The terms of a value; a name is one, whatever stands in it."""
    return (value.strip(_MARKS),) if is_name_key(key) else terms_of(value)


def _fields(key: str, value: Any) -> Iterator[tuple[str, str]]:
    """Keys and texts of a profile, nested ones too; the items of a list are one text."""
    if isinstance(value, Mapping):
        for inner_key, inner in value.items():
            yield from _fields(inner_key, inner)
    elif isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
        yield key, "、".join(map(str, value))
    elif isinstance(value, list):
        for item in value:
            yield from _fields(key, item)
    elif value is not None and not isinstance(value, bool):
        yield key, str(value)


def _values(key: str, text: str) -> list[str]:
    """The short value that a field holds, or those of the ``key: value`` lines in a longer text."""
    is_prose = is_description_key(key)
    texts = facts_of_text(text).values() if is_prose or units(text) > MAX_UNITS else ()
    return [one for one in texts or (() if is_prose else (text,)) if terms_of(one)]


def terms_of(value: str) -> tuple[str, ...]:
    """A short value and its items; () for prose."""
    value = _EMPHASIS.sub("", value).strip(_MARKS)
    items = [item.strip(_MARKS) for item in _ITEMS.split(_PARENTHESIS.sub("", value))]
    if any(units(item) > MAX_UNITS for item in items):
        return ()
    bare = [_ARTICLE.sub("", item, count=1) if _ARTICLE.match(item) else item for item in items]
    return tuple(dict.fromkeys(term for term in (*items, *bare) if term))


def _clauses(text: str) -> Iterator[str]:
    """The clauses of prose that nobody says by chance."""
    for clause in _CLAUSES.split(text):
        clause = clause.strip(_MARKS)
        if MIN_CLAUSE_UNITS[bool(_CJK.search(clause))] <= units(fold(clause)) <= MAX_UNITS:
            yield clause
