"""Validators as data: the fields of a sample's validator, read and checked, whatever form they come in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from raiden_core.errors import DataError
from raiden_core.rewards.negation.topic import ABOUT

Groups = tuple[tuple[str, ...], ...]

POLARITIES = ("affirmed", "denied")
ASIDE_LIMIT = 2
"""Of how many groups of ``aside`` an answer may mention terms, where the validator does not say."""


class Fields(NamedTuple):
    """What a validator says; docs/vrar.md explains each."""

    all_of: Groups = ()
    none_of: tuple[str, ...] = ()
    min_groups: int | None = None
    aside: Groups = ()
    aside_limit: int = ASIDE_LIMIT
    polarity: str | None = None
    about: str | None = None
    denied: Groups = ()
    abstains: bool = False


_KNOWN = "all_of, none_of, min_groups, aside, aside_limit, polarity, about, denied and abstains"


def fields_of(keywords: object, validator: object) -> Fields:
    """The fields of a validator; one group a keyword where there is none.

    Args:
        keywords: a sequence of strings.
        validator: a `raiden_core.samples.Validator`, a mapping of its fields, that as a JSON string, or None.

    Raises:
        DataError: it is not in order; the message says what is wrong.
    """
    if validator is None:
        return _from_keywords(_strings(keywords, "keywords"))
    if isinstance(validator, str):
        return _from_json(validator)
    if isinstance(validator, Mapping):
        return _from_json(json.dumps(dict(validator), ensure_ascii=False, default=str))
    if hasattr(validator, "all_of"):
        return Fields(*(getattr(validator, name) for name in Fields._fields))
    raise DataError(f"validator is {_kind(validator)}, not an object; give {_KNOWN}")


def _from_keywords(keywords: tuple[str, ...]) -> Fields:
    if not keywords:
        raise DataError("no keywords and no validator; the sample is for a judge only")
    return Fields(tuple((keyword,) for keyword in keywords))


@lru_cache(maxsize=65536)
def _from_json(validator: str) -> Fields:
    try:
        fields = json.loads(validator)
    except (json.JSONDecodeError, RecursionError):
        raise DataError("validator is a string, but not JSON") from None
    if fields is None:
        raise DataError("validator is the JSON string null; leave the field out instead")
    if not isinstance(fields, dict):
        raise DataError(f"validator is {_kind(fields)}, not an object; give {_KNOWN}")
    unknown = sorted(set(fields) - set(Fields._fields))
    if unknown:
        raise DataError(f"validator has the unknown key {unknown[0]!r}; it knows {_KNOWN}")
    given = {name: value for name, value in fields.items() if value is not None}
    denied, abstains = _groups(given.get("denied", []), "denied"), _bool(given.get("abstains", False))
    all_of = _groups(given.get("all_of", [] if denied or abstains else None), "all_of")
    if not (all_of or denied or abstains):
        raise DataError("validator.all_of is empty: every answer would be right")
    min_groups = given.get("min_groups")
    if min_groups is not None and (type(min_groups) is not int or not 1 <= min_groups <= len(all_of)):
        raise DataError(f"validator.min_groups is {min_groups!r}; it must lie between 1 and {len(all_of)}")
    limit = given.get("aside_limit", ASIDE_LIMIT)
    if type(limit) is not int or limit < 0:
        raise DataError(f"validator.aside_limit is {limit!r}; it must be a whole number of at least 0")
    return Fields(
        all_of=all_of,
        none_of=_strings(given.get("none_of", []), "validator.none_of"),
        min_groups=min_groups,
        aside=_groups(given.get("aside", []), "aside"),
        aside_limit=limit,
        polarity=_one_of(given.get("polarity"), "polarity", POLARITIES),
        about=_one_of(given.get("about"), "about", ABOUT),
        denied=denied,
        abstains=abstains,
    )


def _groups(value: object, name: str) -> Groups:
    if not isinstance(value, list):
        raise DataError(f"validator.{name} is {_kind(value)}, not a list of groups of terms")
    groups = tuple(_strings(group, f"validator.{name}[{place}]") for place, group in enumerate(value))
    for place, group in enumerate(groups):
        if not group:
            raise DataError(f"validator.{name}[{place}] is empty: a group needs a term")
    return groups


def _one_of(value: object, name: str, known: tuple[str, ...]) -> str | None:
    if value is not None and value not in known:
        raise DataError(f"validator.{name} is {value!r}; it must be one of {', '.join(known)}")
    return str(value) if value is not None else None


def _bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise DataError(f"validator.abstains is {value!r}; it must be true or false")
    return value


def _strings(values: object, where: str) -> tuple[str, ...]:
    if not isinstance(values, (list, tuple)):
        raise DataError(f"{where} is {_kind(values)}, not a list of strings")
    for place, value in enumerate(values):
        if not isinstance(value, str):
            raise DataError(f"{where}[{place}] is {_kind(value)}, not a string")
    return tuple(values)


def _kind(value: object) -> str:
    return "missing" if value is None else f"of type {type(value).__name__}"
