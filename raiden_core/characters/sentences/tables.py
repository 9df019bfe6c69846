"""The tables of one language, checked and compiled."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from raiden_core.errors import DataError

LANGUAGES = ("zh", "en", "ja", "ko")
_STRICT = ConfigDict(frozen=True, extra="forbid")


class Row(BaseModel):
    """One way to state one thing."""

    model_config = _STRICT

    pattern: str
    """A regular expression for a whole clause. ``{S}`` is the character as subject, ``{P}`` as owner, ``{V}`` the value,
    ``{J}`` a trade of the language's list, ``{C}`` the name; a group ``kind`` and those of ``more`` may stand in it."""
    attribute: str
    """The fact's name; ``{kind}`` is what the pattern's group of that name found."""
    example: str
    """A sentence that the row reads."""
    gives: str
    """The value that it finds there."""
    more: dict[str, str] = {}
    """Further groups of the pattern and their attributes, such as a pet's name."""
    despite: str = ""
    """What the language's blockers may find here all the same: a part of this way to state it."""
    where: str = ""
    """What must be found in the value."""


class Table(BaseModel):
    """Everything of one language."""

    model_config = _STRICT

    subject: str
    owner: str
    value: str
    """What a value may be made of."""
    sentence_end: str
    clause_end: str
    """Where a clause ends and the next may lack its subject; "" where rules see whole sentences."""
    quotes: str
    """Opening and closing marks, in pairs."""
    blockers: str
    """What makes a sentence deny, suppose, ask, report or speak of the past."""
    others: str
    """Words for other people: after them a pronoun may be theirs."""
    not_values: str
    """What no value is."""
    cuts: str = ""
    """Where a value ends although its sentence goes on."""
    trades: tuple[str, ...] = Field(min_length=40)
    longest: int
    """Letters (zh, ja, ko) or words of the longest value."""
    rows: tuple[Row, ...]

    @field_validator("blockers", "others", "not_values", "cuts")
    @classmethod
    def _lines_are_joined(cls, text: str) -> str:
        return text.replace(" |", "|")

    @model_validator(mode="after")
    def _patterns_compile(self) -> Self:
        for text in (self.blockers, self.others, self.not_values, self.sentence_end, *(row.where for row in self.rows)):
            re.compile(text)
        for row in self.rows:
            compiled(self, row)
        return self


@dataclass(frozen=True)
class Rules:
    """A table ready for use."""

    table: Table
    rows: tuple[tuple[Row, re.Pattern[str]], ...]
    blockers: re.Pattern[str]
    others: re.Pattern[str]
    not_values: re.Pattern[str]
    sentence: re.Pattern[str]
    """A sentence with its end mark; quoted speech is not cut."""
    quoted: re.Pattern[str]


MAX_QUOTED = 300
"""Quotation marks that are further apart are no pair."""
CHARACTER = "\x02"
"""What stands for the character's name while a sentence is read."""


def compiled(table: Table, row: Row) -> re.Pattern[str]:
    """The pattern of a row."""
    trades = "|".join(sorted(map(re.escape, table.trades), key=len, reverse=True))
    text = row.pattern
    for mark, part in (("{S}", table.subject), ("{P}", table.owner), ("{J}", f"(?:{trades})")):
        text = text.replace(mark, part)
    text = text.replace("{V}", f"(?P<value>{table.value})").replace("{C}", CHARACTER)
    return re.compile(text)


@cache
def load(language: str) -> Rules:
    """The rules of a language.

    Raises:
        DataError: its file does not hold what it should.
    """
    file = resources.files("raiden_core.characters.sentences") / f"{language}.yaml"
    try:
        table = Table.model_validate(yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader))
    except (ValueError, re.error, yaml.YAMLError) as error:
        raise DataError(f"{file}: {' '.join(str(error).split())}") from None
    pairs = [(table.quotes[place], table.quotes[place + 1]) for place in range(0, len(table.quotes), 2)]
    quoted = "|".join(
        f"{re.escape(left)}[^{re.escape(right)}\n]{{0,{MAX_QUOTED}}}{re.escape(right)}" for left, right in pairs
    )
    return Rules(
        table=table,
        rows=tuple((row, compiled(table, row)) for row in table.rows),
        blockers=re.compile(table.blockers),
        others=re.compile(table.others),
        not_values=re.compile(table.not_values),
        sentence=re.compile(rf"(?:{quoted}|(?!{table.sentence_end})[^\n])+(?:{table.sentence_end})?|\n"),
        quoted=re.compile(quoted),
    )
