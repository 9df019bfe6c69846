"""What the offline teacher says at the boundaries of what a character knows, from ``templates/boundaries/<language>.yaml``.

The files are data for people to edit: wordings of false premises, of corrections and of admissions; the attributes that
may be asked for where a profile lacks them; synonyms and regions, which make a "false" premise true; and things that an
era did not know.
"""

from __future__ import annotations

import re
from functools import cache, cached_property
from importlib import resources
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from raiden_core.errors import DataError
from raiden_core.generation.offline.catalogue import PLACEHOLDERS, load
from raiden_core.rewards import fold

FURTHER = {"Your_key", "wrong", "a_wrong", "n_wrong", "thing"}
"""Placeholders beside those of the catalogue."""
ANY = "any"
"""The premises for every attribute."""

_PLACEHOLDER = re.compile(r"\{(\w*)\}")
_YEAR = re.compile(r"(?<!\d)\d{3,4}(?!\d)")
_STRICT = ConfigDict(frozen=True, extra="forbid")


class Thing(BaseModel):
    """Something that an earlier time did not have."""

    model_config = _STRICT

    names: tuple[str, ...] = Field(min_length=1)
    """Its words, the first for the question."""
    since: int
    """The year before which hardly anybody had it."""
    inventions: tuple[str, ...] = Field(min_length=1)
    """What somebody says who makes something up about it."""


class Reasonings(BaseModel):
    """The chains of thought."""

    model_config = _STRICT

    correct: tuple[str, ...] = Field(min_length=1)
    unknown: tuple[str, ...] = Field(min_length=1)
    untold: tuple[str, ...] = Field(min_length=1)
    unheard: tuple[str, ...] = Field(min_length=1)


class BoundaryWords(BaseModel):
    """Everything of one language."""

    model_config = _STRICT

    premises: dict[str, tuple[str, ...]]
    """Attribute (or `ANY`) -> questions that assume a wrong value of it."""
    corrections: tuple[str, ...] = Field(min_length=2)
    unknown: tuple[str, ...] = Field(min_length=2)
    """Admissions: the profile does not say it."""
    untold: tuple[str, ...] = Field(min_length=2)
    """Admissions: the user did not say it."""
    unheard: tuple[str, ...] = Field(min_length=2)
    """Admissions: the thing is of another time."""
    reasoning: Reasonings
    lacking: dict[str, tuple[str, ...]]
    """Attributes that may be asked for where the profile lacks them -> words by which its prose may tell them."""
    synonyms: tuple[tuple[str, ...], ...]
    """Values that are the same."""
    regions: tuple[str, ...]
    """Places that hold other places."""
    eras: dict[str, int]
    """Word of an era -> its last year."""
    thing_questions: tuple[str, ...] = Field(min_length=2)
    things: tuple[Thing, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        if len(self.premises.get(ANY, ())) < 2:
            raise ValueError(f"premises: {ANY!r} needs two wordings or more")
        for template in self.templates():
            unknown = set(_PLACEHOLDER.findall(template)) - PLACEHOLDERS - FURTHER
            if unknown:
                raise ValueError(f"unknown placeholder {{{unknown.pop()}}} in {template!r}")
        return self

    def templates(self) -> list[str]:
        """Every sentence with placeholders."""
        said = (self.corrections, self.unknown, self.untold, self.unheard, self.thing_questions)
        thought = (self.reasoning.correct, self.reasoning.unknown, self.reasoning.untold, self.reasoning.unheard)
        return [sentence for part in (*self.premises.values(), *said, *thought) for sentence in part]

    @cached_property
    def _same(self) -> dict[str, int]:
        return {fold(word): number for number, group in enumerate(self.synonyms) for word in group}

    @cached_property
    def _regions(self) -> frozenset[str]:
        return frozenset(map(fold, self.regions))

    def may_both_be_true(self, one: str, other: str) -> bool:
        """Whether two values are synonyms, or one may lie in the other."""
        first, second = fold(one), fold(other)
        if first in self._regions or second in self._regions:
            return True
        return first in self._same and self._same[first] == self._same.get(second)

    def year_of(self, era: str) -> int | None:
        """The last year that an era can mean; None where that cannot be told.

        A year in figures goes before any word. A word of one character only counts where the text begins with it.
        """
        text = fold(era)
        if found := _YEAR.search(text):
            return int(found.group())
        years = [
            year
            for word, year in self.eras.items()
            if (text.startswith(fold(word)) if len(word) == 1 else fold(word) in text)
        ]
        return max(years, default=None)


@cache
def boundary_words(language: str) -> BoundaryWords:
    """The words of one of the catalogue's languages.

    Raises:
        DataError: its file does not hold what it should; the message names file and entry.
    """
    file = resources.files("raiden_core.generation.offline") / "templates" / "boundaries" / f"{language}.yaml"
    try:
        words = BoundaryWords.model_validate(yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise DataError(f"{file}: {place}: {first['msg']}") from None
    except yaml.YAMLError as error:
        raise DataError(f"{file}: broken YAML: {' '.join(str(error).split())}") from None
    for name in (*words.lacking, *(name for name in words.premises if name != ANY)):
        if name not in load(language).attributes:
            raise DataError(f"{file}: {name!r} is no attribute of {language}.yaml")
    return words
